//! What happens at an account, on its way into the engine.
//!
//! Messages come through the [`Hook`], which the library awaits before it acknowledges them to WhatsApp, also those that
//! the phone gives again (`wanted`); what is not end-to-end encrypted (channels) and all else comes as events. Each
//! becomes a fact the engine understands where there is one, and a notice in the words that webhooks of this family know
//! (`web_wire::event`).

mod calls;
mod changes;
mod connection;
mod convert;
mod groups;
mod history;
mod hook;
mod message;
mod notices;
mod owner;
mod pairs;
mod people;
mod skim;

use engine::facts::{Fact, Receipt, Told};
use engine::messages::Status;
use engine::receive::Received;
use engine::sessions::{Change, Notice};
use wacore::types::events::{Event, LazyHistorySync, MessageBatch, UndecryptableMessage};
use wacore::types::presence::ReceiptType;
use wacore_binary::JidExt as _;

pub(crate) use connection::{PASSKEY_MS, challenge};
pub(crate) use hook::Hook;
pub(crate) use notices::{notice, notices};
use pairs::Pairs;

use crate::backend::Wanted;
use crate::jids::ours;
use crate::session::Session;

/// Commits what an event says, and what is told of it, at once; a failure is told to the log, for events are not
/// delivered again.
pub(crate) async fn facts(session: &Session<'_>, event: &Event, notices: Vec<Notice>) {
    let mut facts = match event {
        Event::Receipt(receipt) if receipt.source.is_from_me => Vec::new(),
        Event::Receipt(receipt) => receipts(session, receipt),
        Event::Messages(batch) if !batch.hook_committed => of_channels(session, batch).await,
        other => owner::facts(session, other),
    };
    let (sender, fence) = (&session.opened.sender.external_id, session.opened.fence);
    facts.extend(notices.into_iter().map(|notice| Fact::Told(Told { sender: sender.clone(), fence, notice })));
    if facts.is_empty() {
        return;
    }
    let push = Received { facts, accounts: vec![session.opened.account.external_id.clone()] };
    if let Err(error) = session.engine.receive(crate::NAME, push).await {
        tracing::error!(error = &error as &dyn std::error::Error, "what happened at an account could not be committed");
    }
}

/// Other messages of such events are the library's telling of what the phone gave again: the hook has them.
async fn of_channels(session: &Session<'_>, batch: &MessageBatch) -> Vec<Fact> {
    let taking = message::Taking::of(session);
    let messages: Vec<_> = batch.iter().filter(|message| message.info.source.chat.is_newsletter()).collect();
    let sources: Vec<_> = messages.iter().map(|message| &message.info.source).collect();
    let pairs = Pairs::known(&session.live.client, &sources).await;
    messages.iter().filter_map(|message| taking.fact(message, &pairs)).collect()
}

/// A message that could not be read is asked for again, by the library now and by us with every connect; what is kept
/// from other devices on purpose is not.
pub(crate) async fn unread(session: &Session<'_>, lost: &UndecryptableMessage) {
    if lost.unavailable_type.is_unrecoverable_fanout() {
        return;
    }
    let info = &lost.info;
    let (chat, sender) = (info.source.chat.to_string(), info.source.sender.to_string());
    let wanted = Wanted { chat, sender, id: info.id.clone(), late: info.is_offline };
    if let Err(error) = session.backend.want(&wanted).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a message that could not be read was not noted");
    }
}

/// Takes in what was said before, beside everything else: it may take long.
pub(crate) fn history(session: &mut Session<'_>, history: &LazyHistorySync) {
    let (engine, teller, history) = (session.engine.clone(), session.opened.teller.clone(), history.clone());
    let (sender, account) = (session.opened.sender.external_id.clone(), session.opened.account.external_id.clone());
    session.tasks.spawn(async move {
        let Some((happening, facts)) = history::read(&sender, &history).await else { return };
        let told = teller.tell(Change { notices: vec![notice(&happening)], ..Change::default() }).await;
        let kept = engine.receive(crate::NAME, Received { facts, accounts: vec![account] }).await;
        if let Err(error) = told {
            tracing::warn!(error = &error as &dyn std::error::Error, "a history could not be told");
        }
        if let Err(error) = kept {
            tracing::warn!(error = &error as &dyn std::error::Error, "names of a history could not be kept");
        }
    });
}

fn receipts(session: &Session<'_>, receipt: &wacore::types::events::Receipt) -> Vec<Fact> {
    let status = match receipt.r#type {
        ReceiptType::Delivered => Status::Delivered,
        ReceiptType::Read => Status::Read,
        ReceiptType::Played => Status::Played,
        _ => return Vec::new(),
    };
    // In a group everybody sends them: the first one counts for the message.
    let of = |id: &String| {
        Fact::Receipt(Box::new(Receipt {
            sender: session.opened.sender.external_id.clone(),
            provider_id: id.clone(),
            message: None,
            status,
            at: receipt.timestamp.timestamp_millis(),
            failure: None,
            recipient: convert::addresses(&[ours(&receipt.source.chat)]),
            document: None,
        }))
    };
    receipt.message_ids.iter().map(of).collect()
}
