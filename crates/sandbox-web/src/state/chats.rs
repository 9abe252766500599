//! What a phone remembers of its chats, so that it can answer, react to, edit and repeat messages.

use std::collections::{BTreeMap, HashSet, VecDeque};

use crate::phone::content::Known;

/// Messages a phone remembers of each chat.
const REMEMBERED: usize = 500;

/// One remembered message.
pub(crate) struct Message {
    pub(crate) known: Known,
    /// Milliseconds.
    pub(crate) at: i64,
    /// The device that wrote it, for receipts.
    pub(crate) device: wacore_binary::Jid,
    pub(crate) read: bool,
}

/// All chats of one phone, by address.
#[derive(Default)]
pub(crate) struct Chats {
    by_chat: BTreeMap<String, VecDeque<Message>>,
    /// What came already, by writer and id; a repeated message is shown once.
    seen: HashSet<(String, String)>,
    order: VecDeque<(String, String)>,
}

impl Chats {
    /// Whether this is the first time that this message comes.
    pub(crate) fn is_new(&mut self, writer: &str, id: &str) -> bool {
        let name = (writer.to_owned(), id.to_owned());
        if !self.seen.insert(name.clone()) {
            return false;
        }
        self.order.push_back(name);
        while self.order.len() > 10 * REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }

    pub(crate) fn add(&mut self, chat: &str, message: Message) {
        let messages = self.by_chat.entry(chat.to_owned()).or_default();
        messages.push_back(message);
        if messages.len() > REMEMBERED {
            messages.pop_front();
        }
    }

    pub(crate) fn find(&self, chat: &str, id: &str) -> Option<&Message> {
        self.by_chat.get(chat)?.iter().rev().find(|message| message.known.id == id)
    }

    /// A message of any chat, with the chat.
    pub(crate) fn find_anywhere(&self, id: &str) -> Option<(&str, &Message)> {
        self.by_chat.iter().find_map(|(chat, messages)| {
            messages.iter().rev().find(|message| message.known.id == id).map(|message| (chat.as_str(), message))
        })
    }

    /// The message is gone from the phone; `false` if it was not there.
    pub(crate) fn forget(&mut self, id: &str) -> bool {
        let chats = self.by_chat.values_mut();
        chats.fold(false, |found, messages| {
            let before = messages.len();
            messages.retain(|message| message.known.id != id);
            found || messages.len() < before
        })
    }

    pub(crate) fn chat(&self, chat: &str) -> impl DoubleEndedIterator<Item = &Message> {
        self.by_chat.get(chat).into_iter().flatten()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &VecDeque<Message>)> {
        self.by_chat.iter().map(|(chat, messages)| (chat.as_str(), messages))
    }

    /// What others wrote and was not looked at, marked as looked at now; `ids` limits it.
    pub(crate) fn take_unread(&mut self, ids: Option<&[String]>) -> Vec<(String, wacore_binary::Jid, String)> {
        let mut taken = Vec::new();
        for (chat, messages) in &mut self.by_chat {
            let wanted = |id: &String| ids.is_none_or(|ids| ids.contains(id));
            for message in messages.iter_mut().filter(|it| !it.read && !it.known.from_me && wanted(&it.known.id)) {
                message.read = true;
                taken.push((chat.clone(), message.device.clone(), message.known.id.clone()));
            }
        }
        taken
    }
}
