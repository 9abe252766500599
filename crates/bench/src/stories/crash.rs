//! The platform is killed at random moments under load, during its start too, while the outside world goes on.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::time::Instant;

use super::promises::Promises;
use super::traffic::{CUSTOMERS, Lines, Traffic};
use super::{Story, verify};
use crate::Outcome;
use crate::load::{Receiver, Reply};
use crate::parts::{Bench, Platform, Sandbox, World};

/// The longest life.
const LIFE_MS: u64 = 2000;
pub(super) const EVENTS: [&str; 2] = ["message.received", "message.sent"];

pub struct Crash {
    /// How often it is killed.
    pub rounds: u32,
    /// Decides the moments.
    pub seed: u64,
    /// PostgreSQL instead of SQLite.
    pub database: Option<String>,
}

impl Crash {
    pub async fn run(&self, bench: &Bench) -> Outcome<Story> {
        let dir = bench.dir()?;
        let sandbox = Sandbox::start(bench, dir.path())?;
        let platform = Platform::new(bench, dir.path())?.set("HERMOD_SENDERS_OUTCOME_WAIT", "3s");
        let mut platform = platform.database(self.database.as_deref());
        platform.start(World::Sandbox(&sandbox)).await?;
        let (api, promises) = (platform.api()?, Arc::new(Promises::default()));
        let receiver = listen(&promises).await?;
        api.open_windows(CUSTOMERS).await?;
        api.subscribe(&receiver.url(), &EVENTS).await?;
        let traffic = Traffic::start(&api, &promises, Lines::MayBreak);
        torment(&mut platform, &sandbox, self.rounds, self.seed, LIFE_MS).await?;
        traffic.finish().await?;
        verify::settle(&api).await?;
        let mut story = verify::verify(&api, &promises).await?;
        story.told.insert(0, format!("killed {} times, seed {}", self.rounds, self.seed));
        Ok(story)
    }
}

/// Kills the platform again and again, after lives of random lengths, during its start too.
pub(super) async fn torment(
    platform: &mut Platform,
    sandbox: &Sandbox,
    rounds: u32,
    seed: u64,
    longest_ms: u64,
) -> Outcome {
    let mut moments = StdRng::seed_from_u64(seed);
    for _ in 0..rounds {
        let dies_at = Instant::now() + Duration::from_millis(moments.random_range(0..longest_ms));
        tokio::time::sleep_until(dies_at).await;
        platform.kill();
        let dies_at = Instant::now() + Duration::from_millis(moments.random_range(0..longest_ms));
        if let Ok(started) = tokio::time::timeout_at(dies_at, platform.start(World::Sandbox(sandbox))).await {
            started?;
        } else {
            platform.kill();
            platform.start(World::Sandbox(sandbox)).await?;
        }
    }
    Ok(())
}

/// A receiver that writes down what it is told.
pub(super) async fn listen(promises: &Arc<Promises>) -> Outcome<Receiver> {
    let promises = promises.clone();
    Receiver::open(move |post| {
        promises.hear(post);
        Reply::OK
    })
    .await
}
