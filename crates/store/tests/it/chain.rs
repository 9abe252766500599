//! The messages of a conversation, from the newest to the oldest.

use store::contacts::{self, Contact};
use store::messages::{self, Direction, Filter, Message, Status};
use store::organizations::{self, Organization};
use store::senders::Sender;
use store::{Db, Id, Result, Tx, Work, accounts, conversations, senders};
use testkit::{Scratch, on_both};

fn id(number: u64) -> Id {
    Id::from_parts(1, number)
}

/// A message's id tells when it was made.
fn message_id(number: u64) -> Id {
    Id::from_parts(1000 + number as i64, 0)
}

const ORGANIZATION: u64 = 1;
const SENDER: u64 = 3;
/// Two conversations, each with the contact of the same number.
const CONTACTS: [u64; 2] = [11, 12];

/// Twenty messages for both in turn; every third one is ours.
struct Written;

impl Work for Written {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        organizations::insert(tx, &Organization { id: id(ORGANIZATION), name: "Acme".into(), created_at: 1 }).await?;
        accounts::put(tx, &account()).await?;
        senders::put(tx, &sender()).await?;
        for contact in CONTACTS {
            contacts::insert(tx, &person(contact)).await?;
        }
        for number in 0..20 {
            let contact = CONTACTS[number as usize % 2];
            let found =
                conversations::ensure(tx, &id(contact), &id(ORGANIZATION), &id(SENDER), &id(contact), 1).await?;
            let message = message(number, contact);
            assert!(messages::insert(tx, &message, found.last_message.as_ref()).await?);
            let at = message.created_at;
            match message.direction {
                Direction::Outbound => conversations::wrote(tx, &found.id, &message.id, at).await?,
                Direction::Inbound => conversations::heard(tx, &found.id, &message.id, at, at + 10, at).await?,
            }
        }
        Ok(())
    }
}

struct Read(u64);

impl Work for Read {
    type Output = i64;
    async fn run(&self, tx: &mut Tx) -> Result<i64> {
        messages::read_up_to(tx, &id(CONTACTS[0]), &message_id(self.0), 5000).await
    }
}

struct Forget(u64);

impl Work for Forget {
    type Output = bool;
    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        contacts::delete(tx, &id(ORGANIZATION), &id(self.0)).await
    }
}

async fn list(db: &Db, filter: Filter, limit: i64) -> Vec<u64> {
    let mut reader = db.reader().await.unwrap();
    let found = messages::list(&mut reader, &id(ORGANIZATION), &id(SENDER), &filter, limit).await.unwrap();
    found.iter().map(|message| (message.id.millis() - 1000) as u64).collect()
}

/// Of the first conversation, whose messages have even numbers.
fn of_first() -> Filter {
    Filter { conversation: Some(id(CONTACTS[0])), ..Filter::default() }
}

on_both! {
    async fn pages_go_back_to_the_first_message(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        db.write(Written).await.unwrap();
        assert_eq!(list(&db, of_first(), 4).await, [18, 16, 14, 12]);
        assert_eq!(list(&db, Filter { before: Some(message_id(12)), ..of_first() }, 4).await, [10, 8, 6, 4]);
        assert_eq!(list(&db, Filter { before: Some(message_id(4)), ..of_first() }, 4).await, [2, 0]);
        // A place that is not in the conversation is a place all the same.
        assert_eq!(list(&db, Filter { before: Some(message_id(5)), ..of_first() }, 2).await, [4, 2]);
        assert_eq!(list(&db, Filter { before: Some(message_id(0)), ..of_first() }, 4).await, [0_u64; 0]);
        let between = Filter { created_after: Some(1004), created_before: Some(1016), ..of_first() };
        assert_eq!(list(&db, between, 100).await, [14, 12, 10, 8, 6]);
        assert_eq!(list(&db, Filter { direction: Some(Direction::Outbound), ..of_first() }, 2).await, [18, 12]);
        assert_eq!(list(&db, Filter { conversation: Some(id(99)), ..Filter::default() }, 2).await, [0_u64; 0]);
        assert_eq!(list(&db, Filter::default(), 3).await, [19, 18, 17]);
    }

    async fn reading_goes_back_to_what_was_read(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        db.write(Written).await.unwrap();
        let unread = || Filter { statuses: vec![Status::Delivered], ..of_first() };
        assert_eq!(list(&db, unread(), 100).await, [16, 14, 10, 8, 4, 2]);
        assert_eq!(db.write(Read(8)).await.unwrap(), 3);
        assert_eq!(list(&db, unread(), 100).await, [16, 14, 10]);
        assert_eq!(db.write(Read(4)).await.unwrap(), 3, "reading the past changes nothing");
        assert_eq!(db.write(Read(9)).await.unwrap(), 3, "nor does reading another's");
        assert_eq!(db.write(Read(18)).await.unwrap(), 0);
        assert_eq!(list(&db, unread(), 100).await, [0_u64; 0]);
    }

    async fn a_contact_takes_its_messages_along(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        db.write(Written).await.unwrap();
        assert!(db.write(Forget(CONTACTS[0])).await.unwrap());
        assert_eq!(list(&db, Filter::default(), 100).await, [19, 17, 15, 13, 11, 9, 7, 5, 3, 1]);
    }
}

fn message(number: u64, contact: u64) -> Message {
    let ours = number.is_multiple_of(3);
    Message {
        id: message_id(number),
        organization_id: id(ORGANIZATION),
        sender_id: id(SENDER),
        conversation_id: id(contact),
        contact_id: id(contact),
        direction: if ours { Direction::Outbound } else { Direction::Inbound },
        kind: "text".into(),
        content: "{}".into(),
        reply_to: None,
        address: String::new(),
        status: if ours { Status::Pending } else { Status::Delivered },
        receipts: 0,
        error: None,
        provider_id: None,
        chat: String::new(),
        author: String::new(),
        origin: "test".into(),
        request_id: None,
        echo: None,
        billing: None,
        created_at: message_id(number).millis(),
        updated_at: 1,
    }
}

fn person(number: u64) -> Contact {
    Contact::new(id(number), id(ORGANIZATION), 1)
}

fn account() -> accounts::Account {
    accounts::Account {
        id: id(2),
        organization_id: id(ORGANIZATION),
        provider: "fake".into(),
        external_id: "account".into(),
        name: String::new(),
        config: "{}".into(),
        secrets: Vec::new(),
        status: "active".into(),
        status_reason: None,
        heard_at: None,
        created_at: 1,
        updated_at: 1,
    }
}

fn sender() -> Sender {
    Sender {
        id: id(SENDER),
        organization_id: id(ORGANIZATION),
        account_id: id(2),
        channel: "whatsapp".into(),
        provider: "fake".into(),
        external_id: "1".into(),
        address: String::new(),
        name: None,
        status: "connected".into(),
        status_reason: None,
        config: "{}".into(),
        settings: "{}".into(),
        created_at: 1,
        updated_at: 1,
    }
}
