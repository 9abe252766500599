//! Senders whose provider needs a live connection.
//!
//! **Who acts.** The owner opens and closes a session; that is a wish in a row. In each process a supervisor takes
//! wanted sessions that nobody holds and runs them with their provider (`supervisor`). The running session tells how
//! it stands (`Teller`), and answers questions ([`call`]), which processes that do not hold it leave in the database.
//!
//! **What is promised.** One process holds a session at a time. Whatever is told or written for it carries the fence of
//! its taking; from a process that has lost it nothing is accepted any more, and one that cannot be sure of it sends
//! nothing ([`Lease`]). Every change of state is an event with its reason and the next step, in the commit that changes
//! the row, so that all who ask are told the same.
//!
//! **Killed.** The lease runs out after 13 s and another process takes over. Until then the session reads as
//! reconnecting as soon as its lease is over. A process that could not renew its leases for 10 s stops its sessions
//! by itself, before anybody else can take them; one that was paused finds out with its first renewal.

mod calls;
mod change;
mod hub;
mod lease;
mod rate;
mod renewal;
mod running;
mod supervisor;

use std::time::Duration;

use serde_json::Value;
use store::senders::Sender;
use store::sessions as rows;
use store::{Id, Result, Tx, Work};

pub use calls::{Asked, CallError, call};
pub(crate) use change::note;
pub use change::{Change, Notice, TellError, Teller};
pub(crate) use hub::Hub;
pub use lease::Lease;
pub use running::Opened;
pub use supervisor::run;

use crate::events::{self, Note, SessionData};
use crate::{Engine, UseCase};

/// How a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The owner wants it so, or nobody linked it in time.
    Off,
    Connecting,
    /// The owner has to link it.
    AwaitingLink,
    /// The owner has to prove who he is.
    AwaitingProof,
    /// The owner has to confirm a code.
    AwaitingConfirmation,
    Connected,
    Reconnecting,
    /// Connected, but nothing is heard.
    Deaf,
    /// Somebody else uses the same link.
    Replaced,
    Banned,
    /// The other side wants a newer program.
    Outdated,
    /// The link is gone; it has to be made anew.
    Unlinked,
    /// It ended by itself and is tried again.
    Failed,
}

impl State {
    pub const ALL: [Self; 13] = [
        Self::Off,
        Self::Connecting,
        Self::AwaitingLink,
        Self::AwaitingProof,
        Self::AwaitingConfirmation,
        Self::Connected,
        Self::Reconnecting,
        Self::Deaf,
        Self::Replaced,
        Self::Banned,
        Self::Outdated,
        Self::Unlinked,
        Self::Failed,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Connecting => "connecting",
            Self::AwaitingLink => "awaiting_link",
            Self::AwaitingProof => "awaiting_proof",
            Self::AwaitingConfirmation => "awaiting_confirmation",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Deaf => "deaf",
            Self::Replaced => "replaced",
            Self::Banned => "banned",
            Self::Outdated => "outdated",
            Self::Unlinked => "unlinked",
            Self::Failed => "failed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Nothing is tried before the owner opens it again, or before the moment that the provider named.
    #[must_use]
    pub fn rests(self) -> bool {
        matches!(self, Self::Off | Self::Replaced | Self::Banned | Self::Outdated | Self::Unlinked)
    }

    /// Something waits for the owner.
    #[must_use]
    pub fn awaits(self) -> bool {
        matches!(self, Self::AwaitingLink | Self::AwaitingProof | Self::AwaitingConfirmation)
    }
}

/// A session as it stands now. Times are milliseconds.
#[derive(Clone, Debug)]
pub struct Session {
    pub sender_id: Id,
    pub organization_id: Id,
    /// The owner wants it connected.
    pub wanted: bool,
    pub state: State,
    /// Why it stands so, in plain words.
    pub reason: Option<String>,
    /// What happens next, or what the owner has to do.
    pub next_step: Option<String>,
    /// The provider's words for who it is.
    pub identity: Option<Value>,
    /// The provider's words for what waits for the owner.
    pub offer: Option<Value>,
    /// How often it ended by itself in a row.
    pub failures: i64,
    /// When it is tried next at the earliest.
    pub retry_at: i64,
    /// When it last came to be connected.
    pub connected_at: Option<i64>,
    /// When it was last used, to the minute.
    pub active_at: i64,
    pub updated_at: i64,
    /// A process holds it now.
    pub held: bool,
}

impl Session {
    pub(crate) fn of(row: &rows::Session, now: i64) -> Self {
        let (held, stored) = (row.lease_until >= now, State::parse(&row.state).unwrap_or(State::Failed));
        // What its process said last is no longer true once the process is gone.
        let orphaned = row.wanted && !held && !stored.rests() && !matches!(stored, State::Connecting | State::Failed);
        let json = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Self {
            sender_id: row.sender_id,
            organization_id: row.organization_id,
            wanted: row.wanted,
            state: if orphaned { State::Reconnecting } else { stored },
            reason: if orphaned { Some(ORPHANED.into()) } else { row.reason.clone() },
            next_step: if orphaned { Some("it is taken up again soon".into()) } else { row.next_step.clone() },
            identity: json(&row.identity),
            offer: json(&row.offer).filter(|_| !orphaned),
            failures: row.failures,
            retry_at: row.retry_at,
            connected_at: row.connected_at,
            active_at: row.active_at,
            updated_at: row.updated_at,
            held,
        }
    }
}

const ORPHANED: &str = "the process that kept it up is gone";
/// The end of the year 9999: not before the owner asks for it.
const NEVER_MS: i64 = 253_402_300_799_000;
/// How often those who wait look for what no bell tells them.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Engine {
    /// The session of a sender, if it was ever opened.
    pub async fn session(&self, sender: &Id) -> Result<Option<Session>> {
        let found = rows::get(&mut *self.db.reader().await?, sender).await?;
        Ok(found.map(|row| Session::of(&row, self.now())))
    }

