//! Taking in what a carrier delivers: committed first, acknowledged then.
//!
//! What came in together is one commit. Parts of a long text are acknowledged only when the text is whole and committed: they
//! are held for a few seconds, so that nothing has to be kept, and a crash or a broken connection makes the carrier deliver
//! them again. A carrier that waits for the first acknowledgement before it delivers the next part makes us wait in vain:
//! then each part is taken in as a message of its own, in order.

mod joining;
mod reading;
mod seen;

use engine::Engine;
use engine::facts::{self, Fact};
use engine::receive::Received;
use rusmpp::CommandStatus;
use tokio::sync::mpsc;

use super::link::Link;
pub(super) use super::session::Arrival as Arrived;
use super::session::Session;
use super::{NAME, receipt};
use joining::{Joining, Whole};
pub(super) use seen::Seen;

/// Deliveries in one commit.
const BATCH: usize = 64;

/// What a delivery says, and which ones say it.
struct Item {
    fact: Option<Fact>,
    sequences: Vec<u32>,
}

/// Takes in deliveries until the session ends.
pub(super) async fn run(engine: &Engine, link: &Link, session: &Session, mut inbox: mpsc::Receiver<Arrived>) {
    let mut joining = Joining::default();
    loop {
        let mut batch = Vec::new();
        let patience = async {
            match joining.until() {
                Some(until) => link.clock().sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            count = inbox.recv_many(&mut batch, BATCH) => if count == 0 { return },
            () = patience => {}
        }
        let now = link.clock().now();
        let mut items = Vec::new();
        for arrived in batch {
            match arrived.delivery.is_receipt() {
                true => items.push(told(engine, link, &arrived)),
                false => joining.add(arrived, now, &mut |whole| items.push(written(engine, link, whole))),
            }
        }
        joining.expire(now, &mut |whole| items.push(written(engine, link, whole)));
        commit(engine, link, session, items).await;
    }
}

fn told(engine: &Engine, link: &Link, arrived: &Arrived) -> Item {
    let account = &link.account.external_id;
    let fact = receipt::fact(account, &arrived.delivery, link.config.message_id, engine.now());
    if fact.is_none() {
        tracing::warn!(%account, "a receipt names no message or no state");
    }
    Item { fact: fact.map(|fact| Fact::Part(Box::new(fact))), sequences: vec![arrived.sequence] }
}

fn written(engine: &Engine, link: &Link, whole: Whole) -> Item {
    let now = engine.now();
    let message = facts::Message {
        sender: reading::number(&whole.to),
        provider_id: link.seen.name(&whole, link.clock().now()),
        chat: String::new(),
        author: String::new(),
        own: false,
        late: false,
        from: vec![reading::phone(&whole.from)],
        profile_name: None,
        at: now,
        content: reading::content(&whole.octets, whole.data_coding, link.config.default_alphabet),
        reply_to: None,
        file: None,
        file_first: false,
        document: None,
    };
    Item { fact: Some(Fact::Message(Box::new(message))), sequences: whole.sequences }
}

/// All at once; if that fails, one after the other, so that one that cannot be stored does not hold up the rest.
async fn commit(engine: &Engine, link: &Link, session: &Session, items: Vec<Item>) {
    if items.is_empty() {
        return;
    }
    let facts = items.iter().filter_map(|item| item.fact.clone()).collect();
    let together = receive(engine, link, facts).await.is_ok();
    for item in items {
        let taken = together || receive(engine, link, item.fact.clone().into_iter().collect()).await.is_ok();
        if !taken && let Some(Fact::Message(message)) = &item.fact {
            link.seen.forget(&message.provider_id);
        }
        let status = if taken { CommandStatus::EsmeRok } else { CommandStatus::EsmeRxTAppn };
        for sequence in item.sequences {
            session.acknowledge(sequence, status).await;
        }
    }
}

async fn receive(engine: &Engine, link: &Link, facts: Vec<Fact>) -> Result<(), engine::Error> {
    let accounts = vec![link.account.external_id.clone()];
    let received = engine.receive(NAME, Received { facts, accounts }).await;
    received.inspect_err(|error| {
        tracing::error!(error = error as &dyn std::error::Error, "a carrier's delivery was not stored");
    })
}
