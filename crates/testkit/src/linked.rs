//! A provider whose senders are linked by their owners.
//!
//! A session shows a code until a test links it ([`Line::connect`]), comes up by itself when it was linked before, answers
//! questions as it was told to, and takes messages only while it is up.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::events::Document;
use engine::failure::SendError;
use engine::provider::{Account, FetchError, Fetched, MediaSource, Outgoing, Pace, Provider, Sent, Sessions};
use engine::senders::Sender;
use engine::sessions::{Asked, CallError, Change, Notice, Opened, State, Teller};
use engine::{Engine, Id};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::Reply;

/// What can be asked of a session that is not up.
const BEFORE_IT_IS_UP: [&str; 3] = ["pairing_code", "passkey_response", "passkey_confirm"];

type Answers = Arc<dyn Fn(&Value) -> Result<Value, CallError> + Send + Sync>;
/// Fetches the file of a message.
pub type Fetching = Arc<dyn Fn(store::media::Media) -> BoxFuture<'static, Result<Fetched, FetchError>> + Send + Sync>;

#[derive(Clone)]
pub struct Linked {
    name: &'static str,
    state: Arc<Mutex<Played>>,
    changed: Arc<watch::Sender<()>>,
}

#[derive(Default)]
struct Played {
    silent: bool,
    lines: Vec<Line>,
    up: HashSet<Id>,
    answers: HashMap<String, Answers>,
    mute: HashSet<String>,
    asked: Vec<(String, Value)>,
    replies: VecDeque<Reply>,
    sent: Vec<Outgoing>,
    files: Option<Fetching>,
}

/// A session that was begun.
#[derive(Clone)]
pub struct Line {
    pub sender: Arc<Sender>,
    provider: Linked,
    teller: Teller,
    over: CancellationToken,
    end: Arc<Notify>,
}

impl Linked {
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, state: Arc::default(), changed: Arc::new(watch::Sender::new(())) }
    }

    fn state(&self) -> MutexGuard<'_, Played> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sessions that begin from now on say nothing by themselves.
    pub fn is_silent(&self, silent: bool) {
        self.state().silent = silent;
    }

    /// How a question is answered from now on. What is not scripted is answered with null.
    pub fn answers(&self, name: &str, with: impl Fn(&Value) -> Result<Value, CallError> + Send + Sync + 'static) {
        self.state().answers.insert(name.to_owned(), Arc::new(with));
    }

    /// The same answer every time.
    pub fn says(&self, name: &str, answer: Value) {
        self.answers(name, move |_| Ok(answer.clone()));
    }

    /// The same refusal every time.
    pub fn refuses(&self, name: &str, message: &'static str) {
        self.answers(name, move |_| Err(CallError::Refused { code: Some(400), message: message.into() }));
    }

    /// A question is never answered.
    pub fn ignores(&self, name: &str) {
        self.state().mute.insert(name.to_owned());
    }

    /// Questions so far, oldest first.
    #[must_use]
    pub fn asked(&self) -> Vec<(String, Value)> {
        self.state().asked.clone()
    }

    /// What was asked last under this name.
    #[must_use]
    pub fn last_asked(&self, name: &str) -> Value {
        let asked = self.state().asked.iter().rev().find(|(known, _)| known == name).map(|(_, ask)| ask.clone());
        asked.unwrap_or_else(|| panic!("nobody asked for {name}"))
    }

    /// Says how the next messages are answered, in order; after that all are taken.
    pub fn will(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state().replies.extend(replies);
    }

    /// What it was given, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Outgoing> {
        self.state().sent.clone()
    }

    /// How files are fetched from now on.
    pub fn fetches(&self, fetching: Fetching) {
        self.state().files = Some(fetching);
    }

    /// Waits for the newest session of a sender that is not told to stop.
    pub async fn line(&self, sender: &Id) -> Line {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let found = self.state().lines.iter().rev().find(|line| line.sender.id == *sender).cloned();
            if let Some(line) = found.filter(|line| !line.over.is_cancelled()) {
                return line;
            }
            let _ = changed.changed().await;
        }
    }

    /// How many sessions of a sender were begun.
    #[must_use]
    pub fn begun(&self, sender: &Id) -> usize {
        self.state().lines.iter().filter(|line| line.sender.id == *sender).count()
    }

    fn is_up(&self, sender: &Id, up: bool) {
        let mut state = self.state();
        if up {
            state.up.insert(*sender)
        } else {
            state.up.remove(sender)
        };
    }

    fn note(&self, message: &Outgoing) -> Reply {
        let mut state = self.state();
        state.sent.push(message.clone());
        state.replies.pop_front().unwrap_or(Reply::Taken)
    }

    fn answer(&self, sender: &Id, asked: &Asked) -> Option<Result<Value, CallError>> {
        let (answers, up) = {
            let mut state = self.state();
            state.asked.push((asked.name.clone(), asked.ask.clone()));
            if state.mute.contains(&asked.name) {
                return None;
            }
            (state.answers.get(&asked.name).cloned(), state.up.contains(sender))
        };
        Some(match answers {
            _ if !up && !BEFORE_IT_IS_UP.contains(&asked.name.as_str()) => Err(CallError::NotConnected),
            Some(answers) => answers(&asked.ask),
            None => Ok(Value::Null),
        })
    }
}