    /// An organization's sessions, or those named of them, oldest sender first.
    pub async fn sessions_of(
        &self,
        organization: &Id,
        ids: Option<&[Id]>,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Session>> {
        let found = rows::list(&mut *self.db.reader().await?, organization, ids, limit, offset).await?;
        Ok(found.iter().map(|row| Session::of(row, self.now())).collect())
    }

    /// How many senders of an organization were ever opened.
    pub async fn count_sessions(&self, organization: &Id) -> Result<i64> {
        rows::count(&mut *self.db.reader().await?, organization).await
    }
}

/// How many sessions there are.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub by_state: Vec<(State, i64)>,
    pub wanted: i64,
    /// Held by this process.
    pub held: i64,
}

impl Counts {
    #[must_use]
    pub fn of(&self, state: State) -> i64 {
        self.by_state.iter().filter(|(known, _)| *known == state).map(|(_, count)| count).sum()
    }
}

impl Engine {
    /// Everybody's, by how they stand.
    pub async fn session_counts(&self) -> Result<Counts> {
        let mut counts = Counts { held: self.sessions.held().len() as i64, ..Counts::default() };
        for (state, wanted, count) in rows::count_by_state(&mut *self.db.reader().await?).await? {
            counts.wanted += i64::from(wanted) * count;
            counts.by_state.extend(State::parse(&state).map(|state| (state, count)));
        }
        Ok(counts)
    }
}

/// The owner wants a sender connected. One that is connected already stays so; one that rests is tried at once.
pub async fn open(engine: &Engine, sender: &Sender) -> Result<Session> {
    let wish = Wish { engine: engine.clone(), sender: sender.clone(), wanted: true, reason: OPENED.into() };
    engine.perform(wish).await
}

/// The owner wants a sender disconnected; it keeps its link.
pub async fn close(engine: &Engine, sender: &Sender, reason: &str) -> Result<Session> {
    let wish = Wish { engine: engine.clone(), sender: sender.clone(), wanted: false, reason: reason.into() };
    engine.perform(wish).await
}

const OPENED: &str = "it was opened";

struct Wish {
    engine: Engine,
    sender: Sender,
    wanted: bool,
    reason: String,
}

