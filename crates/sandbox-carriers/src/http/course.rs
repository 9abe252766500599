//! What is to go wrong with a request, drawn once for it.

use std::time::Duration;

use crate::outside::{Fault, Target};
use crate::world::World;

pub(crate) enum Course {
    /// Refuse it with this HTTP status, or this number of the carrier's.
    Refuse(u32),
    /// Do nothing and never answer.
    Silence,
    Take(Take),
}

/// How a request is taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Take {
    /// The end that was demanded: a word or a number of the carrier's, or one of SMPP's words.
    pub(crate) end: Option<String>,
    /// Do the work and cut the connection.
    pub(crate) cut: bool,
    /// Tell everything twice.
    pub(crate) twice: bool,
    /// Tell everything before answering.
    pub(crate) early: bool,
}

/// Waits where the request is to be late.
pub(crate) async fn of(world: &World, target: Target) -> Course {
    let take = |take| Course::Take(take);
    match world.outside.fault(target) {
        None => take(Take::default()),
        Some(Fault::Status(status)) => Course::Refuse(status),
        Some(Fault::Code(word)) => take(Take { end: Some(word), ..Take::default() }),
        Some(Fault::Timeout) => Course::Silence,
        Some(Fault::Drop) => take(Take { cut: true, ..Take::default() }),
        Some(Fault::Duplicate) => take(Take { twice: true, ..Take::default() }),
        Some(Fault::Reorder) => take(Take { early: true, ..Take::default() }),
        Some(Fault::Delay(length)) => {
            world.pause(length).await;
            take(Take::default())
        }
    }
}

/// Longer than any client waits.
const SILENCE: Duration = Duration::from_secs(300);

/// Never answers; the connection is cut in the end.
pub(crate) async fn silence(world: &World) -> axum::response::Response {
    world.pause(SILENCE).await;
    crate::serve::cut()
}
