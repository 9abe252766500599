//! How fast sends are accepted and pushes taken in, in turns with the floor. The work behind is held back: the
//! lane is paced down to one message a second, and nobody subscribes.

use std::process::Command;
use std::time::Duration;

use super::Plan;
use crate::Outcome;
use crate::load::{Pushes, Sends, Tally, Until, address_of, drive};
use crate::parts::{Bench, Platform, Process, Sandbox, World, cpu_seconds};
use crate::report::{Figure, Target, median};

const CONNECTIONS: usize = 128;
const CUSTOMERS: u64 = 1000;
/// Bytes of text in each message: with ids, names and times around it a row has about 600.
const TEXT: usize = 300;
/// An idle machine does better; with less, the machine is busy or the floor is wrong.
const FLOOR: f64 = 20_000.0;

pub async fn measure(plan: &Plan) -> Outcome<Vec<Figure>> {
    let (mut floors, mut accepts, mut inbounds) = (Vec::new(), Vec::new(), Vec::new());
    let (mut slow, mut cost) = (Vec::new(), Vec::new());
    for _ in 0..plan.count(3, 1) {
        floors.push(floor(plan).await?.rate()?);
        let (tally, cpu) = accept(plan).await?;
        accepts.push(tally.rate()?);
        slow.push(tally.within(0.99));
        cost.push(cpu);
        floors.push(floor(plan).await?.rate()?);
        inbounds.push(inbound(plan).await?.rate()?);
    }
    let floor = median(&floors);
    let least = if plan.quick { 0.0 } else { FLOOR };
    Ok(vec![
        Figure::new("floor", floor, "accepts/s", Target::AtLeast { target: least, goal: least }),
        Figure::told("accept", median(&accepts), "messages/s"),
        Figure::new("accept / floor", median(&accepts) / floor, "", Target::AtLeast { target: 0.4, goal: 0.6 }),
        Figure::told("accept, p99", median(&slow), "ms"),
        Figure::told("accept, CPU of the platform", median(&cost), "µs/message"),
        Figure::told("inbound", median(&inbounds), "messages/s"),
        Figure::new("inbound / floor", median(&inbounds) / floor, "", Target::AtLeast { target: 0.3, goal: 0.5 }),
    ])
}

fn span(plan: &Plan) -> Until {
    Until::Time(Duration::from_secs(plan.count(8, 2)))
}

const WARM: Until = Until::Time(Duration::from_secs(1));

/// The same bytes as a send, to the floor program.
async fn floor(plan: &Plan) -> Outcome<Tally> {
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
    let mut platform =
        Platform::new(bench, dir)?.set("HERMOD_SENDERS_MESSAGES_PER_SECOND", "1").set("HERMOD_SENDERS_BURST", "1");
    platform.start(World::Sandbox(&sandbox)).await?;
    Ok((sandbox, platform))
}

/// With the platform's microseconds of processor time for each message.
async fn accept(plan: &Plan) -> Outcome<(Tally, f64)> {
    let dir = plan.bench.dir()?;
    let (_sandbox, platform) = held_back(&plan.bench, dir.path()).await?;
    let facts = platform.api()?.facts;
    let (warm, sends) = (Sends::new(&facts, CUSTOMERS, TEXT), Sends::new(&facts, CUSTOMERS, TEXT));
    drive(facts.address, CONNECTIONS, WARM, |number, out| warm.write(number, out)).await?;
    let before = cpu_seconds(platform.pid()?)?;
    let tally = drive(facts.address, CONNECTIONS, span(plan), |number, out| sends.write(number, out)).await?;
    let cpu = (cpu_seconds(platform.pid()?)? - before) * 1e6 / tally.latencies.len() as f64;
    Ok((tally, cpu))
}

async fn inbound(plan: &Plan) -> Outcome<Tally> {
    let dir = plan.bench.dir()?;
    let (_sandbox, platform) = held_back(&plan.bench, dir.path()).await?;
    let facts = platform.api()?.facts;
    let (warm, pushes) = (Pushes::new(&facts, CUSTOMERS, 1), Pushes::new(&facts, CUSTOMERS, 1));
    drive(facts.address, CONNECTIONS, WARM, |number, out| warm.write(number, out)).await?;
    drive(facts.address, CONNECTIONS, span(plan), |number, out| pushes.write(number, out)).await
}
