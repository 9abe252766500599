//! One linked account, from its opening to its end.
//!
//! **Who acts.** The engine's supervisor calls [`run`] in the process that holds the session's lease. The library keeps
//! the socket up and reconnects by itself; this task hears what it says (`heard`, `linking`), tells the engine how the
//! session stands, answers questions, watches for a socket on which nothing is heard any more (`deaf`), and ends where
//! connections do not come to be or do not hold (`tries`).
//!
//! **What is promised.** Messages are acknowledged to WhatsApp only once they are committed (`receive::Hook`); one that
//! the library lost all the same is had again from the phone (`wanted`). Every change of state is told with its reason
//! and the next step. When [`run`] returns the socket is closed. A lost lease closes it at once, and nothing is written
//! after that.
//!
//! **Killed.** What the library must remember is on the disk before it acts on it (`backend`); the next owner logs in
//! with it, and WhatsApp delivers again whatever was not acknowledged.

mod deaf;
mod heard;
mod linking;
mod opening;
mod shown;
mod tries;

use std::sync::Arc;
use std::time::Duration;

use engine::sessions::{self, Change, Opened, State};
use engine::{Engine, Id};
use futures_util::FutureExt;
use futures_util::future::FusedFuture;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wacore::types::events::Event;
use whatsapp_rust::bot::BotHandle;

use crate::WhatsAppWeb;
use crate::asked::hyphened;
use crate::backend::Backend;
use crate::live::Connection;
use crate::transport::Leash;
use crate::wanted::{self, Asked};
use deaf::Ear;
pub(crate) use heard::Next;
use opening::Parts;
use shown::Shown;
use tries::{Attempt, Tries};

/// How long answers are waited for when the library has ended.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Runs a session until it is told to stop or ends by itself.
pub(crate) async fn run(provider: &WhatsAppWeb, engine: &Engine, opened: Opened) {
    let sender = opened.sender.id;
    let teller = opened.teller.clone();
    let _ = teller.state(State::Connecting, None, Some("the connection is being made".into())).await;
    let leash = Leash::new(opened.lease.clone());
    match opening::open(provider, engine, &opened, leash.clone()).await {
        Ok(Parts { bot, events, attempts, backend, wanted }) => {
            let live = Arc::new(Connection::new(bot.client(), engine.clock.clone(), teller));
            let _present = Present::new(provider, sender, live.clone(), leash.clone());
            let identity = opened.session.identity.clone().filter(Value::is_object);
            let session = Session {
                identity,
                provider,
                engine,
                opened,
                backend,
                wanted,
                live,
                leash,
                shown: Shown::default(),
                tries: Tries::default(),
                was_up: false,
                unavailable_at: None,
                tasks: JoinSet::new(),
            };
            session.keep_up(bot, events, attempts).await;
        }
        Err(error) => {
            tracing::warn!(%sender, error = &error as &dyn std::error::Error, "a session could not be opened");
            let _ = teller.state(State::Failed, Some(error.to_string()), error.next_step()).await;
        }
    }
}

pub(crate) struct Session<'a> {
    pub provider: &'a WhatsAppWeb,
    pub engine: &'a Engine,
    pub opened: Opened,
    pub backend: Arc<Backend>,
    /// For what the phone was asked.
    wanted: Arc<Asked>,
    pub live: Arc<Connection>,
    leash: Leash,
    /// Who it is, once that is known.
    pub identity: Option<Value>,
    pub shown: Shown,
    tries: Tries,
    /// It was connected since it was opened.
    pub was_up: bool,
    /// When to say that the owner is away again, in milliseconds.
    pub unavailable_at: Option<i64>,
    /// What takes longer and ends with the session: answers, histories.
    pub tasks: JoinSet<()>,
}

/// A connection that others in this process can use, for as long as its session runs.
struct Present<'a> {
    provider: &'a WhatsAppWeb,
    sender: Id,
    live: Arc<Connection>,
    leash: Leash,
}

impl<'a> Present<'a> {
    fn new(provider: &'a WhatsAppWeb, sender: Id, live: Arc<Connection>, leash: Leash) -> Self {
        provider.live.put(sender, live.clone());
        Self { provider, sender, live, leash }
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.live.set_online(false);
        self.provider.live.remove(&self.sender, &self.live);
        // Changes nothing where the session had the time to say goodbye.
        self.live.client.signal_shutdown_sync();
        self.leash.end();
    }
}

