//! What carriers tell of the parts of a message.
//!
//! A part's receipt may come before the carrier's answer was recorded, or to a process that did not send: it is kept
//! until the part has its name (`named`). A message is as far as the least of its parts; it failed when one of them did.

use store::messages::{Message, Status};
use store::parts::{Early, Part};
use store::{Id, Result, Tx, parts};

use super::Intake;
use crate::campaigns::Moves;
use crate::events::{self, MessageData, Note};
use crate::failure::Failure;
use crate::{Engine, billing, facts, verification};

impl Intake<'_> {
    pub(super) async fn part(&mut self, tx: &mut Tx, fact: &facts::PartReceipt) -> Result<()> {
        let Some(account) = self.account(&fact.account) else { return Ok(()) };
        let error = fact.failure.as_ref().and_then(|failure| serde_json::to_string(failure).ok());
        let early = Early { status: fact.status, at: fact.at, error };
        match known(tx, self.engine, &account.id, fact, &mut self.moves).await? {
            Some(part) => {
                let settled = heard(tx, self.engine, part, &early, &mut self.moves).await?;
                self.followed.settled.extend(settled);
            }
            None => parts::keep_early(tx, &account.id, &fact.provider_id, &early, self.engine.now()).await?,
        }
        Ok(())
    }
}

/// The part of that name, unless its name is not known yet.
async fn known(
    tx: &mut Tx,
    engine: &Engine,
    account: &Id,
    fact: &facts::PartReceipt,
    moves: &mut Moves,
) -> Result<Option<Part>> {
    if let Some(part) = parts::get(tx, account, &fact.provider_id).await? {
        return Ok(Some(part));
    }
    if let Some(id) = &fact.message
        && let Some(part) = adopt(tx, engine, account, id, fact, moves).await?
    {
        return Ok(Some(part));
    }
    parts::meet(tx, account, &fact.provider_id, engine.now()).await?;
    parts::get(tx, account, &fact.provider_id).await
}

/// The carrier hands our id back before its answer was recorded: the message did go out, under this name.
async fn adopt(
    tx: &mut Tx,
    engine: &Engine,
    account: &Id,
    id: &Id,
    fact: &facts::PartReceipt,
    moves: &mut Moves,
) -> Result<Option<Part>> {
    let Some(mut message) = store::messages::get_for_update(tx, id).await? else { return Ok(None) };
    let Some(sender) = store::senders::get(tx, &message.sender_id).await? else { return Ok(None) };
    let Some(row) = store::accounts::get(tx, account).await? else { return Ok(None) };
    // Nobody's receipts speak of another organization's messages.
    if row.organization_id != message.organization_id || sender.organization_id != message.organization_id {
        return Ok(None);
    }
    match &message.provider_id {
        Some(known) if *known != fact.provider_id => {
            crate::outbound::doubled(tx, engine, &mut message, &fact.provider_id).await?;
            return Ok(None);
        }
        Some(_) => {}
        None => {
            store::jobs::delete(tx, id).await?;
            message.provider_id = Some(fact.provider_id.clone());
            (message.status, message.updated_at) = (message.status.max(Status::Sent), engine.now());
            store::messages::advance(tx, &message).await?;
            let data = MessageData {
                provider_id: message.provider_id.clone(),
                reason: Some("a receipt came before the carrier's answer".into()),
                ..MessageData::default()
            };
            let note = Note::about(&message.organization_id, events::MESSAGE_SUBMITTED, &message);
            events::append(tx, engine, note, &data).await?;
            moves.follow(tx, &message).await?;
        }
    }
    let part = part(account, id, 0, &fact.provider_id, engine.now());
    parts::insert(tx, &part).await?;
    Ok(Some(part))
}

fn part(account: &Id, message: &Id, number: i64, provider_id: &str, now: i64) -> Part {
    Part {
        account_id: *account,
        provider_id: provider_id.to_owned(),
        message_id: *message,
        number,
        status: Status::Pending,
        receipts: 0,
        error: None,
        created_at: now,
    }
}

/// The carrier's answer: its names for a message's parts. What was told of them already counts now.
pub(crate) async fn named(tx: &mut Tx, engine: &Engine, account: &Id, message: &Id, names: &[String]) -> Result<()> {
    for (number, name) in names.iter().enumerate() {
        parts::meet(tx, account, name, engine.now()).await?;
        parts::insert(tx, &part(account, message, number as i64, name, engine.now())).await?;
    }
    let mut moves = Moves::default();
    for name in names {
        for early in parts::take_early(tx, account, name).await? {
            if let Some(part) = parts::get(tx, account, name).await? {
                heard(tx, engine, part, &early, &mut moves).await?;
            }
        }
    }
    moves.count(tx).await
}

/// Returns the message, where this settled it.
async fn heard(tx: &mut Tx, engine: &Engine, mut part: Part, early: &Early, moves: &mut Moves) -> Result<Option<Id>> {
    // The message's lock comes first, as everywhere.
    let Some(message) = store::messages::get_for_update(tx, &part.message_id).await? else { return Ok(None) };
    if part.receipts & early.status.bit() != 0 {
        return Ok(None);
    }
    part.receipts |= early.status.bit();
    if early.status > part.status {
        (part.status, part.error) = (early.status, early.error.clone());
    }
    parts::advance(tx, &part).await?;
    let all = parts::of_message(tx, &part.message_id).await?;
    let failed = all.iter().find(|part| part.status == Status::Failed);
    let least = all.iter().map(|part| part.status).min().unwrap_or(Status::Pending);
    let status = failed.map_or(least, |_| Status::Failed);
    match status > message.status && message.receipts & status.bit() == 0 {
        true => {
            let error = failed.and_then(|part| part.error.clone());
            let (message, settled) = advance(tx, engine, message, status, early.at, error).await?;
            moves.follow(tx, &message).await?;
            Ok(settled.then_some(message.id))
        }
        false => Ok(None),
    }
}

/// Whether this settled it comes beside the message as it is now.
async fn advance(
    tx: &mut Tx,
    engine: &Engine,
    mut message: Message,
    status: Status,
    at: i64,
    error: Option<String>,
) -> Result<(Message, bool)> {
    let was = message.status;
    (message.status, message.updated_at) = (status, engine.now());
    message.receipts |= status.bit();
    message.error = error.or(message.error.filter(|_| status == Status::Failed));
    store::messages::advance(tx, &message).await?;
    billing::settle(tx, engine, &message, None).await?;
    let failure: Option<Failure> = message.error.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let kind = match status {
        Status::Delivered => events::MESSAGE_DELIVERED,
        Status::Failed => events::MESSAGE_FAILED,
        _ => events::MESSAGE_SENT,
    };
    let data =
        MessageData { provider_id: message.provider_id.clone(), at: Some(at), failure, ..MessageData::default() };
    let note = Note::about(&message.organization_id, kind, &message).with_fact_id(format!(
        "{}:{}",
        message.id,
        status.as_str()
    ));
    events::append(tx, engine, note, &data).await?;
    verification::moved(tx, engine, &message).await?;
    Ok((message, was == Status::Pending))
}
