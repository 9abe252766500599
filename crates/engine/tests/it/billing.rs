//! Money: set aside with the message, charged or given back with its outcome, once each, and never below zero.

use engine::billing::{ADDED, Add, Balance, Load, Price, RESERVED, RETURNED, SETTLED};
use engine::events::Document;
use engine::facts::{Fact, Receipt};
use engine::failure::{Code, SendError};
use engine::messages::{self, Status};
use engine::{Id, Refusal, contacts};
use testkit::{House, Reply, on_both};

use crate::{ANN, BOB, HOUR, MINUTE, die, working};

/// Of one message, in millionths.
const COST: i64 = 45_100;

async fn prices(house: &House, rows: &[(&str, &str, &str, i64)]) {
    let price = |(channel, region, category, amount): &(&str, &str, &str, i64)| Price {
        channel: (*channel).into(),
        region: (*region).into(),
        category: (*category).into(),
        amount: *amount,
        currency: "USD".into(),
    };
    let load = Load::new(&house.engine, rows.iter().map(price).collect()).unwrap();
    house.engine.perform(load).await.unwrap();
}

async fn add(house: &House, amount: i64) -> Result<Balance, Refusal> {
    let (engine, organization) = (house.engine.clone(), house.organization.id);
    house.engine.perform(Add { engine, organization, amount, currency: None, note: Some("test".into()) }).await.unwrap()
}

/// A house that meters, with money for so many messages.
async fn metered(house: &mut House, messages: i64) {
    house.settings.billing.metering = true;
    house.restart().await;
    prices(house, &[("whatsapp", "", "", COST), ("sms", "", "", COST)]).await;
    add(house, messages * COST).await.unwrap();
}

async fn balance(house: &House) -> i64 {
    let balance = house.engine.money(&house.organization.id).await.unwrap().amount;
    let entries = house.engine.ledger(&house.organization.id, 10_000).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.amount).sum::<i64>(), balance, "a balance is the sum of its entries");
    balance
}

async fn entries(house: &House, message: &Id) -> Vec<(String, i64)> {
    let found = store::billing::entries_about(&mut house.engine.db.reader().await.unwrap(), message).await.unwrap();
    found.into_iter().map(|entry| (entry.kind, entry.amount)).collect()
}

fn entry(kind: &str, amount: i64) -> (String, i64) {
    (kind.to_owned(), amount)
}

fn dead() -> SendError {
    SendError::refused(Code::Rejected, "no")
}

