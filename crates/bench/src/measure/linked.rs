//! What linked accounts take: memory for each, and the time until all of them are back after a restart.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt};

use super::Plan;
use crate::Outcome;
use crate::load::customer;
use crate::parts::{Inbox, Linked, Platform, Sandbox, User, World, memory_mb};
use crate::report::{Figure, Target};

/// Accounts that talk at the same time.
const AT_ONCE: usize = 8;
/// Messages that each account has exchanged: so many came in, so many went out.
const IN: u64 = 3;
const OUT: u64 = 2;
/// Longer than this is not waited.
const MOST: Duration = Duration::from_secs(300);

pub async fn measure(plan: &Plan) -> Outcome<Vec<Figure>> {
    let count = plan.count(1_000, 20);
    let dir = plan.bench.dir()?;
    let sandbox = Sandbox::start(&plan.bench, dir.path())?;
    let mut platform = Platform::new(&plan.bench, dir.path())?;
    platform.start(World::Sandbox(&sandbox)).await?;
    rest().await;
    let idle = memory_mb(platform.pid()?)?;
    let (linked, inbox, began) = (Linked::new(platform.api()?)?, Inbox::open().await?, Instant::now());
    let users = linked.link(count, &inbox.url()).await?;
    let linking = began.elapsed().as_secs_f64();
    talk(&linked, &users, &inbox).await?;
    rest().await;
    let each = |memory: f64| (memory - idle) / count as f64;
    let used = each(memory_mb(platform.pid()?)?);
    platform.stop().await?;
    let began = Instant::now();
    platform.start(World::Sandbox(&sandbox)).await?;
    linked.wait_up(count, MOST).await?;
    let back = began.elapsed().as_secs_f64();
    rest().await;
    Ok(vec![
        Figure::told("linked accounts", count as f64, ""),
        Figure::told("linking them", count as f64 / linking, "accounts/s"),
        Figure::new("memory, each linked account after 5 messages", used, "MB", Target::AtMost(0.4)),
        Figure::told("memory, each linked account after a restart", each(memory_mb(platform.pid()?)?), "MB"),
        Figure::new("linked accounts back after a restart", back, "s", Target::AtMost(60.0)),
    ])
}

async fn rest() {
    tokio::time::sleep(Duration::from_secs(5)).await;
}

/// Every account with a customer of its own.
async fn talk(linked: &Linked, users: &[User], inbox: &Inbox) -> Outcome {
    let talking = users.iter().zip(0..).map(async |(user, number)| {
        let phone = customer(number);
        for turn in 0..IN.max(OUT) {
            if turn < IN {
                linked.write(&phone, user, &format!("in-{number}-{turn}")).await?;
            }
            if turn < OUT {
                linked.send(user, &phone, &format!("out-{number}-{turn}")).await?;
            }
        }
        Outcome::Ok(())
    });
    futures_util::stream::iter(talking).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    super::linked_rate::told(inbox, users.len() as u64 * IN, MOST).await
}
