//! The worker of one lane: render, sign, post, and again with growing pauses until the platform answers 200.

use std::sync::Arc;

use http::{HeaderValue, Method};
use url::Url;

use super::body::{self, Address};
use super::{Item, Lane};
use crate::faults::{Fault, Kind, Target};
use crate::journal::Line;
use crate::outbound::json_headers;
use crate::world::{Shared, World};

const HOUR_MS: i64 = 3_600_000;
/// What could not be delivered for so long is given up, as Meta does.
const GIVE_UP_MS: i64 = 7 * 24 * HOUR_MS;
/// Changes in one post.
const AT_MOST: usize = 1000;

enum Outcome {
    Taken(usize),
    Failed,
    /// Nobody is there to be told.
    Homeless,
}

type Batch = Vec<(u64, Arc<Item>)>;

pub(super) async fn work(world: Shared, lane: Lane) {
    let mut failures = 0_u32;
    while let Some(batch) = world.pushes.peek(&lane, AT_MOST) {
        let began = world.clock.now();
        match post(&world, &lane, &batch).await {
            Outcome::Taken(count) => {
                failures = 0;
                settle(&world, &lane, count);
            }
            Outcome::Homeless => settle(&world, &lane, batch.len()),
            Outcome::Failed => {
                let age = batch.first().map_or(0, |(_, item)| began - item.at());
                if age > GIVE_UP_MS {
                    tracing::warn!(count = batch.len(), "webhooks were given up after seven days");
                    settle(&world, &lane, batch.len());
                } else {
                    world.clock.reach(began + pause(failures, age)).await;
                    failures = failures.saturating_add(1);
                }
            }
        }
    }
}

fn settle(world: &World, lane: &Lane, count: usize) {
    let numbers = world.pushes.done(lane, count);
    world.journal.add(Line::Taken(numbers));
}

/// Milliseconds until the next try.
fn pause(failures: u32, age: i64) -> i64 {
    let cap = if age < 6 * HOUR_MS { 10_000 } else { 300_000 };
    [200, 500, 1_000, 2_000, 4_000, 8_000].get(failures as usize).copied().unwrap_or(cap)
}

async fn post(world: &Shared, lane: &Lane, batch: &Batch) -> Outcome {
    let Some(to) = body::address(&world.state(), lane) else {
        return Outcome::Homeless;
    };
    let turn = world.pushes.turn(&to.platform);
    let Ok(_turn) = turn.acquire_owned().await else {
        return Outcome::Failed;
    };
    if world.pushes.first_time(to.peer.url()) {
        challenge(world, &to).await;
    }
    let fault = world.take_fault(Target::MetaWebhook, "");
    let (bytes, count) = body::render(&world.seed, &to, batch.iter().map(|(_, item)| &**item));
    match fault {
        None => answer(send(world, &to, bytes).await, count),
        Some(fault) => under_fault(world, lane, &to, bytes, batch, count, &fault).await,
    }
}

fn answer(taken: bool, count: usize) -> Outcome {
    if taken { Outcome::Taken(count) } else { Outcome::Failed }
}

async fn under_fault(
    world: &Shared,
    lane: &Lane,
    to: &Address,
    bytes: Vec<u8>,
    batch: &Batch,
    count: usize,
    fault: &Fault,
) -> Outcome {
    match fault.kind {
        Kind::Timeout | Kind::LostAck => {
            send(world, to, bytes).await;
            Outcome::Failed
        }
        Kind::Duplicate => {
            let taken = send(world, to, bytes.clone()).await;
            answer(send(world, to, bytes).await && taken, count)
        }
        Kind::Delay => {
            let wait = i64::try_from(fault.delay_ms).unwrap_or(i64::MAX);
            let since = batch.first().map_or(0, |(_, item)| item.at());
            world.clock.reach(since.saturating_add(wait)).await;
            answer(send(world, to, bytes).await, count)
        }
        Kind::Reorder => reversed(world, lane, to).await,
        Kind::Status | Kind::Drop | Kind::Code | Kind::Conflict => {
            world.state().stats.failed_pushes += 1;
            Outcome::Failed
        }
    }
}

/// Posts what is there one by one, last first, after waiting up to a second of the clock for a second item.
async fn reversed(world: &Shared, lane: &Lane, to: &Address) -> Outcome {
    let late = world.clock.now() + 1_000;
    let all = loop {
        let mut added = std::pin::pin!(world.pushes.added.notified());
        added.as_mut().enable();
        let all = world.pushes.all(lane, AT_MOST);
        if all.len() > 1 || world.clock.now() >= late {
            break all;
        }
        tokio::select! {
            () = added => {}
            () = world.clock.reach(late) => {}
        }
    };
    for (_, item) in all.iter().rev() {
        let (bytes, _) = body::render(&world.seed, to, std::iter::once(&**item));
        if !send(world, to, bytes).await {
            return Outcome::Failed;
        }
    }
    Outcome::Taken(all.len())
}

async fn send(world: &World, to: &Address, bytes: Vec<u8>) -> bool {
    let mut headers = json_headers();
    if let Ok(signature) = HeaderValue::from_str(&body::signature(&to.secret, &bytes)) {
        headers.insert("x-hub-signature-256", signature);
    }
    let answer = world.outbound.call(Method::POST, &to.peer, headers, bytes).await;
    let taken = matches!(&answer, Ok(answer) if answer.status == 200);
    let mut state = world.state();
    if taken {
        state.stats.pushes += 1;
    } else {
        state.stats.failed_pushes += 1;
        let answer = answer.map(|answer| answer.status);
        tracing::debug!(?answer, url = to.peer.url(), "a webhook was not taken");
    }
    taken
}

/// Asks a webhook URL to prove that it is wanted, once per introduction; a failure is only told.
async fn challenge(world: &World, to: &Address) {
    if let Err(reason) = verify(world, &to.peer, &to.verify_token).await {
        tracing::warn!(url = to.peer.url(), reason, "the webhook did not pass the challenge; pushing all the same");
    }
}

/// The `hub.challenge` handshake.
pub(crate) async fn verify(world: &World, peer: &crate::outbound::Peer, verify_token: &str) -> Result<(), String> {
    let challenge = world.ids.digits(10);
    let mut url = Url::parse(peer.url()).map_err(|error| error.to_string())?;
    url.query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", verify_token);
    let peer = match peer {
        crate::outbound::Peer::Platform(_) => crate::outbound::Peer::Platform(url.into()),
        crate::outbound::Peer::Named(_) => crate::outbound::Peer::Named(url.into()),
    };
    let answer = world.outbound.call(Method::GET, &peer, Default::default(), Vec::new()).await?;
    match (answer.status, answer.body.trim() == challenge) {
        (200, true) => Ok(()),
        (200, false) => Err("the challenge did not come back".to_owned()),
        (status, _) => Err(format!("answered {status}")),
    }
}
