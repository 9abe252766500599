//! A carrier that does what a test says: it knows senders by their addresses and reports on parts.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::failure::SendError;
use engine::provider::{Account, Outgoing, Pace, Provider, Sent};
use engine::senders::Sender;
use futures_util::future::BoxFuture;

/// The two carriers that every house has, for texts.
pub const CARRIERS: [&str; 2] = ["carrier-one", "carrier-two"];

#[derive(Clone)]
pub struct FakeCarrier {
    name: &'static str,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Result<Vec<&'static str>, SendError>>,
    texts: Vec<String>,
}

impl FakeCarrier {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, state: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the next calls are answered, in order: names of parts, or an error. After that all are taken, in one part.
    pub fn will(&self, replies: impl IntoIterator<Item = Result<Vec<&'static str>, SendError>>) {
        self.state().replies.extend(replies);
    }

    /// What it was given, oldest first.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.state().texts.clone()
    }
}

impl Provider for FakeCarrier {
    fn name(&self) -> &'static str {
        self.name
    }

    fn channel(&self) -> &'static str {
        "sms"
    }

    fn pace(&self) -> Pace {
        Pace { per_second: 1000, pair: None }
    }

    fn window(&self) -> Option<Duration> {
        None
    }

    fn send<'a>(
        &'a self,
        _: &'a Account,
        _: &'a Sender,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        let mut state = self.state();
        state.texts.push(message.content.text().unwrap_or_default().to_owned());
        let number = state.texts.len();
        let reply = state.replies.pop_front().unwrap_or(Ok(Vec::new()));
        let name = self.name;
        Box::pin(async move {
            let parts: Vec<String> = reply?.into_iter().map(str::to_owned).collect();
            let provider_id = parts.first().cloned().unwrap_or_else(|| format!("{name}.{number}"));
            Ok(Sent { provider_id, parts })
        })
    }
}
