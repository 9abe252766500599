//! Files that came with messages: fetched by a job of their own, so that a slow download holds nothing up.

use store::jobs::{Job, State};
pub use store::media::Media;
use store::{Id, Result, Tx, Work};

use crate::provider::{FetchError, Fetched};
use crate::{Engine, UseCase};

pub const PENDING: &str = "pending";
pub const READY: &str = "ready";
pub const FAILED: &str = "failed";
pub const UNAVAILABLE: &str = "unavailable";

/// The kind of job.
pub(crate) const FETCH: &str = "media";
/// How often a download is tried, with pauses of 4ⁿ seconds.
const ATTEMPTS: i64 = 8;
/// How long one try may take before another process may take it over.
const CLAIM_MS: i64 = 15 * 60 * 1000;

impl Engine {
    /// The file that came with a message.
    pub async fn media(&self, organization: &Id, message: &Id) -> Result<Option<Media>> {
        store::media::get(&mut *self.db.reader().await?, organization, message).await
    }
}

/// Takes a few due downloads.
pub(crate) struct Claim {
    pub now: i64,
    pub limit: i64,
}

impl Work for Claim {
    type Output = Vec<Job>;
    async fn run(&self, tx: &mut Tx) -> Result<Vec<Job>> {
        let mut jobs = store::jobs::due(tx, FETCH, self.now, self.limit).await?;
        for job in &mut jobs {
            (job.state, job.attempts, job.due_at) = (State::Called, job.attempts + 1, self.now + CLAIM_MS);
            store::jobs::update(tx, job).await?;
        }
        Ok(jobs)
    }
}

/// Fetches one file and writes down how it went.
pub(crate) async fn fetch(engine: &Engine, job: Job) -> Result<()> {
    let outcome = try_fetch(engine, &job).await?;
    crate::metrics::fetched(match &outcome {
        Ok(_) => READY,
        Err(FetchError::Unavailable(_)) => UNAVAILABLE,
        Err(FetchError::Later(_)) if job.attempts >= ATTEMPTS => FAILED,
        Err(FetchError::Later(_)) => "retried",
    });
    engine.perform(Record { job, outcome, now: engine.now() }).await
}

async fn try_fetch(engine: &Engine, job: &Job) -> Result<std::result::Result<Fetched, FetchError>> {
    let gone = |what: &str| Ok(Err(FetchError::Unavailable(what.into())));
    let media = engine.media(&job.organization_id, &job.id).await?;
    let Some(media) = media else { return gone("the message was deleted") };
    let Some(sender) = engine.sender_by_id(&job.lane).await? else { return gone("the sender was deleted") };
    let Some(account) = engine.account(&sender.account_id).await? else { return gone("the account was deleted") };
    let Some(source) = engine.provider(&sender.provider).and_then(|provider| provider.media()) else {
        return gone("this provider keeps no files");
    };
    Ok(source.fetch(&account, &sender, &media).await)
}

struct Record {
    job: Job,
    outcome: std::result::Result<Fetched, FetchError>,
    now: i64,
}

impl Work for Record {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let message = &self.job.id;
        // Whoever waits for the file waits for one try, not for all of them.
        store::events::release(tx, message).await?;
        match &self.outcome {
            Ok(fetched) => store::media::ready(tx, message, fetched.size, &fetched.sha256, self.now).await?,
            Err(FetchError::Unavailable(why)) => store::media::give_up(tx, message, UNAVAILABLE, why, self.now).await?,
            Err(FetchError::Later(why)) if self.job.attempts >= ATTEMPTS => {
                store::media::give_up(tx, message, FAILED, why, self.now).await?;
            }
            Err(FetchError::Later(_)) => {
                let pause = 1000 * 4_i64.pow(u32::try_from(self.job.attempts).unwrap_or(1).min(8));
                let job = Job { state: State::Ready, due_at: self.now + pause, ..self.job.clone() };
                return store::jobs::update(tx, &job).await;
            }
        }
        store::jobs::delete(tx, &self.job.id).await
    }
}

impl UseCase for Record {
    fn committed(&self, engine: &Engine, (): &()) {
        engine.wake.dispatch.ring();
    }
}
