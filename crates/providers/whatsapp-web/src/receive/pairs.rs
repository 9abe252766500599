//! The two addresses that people have, their phone number and the one that hides it.
//!
//! A stanza names one of them and perhaps the other. What it leaves out is known from earlier stanzas and answers, which
//! the library keeps; about people of whom nothing tells, WhatsApp is asked, once for each while the process runs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::Clock;
use wacore::iq::usync::{IsOnWhatsAppQueryType, IsOnWhatsAppResult, IsOnWhatsAppSpec, IsOnWhatsAppUser};
use wacore::types::message::MessageSource;
use web_wire::event::Source;
use web_wire::jid::{HIDDEN, Jid, PEOPLE};
use whatsapp_rust::Client;
use whatsapp_rust::lid_pn_cache::LearningSource;

use super::convert;
use crate::jids::{ours, theirs};

/// A message waits so long for the answer, and is then told with what is known.
const PATIENCE: Duration = Duration::from_secs(3);
/// People that are remembered as asked about.
const MOST_ASKED: usize = 10_000;

/// About whom WhatsApp was asked.
#[derive(Debug, Default)]
pub(super) struct Asked(Mutex<HashSet<Jid>>);

impl Asked {
    /// Those of them about whom it was not asked yet; it is now.
    fn fresh(&self, mut people: Vec<Jid>) -> Vec<Jid> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() > MOST_ASKED {
            asked.clear();
        }
        people.retain(|person| asked.insert(person.clone()));
        people
    }
}

/// Each address with the other one of the same person; devices are left out.
#[derive(Debug, Default)]
pub(super) struct Pairs(HashMap<Jid, Jid>);

impl Pairs {
    /// What the stanzas and the library tell of the people in `sources`.
    pub(super) async fn known(client: &Client, sources: &[&MessageSource]) -> Self {
        let mut pairs = Self::default();
        sources.iter().for_each(|source| pairs.hear(source));
        for person in people(sources) {
            pairs.look_up(client, person).await;
        }
        pairs
    }

    /// What the library tells of one person.
    pub(super) async fn of(client: &Client, person: &Jid) -> Self {
        let mut pairs = Self::default();
        if person.is_person() {
            pairs.look_up(client, person.bare()).await;
        }
        pairs
    }

    /// What is known, and what WhatsApp tells of the rest.
    pub(super) async fn found(client: &Arc<Client>, clock: &Clock, asked: &Asked, sources: &[&MessageSource]) -> Self {
        let mut pairs = Self::known(client, sources).await;
        let unknown = people(sources).into_iter().filter(|person| !pairs.0.contains_key(person)).collect();
        let unknown = asked.fresh(unknown);
        if !unknown.is_empty() {
            tokio::select! {
                () = pairs.ask(client, &unknown) => {}
                () = clock.sleep(PATIENCE) => {}
            }
        }
        pairs
    }

    fn learn(&mut self, one: &Jid, other: &Jid) {
        if one.is_person() && other.is_person() && one.server != other.server {
            self.0.insert(one.bare(), other.bare());
            self.0.insert(other.bare(), one.bare());
        }
    }

    /// What a stanza says by itself.
    fn hear(&mut self, source: &MessageSource) {
        if let Some(other) = &source.sender_alt {
            self.learn(&ours(&source.sender), &ours(other));
        }
        if let Some(other) = &source.recipient_alt {
            self.learn(&ours(&source.chat), &ours(other));
        }
    }

    async fn look_up(&mut self, client: &Client, person: Jid) {
        if self.0.contains_key(&person) {
            return;
        }
        match client.get_lid_pn_entry(&theirs(&person)).await {
            Ok(Some(known)) => self.learn(&Jid::new(&*known.phone_number, PEOPLE), &Jid::new(&*known.lid, HIDDEN)),
            Ok(None) => {}
            Err(error) => tracing::warn!(error = %error, "somebody's other address could not be looked up"),
        }
    }