impl Line {
    /// Commits what happened to it. A state that rests ends it.
    pub async fn tell(&self, change: Change) {
        let state = change.state;
        if let Some(state) = state {
            self.provider.is_up(&self.sender.id, state == State::Connected);
        }
        self.teller.tell(change).await.unwrap();
        if state.is_some_and(State::rests) {
            self.end.notify_one();
        }
    }

    pub async fn state(&self, state: State, reason: &str) {
        let reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
        self.tell(Change { state: Some(state), reason, ..Change::default() }).await;
    }

    /// Something waits for the owner.
    pub async fn offer(&self, state: State, offer: Value) {
        self.tell(Change { state: Some(state), offer: Some(Some(offer)), ..Change::default() }).await;
    }

    /// Its owner linked it, and it is up.
    pub async fn connect(&self, identity: Value) {
        self.tell(Change { state: Some(State::Connected), identity: Some(identity), ..Change::default() }).await;
    }

    /// Something happened that has a name.
    pub async fn notice(&self, name: &str, document: Document) {
        let notice = Notice { name: name.to_owned(), document };
        self.tell(Change { notices: vec![notice], ..Change::default() }).await;
    }

    /// Waits until it is over: told to stop, or ended of itself (whichever comes first, when an account is removed).
    pub async fn stopped(&self) {
        self.over.cancelled().await;
    }
}

impl Sessions for Linked {
    fn run<'a>(&'a self, engine: &'a Engine, mut opened: Opened) -> BoxFuture<'a, ()> {
        let line = Line {
            sender: opened.sender.clone(),
            provider: self.clone(),
            teller: opened.teller.clone(),
            over: CancellationToken::new(),
            end: Arc::new(Notify::new()),
        };
        let over = line.over.clone().drop_guard();
        Box::pin(async move {
            let _over = over;
            let _down = Down(self, opened.sender.id);
            let linked = opened.session.identity.as_ref().is_some_and(Value::is_object);
            let silent = self.state().silent;
            match (silent, linked) {
                (true, _) => {}
                (false, true) => line.state(State::Connected, "").await,
                (false, false) => {
                    let offer = json!({ "qr": "2@first", "expires_at": engine.now() + 20_000 });
                    line.offer(State::AwaitingLink, offer).await;
                }
            }
            self.state().lines.push(line.clone());
            self.changed.send_replace(());
            loop {
                tokio::select! {
                    () = opened.stop.cancelled() => break,
                    () = line.end.notified() => break,
                    Some(asked) = opened.asked.recv() => self.serve(&line, asked).await,
                }
            }
        })
    }
}

/// Closed however its session ends.
struct Down<'a>(&'a Linked, Id);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        self.0.is_up(&self.1, false);
    }
}

impl Linked {
    /// Unlinking is more than an answer: the session is over.
    async fn serve(&self, line: &Line, asked: Asked) {
        let Some(answer) = self.answer(&line.sender.id, &asked) else { return std::mem::forget(asked.answer) };
        if asked.name == "logout" && answer.is_ok() {
            let (state, reason) = (Some(State::Unlinked), Some("the account was unlinked".to_owned()));
            line.tell(Change { state, reason, identity: Some(Value::Null), ..Change::default() }).await;
        }
        let _ = asked.answer.send(answer);
    }
}

impl Provider for Linked {
    fn name(&self) -> &'static str {
        self.name
    }

    fn channel(&self) -> &'static str {
        "whatsapp"
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
        sender: &'a Sender,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        let up = self.state().up.contains(&sender.id);
        Box::pin(async move {
            if !up {
                return Err(SendError::unreached("the account is not connected"));
            }
            let mut reply = self.note(message);
            loop {
                match reply {
                    Reply::Taken => return Ok(Sent::one(message.provider_id.clone().unwrap_or_default())),
                    Reply::TakenAs(id) => return Ok(Sent::one(id)),
                    Reply::Fails(error) => return Err(error),
                    Reply::Hangs => std::future::pending().await,
                    Reply::Behind(gate, then) => {
                        gate.passed().await;
                        reply = *then;
                    }
                }
            }
        })
    }

    fn media(&self) -> Option<&dyn MediaSource> {
        Some(self)
    }

    fn sessions(&self) -> Option<&dyn Sessions> {
        Some(self)
    }

    fn here(&self, sender: &Id) -> bool {
        self.state().up.contains(sender)
    }
}

impl MediaSource for Linked {
    fn fetch<'a>(
        &'a self,
        _: &'a Account,
        _: &'a Sender,
        media: &'a store::media::Media,
    ) -> BoxFuture<'a, Result<Fetched, FetchError>> {
        let (files, media) = (self.state().files.clone(), media.clone());
        Box::pin(async move {
            match files {
                Some(fetching) => fetching(media).await,
                None => Err(FetchError::Unavailable("no story keeps files".into())),
            }
        })
    }
}
