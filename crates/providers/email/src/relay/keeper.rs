//! Ends connections that nobody needs any more: those that have rested, those of accounts that are gone or were changed,
//! and at the end all of them. Who sends finds out by itself that a connection ended; this is politeness towards relays.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use engine::provider::Service;
use engine::{Engine, Id};
use futures_util::future::{BoxFuture, join_all};
use tokio_util::sync::CancellationToken;

use super::{Idle, Relay, Relays, lock};
use crate::Smtp;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(10);
/// How long a connection may rest. Relays end them after some minutes.
const REST: Duration = Duration::from_secs(60);
/// For a relay's good-bye.
const PATIENCE: Duration = Duration::from_secs(2);

impl Service for Relays {
    fn run<'a>(&'a self, engine: &'a Engine, stop: CancellationToken) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while stop.run_until_cancelled(engine.clock.sleep(LOOK)).await.is_some() {
                self.tidy(engine).await;
            }
            let all: Vec<_> = lock(&self.known).drain().map(|(_, relay)| relay).collect();
            end(all.iter().flat_map(|relay| relay.rested_for(Duration::ZERO)).collect()).await;
        })
    }
}

impl Relays {
    async fn tidy(&self, engine: &Engine) {
        let accounts = match engine.accounts_of(Smtp::NAME).await {
            Ok(accounts) => accounts,
            Err(error) => {
                return tracing::warn!(error = &error as &dyn std::error::Error, "the mail accounts cannot be read");
            }
        };
        end(self.unneeded(&accounts.iter().map(|account| account.id).collect())).await;
    }

    /// Takes out what accounts that are gone have left, and what has rested.
    fn unneeded(&self, live: &HashSet<Id>) -> Vec<Idle> {
        let mut known = lock(&self.known);
        let gone: Vec<Arc<Relay>> =
            known.extract_if(|account, _| !live.contains(account)).map(|(_, relay)| relay).collect();
        let rested = known.values().flat_map(|relay| relay.rested_for(REST));
        rested.chain(gone.iter().flat_map(|relay| relay.rested_for(Duration::ZERO))).collect()
    }
}

impl Relay {
    /// Takes out the connections that have rested for so long.
    fn rested_for(&self, rest: Duration) -> Vec<Idle> {
        lock(&self.idle).extract_if(.., |idle| idle.since.elapsed() >= rest).collect()
    }
}

async fn end(idle: Vec<Idle>) {
    join_all(idle.into_iter().map(|mut idle| async move {
        // Whether it says good-bye changes nothing.
        let _ = tokio::time::timeout(PATIENCE, idle.connection.quit()).await;
    }))
    .await;
}
