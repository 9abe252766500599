//! A broadcast to very many, of whom some cannot be written to, while the platform is killed again and again; and the
//! pace of broadcasts where there is a limit.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt};
use reqwest::Method;
use serde_json::{Value, json};

use super::Plan;
use crate::Outcome;
use crate::parts::{Api, Bench, Platform, Postgres, Sandbox, World, memory_mb};
use crate::report::{Figure, Target};
use crate::stories::verify;

const KILLS: u64 = 10;
/// Recipients in one call.
const SLICE: u64 = 1000;
/// Calls at a time, where many are looked at.
const CALLS: usize = 16;
/// The burst, a fifth of a second, and a little for the moments at which it is looked.
const FREE: f64 = 0.25;
const GLANCE: Duration = Duration::from_millis(50);
/// The longest that a broadcast may take.
const MOST: Duration = Duration::from_secs(3600);
/// Where nothing moves for so long, the clock is moved over claims of dead processes and waits for outcomes.
const QUIET: Duration = Duration::from_secs(10);
const JUMP: &str = "11m";

pub async fn measure(plan: &Plan) -> Outcome<Vec<Figure>> {
    let (mut figures, postgres) = (killed(plan).await?, Postgres::start()?);
    let url = postgres.url();
    for (rate, database, names) in [
        (80, None, ["broadcast at 80/s, off the limit", "broadcast at 80/s, its worst second"]),
        (500, None, ["broadcast at 500/s, off the limit", "broadcast at 500/s, its worst second"]),
        (
            500,
            Some(url.as_str()),
            ["broadcast at 500/s on PostgreSQL, off the limit", "broadcast at 500/s on PostgreSQL, its worst second"],
        ),
    ] {
        figures.extend(paced(&plan.bench, rate, database, plan.count(60, 10), names).await?);
    }
    Ok(figures)
}

/// What comes of a recipient.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Gets,
    /// Nobody has such a number.
    Invalid,
    OptedOut,
    /// Not on WhatsApp.
    Absent,
}

fn fate(number: u64) -> Fate {
    match number % 100 {
        7 => Fate::Invalid,
        17 => Fate::OptedOut,
        27 => Fate::Absent,
        _ => Fate::Gets,
    }
}

fn phone(number: u64) -> String {
    if fate(number) == Fate::Invalid { format!("+999{number:07}") } else { format!("+1555{:07}", 3_000_000 + number) }
}

/// One percent each is invalid, opted out and absent; the platform is killed ten times on the way.
async fn killed(plan: &Plan) -> Outcome<Vec<Figure>> {
    let (count, dir) = (plan.count(100_000, 2_000), plan.bench.dir()?);
    let sandbox = Sandbox::start(&plan.bench, dir.path())?;
    // What was under way when it was killed waits until nobody kills any more: a second silence would be a failure.
    let mut platform = Platform::new(&plan.bench, dir.path())?.set("HERMOD_SENDERS_OUTCOME_WAIT", "10m");
    platform.start(World::Sandbox(&sandbox)).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let idle = memory_mb(platform.pid()?)?;
    let run = Run { api: platform.api()?, count };
    run.prepare().await?;
    let id = run.draft().await?;
    let (began, mut most) = (Instant::now(), 0.0_f64);
    run.start(&id).await?;
    for kill in 1..=KILLS {
        run.until(&id, &platform, &mut most, |done, total| done >= total * kill / (KILLS + 1)).await?;
        platform.kill();
        platform.start(World::Sandbox(&sandbox)).await?;
    }
    run.until(&id, &platform, &mut most, |done, total| done >= total).await?;
    let took = began.elapsed().as_secs_f64();
    verify::settle(&run.api).await?;
    let wrong = run.wrong(&id).await?;
    let none = Target::AtMost(0.0);
    Ok(vec![
        Figure::told("broadcast, recipients", count as f64, ""),
        Figure::told("broadcast, over ten kills", count as f64 / took, "recipients/s"),
        Figure::new("broadcast, recipients that it went wrong for", wrong.people as f64, "", none),
        Figure::new("broadcast, counts that are wrong", wrong.counts as f64, "", none),
        Figure::new("broadcast, memory above idle", most - idle, "MB", Target::AtMost(40.0)),
    ])
}

