//! A provider that does what a test says and remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::billing::Tariff;
use engine::content::{Content, Native, Template};
use engine::events::Document;
use engine::failure::SendError;
use engine::provider::{
    Account, CallError, Connected, FoundSender, Outgoing, Pace, Provider, Reach, Sent, Sessions, Setup,
};
use engine::senders::{CONNECTED, Sender};
use engine::{Clock, Id};
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::sessions::{Here, Stage};

/// How the next call is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Taken, under an id that the provider makes.
    Taken,
    TakenAs(&'static str),
    Fails(SendError),
    /// Never, until the caller gives up.
    Hangs,
    /// So, once the gate is open.
    Behind(Gate, Box<Reply>),
}

/// Holds calls back until it is opened.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub async fn passed(&self) {
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// One call.
#[derive(Clone, Debug)]
pub struct Called {
    pub id: Id,
    /// The provider's name for our sender.
    pub sender: String,
    pub to: String,
    pub text: String,
    /// A template's components.
    pub components: Option<Value>,
    pub provider_id: Option<String>,
    /// Milliseconds.
    pub at: i64,
}

#[derive(Clone)]
pub struct FakeProvider {
    state: Arc<Mutex<State>>,
    count: Arc<watch::Sender<usize>>,
    clock: Clock,
    pub(crate) stage: Stage,
    pub(crate) here: Here,
}

struct State {
    pace: Pace,
    people_per_day: Option<i64>,
    replies: VecDeque<Reply>,
    /// Replies for one recipient, before all others.
    replies_to: HashMap<String, VecDeque<Reply>>,
    calls: Vec<Called>,
}

impl FakeProvider {
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let state = State {
            pace: Pace { per_second: 1000, pair: None },
            people_per_day: None,
            replies: VecDeque::new(),
            replies_to: HashMap::new(),
            calls: Vec::new(),
        };
        let (count, stage) = (Arc::new(watch::Sender::new(0)), Stage::new(clock.clone()));
        Self { state: Arc::new(Mutex::new(state)), count, clock, stage, here: Here::default() }
    }

    /// The same provider as another process sees it.
    #[must_use]
    pub fn elsewhere(&self) -> Self {
        Self { here: Here::default(), ..self.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how the next calls are answered, in order; after that all are taken.
    pub fn will(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state().replies.extend(replies);
    }

    /// The same, for calls to one recipient.
    pub fn will_to(&self, to: &str, replies: impl IntoIterator<Item = Reply>) {
        self.state().replies_to.entry(to.to_owned()).or_default().extend(replies);
    }

    /// Nothing is said about any call any more.
    pub fn forget_replies(&self) {
        let mut state = self.state();
        state.replies.clear();
        state.replies_to.clear();
    }

    /// How many people an account may write to in 24 hours.
    pub fn set_people_per_day(&self, people: Option<i64>) {
        self.state().people_per_day = people;
    }

    pub fn set_pace(&self, pace: Pace) {
        self.state().pace = pace;
    }

    #[must_use]
    pub fn calls(&self) -> Vec<Called> {
        self.state().calls.clone()
    }

    /// The texts it was given, oldest first.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.state().calls.iter().map(|call| call.text.clone()).collect()
    }

    /// Waits until this many calls were made in all.
    pub async fn called(&self, count: usize) {
        let _ = self.count.subscribe().wait_for(|made| *made >= count).await;
    }

    fn note(&self, sender: &Sender, message: &Outgoing) -> (usize, Reply) {
        let mut state = self.state();
        let text = message.content.text().unwrap_or_default().to_owned();
        let components = match &message.content {
            Content::Template(template) => template.components.as_ref().map(|native| native.json.clone()),
            _ => None,
        };
        let (sender, to) = (sender.external_id.clone(), message.to.value.clone());
        let own = state.replies_to.get_mut(&to).and_then(VecDeque::pop_front);
        let reply = own.or_else(|| state.replies.pop_front()).unwrap_or(Reply::Taken);
        state.calls.push(Called {
            id: message.id,
            sender,
            to,
            text,
            components,
            provider_id: message.provider_id.clone(),
            at: self.clock.now(),
        });
        (state.calls.len(), reply)
    }
}

/// The provider's id for its nth call.
fn provider_id(number: usize) -> String {
    format!("taken.{number}")
}

impl Provider for FakeProvider {
    fn name(&self) -> &'static str {
        crate::PROVIDER
    }

    fn channel(&self) -> &'static str {
        "whatsapp"
    }

    fn pace(&self) -> Pace {
        self.state().pace
    }

    fn window(&self) -> Option<Duration> {
        Some(Duration::from_secs(24 * 60 * 60))
    }

    fn send<'a>(
        &'a self,
        _: &'a Account,
        sender: &'a Sender,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        assert!(!matches!(message.content, Content::Native(_)), "no story sends native content");
        let (number, mut reply) = self.note(sender, message);
        self.count.send_replace(number);
        let chosen = message.provider_id.clone();
        Box::pin(async move {
            loop {
                match reply {
                    Reply::Taken => return Ok(Sent::one(chosen.unwrap_or_else(|| provider_id(number)))),
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

    /// A document of the format `tariff` says a category, or `free`.
    fn tariff(&self, receipt: &Document) -> Option<Tariff> {
        let word = std::str::from_utf8(&receipt.bytes).ok().filter(|_| receipt.format == "tariff")?;
        let free = word == "free";
        Some(Tariff { category: Some(word.to_owned()).filter(|_| !free), free })
    }

    /// The values become the components, whole.
    fn fill(&self, template: Template, variables: &Map<String, Value>) -> Template {
        let json = Value::Object(variables.clone());
        let native = Native { format: "fake".into(), name: "components".into(), json, text: None };
        Template { components: Some(native), ..template }
    }

    fn reach(&self) -> Option<&dyn Reach> {
        Some(self)
    }

    fn setup(&self) -> Option<&dyn Setup> {
        Some(self)
    }

    fn sessions(&self) -> Option<&dyn Sessions> {
        self.has_sessions().then_some(self as &dyn Sessions)
    }

    fn here(&self, sender: &Id) -> bool {
        self.is_here(sender)
    }
}

impl Reach for FakeProvider {
    fn people_per_day<'a>(&'a self, _: &'a Account, _: &'a Sender) -> BoxFuture<'a, Result<Option<i64>, CallError>> {
        let tier = self.state().people_per_day;
        Box::pin(async move { Ok(tier) })
    }
}

impl Setup for FakeProvider {
    /// Two senders hang on every account whose token is not dead.
    fn connect<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Connected, CallError>> {
        let sender = |number: u32| FoundSender {
            external_id: format!("{}-{number}", account.external_id),
            address: format!("+155501000{number:02}"),
            name: Some(format!("Sender {number}")),
            status: CONNECTED.into(),
            status_reason: None,
            config: "{}".into(),
        };
        let found = Connected {
            name: account.name.clone(),
            senders: vec![sender(1), sender(2)],
            templates: Vec::new(),
            remarks: Vec::new(),
        };
        let dead = account.secrets.expose_secret().contains("dead");
        Box::pin(async move {
            match dead {
                true => Err(CallError::Unauthorized { message: "it is dead".into(), code: None }),
                false => Ok(found),
            }
        })
    }

    fn register<'a>(&'a self, _: &'a Account, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(async { Ok(()) })
    }
}
