//! How long a healthy receiver waits for its webhooks, alone and beside one that hangs.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Plan;
use crate::Outcome;
use crate::load::{Connection, Pushes, Receiver, Reply};
use crate::parts::{Api, Bench, Platform, Sandbox, World};
use crate::report::{Figure, Target};

const CUSTOMERS: u64 = 100;
const EVERY: Duration = Duration::from_millis(5);
const HANGS: Duration = Duration::from_secs(10);
/// What a timer and a busy machine may add.
const NOISE_MS: f64 = 20.0;

/// Milliseconds from a push until its webhook arrived.
pub struct Delays {
    alone: Quantiles,
    beside: Quantiles,
}

#[derive(Clone, Copy)]
struct Quantiles {
    half: f64,
    most: f64,
}

impl fmt::Display for Delays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "alone:                    p50 {:.1} ms, p99 {:.1} ms", self.alone.half, self.alone.most)?;
        write!(f, "beside one that hangs:    p50 {:.1} ms, p99 {:.1} ms", self.beside.half, self.beside.most)
    }
}

pub async fn measure(plan: &Plan) -> Outcome<Vec<Figure>> {
    let delays = delays(&plan.bench, plan.count(20, 3)).await?;
    let most = delays.alone.most * 2.0 + NOISE_MS;
    Ok(vec![
        Figure::told("webhook delay, p50", delays.alone.half, "ms"),
        Figure::told("webhook delay, p99", delays.alone.most, "ms"),
        Figure::told("webhook delay beside a hanging one, p50", delays.beside.half, "ms"),
        Figure::new("webhook delay beside a hanging one, p99", delays.beside.most, "ms", Target::AtMost(most)),
    ])
}

/// Delays under a steady stream of pushes, for so many seconds each.
pub async fn delays(bench: &Bench, seconds: u64) -> Outcome<Delays> {
    let dir = bench.dir()?;
    let sandbox = Sandbox::start(bench, dir.path())?;
    let mut platform = Platform::new(bench, dir.path())?;
    platform.start(World::Sandbox(&sandbox)).await?;
    let api = platform.api()?;
    let (clock, found) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let arrived = found.clone();
    let healthy = Receiver::open(move |post| {
        if let Some(sent) = stamp(post.body) {
            let delay = clock.elapsed().as_micros().saturating_sub(sent);
            arrived.lock().unwrap_or_else(PoisonError::into_inner).push(delay as f64 / 1000.0);
        }
        Reply::OK
    })
    .await?;
    let hanging = Receiver::open(|_| Reply { after: HANGS, ..Reply::OK }).await?;
    api.subscribe(&healthy.url(), &["message.received"]).await?;
    let alone = stream(&api, clock, seconds, &found).await?;
    api.subscribe(&hanging.url(), &["message.received"]).await?;
    let beside = stream(&api, clock, seconds, &found).await?;
    Ok(Delays { alone, beside })
}

/// The moment written into a message's text, in microseconds.
fn stamp(body: &[u8]) -> Option<u128> {
    let text = std::str::from_utf8(body).ok()?;
    text.split_once("stamp ")?.1.split('"').next()?.parse().ok()
}

/// Pushes at even steps, whatever becomes of them, and waits for their webhooks.
async fn stream(api: &Api, clock: Instant, seconds: u64, found: &Mutex<Vec<f64>>) -> Outcome<Quantiles> {
    found.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let (pushes, mut connection) = (Pushes::new(&api.facts, CUSTOMERS, 1), Connection::open(api.facts.address).await?);
    let count = u64::try_from(Duration::from_secs(seconds).as_millis() / EVERY.as_millis())?;
    let (mut ticks, mut request) = (tokio::time::interval(EVERY), Vec::new());
    for number in 0..count {
        ticks.tick().await;
        request.clear();
        pushes.write_texts(&[(number, format!("stamp {}", clock.elapsed().as_micros()))], &mut request);
        let (status, _) = connection.call(&request).await?;
        if status != 200 {
            return Err(format!("a push was answered {status}").into());
        }
    }
    let began = Instant::now();
    loop {
        let arrived = found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if arrived.len() as u64 >= count {
            return Ok(quantiles(arrived));
        }
        if began.elapsed() > Duration::from_secs(30) {
            return Err(format!("only {} of {count} webhooks arrived", arrived.len()).into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn quantiles(mut delays: Vec<f64>) -> Quantiles {
    delays.sort_by(f64::total_cmp);
    let at = |share: f64| delays[((delays.len() as f64 * share) as usize).min(delays.len() - 1)];
    Quantiles { half: at(0.5), most: at(0.99) }
}
