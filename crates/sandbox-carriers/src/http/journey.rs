//! What becomes of a message or a call after the carrier has taken it.

use std::time::Duration;

use super::course::Take;
use crate::world::World;

/// How a message ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Delivered,
    /// The number is nobody's, or its phone cannot be reached.
    Undeliverable,
    /// Filtered out.
    Rejected,
    Expired,
    /// With a number of the carrier's.
    Failed(i64),
    /// A word that the carrier is made to say.
    Word(String),
}

impl End {
    /// SMPP's words are understood by all carriers.
    fn demanded(word: &str) -> Self {
        match word {
            "DELIVRD" => Self::Delivered,
            "UNDELIV" | "UNKNOWN" => Self::Undeliverable,
            "REJECTD" | "DELETED" => Self::Rejected,
            "EXPIRED" => Self::Expired,
            word => word.parse().map_or_else(|_| Self::Word(word.to_owned()), Self::Failed),
        }
    }
}

/// How long carriers keep a message for a phone that is off.
const KEPT_MS: i64 = 4 * 60 * 60 * 1000;
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Waits for the phone; `None` when the carriers are stopped before.
pub(super) async fn arrival(world: &World, to: &str, take: &Take) -> Option<End> {
    if let Some(word) = &take.end {
        return Some(End::demanded(word));
    }
    let end = world.now() + KEPT_MS;
    loop {
        let phone = world.outside.phone(to);
        match (phone.registered, phone.online) {
            (false, _) => return Some(End::Undeliverable),
            (true, true) => return Some(End::Delivered),
            (true, false) if world.now() >= end => return Some(End::Expired),
            (true, false) => {}
        }
        if !world.pause(LOOK_AGAIN).await {
            return None;
        }
    }
}

/// What a call comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ring {
    Answered,
    Busy,
    NoAnswer,
    Declined,
    /// The number is nobody's.
    Failed,
    Word(String),
}

pub(super) fn ring(world: &World, to: &str, take: &Take) -> Ring {
    match take.end.as_deref() {
        Some("DELIVRD") => return Ring::Answered,
        Some("busy" | "user_busy") => return Ring::Busy,
        Some("no-answer" | "no_answer" | "timeout" | "unanswered" | "UNDELIV" | "EXPIRED") => return Ring::NoAnswer,
        Some("rejected" | "call_rejected" | "REJECTD") => return Ring::Declined,
        Some("failed" | "not_found" | "UNKNOWN") => return Ring::Failed,
        Some(word) => return Ring::Word(word.to_owned()),
        None => {}
    }
    let phone = world.outside.phone(to);
    match (phone.registered, phone.online) {
        (false, _) => Ring::Failed,
        (true, false) => Ring::NoAnswer,
        (true, true) => Ring::Answered,
    }
}

/// Long enough for the answer to be the first that a client gets, mostly.
const BREATH: Duration = Duration::from_millis(10);

/// Lets the answer to the request go first.
pub(super) async fn breathe(world: &World, take: &Take) -> bool {
    take.early || world.pause(BREATH).await
}
