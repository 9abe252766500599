//! PostgreSQL is stopped under load and started again. Callers are told 503 and nothing else, the platform comes
//! back by itself, and nothing is lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::crash::{EVENTS, listen};
use super::promises::Promises;
use super::traffic::{CUSTOMERS, Lines, Traffic};
use super::{Story, verify};
use crate::Outcome;
use crate::parts::{Bench, Platform, Postgres, Sandbox, World};

/// Load before and after.
const AROUND: Duration = Duration::from_secs(5);
/// How soon it must work again.
const RECOVERY: Duration = Duration::from_secs(30);

pub struct DatabaseGone {
    /// How long the database stays away.
    pub seconds: u64,
}

impl DatabaseGone {
    pub async fn run(&self, bench: &Bench) -> Outcome<Story> {
        let (postgres, dir) = (Postgres::start()?, bench.dir()?);
        let sandbox = Sandbox::start(bench, dir.path())?;
        let platform = Platform::new(bench, dir.path())?.set("HERMOD_SENDERS_OUTCOME_WAIT", "3s");
        let mut platform = platform.database(Some(&postgres.url()));
        platform.start(World::Sandbox(&sandbox)).await?;
        let (api, promises) = (platform.api()?, Arc::new(Promises::default()));
        let receiver = listen(&promises).await?;
        api.open_windows(CUSTOMERS).await?;
        api.subscribe(&receiver.url(), &EVENTS).await?;
        let traffic = Traffic::start(&api, &promises, Lines::MustHold);
        tokio::time::sleep(AROUND).await;
        postgres.halt()?;
        tokio::time::sleep(Duration::from_secs(self.seconds)).await;
        let refused = promises.book().answers.get(&503).copied().unwrap_or(0);
        postgres.go()?;
        let recovered = recover(&platform).await?;
        tokio::time::sleep(AROUND).await;
        traffic.finish().await?;
        verify::settle(&api).await?;
        let mut story = verify::verify(&api, &promises).await?;
        story.told.insert(
            0,
            format!(
                "the database was gone for {} s; ready {:.1} s after it was back",
                self.seconds,
                recovered.as_secs_f64()
            ),
        );
        if refused == 0 {
            story.broken.push("nobody was told 503 while the database was gone".to_owned());
        }
        Ok(story)
    }
}

async fn recover(platform: &Platform) -> Outcome<Duration> {
    let began = Instant::now();
    while !platform.is_ready().await {
        if began.elapsed() > RECOVERY {
            return Err(format!("not ready {} s after the database was back", RECOVERY.as_secs()).into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(began.elapsed())
}
