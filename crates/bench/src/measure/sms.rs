//! Texts through YCloud and over SMPP while everything goes wrong that can: the SMSC throttles and drops links, tells
//! receipts twice and before its answers, and the platform is killed in the middle. None may be lost. One is carried
//! twice only where nobody knows the answer to its first try: such are counted, and there cannot be more of them than
//! there were answers on their way.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::Plan;
use crate::Outcome;
use crate::load::{Receiver, Reply, ThroughYcloud, Until, drive};
use crate::parts::{Api, Bench, Platform, Sandbox, World};
use crate::report::{Figure, Target};

const CUSTOMERS: u64 = 200;
const CONNECTIONS: usize = 16;
const DROPS: u64 = 10;
/// Answers that may be on their way over one link: what an account has when nobody says otherwise.
const WINDOW: u64 = 10;
/// Calls to a carrier that may not be recorded yet when the platform is killed: the same for a sender.
const IN_FLIGHT: u64 = 128;
/// A carrier that throttles is left alone for ten seconds, an unknown outcome is waited for as long as is set below; with
/// nothing going on, the clock is moved over that, and over claims of the dead process.
const QUIET: Duration = Duration::from_secs(2);
const JUMP: &str = "15s";
const MOST: Duration = Duration::from_secs(600);

pub async fn measure(plan: &Plan) -> Outcome<Vec<Figure>> {
    let (count, dir) = (plan.count(10_000, 600), plan.bench.dir()?);
    let sandbox = Sandbox::start(&plan.bench, dir.path())?;
    let mut platform = platform(&plan.bench, dir.path())?;
    platform.start(World::Sandbox(&sandbox)).await?;
    let (api, told) = (platform.api()?, Told::default());
    let receiver = told.listen().await?;
    api.endpoint(&receiver.url(), &["sms.message.updated"]).await?;
    let mut run = Run { api, told, sent: 0 };
    let rate = run.calm(count / 5).await?;
    run.trouble().await?;
    run.send(count).await?;
    run.wait_taken(run.sent - count / 2).await?;
    platform.kill();
    platform.start(World::Sandbox(&sandbox)).await?;
    run.settle().await?;
    run.figures(rate).await
}

fn platform(bench: &Bench, dir: &std::path::Path) -> Outcome<Platform> {
    let platform = Platform::new(bench, dir)?.set("HERMOD_SENDERS_OUTCOME_WAIT", "3s");
    Ok(platform.set("HERMOD_YCLOUD_SEND_PER_SECOND", "1000000"))
}

/// Texts whose end was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<HashSet<String>>>);

impl Told {
    async fn listen(&self) -> Outcome<Receiver> {
        let told = self.clone();
        Receiver::open(move |post| {
            let event: Value = serde_json::from_slice(post.body).unwrap_or_default();
            if let Some(text) = event["sms"]["text"].as_str() {
                told.texts(|texts| texts.insert(text.to_owned()));
            }
            Reply::OK
        })
        .await
    }

    fn texts<R>(&self, look: impl FnOnce(&mut HashSet<String>) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self) -> u64 {
        self.texts(|texts| texts.len() as u64)
    }
}

struct Run {
    api: Api,
    told: Told,
    /// How many texts were accepted: they have the numbers below.
    sent: u64,
}

impl Run {
    /// Every one is acknowledged.
    async fn send(&mut self, count: u64) -> Outcome {
        let (texts, first) = (ThroughYcloud::new(&self.api.facts, CUSTOMERS, 0), self.sent);
        let write = |number: u64, out: &mut Vec<u8>| texts.text(first + number, out);
        drive(self.api.facts.address, CONNECTIONS, Until::Count(count), write).await?.rate()?;
        self.sent += count;
        Ok(())
    }

    /// Without trouble: how many the carrier gets in a second.
    async fn calm(&mut self, count: u64) -> Outcome<f64> {
        let began = Instant::now();
        self.send(count).await?;
        self.wait_taken(self.sent).await?;
        Ok(count as f64 / began.elapsed().as_secs_f64())
    }

    async fn trouble(&self) -> Outcome {
        let always = 1_000_000;
        for fault in [
            // ESME_RTHROTTLED
            json!({ "target": "sms", "kind": "status", "status": 0x58, "percent": 1, "times": always }),
            json!({ "target": "sms", "kind": "drop", "percent": 1, "times": DROPS }),
            json!({ "target": "sms", "kind": "duplicate", "percent": 5, "times": always }),
            json!({ "target": "sms", "kind": "reorder", "percent": 5, "times": always }),
        ] {
            self.api.sandbox(Method::POST, "/faults", Some(fault)).await?;
        }
        Ok(())
    }

    async fn taken(&self) -> Outcome<u64> {
        let stats = self.api.sandbox(Method::GET, "/stats", None).await?;
        Ok(stats.pointer("/sms/received").and_then(Value::as_u64).ok_or("the sandbox does not count texts")?)
    }

    async fn wait_taken(&self, wanted: u64) -> Outcome {
        self.progress(async || Ok((self.taken().await?, wanted))).await
    }

    /// Until every text is told of, and nothing is left to be done.
    async fn settle(&self) -> Outcome {
        self.api.sandbox(Method::DELETE, "/faults", None).await?;
        self.progress(async || Ok((self.told.count(), self.sent))).await?;
        crate::stories::verify::settle(&self.api).await
    }

    /// Until what is looked at has come as far as it should; where nothing moves, the clock is moved.
    async fn progress(&self, look: impl AsyncFn() -> Outcome<(u64, u64)>) -> Outcome {
        let (began, mut moved, mut before) = (Instant::now(), Instant::now(), 0);
        loop {
            let (now, wanted) = look().await?;
            if now >= wanted {
                return Ok(());
            }
            if began.elapsed() > MOST {
                return Err(format!("only {now} of {wanted} texts came so far in {} s", MOST.as_secs()).into());
            }
            if now != before {
                (before, moved) = (now, Instant::now());
            } else if moved.elapsed() > QUIET {
                self.api.advance(JUMP).await?;
                moved = Instant::now();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn figures(&self, rate: f64) -> Outcome<Vec<Figure>> {
        let listed = self.api.sandbox(Method::GET, "/sms", None).await?;
        let mut carried: HashMap<&str, u64> = HashMap::new();
        for text in listed["data"].as_array().into_iter().flatten().filter_map(|sms| sms["text"].as_str()) {
            *carried.entry(text).or_default() += 1;
        }
        let texts = || (0..self.sent).map(|number| format!("sms-{number}"));
        let lost = texts().filter(|text| !carried.contains_key(text.as_str())).count();
        let untold = self.told.texts(|told| texts().filter(|text| !told.contains(text)).count());
        let twice: u64 = carried.values().map(|count| count - 1).sum();
        let answers = DROPS * WINDOW + IN_FLIGHT;
        Ok(vec![
            Figure::told("SMS over SMPP, without trouble", rate, "messages/s"),
            Figure::told("SMS over SMPP, accepted in all", self.sent as f64, "messages"),
            Figure::new("SMS over SMPP, lost", lost as f64, "", Target::AtMost(0.0)),
            Figure::new("SMS over SMPP, never told of", untold as f64, "", Target::AtMost(0.0)),
            Figure::new("SMS over SMPP, twice for a lost answer", twice as f64, "", Target::AtMost(answers as f64)),
        ])
    }
}
