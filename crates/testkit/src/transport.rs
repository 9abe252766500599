//! A transport that answers as a test says and keeps what it was given.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::Clock;
use engine::transport::{Answer, Parcel, Transport};
use futures_util::future::BoxFuture;
use tokio::sync::watch;

/// How an address answers.
#[derive(Clone, Debug)]
pub enum Echo {
    Status(u16),
    /// A status with `Retry-After`, in seconds.
    Later(u16, u64),
    Fails,
    Hangs,
}

/// One parcel.
#[derive(Clone, Debug)]
pub struct Posted {
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// How long an answer is waited for.
    pub timeout: Duration,
    pub answer_bytes: usize,
    /// Milliseconds.
    pub at: i64,
}

impl Posted {
    /// The value of a header, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// What the plain dialect put into it.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the plain dialect writes JSON")
    }
}

#[derive(Clone)]
pub struct FakeTransport {
    state: Arc<Mutex<State>>,
    count: Arc<watch::Sender<usize>>,
    clock: Clock,
}

#[derive(Default)]
struct State {
    echoes: HashMap<String, VecDeque<Echo>>,
    always: HashMap<String, Echo>,
    /// Parts of bodies, and what answers parcels that have them.
    about: HashMap<String, Echo>,
    posted: Vec<Posted>,
}

impl FakeTransport {
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { state: Arc::default(), count: Arc::new(watch::Sender::new(0)), clock }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how an address answers next, in order; after that as [`Self::always`] says, or 200.
    pub fn will(&self, url: &str, echoes: impl IntoIterator<Item = Echo>) {
        self.state().echoes.entry(url.to_owned()).or_default().extend(echoes);
    }

    pub fn always(&self, url: &str, echo: Echo) {
        self.state().always.insert(url.to_owned(), echo);
    }

    /// Says how parcels about something are answered, wherever they go; `None`: like all others.
    pub fn about(&self, id: &engine::Id, echo: Option<Echo>) {
        let mut state = self.state();
        match echo {
            Some(echo) => state.about.insert(id.hex24(), echo),
            None => state.about.remove(&id.hex24()),
        };
    }

    /// What an address was given, oldest first.
    #[must_use]
    pub fn posted(&self, url: &str) -> Vec<Posted> {
        self.state().posted.iter().filter(|posted| posted.url == url).cloned().collect()
    }

    /// Waits until this many parcels were given in all.
    pub async fn reached(&self, count: usize) {
        let _ = self.count.subscribe().wait_for(|made| *made >= count).await;
    }

    fn note(&self, parcel: &Parcel) -> (usize, Echo) {
        let mut state = self.state();
        let body = String::from_utf8_lossy(&parcel.body);
        let about = state.about.iter().find(|(id, _)| body.contains(id.as_str())).map(|(_, echo)| echo.clone());
        let scripted = about.or_else(|| state.echoes.get_mut(&parcel.url).and_then(VecDeque::pop_front));
        let echo = scripted.or_else(|| state.always.get(&parcel.url).cloned()).unwrap_or(Echo::Status(200));
        let (url, headers, body) = (parcel.url.clone(), parcel.headers.clone(), parcel.body.to_vec());
        let at = self.clock.now();
        state.posted.push(Posted {
            url,
            headers,
            body,
            timeout: parcel.timeout,
            answer_bytes: parcel.answer_bytes,
            at,
        });
        (state.posted.len(), echo)
    }
}

impl Transport for FakeTransport {
    fn name(&self) -> &'static str {
        engine::subscriptions::WEBHOOK
    }

    fn check(&self, url: &str) -> Result<(), String> {
        if url.starts_with("https://") { Ok(()) } else { Err("only https is spoken here".into()) }
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Answer> {
        let (number, echo) = self.note(parcel);
        self.count.send_replace(number);
        Box::pin(async move {
            let answer =
                |status, retry_after| Answer::Status { status, snippet: format!("said {status}"), retry_after };
            match echo {
                Echo::Status(status) => answer(status, None),
                Echo::Later(status, seconds) => answer(status, Some(Duration::from_secs(seconds))),
                Echo::Fails => Answer::Failed { error: "the connection was refused".into() },
                Echo::Hangs => std::future::pending().await,
            }
        })
    }
}
