//! How fast waiting webhooks are signed, posted and recorded, in turns with a loop that only signs and posts.

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Plan;
use super::rates::held_back;
use crate::Outcome;
use crate::load::{Pushes, Receiver, Reply, Until, drive};
use crate::parts::{Api, Process};
use crate::report::{Figure, Target, median};

const CUSTOMERS: u64 = 1000;
/// Messages in one push while the deliveries are made.
const PUSH: u64 = 100;
/// The platform's own default for one subscription.
const CONCURRENCY: &str = "64";

/// What a fast receiver has got.
#[derive(Default)]
struct Got {
    count: AtomicU64,
    /// The last body, as an example for the bare loop.
    body: Mutex<Vec<u8>>,
}

pub async fn measure(plan: &Plan) -> Outcome<Vec<Figure>> {
    let count = plan.count(100_000, 5_000);
    let dir = plan.bench.dir()?;
    let (_sandbox, platform) = held_back(&plan.bench, dir.path()).await?;
    let (api, got) = (platform.api()?, Arc::new(Got::default()));
    let receiver = receiver(got.clone()).await?;
    let subscription = api.subscribe(&receiver.url(), &["message.received"]).await?;
    let (mut delivered, mut posted) = (Vec::new(), Vec::new());
    for _ in 0..plan.count(3, 1) {
        delivered.push(deliver(&api, &subscription, &got, count).await?);
        posted.push(post(plan, dir.path(), &receiver, &got, count).await?);
    }
    Ok(vec![
        Figure::told("bare posting loop", median(&posted), "posts/s"),
        Figure::told("deliveries", median(&delivered), "posts/s"),
        Figure::new(
            "deliveries / loop",
            median(&delivered) / median(&posted),
            "",
            Target::AtLeast { target: 0.25, goal: 0.5 },
        ),
    ])
}

async fn receiver(got: Arc<Got>) -> Outcome<Receiver> {
    Receiver::open(move |post| {
        if got.count.fetch_add(1, Ordering::Relaxed) == 0 {
            *got.body.lock().unwrap_or_else(PoisonError::into_inner) = post.body.to_vec();
        }
        Reply::OK
    })
    .await
}

/// Lets `count` deliveries gather, then lets them go; how many went in a second.
async fn deliver(api: &Api, subscription: &str, got: &Got, count: u64) -> Outcome<f64> {
    api.set_status(subscription, "paused").await?;
    let pushes = Pushes::new(&api.facts, CUSTOMERS, PUSH);
    drive(api.facts.address, 4, Until::Count(count / PUSH), |number, out| pushes.write(number, out)).await?.rate()?;
    api.wait_depth("deliveries", true, count, Duration::from_secs(300)).await?;
    got.count.store(0, Ordering::Relaxed);
    let began = Instant::now();
    api.set_status(subscription, "active").await?;
    while got.count.load(Ordering::Relaxed) < count {
        if began.elapsed() > Duration::from_secs(300) {
            return Err(format!("only {} of {count} webhooks arrived", got.count.load(Ordering::Relaxed)).into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let rate = count as f64 / began.elapsed().as_secs_f64();
    api.wait_depth("deliveries", false, 0, Duration::from_secs(60)).await?;
    Ok(rate)
}

async fn post(plan: &Plan, dir: &std::path::Path, receiver: &Receiver, got: &Got, count: u64) -> Outcome<f64> {
    let body = dir.join("body.json");
    std::fs::write(&body, &*got.body.lock().unwrap_or_else(PoisonError::into_inner))?;
    let output = dir.join("posted");
    let mut command = Command::new(plan.bench.itself()?);
    command
        .arg("post")
        .args(["--url", &receiver.url(), "--count", &count.to_string(), "--concurrency", CONCURRENCY])
        .arg("--body")
        .arg(&body);
    // To a file: reading a pipe would block the receiver.
    Process::start(command.stdout(std::fs::File::create(&output)?))?.finish().await?;
    Ok(std::fs::read_to_string(&output)?.trim().parse()?)
}
