//! What the platform takes: memory idle and after many messages in and out, time to start on a database that has
//! them, and the size of the program.

use std::time::Duration;

use super::Plan;
use super::whole::{CUSTOMERS, Told, send_and_read};
use crate::Outcome;
use crate::load::{Pushes, Until, drive};
use crate::parts::{Api, Platform, Sandbox, World, memory_mb};
use crate::report::{Figure, Target, median};

const STARTS: usize = 5;
/// Messages in one push.
const PUSH: u64 = 10;
/// What an allocator may keep more or less from one look to the next.
const GROWTH: f64 = 1.05;

pub async fn measure(plan: &Plan) -> Outcome<Vec<Figure>> {
    let step = plan.count(50_000, 1_000);
    let dir = plan.bench.dir()?;
    let sandbox = Sandbox::start(&plan.bench, dir.path())?;
    let mut platform = Platform::new(&plan.bench, dir.path())?;
    platform.start(World::Sandbox(&sandbox)).await?;
    rest().await;
    let idle = memory_mb(platform.pid()?)?;
    let api = platform.api()?;
    api.open_windows(CUSTOMERS).await?;
    let told = Told::listen(&api).await?;
    let mut after = Vec::new();
    for _ in 0..3 {
        in_and_out(&api, &told, step).await?;
        rest().await;
        after.push(memory_mb(platform.pid()?)?);
    }
    drop(told);
    let in_sandbox = starts(&mut platform, || World::Sandbox(&sandbox)).await?;
    let real = starts(&mut platform, || World::Real).await?;
    let size = std::fs::metadata(&plan.bench.hermod)?.len() as f64 / 1e6;
    let most = |most| Target::AtMost(most);
    Ok(vec![
        Figure::new("memory, idle", idle, "MB", most(25.0)),
        Figure::told("memory, after 50,000 messages in and out", after[0], "MB"),
        Figure::new("memory, after 100,000 in and out", after[1], "MB", most(120.0)),
        Figure::new("memory, after 150,000 / after 100,000", after[2] / after[1], "", most(GROWTH)),
        Figure::new("start on that database", real, "ms", most(150.0)),
        Figure::new("start on that database, in sandbox mode", in_sandbox, "ms", most(150.0)),
        Figure::new("program", size, "MB", most(45.0)),
    ])
}

async fn rest() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}

/// So many messages in, and as many out the whole way.
async fn in_and_out(api: &Api, told: &Told, count: u64) -> Outcome {
    let pushes = Pushes::new(&api.facts, CUSTOMERS, PUSH);
    drive(api.facts.address, 8, Until::Count(count / PUSH), |number, out| pushes.write(number, out)).await?.rate()?;
    send_and_read(api, told, count).await
}

/// Milliseconds from starting the program until it is ready, the median of some.
async fn starts<'a>(platform: &mut Platform, world: impl Fn() -> World<'a>) -> Outcome<f64> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        platform.stop().await?;
        times.push(platform.start(world()).await?.as_secs_f64() * 1000.0);
    }
    Ok(median(&times))
}
