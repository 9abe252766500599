//! Stories of the engine, each told on SQLite and on PostgreSQL: `scripts/postgres cargo nextest run -p hermod-engine`.

#![expect(clippy::unwrap_used, reason = "what cannot go on has failed its test")]

mod accept;
mod accounts;
mod billing;
mod campaigns;
mod campaigns_running;
mod campaigns_waiting;
mod carriers;
mod consent;
mod crash;
mod deliver;
mod figures;
mod keep;
mod logs;
mod nouns;
mod numbers;
mod pace;
mod processes;
mod receive;
mod replay;
mod send;
mod sessions;
mod settle;
mod templates;
mod verification;

use std::time::Duration;

use testkit::House;

/// Two customers.
const ANN: &str = "+15550200001";
const BOB: &str = "+15550200002";
/// Two receivers.
const HOOK: &str = "https://hook.example/one";
const OTHER_HOOK: &str = "https://hook.example/two";

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn millis(count: i64) -> Duration {
    Duration::from_millis(count.try_into().unwrap())
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Works in the background until the task is aborted, as a process that is killed in the middle.
fn working(house: &House) -> tokio::task::JoinHandle<()> {
    let engine = house.engine.clone();
    tokio::spawn(async move { engine::workers::drain(&engine).await.unwrap() })
}

/// The process dies: nothing it was doing goes on, and another one comes up.
async fn die(house: &mut House, task: tokio::task::JoinHandle<()>) {
    task.abort();
    // It may have come to its end in that very moment.
    assert!(task.await.map_or_else(|end| end.is_cancelled(), |()| true));
    house.restart().await;
}
