//! Carriers that are busy, connections that break, processes that die: nothing is lost, and nothing goes out twice unless
//! its answer was lost.

use std::collections::HashMap;
use std::time::Duration;

use engine::messages::Status;
use sandbox_carriers::Fault;
use sandbox_carriers::smsc::Options;
use serde_json::json;

use super::world::{World, many};

const THROTTLED: u32 = 0x58;
const QUEUE_FULL: u32 = 0x14;

/// One in a hundred is throttled, one in two hundred loses its connection, some receipts come early or twice.
fn weather(count: usize) -> impl Iterator<Item = Option<Fault>> {
    (1..=count).map(|number| match number % 200 {
        50 | 150 => Some(Fault::Status(if number % 3 == 0 { QUEUE_FULL } else { THROTTLED })),
        199 => Some(Fault::Drop),
        20 => Some(Fault::Duplicate),
        120 => Some(Fault::Reorder),
        _ => None,
    })
}

/// How often each text was taken by the SMSC.
fn taken(world: &World) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for sms in world.carriers.sms() {
        *counts.entry(sms.text).or_default() += 1;
    }
    counts
}

/// How often nothing has changed when the clock moves on: what is on its way over a real connection is given time to arrive,
/// or it would be answered after hours of the clock.
const QUIET: usize = 20;

/// Lets time pass until every message has arrived: what can go now goes before the clock moves.
async fn all_arrive(world: &World) {
    let (mut before, mut quiet) = (usize::MAX, 0);
    world
        .until("all are delivered", async || {
            let missing = world.missing().await;
            quiet = if missing == before { quiet + 1 } else { 0 };
            if quiet == QUIET {
                world.clock.advance(Duration::from_secs(20));
                quiet = 0;
            }
            before = missing;
            missing == 0
        })
        .await;
}

#[tokio::test]
async fn bad_weather_loses_nothing_and_doubles_only_what_was_not_answered() {
    let world = World::with(Options::default(), json!({ "window": 10 })).await;
    let count = many();
    world.street.faults(weather(count));
    let started = std::time::Instant::now();
    for number in 0..count {
        world.send_to(&format!("+49155501{number:05}"), &format!("message {number}")).await;
    }
    let accepted = started.elapsed();
    all_arrive(&world).await;
    let took = started.elapsed();
    let taken = taken(&world);
    assert_eq!(taken.len(), count, "every text arrived");
    let doubled = taken.values().filter(|times| **times > 1).count();
    // a connection that breaks takes at most a window of answers with it
    let drops = (1..=count).filter(|number| number % 200 == 199).count();
    assert!(doubled <= drops * 10, "{doubled} doubled by {drops} broken connections");
    let sms = world.carriers.stats().sms;
    assert_eq!((sms.received - sms.repeated, sms.repeated as usize), (count as u64, doubled));
    println!("{count} accepted in {accepted:?}, arrived in {took:?}: {doubled} doubled by {drops} broken connections");
    world.finish().await;
}

#[tokio::test]
async fn a_killed_process_leaves_nothing_behind() {
    let world = World::with(Options::default(), json!({ "window": 4 })).await;
    let count = 200;
    for number in 0..count {
        world.send(&format!("message {number}")).await;
    }
    world.until("half of it is out", async || world.carriers.stats().sms.received > 100).await;
    let world = world.crash().await;
    all_arrive(&world).await;
    let taken = taken(&world);
    assert_eq!(taken.len(), count);
    let doubled = taken.values().filter(|times| **times > 1).count();
    assert!(doubled <= 4, "{doubled} doubled by one crash with a window of 4");
    world.finish().await;
}

#[tokio::test]
async fn a_long_text_goes_on_where_its_connection_broke() {
    let world = World::new().await;
    let text = "long ".repeat(60);
    // the first part is taken, the second throttled, the third try finds the connection gone before it is sent
    world.street.faults([None, Some(Fault::Status(THROTTLED)), None]);
    let id = world.send(&text).await;
    world.status_of(&id, Status::Delivered).await;
    assert_eq!((world.sms(&text).len(), world.carriers.stats().sms.repeated), (1, 0));
    world.finish().await;
}

#[tokio::test]
async fn an_unanswered_message_is_sent_once_more() {
    let world = World::new().await;
    world.street.faults([Some(Fault::Drop)]);
    let id = world.send("hi").await;
    world.until("it is taken", async || world.carriers.stats().sms.received == 1).await;
    let message = world.message(&id).await;
    assert_eq!(message.status, Status::Pending, "the receipt names nothing that we know");
    world.until("we are back", async || world.carriers.smsc().bound() == 1).await;
    world
        .until("it went out again", async || {
            world.clock.advance(Duration::from_secs(60));
            world.carriers.stats().sms.received == 2
        })
        .await;
    world.status_of(&id, Status::Delivered).await;
    assert_eq!(world.carriers.stats().sms.repeated, 1);
    world.finish().await;
}
