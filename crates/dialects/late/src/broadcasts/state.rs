//! What becomes of a broadcast: sent, scheduled, a draft again, gone.

use std::time::Duration;

use engine::campaigns::{self, Campaign, Change, State, Wish};
use engine::clock::rfc3339;
use serde_json::json;

use super::{named, shape, whose};
use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::Error;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Clients give up after 30 seconds.
const PATIENCE: Duration = Duration::from_secs(25);

async fn wish(call: &Call, it: &Campaign, wish: Wish) -> Result<Campaign, Error> {
    Ok(call.engine().perform(Change { engine: call.engine().clone(), whose: whose(it), wish }).await??)
}

/// Answers when all are sent; refused where nobody could be written to. What takes longer than callers wait goes on
/// without them: then the answer has the counts so far, and no status.
pub(crate) async fn send(call: Call) -> Handled {
    let it = named(&call).await?;
    if matches!(it.state, State::Draft | State::Scheduled)
        && let Some(refusal) = call.engine().campaign_obstacle(&it).await?
    {
        return Err(refusal.into());
    }
    let begun = wish(&call, &it, Wish::Start).await?;
    let it = campaigns::settled(call.engine(), &call.organization(), &begun.id, PATIENCE).await?;
    let it = it.ok_or_else(Error::not_found)?;
    let counts = &it.counts;
    let mut answer = json!({ "sent": counts.sent_in_all(), "failed": counts.failed, "total": counts.total() });
    if matches!(it.state, State::Completed | State::Failed) {
        answer["status"] = shape::status(it.state).into();
    }
    Ok(Answer::success(&answer))
}

/// Only a draft: another time means to take it back first.
pub(crate) async fn schedule(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at().need("scheduledAt")?.time()?;
    let it = named(&call).await?;
    if it.state != State::Draft {
        return Err(campaigns::Refusal::WrongState { state: it.state, wish: "scheduled" }.into());
    }
    let it = wish(&call, &it, Wish::Schedule { at, within: 30 * DAY }).await?;
    let shown = json!({
        "id": it.id.hex24(),
        "status": shape::status(it.state),
        "scheduledAt": it.scheduled_at.map(rfc3339),
    });
    Ok(Answer::success(&json!({ "broadcast": shown })))
}

pub(crate) async fn unschedule(call: Call) -> Handled {
    let it = wish(&call, &named(&call).await?, Wish::Unschedule).await?;
    let shown = json!({ "id": it.id.hex24(), "status": shape::status(it.state) });
    Ok(Answer::success(&json!({ "broadcast": shown, "message": "Broadcast returned to draft status" })))
}

pub(crate) async fn delete(call: Call) -> Handled {
    wish(&call, &named(&call).await?, Wish::Delete).await?;
    Ok(Answer::success(&json!({ "message": "Broadcast deleted successfully" })))
}
