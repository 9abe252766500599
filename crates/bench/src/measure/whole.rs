//! The whole way of a message with everything on one machine: accepted, on the phone, sent, delivered and read,
//! and a webhook for each of the four things that a customer of the platform is told.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Method;

use super::Plan;
use crate::Outcome;
use crate::load::{Receiver, Reply, Sends, Until, customer, drive};
use crate::parts::{Api, Platform, Sandbox, World, cpu_seconds};
use crate::report::Figure;

pub const CUSTOMERS: u64 = 200;
/// `message.sent`, and `message.status` for sent, delivered and read.
const WEBHOOKS: u64 = 4;
const EVENTS: [&str; 2] = ["message.sent", "message.status"];

pub async fn measure(plan: &Plan) -> Outcome<Vec<Figure>> {
    let count = plan.count(20_000, 1_000);
    let dir = plan.bench.dir()?;
    let sandbox = Sandbox::start(&plan.bench, dir.path())?;
    let mut platform = Platform::new(&plan.bench, dir.path())?;
    platform.start(World::Sandbox(&sandbox)).await?;
    let api = platform.api()?;
    api.open_windows(CUSTOMERS).await?;
    let told = Told::listen(&api).await?;
    let pids = [platform.pid()?, sandbox.process.id(), std::process::id()];
    let cpu = || pids.iter().map(|pid| cpu_seconds(*pid)).collect::<Outcome<Vec<f64>>>();
    let (before, began) = (cpu()?, Instant::now());
    send_and_read(&api, &told, count).await?;
    let (seconds, after) = (began.elapsed().as_secs_f64(), cpu()?);
    let each = |part: usize| (after[part] - before[part]) * 1e6 / count as f64;
    Ok(vec![
        Figure::told("whole way", count as f64 / seconds, "messages/s"),
        Figure::told("whole way, CPU of the platform", each(0), "µs/message"),
        Figure::told("whole way, CPU of the sandbox", each(1), "µs/message"),
        Figure::told("whole way, CPU of the driver", each(2), "µs/message"),
    ])
}

/// A receiver that counts every fact once.
pub struct Told {
    facts: Arc<Mutex<HashSet<String>>>,
    count: Arc<AtomicU64>,
    _receiver: Receiver,
}

impl Told {
    pub async fn listen(api: &Api) -> Outcome<Self> {
        let (facts, count) = (Arc::new(Mutex::new(HashSet::new())), Arc::new(AtomicU64::new(0)));
        let (seen, counter) = (facts.clone(), count.clone());
        let receiver = Receiver::open(move |post| {
            let fact = post.header("x-kirim-event-id").unwrap_or_default().to_owned();
            if seen.lock().unwrap_or_else(PoisonError::into_inner).insert(fact) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
            Reply::OK
        })
        .await?;
        api.subscribe(&receiver.url(), &EVENTS).await?;
        Ok(Self { facts, count, _receiver: receiver })
    }

    fn reset(&self) {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.count.store(0, Ordering::Relaxed);
    }
}

/// Sends `count` messages, has the phones read them, and waits for every webhook.
pub async fn send_and_read(api: &Api, told: &Told, count: u64) -> Outcome {
    told.reset();
    let sends = Sends::new(&api.facts, CUSTOMERS, 100);
    let sending = async {
        drive(api.facts.address, 16, Until::Count(count), |number, out| sends.write(number, out))
            .await?
            .rate()
            .map(drop)
    };
    let limit = Duration::from_secs(60 + count / 100);
    tokio::try_join!(sending, read_until(api, &told.count, count * WEBHOOKS, limit))?;
    Ok(())
}

/// The phones look at what they got, round after round.
async fn read_until(api: &Api, count: &AtomicU64, wanted: u64, most: Duration) -> Outcome {
    let began = Instant::now();
    while count.load(Ordering::Relaxed) < wanted {
        if began.elapsed() > most {
            return Err(format!("only {} of {wanted} webhooks arrived", count.load(Ordering::Relaxed)).into());
        }
        for number in 0..CUSTOMERS {
            api.sandbox(Method::POST, &format!("/phones/+{}/read", customer(number)), None).await?;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}
