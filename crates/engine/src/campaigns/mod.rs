//! One template to many people, each once.
//!
//! Callers write a draft and say when it goes ([`draft`](Add), [`change`](Change)); a job whose id is the campaign's does
//! the rest, turn by turn (`turn`). A turn is one commit. It takes the next recipients who were not looked at, asks the
//! same questions of each as of any other message, and stores for each either his message with its event and job, or why
//! he gets none; his row then says which. So nobody is written to twice, and a process that is killed at any line leaves
//! the next turn to another. A turn takes no more than what the sender's lane can work off soon: pausing is
//! prompt, memory does not grow with the campaign, and other messages of the sender do not wait long.
//!
//! What becomes of a message is written to its recipient, and counted, where the message's own status is written (`moved`).
//! The campaign's row is not touched by that: counts are kept in shares (`store::campaigns::counts`).
//!
//! Locks are taken in this order: the campaign, its job; a message, its recipient; shares of counts last.

mod batch;
mod change;
mod draft;
mod moved;
mod reach;
mod stale;
mod turn;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::campaigns as rows;
pub use store::campaigns::recipients::{Recipient, Standing};
pub use store::campaigns::{Campaign, Counts, Filter, State};
use store::{Id, Result, Tx};

use crate::contacts::Address;
use crate::content::Content;
use crate::events::{self, Note};
use crate::failure::Failure;
use crate::{Engine, senders, templates};
pub use change::{Change, Wish};
pub use draft::{Add, Added, Addressee, Create, Edit, New, Remove, Removed, create};
pub(crate) use moved::{Moves, of_message};
pub use reach::Reaches;
pub(crate) use stale::objection;
pub(crate) use turn::{run, step};

/// The kind of job.
pub(crate) const JOB: &str = "campaign";
/// How many recipients are taken with one call.
pub const MOST_AT_ONCE: usize = 1000;

/// Done, or refused for a reason that the caller can act on.
pub type Outcome<T> = std::result::Result<T, Refusal>;

/// Which campaign is meant, and who says so.
#[derive(Clone, Copy, Debug)]
pub struct Whose {
    pub organization: Id,
    pub id: Id,
}

/// Why a wish was not granted. Nothing of it is stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It does not exist, or belongs to somebody else.
    #[error("there is no such campaign")]
    NotFound,
    /// As it stands, that cannot be done with it.
    #[error("a campaign that is {} cannot be {wish}", state.as_str())]
    WrongState { state: State, wish: &'static str },
    #[error("the campaign has no recipients")]
    NoRecipients,
    #[error("the time has passed already")]
    NotInFuture,
    #[error("the time is too far ahead")]
    TooFar,
    #[error("more than {most} recipients at once")]
    TooMany { most: usize },
}

/// What is kept with `campaign.updated`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Told {
    pub state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<i64>,
    pub counts: Counts,
}

impl Told {
    fn of(it: &Campaign) -> Self {
        Self {
            state: it.state.as_str().into(),
            reason: it.reason.clone(),
            resumes_at: it.resumes_at,
            scheduled_at: it.scheduled_at.filter(|_| it.state == State::Scheduled),
            counts: it.counts,
        }
    }
}

/// Why somebody got nothing.
#[must_use]
pub fn failure(recipient: &Recipient) -> Option<Failure> {
    recipient.error.as_deref().and_then(|text| serde_json::from_str(text).ok())
}

/// A caller's campaign, locked for a change.
async fn locked(tx: &mut Tx, whose: &Whose) -> Result<Outcome<Campaign>> {
    let found = rows::get_for_update(tx, &whose.id).await?;
    Ok(found.filter(|it| it.organization_id == whose.organization).ok_or(Refusal::NotFound))
}

/// The same, while it may still be written.
async fn draft(tx: &mut Tx, whose: &Whose) -> Result<Outcome<Campaign>> {
    Ok(locked(tx, whose).await?.and_then(|it| match it.state {
        State::Draft => Ok(it),
        state => Err(Refusal::WrongState { state, wish: "edited" }),
    }))
}

/// Tells how it stands now.
async fn tell(tx: &mut Tx, engine: &Engine, it: &Campaign) -> Result<()> {
    let note = Note::new(&it.organization_id, events::CAMPAIGN_UPDATED, &it.id).of_sender(&it.sender_id);
    events::append(tx, engine, note, &Told::of(it)).await.map(drop)
}

/// Waits until nothing more happens with it by itself, or the time is over; then it is told as it stands.
pub async fn settled(engine: &Engine, organization: &Id, id: &Id, timeout: Duration) -> Result<Option<Campaign>> {
    let deadline = engine.now() + i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX / 4);
    let mut bell = engine.wake.turns.listen(*id);
    loop {
        bell.mark();
        let Some(it) = engine.campaign(organization, id).await? else { return Ok(None) };
        if it.state != State::Sending || engine.now() >= deadline {
            return Ok(Some(it));
        }
        tokio::select! {
            () = bell.heard() => {}
            () = engine.clock.sleep_until(deadline.min(engine.now() + LOOK_EVERY_MS)) => {}
        }
    }
}

/// How often a campaign is looked at that another process works on.
const LOOK_EVERY_MS: i64 = 500;

impl Engine {
    pub async fn campaign(&self, organization: &Id, id: &Id) -> Result<Option<Campaign>> {
        let found = rows::find(&mut *self.db.reader().await?, id).await?;
        Ok(found.filter(|it| it.organization_id == *organization))
    }

    /// Newest first.
    pub async fn campaigns(
        &self,
        organization: &Id,
        filter: &Filter,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Campaign>> {
        rows::list(&mut *self.db.reader().await?, organization, filter, limit, offset).await
    }

    /// What keeps everybody from getting a campaign that begins now. One that has begun waits until it is over.
    /// A sender that is not there any more is nothing to wait for: then everybody is refused.
    pub async fn campaign_obstacle(&self, it: &Campaign) -> Result<Option<crate::Refusal>> {
        let Some(sender) = self.sender_by_id(&it.sender_id).await? else { return Ok(None) };
        if sender.status != senders::CONNECTED {
            let (status, reason) = (sender.status.clone(), sender.status_reason.clone());
            return Ok(Some(crate::Refusal::NotConnected { status, reason }));
        }
        let Content::Template(template) = Content::parse(&it.content)? else {
            return Err(store::Error::corrupt("a campaign's content"));
        };
        let found = self.template(&sender.account_id, &template.name, &template.language).await?;
        let approved = found.is_some_and(|found| found.status == templates::APPROVED);
        Ok((!approved).then_some(crate::Refusal::UnknownTemplate))
    }

    pub async fn count_campaigns(&self, organization: &Id, filter: &Filter) -> Result<i64> {
        rows::count(&mut *self.db.reader().await?, organization, filter).await
    }

    /// In the order in which they were added; all if no standing is named. How many there are of each stands with the
    /// campaign.
    pub async fn campaign_recipients(
        &self,
        campaign: &Campaign,
        standings: &[Standing],
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Recipient>> {
        let mut reader = self.db.reader().await?;
        rows::recipients::list(&mut reader, &campaign.id, standings, limit, offset).await
    }
}

/// As recipients are stored.
fn to_row(addressee: &Addressee) -> rows::recipients::New {
    rows::recipients::New {
        address: Address { kind: addressee.address.kind.clone(), value: addressee.address.value.clone() },
        name: addressee.name.clone(),
        variables: serde_json::Value::Object(addressee.variables.clone()).to_string(),
    }
}
