//! A phone and its own companions: the first words after linking, and what companions ask for later.

use wacore_binary::{GROUP_SERVER, Jid};

use crate::number::{Address, Naming, Number};
use crate::phone::peer::{self, Again, Chat, History, Kind, Past, Request};
use crate::phone::settings::Setting;
use crate::state::World;
use crate::state::chats::Message;

/// Messages a phone tells of each chat at first.
const FIRST: usize = 50;

impl World {
    /// After a companion's first keys: the app-state keys, and the history. A client waits for the keys, and cannot read a setting
    /// before it has them, so they go first.
    pub(crate) fn greet(&mut self, companion: &Address) {
        let number = companion.number.clone();
        let Some(account) = self.accounts.get(&number) else { return };
        let keys = peer::key_share(account.phone.keys.sync_keys());
        let (scenario, salt) = (account.scenario.clone(), account.salt.0.clone());
        self.whisper(&number, companion, &keys);
        self.write_own_name(&number);
        let by_history = scenario.nct_history_ab && scenario.nct_history_delivery;
        let history = History { salt: by_history.then(|| salt.clone()), ..self.history(&number, None, FIRST) };
        self.whisper(&number, companion, &peer::history(Kind::Bootstrap, &history, None));
        if scenario.nct_syncd_ab && scenario.nct_syncd_delivery {
            self.write_settings(&number, &[Setting::NctSalt(salt)]);
        }
        let names = History { push_names: history.push_names, progress: 100, ..History::default() };
        self.whisper(&number, companion, &peer::history(Kind::PushNames, &names, None));
    }

    /// A phone's own name stands in its app state.
    pub(crate) fn write_own_name(&mut self, number: &Number) {
        let Some(account) = self.accounts.get_mut(number) else { return };
        if account.push_name.is_empty() {
            account.push_name = format!("Phone {}", &number.digits()[number.digits().len() - 4..]);
        }
        let name = account.push_name.clone();
        let written = account.phone.app_state.entry(&["setting_pushName"]);
        if written.and_then(|it| it.push_name_setting.name.clone()).as_ref() != Some(&name) {
            self.write_settings(number, &[Setting::PushName(name)]);
        }
    }

    /// The owner changed something on the phone: all companions are told.
    pub(crate) fn write_settings(&mut self, number: &Number, settings: &[Setting]) {
        let now = self.clock.ms();
        let Some(account) = self.accounts.get_mut(number) else { return };
        let patches = account.phone.write_patches(settings, now, &mut self.random);
        for (name, patch) in patches {
            let Some(account) = self.accounts.get_mut(number) else { return };
            let collection = account.collection(name);
            let base = collection.version();
            if collection.add(base, patch).is_ok() {
                self.announce_collection(number, name, None);
            }
        }
    }

    pub(super) fn answer_peer(&mut self, phone: &Number, who: &Address, id: &str, request: Request) {
        let Some(account) = self.accounts.get(phone) else { return };
        match request {
            Request::Keys(_) => {
                let keys = peer::key_share(account.phone.keys.sync_keys());
                self.whisper(phone, who, &keys);
            }
            Request::History { chat, before, count } => {
                let chat = chat.parse::<Jid>().ok().and_then(|jid| self.chat_name(&jid));
                let history = self.history_before(phone, chat, before.as_deref(), count);
                self.whisper(phone, who, &peer::history(Kind::OnDemand, &history, Some(id)));
            }
            Request::FullHistory => {
                let history = self.history(phone, None, usize::MAX);
                self.whisper(phone, who, &peer::history(Kind::Full, &history, Some(id)));
            }
            Request::Resend(wanted) => {
                let messages: Vec<Again> = wanted.iter().map(|(chat, id)| self.again(phone, chat, id)).collect();
                self.whisper(phone, who, &peer::again(&messages, id));
            }
            Request::Recovery(_) | Request::Other => {}
        }
    }

    /// In answers phones name people by number, whatever they were asked by.
    fn again(&self, phone: &Number, chat: &str, id: &str) -> Again {
        let jid = chat.parse::<Jid>().ok();
        let number =
            jid.as_ref().and_then(|jid| self.account_of(jid)).map(|other| other.user(Naming::Phone).to_string());
        let account = jid.as_ref().and_then(|jid| self.chat_name(jid)).zip(self.accounts.get(phone));
        let past = account.and_then(|(chat, account)| {
            let message = account.chats.find(&chat, id)?;
            Some(past(self, chat.ends_with(GROUP_SERVER), message))
        });
        Again { chat: number.unwrap_or_else(|| chat.to_owned()), id: id.to_owned(), past }
    }

    fn chat_name(&self, jid: &Jid) -> Option<String> {
        if jid.server == wacore_binary::Server::Group {
            return Some(jid.to_string());
        }
        self.account_of(jid).map(|account| account.user(Naming::Lid).to_string())
    }

    fn history_before(&self, phone: &Number, chat: Option<String>, before: Option<&str>, count: usize) -> History {
        let Some((account, chat)) = self.accounts.get(phone).zip(chat) else { return History::default() };
        let newest_first = account.chats.chat(&chat).rev();
        let older = newest_first.skip_while(|message| before.is_some_and(|id| message.known.id != id));
        let skipped = older.skip(usize::from(before.is_some()));
        let in_group = chat.ends_with(GROUP_SERVER);
        let messages = skipped.take(count).map(|message| past(self, in_group, message)).collect();
        History { chats: vec![Chat { jid: chat, messages, ..Chat::default() }], progress: 100, ..History::default() }
    }

    fn history(&self, phone: &Number, only: Option<&str>, most: usize) -> History {
        let Some(account) = self.accounts.get(phone) else { return History::default() };
        let mut history = History { progress: 100, ..History::default() };
        let own = account.user(Naming::Phone).to_string();
        history.push_names.push((own.clone(), account.push_name.clone()));
        history.addresses.push((own, account.user(Naming::Lid).to_string()));
        for (chat, messages) in account.chats.iter().filter(|(chat, _)| only.is_none_or(|only| only == *chat)) {
            let Ok(jid) = chat.parse::<Jid>() else { continue };
            let other = self.account_of(&jid);
            if let Some(other) = other {
                history.addresses.push((other.user(Naming::Phone).to_string(), chat.to_owned()));
                history.push_names.push((chat.to_owned(), other.push_name.clone()));
            }
            history.chats.push(Chat {
                jid: chat.to_owned(),
                name: self.groups.get(&jid).map(|group| group.subject.clone()),
                unread: u32::try_from(messages.iter().filter(|it| !it.read).count()).unwrap_or(u32::MAX),
                messages: messages
                    .iter()
                    .rev()
                    .take(most)
                    .map(|message| past(self, chat.ends_with(GROUP_SERVER), message))
                    .collect(),
                ..Chat::default()
            });
        }
        history
    }
}

fn past(world: &World, in_group: bool, message: &Message) -> Past {
    let writer = message.known.sender.parse::<Jid>().ok();
    let name = writer.and_then(|jid| world.account_of(&jid)).map(|account| account.push_name.clone());
    Past {
        id: message.known.id.clone(),
        from_me: message.known.from_me,
        participant: in_group.then(|| message.known.sender.clone()),
        push_name: name,
        timestamp: u64::try_from(message.at / 1000).unwrap_or(0),
        message: message.known.message.clone(),
    }
}
