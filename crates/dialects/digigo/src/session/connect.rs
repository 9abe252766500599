//! Connecting and disconnecting.

use std::time::Duration;

use engine::sessions::{self, Session, State};
use engine::subscriptions::Status;
use serde_json::json;

use super::config::keep;
use crate::admin::shown;
use crate::answer::Answer;
use crate::body::split_names;
use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::guard::User;
use crate::settings::Settings;
use crate::webhook;

/// How long a caller waits for the real outcome, unless he asks not to.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn connect(call: Call) -> Handled {
    let (engine, sender) = (call.engine(), &call.user.sender);
    let immediate = call.body.is(&["Immediate"])?;
    let subscribed = call.body.texts(&["Subscribe"])?.map(|texts| split_names(&texts)).unwrap_or_default();
    if !subscribed.is_empty() {
        subscribe(&call, subscribed).await?;
    }
    sessions::open(engine, sender).await?;
    if !immediate {
        let session = sessions::wait_until(engine, &sender.id, PATIENCE, is_decided).await?;
        if !is_up(&session) {
            let why = session.reason.as_deref().filter(|_| is_decided(&session));
            return Err(Error::failed(why.unwrap_or("the connection could not be made in time")));
        }
    }
    let sender = engine.sender_by_id(&sender.id).await?.ok_or_else(Error::no_session)?;
    let seen = shown(&call.digigo, User::of(sender, call.user.token.clone())).await?;
    let events = if seen.events.is_empty() { webhook::ALL.to_owned() } else { seen.events() };
    Ok(Answer::of(json!({
        "details": "Connected!", "events": events, "jid": seen.jid(), "webhook": seen.webhook,
    })))
}

/// The socket is open, or it is known why not.
fn is_decided(session: &Session) -> bool {
    is_up(session) || session.state.rests() || session.state == State::Failed
}

fn is_up(session: &Session) -> bool {
    session.state == State::Connected || session.state.awaits()
}

/// What the connection is asked to tell limits the webhook; before there is one, it is kept for the one to come.
async fn subscribe(call: &Call, events: Vec<String>) -> Result<(), Error> {
    match webhook::current(call).await? {
        Some(found) => webhook::put(call, found.url, events, found.status != Status::Paused).await,
        None => keep(call, &Settings { events: Some(events), ..call.user.settings.clone() }).await,
    }
}

pub(crate) async fn disconnect(call: Call) -> Handled {
    let (engine, sender) = (call.engine(), &call.user.sender);
    let wanted = engine.session(&sender.id).await?.is_some_and(|session| session.wanted);
    if !wanted {
        return Err(Error::no_session());
    }
    sessions::close(engine, sender, "disconnected by its owner").await?;
    Ok(Answer::details("Disconnected"))
}