    /// Asked without the library's own call, which learns before it answers: that waits for the very session whose
    /// message is being taken in.
    async fn ask(&mut self, client: &Arc<Client>, people: &[Jid]) {
        let (hidden, phones): (Vec<&Jid>, Vec<&Jid>) = people.iter().partition(|person| person.is_hidden());
        for (people, kind) in [(phones, IsOnWhatsAppQueryType::Pn), (hidden, IsOnWhatsAppQueryType::Lid)] {
            if people.is_empty() {
                continue;
            }
            let users = people.into_iter().map(|jid| IsOnWhatsAppUser { jid: theirs(jid), known_lid: None });
            let sid = hex::encode(rand::random::<[u8; 8]>());
            match client.execute(IsOnWhatsAppSpec::new(users.collect(), sid, kind)).await {
                Ok(found) => found.iter().for_each(|found| self.introduce(client, found)),
                Err(error) => tracing::debug!(%error, "WhatsApp did not tell people's other addresses"),
            }
        }
    }

    /// What a call's stanza says of the caller; kept for the next time.
    pub(super) async fn meet(&mut self, client: &Client, one: &Jid, other: &Jid) {
        self.learn(one, other);
        let (hidden, phone) = if one.is_hidden() { (one, other) } else { (other, one) };
        if self.0.contains_key(&one.bare()) {
            keep(client, &hidden.user, &phone.user).await;
        }
    }

    fn introduce(&mut self, client: &Arc<Client>, found: &IsOnWhatsAppResult) {
        let named = [Some(&found.jid), found.pn_jid.as_ref(), found.lid.as_ref()];
        let on = |server: &str| named.into_iter().flatten().map(ours).find(|jid| jid.server == server);
        if let (Some(phone), Some(hidden)) = (on(PEOPLE), on(HIDDEN)) {
            self.learn(&phone, &hidden);
            remember(client.clone(), hidden.user, phone.user);
        }
    }

    /// The other address of a person, with the same device; empty where it is not known.
    pub(super) fn other(&self, of: &Jid) -> Jid {
        self.0.get(&of.bare()).map(|other| Jid { device: of.device, ..other.clone() }).unwrap_or_default()
    }

    /// Where something was said and by whom, with both addresses of everybody.
    pub(super) fn complete(&self, source: &MessageSource) -> Source {
        let mut told = convert::source(source);
        told.sender_alt = match told.sender_alt.is_empty() {
            true => self.other(&told.sender),
            false => Jid { device: told.sender.device, ..told.sender_alt },
        };
        if told.is_from_me && told.chat.is_person() && told.recipient_alt.is_empty() {
            told.recipient_alt = self.other(&told.chat);
        }
        if told.addressing_mode.is_empty() {
            told.addressing_mode = match told.sender.server.as_str() {
                PEOPLE => "pn".into(),
                HIDDEN => "lid".into(),
                _ => String::new(),
            };
        }
        told
    }

    /// Both addresses of the other side of a chat, the phone number first: that is what callers write to.
    pub(super) fn of_chat(&self, chat: &Jid) -> Vec<Jid> {
        let mut both = vec![chat.clone()];
        both.extend(Some(self.other(chat)).filter(|other| !other.is_empty()));
        both.sort_by_key(Jid::is_hidden);
        both
    }
}

/// Whose other address is of use, each once.
fn people(sources: &[&MessageSource]) -> HashSet<Jid> {
    let named = sources.iter().flat_map(|source| [&source.sender, &source.chat]);
    named.map(|jid| ours(jid).bare()).filter(Jid::is_person).collect()
}

/// Beside everything else, see [`Pairs::ask`].
fn remember(client: Arc<Client>, hidden: String, phone: String) {
    tokio::spawn(async move { keep(&client, &hidden, &phone).await });
}

async fn keep(client: &Client, hidden: &str, phone: &str) {
    if let Err(error) = client.add_lid_pn_mapping(hidden, phone, LearningSource::Usync).await {
        tracing::warn!(%error, "somebody's other address could not be kept");
    }
}