impl Work for Wish {
    type Output = Session;
    async fn run(&self, tx: &mut Tx) -> Result<Session> {
        let (sender, now) = (&self.sender, self.engine.now());
        let off = State::Off.as_str();
        let mut row = rows::ensure(tx, &sender.id, &sender.organization_id, off, now).await?;
        let resting = State::parse(&row.state).is_none_or(State::rests);
        match (self.wanted, row.wanted) {
            (true, true) if !resting => row.retry_at = row.retry_at.min(now),
            (true, _) => {
                (row.wanted, row.active_at, row.retry_at, row.failures) = (true, now, 0, 0);
                let next = Some("a process takes it up".to_owned());
                enter(tx, &self.engine, &mut row, State::Connecting, Some(self.reason.clone()), next).await?;
            }
            (false, wanted) => {
                row.opening += i64::from(wanted);
                (row.wanted, row.retry_at, row.failures) = (false, 0, 0);
                if row.state != off {
                    enter(tx, &self.engine, &mut row, State::Off, Some(self.reason.clone()), None).await?;
                }
            }
        }
        rows::update(tx, &row).await?;
        Ok(Session::of(&row, now))
    }
}

impl UseCase for Wish {
    fn committed(&self, engine: &Engine, session: &Session) {
        engine.sessions.changed(&session.sender_id);
        engine.wake.sessions.ring();
        engine.wake.dispatch.ring();
        engine.cache.clear();
    }
}

/// Puts a session into a state and tells of it; the caller writes the row.
async fn enter(
    tx: &mut Tx,
    engine: &Engine,
    row: &mut rows::Session,
    state: State,
    reason: Option<String>,
    next_step: Option<String>,
) -> Result<()> {
    let before = std::mem::replace(&mut row.state, state.as_str().to_owned());
    let same = before == row.state && row.reason == reason && row.next_step == next_step;
    (row.reason, row.next_step, row.updated_at) = (reason, next_step, engine.now());
    if !state.awaits() {
        row.offer = None;
    }
    if same {
        return Ok(());
    }
    stand(tx, row, state, engine.now()).await?;
    let data = SessionData {
        name: None,
        state: Some(row.state.clone()),
        previous: Some(before),
        reason: row.reason.clone(),
        next_step: row.next_step.clone(),
    };
    let note = Note::new(&row.organization_id, events::SESSION_CHANGED, &row.sender_id).of_sender(&row.sender_id);
    events::append(tx, engine, note, &data).await.map(drop)
}

/// The sender's own standing follows: it may send, or it may not. What passes by itself leaves it as it is, so that
/// messages are accepted and wait.
async fn stand(tx: &mut Tx, row: &rows::Session, state: State, now: i64) -> Result<()> {
    use crate::senders::{CONNECTED, DISCONNECTED};
    let status = match state {
        State::Connected => CONNECTED,
        state if state.rests() => DISCONNECTED,
        _ => return Ok(()),
    };
    let Some(sender) = store::senders::get(tx, &row.sender_id).await? else { return Ok(()) };
    let reason = row.reason.as_deref().filter(|_| status == DISCONNECTED);
    if sender.status == status && sender.status_reason.as_deref() == reason {
        return Ok(());
    }
    store::senders::set_status(tx, &row.sender_id, status, reason, now).await?;
    store::settings::touch_caches(tx).await
}

/// Waits until a session stands as asked for, or the time is over; returns how it stands then.
pub async fn wait_until(
    engine: &Engine,
    sender: &Id,
    timeout: Duration,
    until: impl Fn(&Session) -> bool,
) -> Result<Session> {
    let deadline = engine.now() + i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX / 4);
    let mut bell = engine.sessions.listen(*sender);
    loop {
        bell.mark();
        let session = engine.session(sender).await?.ok_or(store::Error::Dangling)?;
        if until(&session) || engine.now() >= deadline {
            // Whoever committed it may not have come to forgetting how the sender stood before.
            engine.cache.clear();
            return Ok(session);
        }
        let look = deadline.min(engine.now() + LOOK_EVERY.as_millis() as i64);
        tokio::select! {
            () = bell.heard() => {}
            () = engine.clock.sleep_until(look) => {}
        }
    }
}
