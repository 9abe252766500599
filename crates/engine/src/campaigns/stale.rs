//! A campaign's messages that waited for long: whether their recipients still want to hear from us.

use store::messages::Message;
use store::senders::Sender;
use store::{Result, Tx};

use super::{batch, of_message};
use crate::consent::MARKETING;
use crate::failure::Failure;
use crate::outbound;

/// Whose message is younger was asked about when it was accepted. Longer than a lane's lead.
const STALE_MS: i64 = 10_000;

/// Why a message that nobody was asked to carry yet must not go any more.
pub(crate) async fn objection(tx: &mut Tx, sender: &Sender, message: &Message, now: i64) -> Result<Option<Failure>> {
    if now - message.created_at < STALE_MS || of_message(message).is_none() {
        return Ok(None);
    }
    let to = outbound::address(sender, message);
    let gone = store::opt_outs::exists(tx, &sender.organization_id, &to, &sender.channel, MARKETING).await?;
    Ok(gone.then(batch::opted_out))
}
