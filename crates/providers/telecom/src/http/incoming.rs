//! Calls to our numbers: a network that was asked for a code may speak it.
//!
//! Who acts: the carrier asks what to do with a call, and again with what it understood. A call to a number that waits for a
//! code is taken and listened to, a few times, for it says the code more than once and may be misheard; when one was right,
//! nobody waits for it any more, and we hang up. Every other call is declined. What was understood is committed before the
//! answer.

use engine::Engine;
use engine::numbers::{Spoken, expects_code};
use engine::provider::Account;

/// How often a call is listened to.
const MOST: u32 = 4;

/// A call that waits to be told what becomes of it.
pub(crate) struct Incoming {
    /// Our number, E.164 with `+`.
    pub(crate) to: String,
    /// How often it was listened to: at first not at all.
    pub(crate) listened: u32,
    /// What was understood.
    pub(crate) words: String,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Decline,
    /// For so many times, with this one.
    Listen(u32),
    HangUp,
}

pub(super) async fn turn(engine: &Engine, account: &Account, call: Incoming) -> Result<Turn, engine::Error> {
    let Incoming { to: number, listened, words } = call;
    let organization = account.organization_id;
    if listened > 0 {
        engine.perform(Spoken { engine: engine.clone(), organization, number: number.clone(), words }).await?;
    }
    Ok(match (expects_code(engine, &organization, &number).await?, listened) {
        (true, ..MOST) => Turn::Listen(listened + 1),
        (false, 0) => Turn::Decline,
        _ => Turn::HangUp,
    })
}
