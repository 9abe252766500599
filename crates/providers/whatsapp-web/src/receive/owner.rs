//! What the owner calls people and how he has his chats, as his phone and his other devices tell it.

use engine::chats::{Names, Standing};
use engine::facts::{ChatStanding, Fact, PersonNames};
use wacore::types::events::Event;

use crate::jids::ours;
use crate::session::Session;

/// Muted for ever, in the words of the protocol and in ours.
const FOR_EVER: i64 = -1;

pub(super) fn facts(session: &Session<'_>, event: &Event) -> Vec<Fact> {
    let sender = session.opened.sender.external_id.as_str();
    match event {
        Event::ContactUpdate(change) => {
            let names = Names {
                full_name: change.action.full_name.clone(),
                first_name: change.action.first_name.clone(),
                ..Names::default()
            };
            vec![person(sender, &change.jid, names)]
        }
        Event::PushNameUpdate(change) => {
            vec![person(
                sender,
                &change.jid,
                Names { push_name: Some(change.new_push_name.clone()), ..Names::default() },
            )]
        }
        Event::PinUpdate(change) => {
            let pinned = Some(change.action.pinned.unwrap_or(false));
            vec![chat(sender, &change.jid, Standing { pinned, ..Standing::default() })]
        }
        Event::ArchiveUpdate(change) => {
            let archived = Some(change.action.archived.unwrap_or(false));
            vec![chat(sender, &change.jid, Standing { archived, ..Standing::default() })]
        }
        Event::MuteUpdate(change) => {
            let until = change.action.mute_end_timestamp.unwrap_or(FOR_EVER);
            let until = if until == FOR_EVER { i64::MAX } else { until };
            let muted_until = Some(change.action.muted.unwrap_or(false).then_some(until));
            vec![chat(sender, &change.jid, Standing { muted_until, ..Standing::default() })]
        }
        Event::DeleteChatUpdate(change) => {
            let address = address(&change.jid);
            vec![Fact::Chat(ChatStanding { sender: sender.to_owned(), address, standing: None })]
        }
        _ => Vec::new(),
    }
}

fn address(jid: &wacore_binary::Jid) -> store::contacts::Address {
    let (kind, value) = ours(jid).to_neutral();
    store::contacts::Address { kind: kind.to_owned(), value }
}

pub(super) fn person(sender: &str, jid: &wacore_binary::Jid, names: Names) -> Fact {
    Fact::Person(PersonNames { sender: sender.to_owned(), address: address(jid), names })
}

fn chat(sender: &str, jid: &wacore_binary::Jid, standing: Standing) -> Fact {
    let standing = Some(standing);
    Fact::Chat(ChatStanding { sender: sender.to_owned(), address: address(jid), standing })
}