struct Run {
    api: Api,
    count: u64,
}

/// What is not as it should be.
struct Wrong {
    people: u64,
    counts: u64,
}

impl Run {
    /// People say that they want nothing, or are not there.
    async fn prepare(&self) -> Outcome {
        for number in (0..self.count).filter(|number| fate(*number) == Fate::OptedOut) {
            let said = json!({ "to": self.api.facts.number_id, "type": "text", "text": { "body": "STOP" } });
            self.api.sandbox(Method::POST, &format!("/phones/{}/messages", phone(number)), Some(said)).await?;
        }
        for number in (0..self.count).filter(|number| fate(*number) == Fate::Absent) {
            let gone = json!({ "registered": false });
            self.api.sandbox(Method::PATCH, &format!("/phones/{}", phone(number)), Some(gone)).await?;
        }
        verify::settle(&self.api).await
    }

    async fn draft(&self) -> Outcome<String> {
        let made = self.api.late(
            Method::POST,
            "",
            Some(json!({
                "accountId": self.api.facts.late.account_id,
                "name": "Bench",
                "template": { "name": "order_update", "language": "en" },
            })),
        );
        let made = made.await?;
        let id = made.pointer("/broadcast/id").and_then(Value::as_str).ok_or("a broadcast has no id")?.to_owned();
        for first in (0..self.count).step_by(SLICE as usize) {
            let person =
                |number: u64| json!({ "phone": phone(number), "variables": { "1": "Ann", "2": number.to_string() } });
            let people: Vec<_> = (first..self.count.min(first + SLICE)).map(person).collect();
            let path = format!("/{id}/recipients");
            self.api.late(Method::PATCH, &path, Some(json!({ "recipients": people }))).await?;
        }
        Ok(id)
    }

    /// Begins; whoever sends waits for the end, and is cut off.
    async fn start(&self, id: &str) -> Outcome {
        let (api, path) = (self.api.clone(), format!("/{id}/send"));
        drop(tokio::spawn(async move { api.late(Method::POST, &path, None).await.is_ok() }));
        let began = Instant::now();
        while self.broadcast(id).await?["status"] == "draft" {
            if began.elapsed() > Duration::from_secs(10) {
                return Err("the broadcast does not begin".into());
            }
            tokio::time::sleep(GLANCE).await;
        }
        Ok(())
    }

    async fn broadcast(&self, id: &str) -> Outcome<Value> {
        Ok(self.api.late(Method::GET, &format!("/{id}"), None).await?["broadcast"].take())
    }

