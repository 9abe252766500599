//! Asking a running session for something, from any process.
//!
//! Here it is a message to the session's task. A session that another process holds is asked through the database: the
//! question is a row, its holder takes it (once) and writes the answer. Whoever asks waits no longer than he said.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::calls as rows;
use store::calls::Call;
use store::{Id, Result, Tx, Work};
use tokio::sync::oneshot;

use super::State;
use crate::{Engine, UseCase};

/// How often an answer from another process is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a question outlives those who wait for it, in milliseconds.
const KEPT_MS: i64 = 60_000;

/// A question to a running session.
#[derive(Debug)]
pub struct Asked {
    pub name: String,
    pub ask: Value,
    pub answer: oneshot::Sender<std::result::Result<Value, CallError>>,
}

/// Why a session did not do what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The owner does not want it connected.
    #[error("there is no session")]
    NoSession,
    /// It is not up now.
    #[error("the session is not connected")]
    NotConnected,
    #[error("the session did not answer in time")]
    TimedOut,
    /// The other side said no; its number and its words.
    #[error("{message}")]
    Refused { code: Option<i64>, message: String },
    /// The question itself is wrong.
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Asks the session of a sender. `name` and `ask` are its provider's words.
pub async fn call(
    engine: &Engine,
    sender: &Id,
    name: &str,
    ask: Value,
    timeout: Duration,
) -> std::result::Result<Value, CallError> {
    let deadline = engine.now() + i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX / 4);
    if let Some(answer) = ask_here(engine, sender, name, &ask, deadline).await {
        return answer;
    }
    let session = engine.session(sender).await?.filter(|session| session.wanted).ok_or(CallError::NoSession)?;
    if !session.held {
        return Err(if session.state == State::Off { CallError::NoSession } else { CallError::NotConnected });
    }
    ask_elsewhere(engine, sender, name, &ask, deadline).await
}

/// `None` when it does not run here.
async fn ask_here(
    engine: &Engine,
    sender: &Id,
    name: &str,
    ask: &Value,
    deadline: i64,
) -> Option<std::result::Result<Value, CallError>> {
    let held = engine.sessions.get(sender).filter(|held| !held.stop.is_cancelled())?;
    let (answer, answered) = oneshot::channel();
    let asked = Asked { name: name.to_owned(), ask: ask.clone(), answer };
    let answered = async {
        match held.asked.send(asked).await {
            Ok(()) => answered.await.unwrap_or(Err(CallError::NotConnected)),
            Err(_) => Err(CallError::NotConnected),
        }
    };
    tokio::select! {
        answer = answered => Some(answer),
        () = engine.clock.sleep_until(deadline) => Some(Err(CallError::TimedOut)),
    }
}

async fn ask_elsewhere(
    engine: &Engine,
    sender: &Id,
    name: &str,
    ask: &Value,
    deadline: i64,
) -> std::result::Result<Value, CallError> {
    let row = Call {
        id: engine.new_id(),
        sender_id: *sender,
        name: name.to_owned(),
        ask: ask.to_string(),
        asked_at: engine.now(),
        until: deadline,
    };
    let id = row.id;
    engine.perform(Put(row)).await?;
    while engine.now() < deadline {
        if let Some(answer) = rows::answered(&mut *engine.db.reader().await?, &id).await? {
            engine.perform(Forget(id)).await?;
            return read(&answer);
        }
        engine.clock.sleep(LOOK_EVERY).await;
    }
    engine.perform(Forget(id)).await?;
    Err(CallError::TimedOut)
}

struct Put(Call);

impl Work for Put {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        rows::insert(tx, &self.0).await
    }
}

impl UseCase for Put {}

struct Forget(Id);

impl Work for Forget {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        rows::delete(tx, &self.0).await
    }
}

impl UseCase for Forget {}

/// Answers what other processes ask of the sessions that run here, each question in a task of its own.
pub(super) async fn serve(engine: &Engine) -> Result<()> {
    if !rows::waiting(&mut *engine.db.reader().await?, &engine.settings.process).await? {
        return Ok(());
    }
    for call in engine.perform(Take { engine: engine.clone() }).await? {
        let engine = engine.clone();
        tokio::spawn(async move {
            let answer = answer(&engine, &call).await;
            let done = Answer { call: call.id, answer: write(&answer), now: engine.now() };
            if let Err(error) = engine.perform(done).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "an answer could not be handed over");
            }
        });
    }
    Ok(())
}

async fn answer(engine: &Engine, call: &Call) -> std::result::Result<Value, CallError> {
    let ask = serde_json::from_str(&call.ask).map_err(|error| CallError::Invalid(error.to_string()))?;
    let answer = ask_here(engine, &call.sender_id, &call.name, &ask, call.until).await;
    answer.unwrap_or(Err(CallError::NotConnected))
}

struct Take {
    engine: Engine,
}

impl Work for Take {
    type Output = Vec<Call>;
    async fn run(&self, tx: &mut Tx) -> Result<Vec<Call>> {
        let now = self.engine.now();
        rows::purge(tx, now - KEPT_MS).await?;
        rows::take(tx, &self.engine.settings.process, now).await
    }
}

impl UseCase for Take {}

struct Answer {
    call: Id,
    answer: String,
    now: i64,
}

impl Work for Answer {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        rows::answer(tx, &self.call, &self.answer, self.now).await
    }
}

impl UseCase for Answer {}

/// An answer as it travels between processes.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Done(Value),
    NoSession,
    NotConnected,
    TimedOut,
    Refused {
        code: Option<i64>,
        message: String,
    },
    Invalid(String),
    /// The other process could not reach the database.
    Unavailable(String),
}

fn write(answer: &std::result::Result<Value, CallError>) -> String {
    let told = match answer.clone() {
        Ok(value) => Told::Done(value),
        Err(CallError::NoSession) => Told::NoSession,
        Err(CallError::NotConnected) => Told::NotConnected,
        Err(CallError::TimedOut) => Told::TimedOut,
        Err(CallError::Refused { code, message }) => Told::Refused { code, message },
        Err(CallError::Invalid(why)) => Told::Invalid(why),
        Err(CallError::Store(error)) => Told::Unavailable(error.to_string()),
    };
    serde_json::to_string(&told).expect("texts, numbers and JSON are JSON")
}

fn read(text: &str) -> std::result::Result<Value, CallError> {
    let told = serde_json::from_str(text).map_err(|_| store::Error::corrupt("a call's answer"))?;
    Err(match told {
        Told::Done(value) => return Ok(value),
        Told::NoSession => CallError::NoSession,
        Told::NotConnected => CallError::NotConnected,
        Told::TimedOut => CallError::TimedOut,
        Told::Refused { code, message } => CallError::Refused { code, message },
        Told::Invalid(why) => CallError::Invalid(why),
        Told::Unavailable(why) => store::Error::Unavailable(std::sync::Arc::new(std::io::Error::other(why))).into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_travels_whole() {
        let refused = || CallError::Refused { code: Some(463), message: "not now".into() };
        let errors = [
            CallError::NoSession,
            CallError::NotConnected,
            CallError::TimedOut,
            refused(),
            CallError::Invalid("no such person".into()),
        ];
        assert_eq!(read(&write(&Ok(json!({ "a": [1] })))).unwrap(), json!({ "a": [1] }));
        for error in errors {
            let read = read(&write(&Err(error.clone()))).unwrap_err();
            assert_eq!(format!("{read:?}"), format!("{error:?}"));
        }
        let store = read(&write(&Err(store::Error::contended("busy").into()))).unwrap_err();
        assert!(matches!(store, CallError::Store(error) if error.is_unavailable()));
    }
}