on_both! {
    async fn what_arrives_is_charged_once(house: &mut House) {
        metered(house, 2).await;
        let message = house.send(ANN, "hello").await;
        assert_eq!(balance(house).await, COST);
        house.settle().await;
        for status in [Status::Sent, Status::Delivered, Status::Delivered, Status::Read, Status::Failed] {
            let provider_id = house.message(&message.id).await.provider_id.unwrap();
            house.receive(vec![house.receipt(&provider_id, None, status)]).await;
        }
        assert_eq!(entries(house, &message.id).await, [entry(RESERVED, -COST), entry(SETTLED, 0)]);
        assert_eq!(balance(house).await, COST);
        let story = engine::explain::explain(&house.engine, &message.id.hex24()).await.unwrap();
        let money: Vec<_> = story.iter().filter_map(|line| line.text.strip_prefix("money ")).collect();
        assert_eq!(money, ["reserved: -0.0451 USD", "settled: 0 USD"]);
    }

    async fn what_fails_is_given_back_once(house: &mut House) {
        metered(house, 1).await;
        house.provider.will([Reply::Fails(dead())]);
        let refused = house.send(ANN, "refused").await;
        let nothing = house.try_send(&house.sender.clone(), BOB, "too dear").await;
        assert_eq!(nothing.unwrap_err(), Refusal::BalanceTooLow);
        house.settle().await;
        assert_eq!(entries(house, &refused.id).await, [entry(RESERVED, -COST), entry(RETURNED, COST)]);
        assert_eq!(balance(house).await, COST);

        let late = house.send(ANN, "it fails, and then it has arrived").await;
        house.settle().await;
        let provider_id = house.message(&late.id).await.provider_id.unwrap();
        house.receive(vec![house.receipt(&provider_id, None, Status::Failed)]).await;
        house.receive(vec![house.receipt(&provider_id, None, Status::Delivered)]).await;
        assert_eq!(house.message(&late.id).await.status, Status::Delivered);
        assert_eq!(entries(house, &late.id).await, [entry(RESERVED, -COST), entry(RETURNED, COST)]);
        assert_eq!(balance(house).await, COST);
    }

    async fn what_is_never_sent_is_given_back(house: &mut House) {
        metered(house, 1).await;
        let withdrawn = house.send(ANN, "withdrawn").await;
        assert!(messages::withdraw(&house.engine, &withdrawn.id).await.unwrap());
        assert_eq!(balance(house).await, COST);
        let forgotten = house.send(ANN, "its contact is deleted").await;
        assert_eq!(balance(house).await, 0);
        let delete = contacts::Delete {
            engine: house.engine.clone(),
            organization: house.organization.id,
            sender: house.sender.id,
            id: forgotten.contact_id,
        };
        house.engine.perform(delete).await.unwrap().unwrap();
        assert_eq!(balance(house).await, COST);
        assert_eq!(entries(house, &forgotten.id).await, [entry(RESERVED, -COST), entry(RETURNED, COST)]);
        house.settle().await;
    }

    async fn an_attempt_whose_process_dies_is_paid_once(house: &mut House) {
        metered(house, 2).await;
        house.provider.will([Reply::Hangs]);
        let (lost, other) = (house.send(ANN, "killed on its way").await, house.send(BOB, "meanwhile").await);
        let work = working(house);
        house.provider.called(1).await;
        die(house, work).await;
        assert_eq!((balance(house).await, house.message(&lost.id).await.status), (0, Status::Pending));
        // The receipt settles it, though nobody recorded an answer.
        house.receive(vec![house.receipt("taken.1", Some(lost.id), Status::Delivered)]).await;
        house.pass(MINUTE * 30, MINUTE).await;
        assert_eq!(entries(house, &lost.id).await, [entry(RESERVED, -COST), entry(SETTLED, 0)]);
        assert_eq!(entries(house, &other.id).await, [entry(RESERVED, -COST)]);
    }

    async fn what_nobody_knows_anything_of_is_given_back(house: &mut House) {
        metered(house, 1).await;
        let dies = || Reply::Fails(SendError::unknown("no answer"));
        house.provider.will([dies(), dies()]);
        let message = house.send(ANN, "into the void").await;
        house.settle().await;
        for _ in 0..3 {
            house.receive(Vec::new()).await;
            house.pass(HOUR, MINUTE * 10).await;
        }
        assert_eq!(house.message(&message.id).await.status, Status::Failed);
        assert_eq!(entries(house, &message.id).await, [entry(RESERVED, -COST), entry(RETURNED, COST)]);
    }

    async fn a_hundred_at_once_near_zero(house: &mut House) {
        metered(house, 37).await;
        let engines = [house.engine.clone(), house.another().await];
        let tasks: Vec<_> = (0..100_usize).map(|number| {
            let (engine, sender) = (engines[number % 2].clone(), house.sender.clone());
            let new = messages::New {
                sender,
                to: contacts::Address { kind: contacts::PHONE.into(), value: format!("+155502{number:05}") },
                content: engine::content::Content::Text { body: "hello".into(), preview: false },
                reply_to: None,
                provider_id: None,
                origin: testkit::DIALECT,
                request_id: "request".into(),
                terms: messages::Terms::default(),
            };
            tokio::spawn(async move { engine.perform(messages::send(&engine, new)).await.unwrap() })
        }).collect();
        let mut taken = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(message) => taken.push(message),
                Err(refusal) => assert_eq!(refusal, Refusal::BalanceTooLow),
            }
        }
        assert_eq!((taken.len(), balance(house).await), (37, 0));
        house.settle().await;
        // Half of them arrive and half of them fail, all told twice and at once.
        let mut receipts = Vec::new();
        for (index, message) in taken.iter().enumerate() {
            let status = if index % 2 == 0 { Status::Delivered } else { Status::Failed };
            let provider_id = house.message(&message.id).await.provider_id.unwrap();
            receipts.push((provider_id, status));
        }
        let pushes: Vec<_> = receipts.iter().chain(&receipts).enumerate().map(|(index, (provider_id, status))| {
            let (engine, push) = (engines[index % 2].clone(), house.push(vec![house.receipt(provider_id, None, *status)]));
            tokio::spawn(async move { engine.receive(testkit::PROVIDER, push).await.unwrap() })
        }).collect();
        for push in pushes {
            push.await.unwrap();
        }
        assert_eq!(balance(house).await, 18 * COST, "what failed is back, and no more");
        assert_eq!(house.engine.ledger(&house.organization.id, 10_000).await.unwrap().len(), 1 + 37 + 37);
    }

    async fn several_are_paid_together_or_not_at_all(house: &mut House) {
        metered(house, 2).await;
        let wishes = |count: usize| {
            let news = (0..count).map(|number| messages::New {
                sender: house.sender.clone(),
                to: contacts::Address { kind: contacts::PHONE.into(), value: format!("+155502{number:05}") },
                content: engine::content::Content::Text { body: "hello".into(), preview: false },
                reply_to: None,
                provider_id: None,
                origin: testkit::DIALECT,
                request_id: "request".into(),
                terms: messages::Terms::default(),
            });
            messages::send_all(&house.engine, news.collect())
        };
        let refused = house.engine.perform(wishes(3)).await.unwrap();
        assert_eq!((refused.unwrap_err(), balance(house).await), (Refusal::BalanceTooLow, 2 * COST));
        assert_eq!(house.engine.perform(wishes(2)).await.unwrap().unwrap().len(), 2);
        assert_eq!(balance(house).await, 0);
        house.settle().await;
    }

    async fn countries_and_parts_have_their_price(house: &mut House) {
        metered(house, 100).await;
        prices(house, &[("sms", "", "", 10), ("sms", "ID", "", 1000)]).await;
        let (sender, _) = house.open_carriers().await;
        let before = balance(house).await;
        for (to, cost) in [("+6281234567890", 1000), ("+14155552671", 10)] {
            let message = house.try_send(&sender, to, "hello").await.unwrap();
            assert_eq!(entries(house, &message.id).await, [entry(RESERVED, -cost)]);
        }
        assert_eq!(balance(house).await, before - 1010);
        let free = house.send(ANN, "WhatsApp costs nothing now").await;
        assert_eq!(entries(house, &free.id).await, []);
        house.settle().await;
    }

    async fn money_is_given_and_taken_by_the_operator(house: &mut House) {
        assert_eq!(house.engine.balance(&house.organization.id).await.unwrap(), None, "nothing is metered");
        house.send(ANN, "free").await;
        metered(house, 1).await;
        assert_eq!(add(house, -COST - 1).await.unwrap_err(), Refusal::BalanceTooLow);
        assert_eq!(add(house, -COST).await.unwrap().amount, 0);
        let (engine, organization) = (house.engine.clone(), house.organization.id);
        let euros = Add { engine, organization, amount: 1, currency: Some("EUR".into()), note: None };
        let refused = house.engine.perform(euros).await.unwrap().unwrap_err();
        assert!(matches!(refused, Refusal::Invalid { field: "currency", .. }));
        assert!(matches!(add(house, i64::MAX).await.unwrap_err(), Refusal::Invalid { field: "amount", .. }));
        assert_eq!(house.engine.ledger(&house.organization.id, 10).await.unwrap().last().unwrap().kind, ADDED);
        assert_eq!(balance(house).await, 0);
        house.settle().await;
    }

    async fn what_the_provider_says_of_the_price_counts(house: &mut House) {
        metered(house, 3).await;
        for (said, cost) in [("free", 0), ("cheap", 100), ("dear", COST)] {
            prices(house, &[("whatsapp", "", "", COST), ("whatsapp", "", "cheap", 100), ("whatsapp", "", "dear", 9 * COST)]).await;
            let message = house.send(ANN, said).await;
            house.settle().await;
            let provider_id = house.message(&message.id).await.provider_id.unwrap();
            let told = |status| {
                let Fact::Receipt(receipt) = house.receipt(&provider_id, None, status) else { unreachable!() };
                let document = Document { format: "tariff".into(), bytes: said.into() };
                Fact::Receipt(Box::new(Receipt { document: Some(document).filter(|_| status == Status::Sent), ..*receipt }))
            };
            house.receive(vec![told(Status::Sent), told(Status::Delivered)]).await;
            let expected = [entry(RESERVED, -COST), entry(SETTLED, COST - cost)];
            assert_eq!(entries(house, &message.id).await, expected, "{said}");
            let bill = engine::billing::Bill::of(&house.message(&message.id).await).unwrap();
            assert_eq!((bill.amount, bill.category == said || said == "free"), (cost, true));
        }
        assert_eq!(balance(house).await, 3 * COST - 100 - COST);
    }
}
