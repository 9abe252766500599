//! What becomes of a campaign's messages: learned where a message's status is written, by whoever has locked it.

use std::collections::BTreeMap;

use store::campaigns::counts::{self, Counts};
use store::campaigns::recipients::{self, Recipient, Standing};
use store::messages::{Message, Status};
use store::{Id, Result, Tx};

use crate::messages::Echo;

/// Differences that are still to be added to counts. Others wait for whoever has added one: this is done last.
#[derive(Debug, Default)]
pub(crate) struct Moves(BTreeMap<Id, (i64, Counts)>);

impl Moves {
    /// A message's status has just been written.
    pub(crate) async fn follow(&mut self, tx: &mut Tx, message: &Message) -> Result<()> {
        let Some((campaign, position)) = of_message(message) else { return Ok(()) };
        let Some(mut it) = recipients::get_for_update(tx, &campaign, position).await? else { return Ok(()) };
        let (from, to) = (it.standing, standing(message.status));
        if to <= from || it.message_id != Some(message.id) {
            return Ok(());
        }
        advance(&mut it, to, message);
        recipients::update(tx, &campaign, &it).await?;
        let share = counts::share(&message.id);
        self.0.entry(campaign).or_insert((share, Counts::default())).1.step(from, to);
        Ok(())
    }

    /// Adds all of it up.
    pub(crate) async fn count(self, tx: &mut Tx) -> Result<()> {
        for (campaign, (share, difference)) in self.0 {
            counts::add(tx, &campaign, share, &difference).await?;
        }
        Ok(())
    }

    /// The same for a single message.
    pub(crate) async fn of(tx: &mut Tx, message: &Message) -> Result<()> {
        let mut moves = Self::default();
        moves.follow(tx, message).await?;
        moves.count(tx).await
    }
}

/// The campaign that a message belongs to, and the place of its recipient.
pub(crate) fn of_message(message: &Message) -> Option<(Id, i64)> {
    message.echo.as_deref().filter(|echo| echo.contains("\"campaign\":"))?;
    let named = Echo::of(message).campaign?;
    let (campaign, position) = named.split_once('/')?;
    Some((Id::parse_hex24(campaign)?, position.parse().ok()?))
}

fn standing(status: Status) -> Standing {
    match status {
        Status::Pending => Standing::Queued,
        Status::Sent => Standing::Sent,
        Status::Failed => Standing::Failed,
        Status::Delivered => Standing::Delivered,
        Status::Read | Status::Played => Standing::Read,
    }
}

/// What was read was delivered, and what was delivered was sent, also where nobody said so.
fn advance(it: &mut Recipient, to: Standing, message: &Message) {
    let at = message.updated_at;
    it.standing = to;
    match to {
        Standing::Failed => (it.failed_at, it.error) = (Some(at), message.error.clone()),
        _ => (it.failed_at, it.error) = (None, None),
    }
    if to == Standing::Sent || to > Standing::Failed {
        it.sent_at.get_or_insert(at);
    }
    if to >= Standing::Delivered {
        it.delivered_at.get_or_insert(at);
    }
    if to == Standing::Read {
        it.read_at.get_or_insert(at);
    }
}