impl Session<'_> {
    async fn keep_up(
        mut self,
        bot: BotHandle,
        mut events: mpsc::Receiver<Arc<Event>>,
        mut attempts: mpsc::Receiver<Attempt>,
    ) {
        let (stop, lost, backend) = (self.opened.stop.clone(), self.backend.lost(), self.backend.clone());
        let mut ear = Ear::new(self.engine.now());
        let mut bot = Box::pin(bot).fuse();
        loop {
            let look = [self.unavailable_at, self.shown.code_ends()].into_iter().flatten().min();
            let look = look.map_or(ear.look_at(), |look| look.min(ear.look_at()));
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = lost.cancelled() => break,
                Some(event) = events.recv() => match self.hear(&event).await {
                    Next::GoOn => {}
                    Next::End => break,
                },
                Some(attempt) = attempts.recv() => match self.tried(attempt).await {
                    Next::GoOn => {}
                    Next::End => break,
                },
                Some(asked) = self.opened.asked.recv() => self.answer(asked),
                Some(_) = self.tasks.join_next() => {}
                () = backend.missed() => self.ask_phone(),
                () = &mut bot => {
                    self.hear_the_rest(&mut events).await;
                    break;
                }
                () = self.engine.clock.sleep_until(look) => match self.look(&mut ear).await {
                    Next::GoOn => {}
                    Next::End => break,
                },
            }
        }
        self.live.set_online(false);
        // Goodbyes take long: whoever has the session now shall not wait for them.
        if lost.is_cancelled() || !self.opened.lease.is_sure() {
            self.leash.end();
        }
        self.live.client.disconnect().await;
        if !bot.is_terminated() {
            bot.await;
        }
    }

    /// The library has ended, perhaps because of what is being answered: its last words say why.
    async fn hear_the_rest(&mut self, events: &mut mpsc::Receiver<Arc<Event>>) {
        let rest = async { while self.tasks.join_next().await.is_some() {} };
        tokio::select! {
            () = rest => {}
            () = self.engine.clock.sleep(LAST_WORDS) => {}
        }
        while let Ok(event) = events.try_recv() {
            if self.hear(&event).await == Next::End {
                return;
            }
        }
    }

    /// In a task of its own: some answers take long, and none may hold up the rest.
    fn answer(&mut self, asked: sessions::Asked) {
        let (options, live) = (self.provider.options.clone(), self.live.clone());
        self.tasks.spawn(async move {
            let answer = crate::asked::answer(&options, &live, &asked.name, asked.ask).await;
            // Whoever asked may have gone.
            let _ = asked.answer.send(answer);
        });
    }

    /// Has the phone give again what was lost, beside everything else: while it is not connected that waits.
    fn ask_phone(&mut self) {
        if !self.live.is_online() {
            return;
        }
        let (live, backend, asked) = (self.live.clone(), self.backend.clone(), self.wanted.clone());
        self.tasks.spawn(async move {
            if let Err(error) = wanted::ask(&live, &backend, &asked).await {
                tracing::info!(error = %error, "the phone could not be asked for what was lost; it will be");
            }
        });
    }

    async fn look(&mut self, ear: &mut Ear) -> Next {
        let now = self.engine.now();
        if self.shown.code_ends().is_some_and(|at| at <= now) {
            return self.code_expired().await;
        }
        if self.unavailable_at.is_some_and(|at| at <= now) {
            self.unavailable_at = None;
            let _ = self.live.client.presence().set_unavailable().await;
        }
        if ear.look_at() <= now && ear.is_deaf(&self.live, now).await {
            self.live.set_online(false);
            let reason = "the socket is open, but nothing is heard on it".to_owned();
            let next = "it is being opened anew".to_owned();
            self.tell(Change {
                state: Some(State::Deaf),
                reason: Some(reason),
                next_step: Some(next),
                ..Change::default()
            })
            .await;
            self.live.client.reconnect_immediately().await;
        }
        Next::GoOn
    }

    /// Tells the engine; a lost lease stops the session by itself.
    pub(crate) async fn tell(&self, change: Change) {
        if let Err(error) = self.opened.teller.tell(change).await {
            tracing::warn!(
                sender = %self.opened.sender.id,
                error = &error as &dyn std::error::Error,
                "how a session stands could not be told"
            );
        }
    }
}
