//! What a running session tells, committed under its fence.

use serde_json::Value;
use store::events::Document;
use store::sessions as rows;
use store::{Id, Result, Tx, Work};
use tokio_util::sync::CancellationToken;

use super::{State, enter};
use crate::events::{self, Note, SessionData};
use crate::{Engine, UseCase, outbound};

/// What changed; `None` stayed.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub state: Option<State>,
    /// Why, in plain words. A new state without a reason has none.
    pub reason: Option<String>,
    /// What happens next, or what the owner has to do; as with the reason.
    pub next_step: Option<String>,
    /// The provider's words for who it is.
    pub identity: Option<Value>,
    /// The provider's words for what waits for the owner; `Some(None)`: nothing any more. A state that awaits nothing
    /// takes it away.
    pub offer: Option<Option<Value>>,
    /// With a state that rests: when it is worth another try, in milliseconds. Otherwise only the owner's wish is.
    pub again_at: Option<i64>,
    pub notices: Vec<Notice>,
}

/// Anything that happened on a session, kept as it came where somebody wants it.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The provider's word for it.
    pub name: String,
    pub document: Document,
}

/// Why nothing was told.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// Somebody else owns the session now. It is being stopped here.
    #[error("the session is another process's now")]
    Lost,
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// A running session's voice. Cheap to clone.
#[derive(Clone)]
pub struct Teller {
    pub(super) engine: Engine,
    pub(super) sender: Id,
    pub(super) fence: i64,
    pub(super) opening: i64,
    pub(super) stop: CancellationToken,
}

impl Teller {
    /// Commits a change with its events; `Ok` means that they are on disk.
    pub async fn tell(&self, change: Change) -> std::result::Result<(), TellError> {
        let state = change.state;
        if !self.engine.perform(Tell { teller: self.clone(), change }).await? {
            self.stop.cancel();
            return Err(TellError::Lost);
        }
        if let Some(state) = state {
            self.engine.sessions.told(&self.sender, self.fence, state);
        }
        Ok(())
    }

    /// A state with its reason and the next step.
    pub async fn state(
        &self,
        state: State,
        reason: impl Into<Option<String>>,
        next_step: impl Into<Option<String>>,
    ) -> std::result::Result<(), TellError> {
        let (reason, next_step) = (reason.into(), next_step.into());
        self.tell(Change { state: Some(state), reason, next_step, ..Change::default() }).await
    }
}

struct Tell {
    teller: Teller,
    change: Change,
}

impl Work for Tell {
    /// `false`: the fence is not good any more.
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        let (teller, change) = (&self.teller, &self.change);
        let Some(mut row) = rows::get_for_update(tx, &teller.sender).await? else { return Ok(false) };
        if row.fence != teller.fence {
            return Ok(false);
        }
        self.describe(&mut row);
        // What an earlier opening says of its end is not how the session stands now.
        let counts = row.wanted && row.opening == teller.opening;
        match change.state {
            Some(state) if counts || (!row.wanted && state == State::Off) => self.enter(tx, &mut row, state).await?,
            None if change.reason.is_some() || change.next_step.is_some() => {
                let state = State::parse(&row.state).unwrap_or(State::Failed);
                let reason = change.reason.clone().or_else(|| row.reason.clone());
                let next_step = change.next_step.clone().or_else(|| row.next_step.clone());
                enter(tx, &teller.engine, &mut row, state, reason, next_step).await?;
            }
            _ => {}
        }
        rows::update(tx, &row).await?;
        note(tx, &teller.engine, &row.organization_id, &row.sender_id, &change.notices).await?;
        Ok(true)
    }
}

impl UseCase for Tell {
    fn committed(&self, engine: &Engine, good: &bool) {
        if !good {
            return;
        }
        // Before anybody is woken who asks how the sender stands now.
        if self.change.state.is_some_and(|state| state == State::Connected || state.rests()) {
            engine.cache.clear();
        }
        engine.sessions.changed(&self.teller.sender);
        engine.wake.dispatch.ring();
        if self.change.state == Some(State::Connected) {
            engine.wake.senders.ring(self.teller.sender);
        }
    }
}

impl Tell {
    fn describe(&self, row: &mut rows::Session) {
        let change = &self.change;
        if let Some(identity) = &change.identity {
            row.identity = Some(identity.to_string());
        }
        if let Some(offer) = &change.offer {
            row.offer = offer.as_ref().map(Value::to_string);
        }
        row.updated_at = self.teller.engine.now();
    }

    async fn enter(&self, tx: &mut Tx, row: &mut rows::Session, state: State) -> Result<()> {
        let (engine, change, now) = (&self.teller.engine, &self.change, self.teller.engine.now());
        let fresh = row.state != state.as_str();
        if state == State::Connected && fresh {
            row.connected_at = Some(now);
            // What waited for this goes now.
            store::jobs::hurry(tx, outbound::SEND, &row.sender_id, now).await?;
        }
        if state.rests() {
            row.retry_at = change.again_at.unwrap_or(super::NEVER_MS);
        }
        enter(tx, engine, row, state, change.reason.clone(), change.next_step.clone()).await
    }
}

/// What nobody wants to hear is not kept: there may be very many.
pub(crate) async fn note(
    tx: &mut Tx,
    engine: &Engine,
    organization: &Id,
    sender: &Id,
    notices: &[Notice],
) -> Result<()> {
    if notices.is_empty()
        || !store::subscriptions::wanted(tx, organization, events::SESSION_NOTICE, Some(sender)).await?
    {
        return Ok(());
    }
    for notice in notices {
        let data = SessionData { name: Some(notice.name.clone()), ..SessionData::default() };
        let note = Note::new(organization, events::SESSION_NOTICE, sender)
            .of_sender(sender)
            .with_document(Some(notice.document.clone()));
        events::append(tx, engine, note, &data).await?;
    }
    Ok(())
}
