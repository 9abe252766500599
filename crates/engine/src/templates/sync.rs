//! An account's templates, kept as its provider has them. They are fetched when a push says that more changed than it
//! tells, and every few hours, for a push may be missed or never have been asked for.
//!
//! The account's job says when they are fetched next: a row with the account's id, which is moved and not made anew. If
//! the process dies in the middle its claim runs out, and they are fetched again.

use store::accounts::Account;
use store::jobs::{Job, State};
use store::{Result, Tx, Work};

use super::Sync;
use crate::accounts::{ACTIVE, ConnectError, fetch_templates};
use crate::provider::CallError;
use crate::{Engine, UseCase};

/// The kind of job.
const FETCH: &str = "templates";
const CLAIM_MS: i64 = 120_000;
/// How often they are fetched when nobody asks.
const EVERY_MS: i64 = 6 * 60 * 60 * 1000;
/// How often fetching is tried before the next time is waited for.
const ATTEMPTS: i64 = 20;
const LEASE: &str = "template sync";
const LEASE_MS: i64 = 60_000;

fn job(account: &Account, now: i64, due_at: i64) -> Job {
    Job {
        id: account.id,
        organization_id: account.organization_id,
        kind: FETCH.into(),
        lane: account.id,
        state: State::Ready,
        attempts: 0,
        due_at,
        called_at: None,
        created_at: now,
    }
}

/// Asks for an account's templates to be fetched, once however many ask; again, when they are being fetched now.
pub(crate) async fn soon(tx: &mut Tx, engine: &Engine, account: &Account) -> Result<()> {
    let now = engine.now();
    let job = job(account, now, now);
    match store::jobs::about(tx, &account.id).await? {
        Some(_) => store::jobs::update(tx, &job).await,
        None => store::jobs::insert(tx, &job).await,
    }
}

/// Gives a job to every account that can have templates and has none.
pub async fn plan(engine: &Engine) -> Result<()> {
    let (mut reader, mut accounts) = (engine.db.reader().await?, Vec::new());
    for provider in engine.providers.iter().filter(|provider| provider.templates().is_some()) {
        for account in store::accounts::list(&mut reader, None, Some(provider.name())).await? {
            if account.status == ACTIVE && store::jobs::about(&mut reader, &account.id).await?.is_none() {
                accounts.push(account);
            }
        }
    }
    drop(reader);
    match accounts.is_empty() {
        true => Ok(()),
        false => engine.perform(Plan { engine: engine.clone(), accounts }).await,
    }
}

struct Plan {
    engine: Engine,
    accounts: Vec<Account>,
}

impl Work for Plan {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let (process, now) = (&self.engine.settings.process, self.engine.now());
        if store::leases::take(tx, LEASE, process, now, now + LEASE_MS).await?.is_none() {
            return Ok(());
        }
        for account in &self.accounts {
            if store::jobs::about(tx, &account.id).await?.is_none() {
                store::jobs::insert(tx, &job(account, now, now + EVERY_MS)).await?;
            }
        }
        Ok(())
    }
}

impl UseCase for Plan {}

/// Takes a few due jobs.
pub(crate) struct Claim {
    pub now: i64,
}

impl Work for Claim {
    type Output = Vec<Job>;
    async fn run(&self, tx: &mut Tx) -> Result<Vec<Job>> {
        let mut jobs = store::jobs::due(tx, FETCH, self.now, 4).await?;
        for job in &mut jobs {
            (job.state, job.attempts, job.due_at) = (State::Called, job.attempts + 1, self.now + CLAIM_MS);
            store::jobs::update(tx, job).await?;
        }
        Ok(jobs)
    }
}

impl UseCase for Claim {}

/// Fetches an account's templates; what fails is tried again when the claim runs out.
pub(crate) async fn fetch(engine: &Engine, job: Job) -> Result<()> {
    let next = Some(engine.now() + EVERY_MS);
    let next = match bring(engine, &job).await {
        Ok(()) => next,
        Err(ConnectError::Store(error)) => return Err(error),
        Err(ConnectError::UnknownAccount | ConnectError::Unsupported) => None,
        Err(error) => {
            tracing::warn!(
                account = %job.id,
                error = &error as &dyn std::error::Error,
                "templates could not be fetched"
            );
            let hopeless = matches!(error, ConnectError::Call(CallError::Unauthorized { .. }));
            if job.attempts <= ATTEMPTS && !hopeless {
                return Ok(());
            }
            next
        }
    };
    engine.perform(Finish { job, next }).await
}

/// Brings an account's templates to what its provider says now.
async fn bring(engine: &Engine, job: &Job) -> std::result::Result<(), ConnectError> {
    let states = fetch_templates(engine, &job.id).await?;
    let account = engine.account(&job.id).await?.ok_or(ConnectError::UnknownAccount)?;
    engine.perform(Sync { engine: engine.clone(), account, states }).await?;
    Ok(())
}

/// The job rests until the next time, or goes where there is none.
struct Finish {
    job: Job,
    next: Option<i64>,
}

impl Work for Finish {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        // Asked for again in the meantime: it stays due.
        if !store::jobs::is_held(tx, &self.job).await? {
            return Ok(());
        }
        match self.next {
            Some(due_at) => {
                let rests = Job { state: State::Ready, attempts: 0, due_at, ..self.job.clone() };
                store::jobs::update(tx, &rests).await
            }
            None => store::jobs::delete(tx, &self.job.id).await,
        }
    }
}

impl UseCase for Finish {}
