//! Two processes on one PostgreSQL. The one that keeps the accounts up is killed, or paused for longer than it may be;
//! the other one takes them over while both are called.

use std::time::{Duration, Instant};

use super::traffic::Traffic;
use super::watch::Watch;
use super::{Cast, verify};
use crate::Outcome;
use crate::parts::{Bench, Linked, Platform, Postgres, Sandbox, World};
use crate::stories::Story;

/// Processes on one database share the key of its secrets.
const KEY: &str = "aGVybW9kLWJlbmNoLWtleS1mb3ItdHdvLXByb2Nlc3M=";
/// Load before each blow, and after the accounts were taken over.
const AROUND: Duration = Duration::from_secs(4);
/// Longer than a process may go without renewing its leases.
const PAUSE: Duration = Duration::from_secs(20);
/// Longer than this is not waited for somebody to take over.
const MOST: Duration = Duration::from_secs(120);

pub struct FailOver {
    /// In turns, one is killed and one is paused.
    pub rounds: u32,
}

/// How it ended, and how many seconds the accounts were without a process that keeps them up.
pub struct Takeovers {
    pub story: Story,
    pub after_kill: Vec<f64>,
    pub after_pause: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Blow {
    Kill,
    Pause,
}

impl FailOver {
    pub async fn run(&self, bench: &Bench) -> Outcome<Takeovers> {
        let (postgres, dir) = (Postgres::start()?, bench.dir()?);
        let sandbox = Sandbox::start(bench, dir.path())?;
        let mut platforms = Vec::new();
        for name in ["a", "b"] {
            let own = dir.path().join(name);
            std::fs::create_dir(&own)?;
            platforms.push(Platform::new(bench, &own)?.set("HERMOD_SECRET_KEY", KEY).database(Some(&postgres.url())));
        }
        platforms[0].start(World::Sandbox(&sandbox)).await?;
        let cast = Cast::gather(&Linked::new(platforms[0].api()?)?).await?;
        platforms[1].start(World::Sandbox(&sandbox)).await?;
        let processes = [Linked::new(platforms[0].api()?)?, Linked::new(platforms[1].api()?)?];
        let watch = Watch::start(&processes[0]);
        let traffic = Traffic::start(&processes, &cast.users, &cast.promises)?;
        let (mut after_kill, mut after_pause, mut broken) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..self.rounds as usize {
            let blow = if round % 2 == 0 { Blow::Kill } else { Blow::Pause };
            tokio::time::sleep(AROUND).await;
            // Who took over last is struck next.
            let seconds = strike(blow, &mut platforms[round % 2], &sandbox, &processes[0], &mut broken).await?;
            if blow == Blow::Kill { &mut after_kill } else { &mut after_pause }.push(seconds);
        }
        traffic.finish().await?;
        let mut story = verify::verify(&processes[0], &cast).await?;
        story.broken.extend(broken);
        story.broken.extend(watch.doubled());
        story
            .told
            .insert(0, format!("taken over after kill -9 in {after_kill:.1?} s, after a pause in {after_pause:.1?} s"));
        Ok(Takeovers { story, after_kill, after_pause })
    }
}

/// Strikes the process that keeps the accounts up; answers how long it took until the other one did.
async fn strike(
    blow: Blow,
    owner: &mut Platform,
    sandbox: &Sandbox,
    watcher: &Linked,
    broken: &mut Vec<String>,
) -> Outcome<f64> {
    let (before, began) = (watcher.sockets().await?, Instant::now());
    let accounts = before.sockets.len() as u64;
    match blow {
        Blow::Kill => owner.kill(),
        Blow::Pause => owner.freeze(true)?,
    }
    let taken = taken_over(watcher, before.connections + accounts, accounts).await;
    let seconds = began.elapsed().as_secs_f64();
    match blow {
        Blow::Kill => _ = owner.start(World::Sandbox(sandbox)).await?,
        Blow::Pause => {
            tokio::time::sleep(PAUSE.saturating_sub(began.elapsed())).await;
            owner.freeze(false)?;
        }
    }
    taken?;
    tokio::time::sleep(AROUND).await;
    let after = watcher.sockets().await?;
    // A dead process's connections are gone; a paused one's are alive until another comes in, once.
    let allowed = if blow == Blow::Kill { 0 } else { accounts };
    let comings = after.connections - before.connections;
    if after.takeovers - before.takeovers > allowed || comings > accounts {
        broken.push(format!(
            "{accounts} accounts were taken over with {comings} log-ins, {} of them over a live connection",
            after.takeovers - before.takeovers
        ));
    }
    Ok(seconds)
}

/// Waits until so many have come in again and all are there.
async fn taken_over(watcher: &Linked, connections: u64, accounts: u64) -> Outcome {
    let began = Instant::now();
    loop {
        let now = watcher.sockets().await?;
        if now.connections >= connections && now.sockets.len() as u64 >= accounts {
            return Ok(());
        }
        if began.elapsed() > MOST {
            return Err(format!("nobody took over in {} s", MOST.as_secs()).into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
