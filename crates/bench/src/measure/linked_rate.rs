//! How fast texts come in on linked accounts: written by phones, told by webhooks, with everything on one machine.

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::Plan;
use crate::Outcome;
use crate::load::{Until, address_of, customer, drive};
use crate::parts::{Inbox, Linked, Platform, Sandbox, User, World, cpu_seconds};
use crate::report::{Figure, Target};

const ACCOUNTS: u64 = 50;
const CUSTOMERS: u64 = 200;
const CONNECTIONS: usize = 16;

pub async fn measure(plan: &Plan) -> Outcome<Vec<Figure>> {
    let count = plan.count(20_000, 1_000);
    let dir = plan.bench.dir()?;
    let sandbox = Sandbox::start(&plan.bench, dir.path())?;
    let mut platform = Platform::new(&plan.bench, dir.path())?;
    platform.start(World::Sandbox(&sandbox)).await?;
    let (linked, inbox) = (Linked::new(platform.api()?)?, Inbox::open().await?);
    let users = linked.link(ACCOUNTS, &inbox.url()).await?;
    // First messages make sessions, which cost more.
    write(&linked, &users, 0, CUSTOMERS).await?;
    told(&inbox, CUSTOMERS, Duration::from_secs(60)).await?;
    let pids = [platform.pid()?, sandbox.process.id(), std::process::id()];
    let cpu = || pids.iter().map(|pid| cpu_seconds(*pid)).collect::<Outcome<Vec<f64>>>();
    let (before, began) = (cpu()?, Instant::now());
    write(&linked, &users, CUSTOMERS, count).await?;
    let written = began.elapsed().as_secs_f64();
    told(&inbox, CUSTOMERS + count, Duration::from_secs(60 + count / 50)).await?;
    let (seconds, after) = (began.elapsed().as_secs_f64(), cpu()?);
    let each = |part: usize| (after[part] - before[part]) * 1e6 / count as f64;
    let rate = Target::AtLeast { target: 400.0, goal: 400.0 };
    Ok(vec![
        Figure::new("linked accounts, texts in and told", count as f64 / seconds, "messages/s", rate),
        Figure::told("linked accounts, texts written by phones", count as f64 / written, "messages/s"),
        Figure::told("linked accounts, CPU of the platform", each(0), "µs/message"),
        Figure::told("linked accounts, CPU of the sandbox", each(1), "µs/message"),
        Figure::told("linked accounts, CPU of the driver", each(2), "µs/message"),
    ])
}

/// Phones write so many texts, numbered from `first` on.
async fn write(linked: &Linked, users: &[User], first: u64, count: u64) -> Outcome {
    let address = address_of(&linked.api.facts.sandbox_url)?;
    let request = |number: u64, out: &mut Vec<u8>| {
        let customers = number % CUSTOMERS;
        let user = &users[customers as usize % users.len()];
        let text = first + number;
        let body = format!(r#"{{"to":"+{}","type":"text","text":{{"body":"in-{text}"}}}}"#, user.phone);
        let _ = write!(
            out,
            "POST /phones/+{}/messages HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            customer(customers),
            body.len()
        );
    };
    drive(address, CONNECTIONS, Until::Count(count), request).await?.rate().map(drop)
}

/// Waits until webhooks told of so many texts.
pub async fn told(inbox: &Inbox, count: u64, most: Duration) -> Outcome {
    let began = Instant::now();
    loop {
        let found = inbox.told().texts.len() as u64;
        if found >= count {
            return Ok(());
        }
        if began.elapsed() > most {
            return Err(format!("only {found} of {count} texts were told in {} s", most.as_secs()).into());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
