//! How fast sends are accepted and pushes taken in, in turns with the floor. The work behind is held back: the
//! lane is paced down to one message a second, and nobody subscribes.

use std::process::Command;
use std::time::Duration;

use super::Plan;
use crate::Outcome;
use crate::load::{Pushes, Sends, Tally, Until, address_of, drive};
use crate::parts::{Bench, Facts, Platform, Process, Sandbox, World, cpu_seconds, written};
use crate::report::{Figure, Target, median};

const CONNECTIONS: usize = 128;
pub(super) const CUSTOMERS: u64 = 1000;
/// Bytes of text in each message: with ids, names and times around it a row has about 600.
pub(super) const TEXT: usize = 300;
/// An idle machine does better; with less, the machine is busy or the floor is wrong.
const FLOOR: f64 = 20_000.0;

pub async fn measure(plan: &Plan) -> Outcome<Vec<Figure>> {
    let (mut floors, mut accepts, mut inbounds) = (Vec::new(), Vec::new(), Vec::new());
    let mut costs = Vec::new();
    for _ in 0..plan.count(3, 1) {
        floors.push(floor(plan).await?.rate()?);
        let (tally, cost) = accept(plan, through_kirim).await?;
        accepts.push(tally.rate()?);
        costs.push(cost);
        floors.push(floor(plan).await?.rate()?);
        inbounds.push(inbound(plan).await?.rate()?);
    }
    let cost = |of: fn(&Cost) -> f64| median(&costs.iter().map(of).collect::<Vec<_>>());
    let floor = median(&floors);
    let least = if plan.quick { 0.0 } else { FLOOR };
    Ok(vec![
        Figure::new("floor", floor, "accepts/s", Target::AtLeast { target: least, goal: least }),
        Figure::told("accept", median(&accepts), "messages/s"),
        Figure::new("accept / floor", median(&accepts) / floor, "", Target::AtLeast { target: 0.4, goal: 0.6 }),
        Figure::told("accept, p99", cost(|cost| cost.slowest), "ms"),
        Figure::told("accept, CPU of the platform", cost(|cost| cost.cpu), "µs/message"),
        Figure::told("accept, written to disk", cost(|cost| cost.written), "bytes/message"),
        Figure::told("inbound", median(&inbounds), "messages/s"),
        Figure::new("inbound / floor", median(&inbounds) / floor, "", Target::AtLeast { target: 0.3, goal: 0.5 }),
    ])
}

fn span(plan: &Plan) -> Until {
    Until::Time(Duration::from_secs(plan.count(8, 2)))
}

const WARM: Until = Until::Time(Duration::from_secs(1));

/// The same bytes as a send, to the floor program.
pub(super) async fn floor(plan: &Plan) -> Outcome<Tally> {
    let dir = plan.bench.dir()?;
    let mut command = Command::new(plan.bench.itself()?);
    let (_process, url) = Process::start_and_listen(command.arg("floor").arg(dir.path()))?;
    let body = format!(
        r#"{{"messaging_product":"whatsapp","to":"+15552000000","type":"text","text":{{"body":"{}"}}}}"#,
        "lorem ipsum ".repeat(TEXT / 12)
    );
    let request = format!(
        "POST /messages HTTP/1.1\r\nHost: floor\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let write = |_, out: &mut Vec<u8>| out.extend_from_slice(request.as_bytes());
    drive(address_of(&url)?, CONNECTIONS, WARM, write).await?;
    drive(address_of(&url)?, CONNECTIONS, span(plan), write).await
}

/// A platform that only takes in, with its sandbox.
pub async fn held_back(bench: &Bench, dir: &std::path::Path) -> Outcome<(Sandbox, Platform)> {
    let sandbox = Sandbox::start(bench, dir)?;
    let platform =
        Platform::new(bench, dir)?.set("HERMOD_SENDERS_MESSAGES_PER_SECOND", "1").set("HERMOD_SENDERS_BURST", "1");
    // YCloud's requests are limited, as published; here they are to come as fast as they can.
    let mut platform = platform.set("HERMOD_YCLOUD_SEND_PER_SECOND", "1000000");
    platform.start(World::Sandbox(&sandbox)).await?;
    Ok((sandbox, platform))
}

/// What accepting takes.
pub(super) struct Cost {
    /// Milliseconds within which 99 of 100 are answered.
    pub slowest: f64,
    /// Microseconds of processor time for each message.
    pub cpu: f64,
    /// Bytes for each message.
    pub written: f64,
}

fn through_kirim(facts: &Facts) -> impl Fn(u64, &mut Vec<u8>) + use<> {
    let sends = Sends::new(facts, CUSTOMERS, TEXT);
    move |number, out| sends.write(number, out)
}

/// `sends` makes the requests of one run.
pub(super) async fn accept<W: Fn(u64, &mut Vec<u8>)>(
    plan: &Plan,
    sends: impl Fn(&Facts) -> W,
) -> Outcome<(Tally, Cost)> {
    let dir = plan.bench.dir()?;
    let (_sandbox, platform) = held_back(&plan.bench, dir.path()).await?;
    let (facts, pid) = (platform.api()?.facts, platform.pid()?);
    drive(facts.address, CONNECTIONS, WARM, sends(&facts)).await?;
    let (cpu, disk) = (cpu_seconds(pid)?, written(pid)?);
    let tally = drive(facts.address, CONNECTIONS, span(plan), sends(&facts)).await?;
    let each = |used: f64| used / tally.latencies.len() as f64;
    let cost = Cost {
        slowest: tally.within(0.99),
        cpu: each(cpu_seconds(pid)? - cpu) * 1e6,
        written: each(written(pid)? - disk),
    };
    Ok((tally, cost))
}

async fn inbound(plan: &Plan) -> Outcome<Tally> {
    let dir = plan.bench.dir()?;
    let (_sandbox, platform) = held_back(&plan.bench, dir.path()).await?;
    let facts = platform.api()?.facts;
    let (warm, pushes) = (Pushes::new(&facts, CUSTOMERS, 1), Pushes::new(&facts, CUSTOMERS, 1));
    drive(facts.address, CONNECTIONS, WARM, |number, out| warm.write(number, out)).await?;
    drive(facts.address, CONNECTIONS, span(plan), |number, out| pushes.write(number, out)).await
}
