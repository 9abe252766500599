//! PostgreSQL: a pool; every piece of work is a transaction of its own, run again when it lost a race.
//!
//! Work runs in a task of its own, so that a caller who goes away (a closed HTTP connection) cannot
//! leave a transaction open on a pooled connection.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use futures_util::FutureExt;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::pipeline::Pipeline;
use super::tx::Connection as Held;
use super::{Error, Reader, Result, Tx, Work};
use crate::settings;

/// How often a transaction that lost a race is run again.
const ATTEMPTS: u32 = 8;

/// A process that was paused within a transaction must not keep its locks: others wait for them to take its work over,
/// and behind one transaction its next ones may stand in line.
const PAUSED: &str = "SET idle_in_transaction_session_timeout = '5s'";

pub(super) struct Postgres {
    pool: Pool,
}

impl Postgres {
    pub(super) async fn connect(url: &str, max_connections: usize) -> Result<Self> {
        let mut config = tokio_postgres::Config::from_str(url)
            .map_err(|_| Error::Refused("the database URL cannot be read".into()))?;
        config.connect_timeout(Duration::from_secs(5)).application_name("hermod");
        let manager = Manager::from_config(config, tls(), ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager)
            .max_size(max_connections)
            .timeouts(Timeouts {
                wait: Some(Duration::from_secs(5)),
                create: Some(Duration::from_secs(6)),
                recycle: Some(Duration::from_secs(5)),
            })
            .runtime(Runtime::Tokio1)
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move { client.batch_execute(PAUSED).await.map_err(HookError::Backend) })
            }))
            .build()
            .map_err(|error| Error::Unavailable(Arc::new(error)))?;
        drop(pool.get().await?);
        Ok(Self { pool })
    }

    pub(super) async fn write<W: Work>(&self, work: W) -> Result<W::Output> {
        let pool = self.pool.clone();
        let done = tokio::spawn(async move { transact(&pool, &work).await }).await;
        done.map_err(|error| Error::Unavailable(Arc::new(error)))?
    }

    pub(super) async fn reader(&self) -> Result<Reader> {
        Ok(Reader { tx: Some(Tx::new(Held::Postgres(Pipeline::new(self.pool.get().await?)))), home: None })
    }

    /// Counts commits that changed what processes keep in memory (see `revisions`).
    pub(super) async fn foreign_version(&self) -> Result<i64> {
        settings::caches(&mut *self.reader().await?).await
    }
}

async fn transact<W: Work>(pool: &Pool, work: &W) -> Result<W::Output> {
    let (mut attempt, mut gathers) = (0, true);
    loop {
        attempt += 1;
        match attempt_once(pool.get().await?, work, gathers).await {
            // Perhaps a row that was gathered: inserted at once it may give way, and can be asked about.
            Err(Error::Exists(_)) if gathers => gathers = false,
            // A row that was there when it was looked for went before it was referred to: that too is a lost race.
            Err(Error::Contended(_) | Error::Dangling) if attempt < ATTEMPTS => {
                metrics::counter!("hermod_store_retries").increment(1);
                pause(attempt).await;
            }
            done => return done,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a few real milliseconds between two runs of a transaction that lost a race"
)]
async fn pause(attempt: u32) {
    let millis = rand::random_range(1..=4_u64 << attempt.min(6));
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

async fn attempt_once<W: Work>(client: Object, work: &W, gathers: bool) -> Result<W::Output> {
    let mut tx = Tx::new(Held::Postgres(Pipeline::new(client)));
    tx.gathers = gathers;
    // A panic must not hand a connection in the middle of a transaction back to the pool.
    let outcome = std::panic::AssertUnwindSafe(run(&mut tx, work)).catch_unwind().await;
    let outcome = outcome.unwrap_or(Err(Error::Unsupported("work on the store panicked")));
    if outcome.is_err()
        && let Held::Postgres(pipeline) = tx.connection
    {
        pipeline.abandon().await;
    }
    outcome
}

async fn run<W: Work>(tx: &mut Tx, work: &W) -> Result<W::Output> {
    if let Held::Postgres(pipeline) = &mut tx.connection {
        pipeline.post_batch("BEGIN".into())?;
    }
    let output = work.run(tx).await?;
    if let Held::Postgres(pipeline) = tx.complete().await? {
        pipeline.batch("COMMIT").await?;
    }
    Ok(output)
}

fn tls() -> MakeRustlsConnect {
    net::install_crypto();
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    MakeRustlsConnect::new(rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
