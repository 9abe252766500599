//! Somebody wrote.

use engine::contacts::Address;
use engine::facts::{self, Fact, IdentityChange};
use meta_wire::webhook::message::System;
use meta_wire::webhook::{Content, Message};

use super::content;
use super::facts::{Told, millis};
use super::people::addresses;

pub(super) fn facts(told: &Told<'_>, message: &Message) -> Vec<Fact> {
    let from = from(told, message);
    let Some(sender) = told.sender().filter(|_| !from.is_empty() && message.group_id.is_none()) else {
        // Nobody to answer to, or a group, which is no conversation with one person.
        return vec![told.notice("messages")];
    };
    let (content, file) = content::content(&message.body);
    let identity = identity(told, &sender, &from, &message.body.content);
    let written = facts::Message {
        sender,
        provider_id: message.id.clone(),
        chat: String::new(),
        author: String::new(),
        own: false,
        late: false,
        file_first: false,
        from,
        profile_name: profile_name(told),
        at: millis(message.timestamp),
        content,
        reply_to: message.context.as_ref().and_then(|context| context.id.clone()),
        file,
        document: told.document(),
    };
    [Some(Fact::Message(Box::new(written))), identity].into_iter().flatten().collect()
}

fn from(told: &Told<'_>, message: &Message) -> Vec<Address> {
    let contact = told.item.contact();
    let phone = message.from.as_ref().or_else(|| contact?.wa_id.as_ref());
    let user = message.from_user_id.as_ref().or_else(|| contact?.user_id.as_ref());
    addresses(phone.map(String::as_str), user.map(String::as_str))
}

fn profile_name(told: &Told<'_>) -> Option<String> {
    let profile = told.item.contact()?.profile.as_ref()?;
    profile.name.clone().or_else(|| profile.username.clone()).filter(|name| !name.is_empty())
}

/// The system tells that a person has another number or id now.
fn identity(told: &Told<'_>, sender: &str, old: &[Address], content: &Content) -> Option<Fact> {
    let Content::System(System { kind, wa_id, user_id, .. }) = content else {
        return None;
    };
    if !matches!(kind.as_deref(), Some("user_changed_number" | "user_changed_user_id")) {
        return None;
    }
    let mut new = addresses(wa_id.as_deref(), user_id.as_deref());
    new.retain(|address| !old.contains(address));
    let change = IdentityChange { sender: sender.to_owned(), old: old.to_vec(), new, document: told.document() };
    (!change.new.is_empty()).then_some(Fact::Identity(change))
}