    /// Until so many are done; where nothing moves, the clock is moved.
    async fn until(&self, id: &str, platform: &Platform, most: &mut f64, enough: impl Fn(u64, u64) -> bool) -> Outcome {
        let (began, mut moved, mut before) = (Instant::now(), Instant::now(), 0);
        loop {
            let it = self.broadcast(id).await?;
            let of = |name: &str| it[name].as_u64().unwrap_or_default();
            let done = of("sentCount") + of("failedCount");
            *most = most.max(memory_mb(platform.pid()?)?);
            let over = it["status"] == "completed";
            if over || (enough(done, self.count) && done < self.count) {
                return Ok(());
            }
            if began.elapsed() > MOST {
                return Err(format!("only {done} of {} are done", self.count).into());
            }
            if done != before {
                (before, moved) = (done, Instant::now());
            } else if moved.elapsed() > QUIET {
                self.api.advance(JUMP).await?;
                moved = Instant::now();
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    async fn wrong(&self, id: &str) -> Outcome<Wrong> {
        let looked = futures_util::stream::iter(0..self.count).map(|number| self.is_wrong_on_phone(number));
        let phones = looked.buffer_unordered(CALLS).try_fold(0, async |sum, wrong| Ok(sum + u64::from(wrong)));
        let (people, standings) = (phones.await?, self.standings(id).await?);
        let it = self.broadcast(id).await?;
        let counted = |wanted: &[&str]| standings.iter().filter(|word| wanted.contains(&word.as_str())).count() as u64;
        let counts = [
            ("recipientCount", self.count),
            ("sentCount", counted(&["sent", "delivered", "read"])),
            ("deliveredCount", counted(&["delivered", "read"])),
            ("readCount", counted(&["read"])),
            ("failedCount", counted(&["failed"])),
            ("sentCount", (0..self.count).filter(|number| fate(*number) == Fate::Gets).count() as u64),
        ];
        let counts = counts.iter().filter(|(name, wanted)| it[name].as_u64() != Some(*wanted)).count() as u64;
        Ok(Wrong { people, counts })
    }

    /// A phone shows one message, or none.
    async fn is_wrong_on_phone(&self, number: u64) -> Outcome<bool> {
        let wanted = u64::from(fate(number) == Fate::Gets);
        if fate(number) == Fate::Invalid {
            return Ok(false);
        }
        let shown = self.api.sandbox(Method::GET, &format!("/phones/{}/messages", phone(number)), None).await?;
        let templates = shown["data"].as_array().into_iter().flatten().filter(|it| it["type"] == "template");
        Ok(templates.count() as u64 != wanted)
    }

    /// Every recipient's word, page by page.
    async fn standings(&self, id: &str) -> Outcome<Vec<String>> {
        let mut all = Vec::new();
        loop {
            let path = format!("/{id}/recipients?limit={SLICE}&skip={}", all.len());
            let page = self.api.late(Method::GET, &path, None).await?;
            let words = page["recipients"].as_array().into_iter().flatten();
            let before = all.len();
            all.extend(words.filter_map(|it| it["status"].as_str().map(str::to_owned)));
            if all.len() == before {
                return Ok(all);
            }
        }
    }
}

/// How far from its limit a broadcast goes, and how far above it in its worst second.
async fn paced(
    bench: &Bench,
    rate: u64,
    database: Option<&str>,
    seconds: u64,
    names: [&'static str; 2],
) -> Outcome<Vec<Figure>> {
    let dir = bench.dir()?;
    let sandbox = Sandbox::start(bench, dir.path())?;
    let platform = Platform::new(bench, dir.path())?.set("HERMOD_SENDERS_MESSAGES_PER_SECOND", &rate.to_string());
    // With a small burst every second is like any other, and yet a moment in which nothing ran is made up for.
    let mut platform = platform.set("HERMOD_SENDERS_BURST", &(rate / 5).to_string()).database(database);
    platform.start(World::Sandbox(&sandbox)).await?;
    let run = Run { api: platform.api()?, count: rate * (seconds + 10) };
    let id = run.draft().await?;
    run.start(&id).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (began, mut taken) = (Instant::now(), vec![(0.0, run.taken().await?)]);
    while began.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(GLANCE).await;
        let sends = run.taken().await?;
        taken.push((began.elapsed().as_secs_f64(), sends));
    }
    let [(from, first), (until, last)] = [taken[0], taken[taken.len() - 1]];
    let reached = (last - first) as f64 / (until - from) / rate as f64;
    let worst = taken.iter().map(|(at, sends)| within_a_second(&taken, *at, *sends)).fold(0.0, f64::max) / rate as f64;
    let off = (reached - 1.0).abs() * 100.0;
    let off = match database {
        // What PostgreSQL reaches depends on its disk and distance: told, and never above the limit.
        Some(_) => Figure::told(names[0], off, "%"),
        None => Figure::new(names[0], off, "%", Target::AtMost(3.0)),
    };
    Ok(vec![off, Figure::new(names[1], worst, "× limit", Target::AtMost(1.0 + FREE))])
}

/// Sends in the second that begins at `at`, where it was looked at in time.
fn within_a_second(taken: &[(f64, u64)], at: f64, sends: u64) -> f64 {
    let after = taken.iter().find(|(later, _)| *later >= at + 1.0);
    after.map_or(0.0, |(later, then)| (then - sends) as f64 / (later - at))
}

impl Run {
    async fn taken(&self) -> Outcome<u64> {
        let stats = self.api.sandbox(Method::GET, "/stats", None).await?;
        Ok(stats.pointer("/meta/sends").and_then(Value::as_u64).ok_or("the sandbox does not count sends")?)
    }
}
