//! What providers tell, however often and in whatever order.

use engine::contacts::Address;
use engine::events::{
    CONTACT_CREATED, CONTACT_IDENTITY_UPDATED, CONTACT_UPDATED, MESSAGE_CREATED, MESSAGE_DELIVERED, MESSAGE_FAILED,
    MESSAGE_READ, MESSAGE_RECEIVED, MESSAGE_SENT, MESSAGE_SUBMITTED,
};
use engine::facts::{Fact, IdentityChange, Notice, Preference};
use engine::messages::{Direction, Filter, Message, Status};
use engine::receive::Received;
use testkit::{House, PROVIDER, START, on_both};

use crate::{ANN, BOB};

async fn all(house: &House) -> Vec<Message> {
    house.engine.messages(&house.organization.id, &house.sender.id, &Filter::default(), 1000).await.unwrap()
}

fn said(house: &House, from: &str, provider_id: &str) -> Fact {
    Fact::Message(Box::new(house.inbound(from, provider_id, "hello")))
}

/// Somebody writes, known by these addresses.
fn said_by(house: &House, addresses: &[(&str, &str)], provider_id: &str) -> Fact {
    let from = addresses.iter().map(|(kind, value)| address(kind, value)).collect();
    Fact::Message(Box::new(engine::facts::Message { from, ..house.inbound(ANN, provider_id, "hello") }))
}

fn address(kind: &str, value: &str) -> Address {
    Address { kind: kind.into(), value: value.into() }
}

/// A message that the provider has taken, and its id there.
async fn taken(house: &House) -> (Message, String) {
    let message = house.send(ANN, "hello").await;
    house.settle().await;
    let message = house.message(&message.id).await;
    let provider_id = message.provider_id.clone().unwrap();
    (message, provider_id)
}

fn permutations(of: &[Status]) -> Vec<Vec<Status>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in of {
        let rest: Vec<_> = of.iter().copied().filter(|status| status != first).collect();
        all.extend(permutations(&rest).into_iter().map(|rest| [vec![*first], rest].concat()));
    }
    all
}

on_both! {
    async fn everything_in_a_push_is_taken_in(house: &mut House) {
        let (sent, provider_id) = taken(house).await;
        let named = engine::facts::Message { profile_name: Some("Bob".into()), ..house.inbound(BOB, "b1", "hi") };
        house
            .receive(vec![
                said(house, ANN, "a1"),
                Fact::Message(Box::new(named)),
                house.receipt(&provider_id, None, Status::Delivered),
                said(house, ANN, "a2"),
                Fact::Notice(Notice { account: "account".into(), name: "review".into(), document: None }),
            ])
            .await;
        let inbound: Vec<_> = all(house).await.into_iter().filter(|message| message.direction == Direction::Inbound).collect();
        assert_eq!(inbound.len(), 3);
        assert_eq!(house.message(&sent.id).await.status, Status::Delivered);
        assert_eq!(house.story(&house.account).await, ["account.notice"]);
        let find = |provider_id: &str| inbound.iter().find(|message| message.provider_id.as_deref() == Some(provider_id)).unwrap();
        assert_eq!(find("a1").conversation_id, sent.conversation_id);
        let (organization, sender) = (house.organization.id, house.sender.id);
        let found = house.engine.conversation(&organization, &sender, &sent.conversation_id).await.unwrap();
        let (conversation, contact) = found.unwrap();
        assert_eq!((conversation.unread_count, conversation.window_until), (2, Some(START + 86_400_000)));
        assert_eq!(contact.name, None);
        let bob = house.engine.contact(&organization, &sender, &find("b1").contact_id).await.unwrap().unwrap();
        assert_eq!(bob.name.as_deref(), Some("Bob"));
        assert_eq!(house.story(&bob.id).await, [CONTACT_CREATED]);
        assert_eq!(house.story(&find("b1").id).await, [MESSAGE_RECEIVED]);
    }

    async fn a_push_that_comes_again_changes_nothing(house: &mut House) {
        let (sent, provider_id) = taken(house).await;
        let push = || vec![said(house, ANN, "a1"), said(house, ANN, "a1"), house.receipt(&provider_id, None, Status::Read)];
        house.receive(push()).await;
        let before = (all(house).await.len(), house.story(&sent.id).await, house.story(&sent.contact_id).await);
        house.restart().await;
        let push = vec![said(house, ANN, "a1"), house.receipt(&provider_id, None, Status::Read)];
        house.receive(push).await;
        let after = (all(house).await.len(), house.story(&sent.id).await, house.story(&sent.contact_id).await);
        assert_eq!(before, after);
        assert_eq!(after.0, 2);
        let found = house.engine.conversation(&house.organization.id, &house.sender.id, &sent.conversation_id).await;
        assert_eq!(found.unwrap().unwrap().0.unread_count, 1);
    }

    async fn receipts_in_any_order_come_to_the_same(house: &mut House) {
        for order in permutations(&[Status::Sent, Status::Delivered, Status::Read, Status::Failed]) {
            let (message, provider_id) = taken(house).await;
            let mut most = Status::Sent;
            for status in &order {
                most = most.max(*status);
                house.receive(vec![house.receipt(&provider_id, Some(message.id), *status)]).await;
                assert_eq!(house.message(&message.id).await.status, most, "{order:?}");
            }
            let again = order.iter().rev().map(|status| house.receipt(&provider_id, None, *status));
            house.receive(again.collect()).await;
            assert_eq!(house.message(&message.id).await.status, Status::Read);
            let mut story = house.story(&message.id).await;
            story.sort_unstable();
            let mut once = vec![
                MESSAGE_CREATED, MESSAGE_SUBMITTED, MESSAGE_SENT, MESSAGE_DELIVERED, MESSAGE_READ, MESSAGE_FAILED,
            ];
            once.sort_unstable();
            assert_eq!(story, once, "{order:?}");
        }
    }

    async fn facts_that_nobody_vouches_for_are_dropped(house: &mut House) {
        let (sent, provider_id) = taken(house).await;
        let (_, _, [foreign, _]) = house.neighbour("neighbour").await;
        let stranger = engine::facts::Message { sender: "nobody".into(), ..house.inbound(ANN, "a1", "hello") };
        house.receive(vec![Fact::Message(Box::new(stranger))]).await;
        let facts = || vec![said(house, ANN, "a2"), house.receipt(&provider_id, Some(sent.id), Status::Read)];
        for accounts in [vec![], vec!["nobody".into()], vec!["neighbour".into()]] {
            house.engine.receive(PROVIDER, Received { facts: facts(), accounts }).await.unwrap();
        }
        house.engine.receive("another provider", house.push(facts())).await.unwrap();
        assert_eq!(all(house).await.len(), 1);
        assert_eq!(house.message(&sent.id).await.status, Status::Sent);

        // Nor can a neighbour's sender settle our message by naming our id.
        let Fact::Receipt(mut receipt) = house.receipt("theirs", Some(sent.id), Status::Read) else { unreachable!() };
        receipt.sender = foreign.external_id.clone();
        let push = Received { facts: vec![Fact::Receipt(receipt)], accounts: vec!["neighbour".into()] };
        house.engine.receive(PROVIDER, push).await.unwrap();
        assert_eq!(house.message(&sent.id).await.status, Status::Sent);
    }

    async fn a_person_is_found_by_any_address(house: &mut House) {
        house.receive(vec![said_by(house, &[("phone", ANN)], "1")]).await;
        house.receive(vec![said_by(house, &[("user", "u1"), ("phone", ANN)], "2")]).await;
        house.receive(vec![said_by(house, &[("user", "u1")], "3")]).await;
        let messages = all(house).await;
        let ann = messages[0].contact_id;
        assert!(messages.len() == 3 && messages.iter().all(|message| message.contact_id == ann));
        assert_eq!(house.story(&ann).await, [CONTACT_CREATED, CONTACT_IDENTITY_UPDATED]);

        // She moves to another number; told twice, noted once.
        for _ in 0..2 {
            let change = IdentityChange {
                sender: house.sender.external_id.clone(),
                old: vec![address("phone", ANN), address("user", "u1")],
                new: vec![address("phone", "+15550299999")],
                document: None,
            };
            house.receive(vec![Fact::Identity(change)]).await;
        }
        assert_eq!(house.story(&ann).await, [CONTACT_CREATED, CONTACT_IDENTITY_UPDATED, CONTACT_IDENTITY_UPDATED]);
        let (organization, sender) = (house.organization.id, house.sender.id);
        let contact = house.engine.contact(&organization, &sender, &ann).await.unwrap().unwrap();
        assert_eq!(contact.phone.as_deref(), Some("+15550299999"));
        // Her old number is somebody else's now; her user id is still hers.
        house.receive(vec![said(house, ANN, "4"), said_by(house, &[("user", "u1")], "5")]).await;
        let owner = |messages: &[Message], id: &str| {
            messages.iter().find(|message| message.provider_id.as_deref() == Some(id)).unwrap().contact_id
        };
        let messages = all(house).await;
        assert_ne!(owner(&messages, "4"), ann);
        assert_eq!(owner(&messages, "5"), ann);
    }

    async fn a_profile_name_is_learnt_once_and_never_overwrites(house: &mut House) {
        for (provider_id, name) in [("1", None), ("2", Some("A\0nn")), ("3", Some("Mallory")), ("4", Some("\0"))] {
            let name = name.map(str::to_owned);
            let fact = engine::facts::Message { profile_name: name, ..house.inbound(ANN, provider_id, "a\0b") };
            house.receive(vec![Fact::Message(Box::new(fact))]).await;
        }
        let messages = all(house).await;
        assert_eq!(messages.len(), 4);
        let (organization, sender, ann) = (house.organization.id, house.sender.id, messages[0].contact_id);
        let contact = house.engine.contact(&organization, &sender, &ann).await.unwrap().unwrap();
        assert_eq!(contact.name.as_deref(), Some("Ann"));
        assert_eq!(house.story(&ann).await, [CONTACT_CREATED, CONTACT_UPDATED]);
    }

    /// One bad item must not make the provider push everything again for ever.
    async fn an_odd_item_does_not_refuse_the_rest(house: &mut House) {
        let long = "x".repeat(10_000);
        let mut odd = house.inbound(ANN, "good", "hel\0lo");
        odd.reply_to = Some("\0".into());
        odd.at = i64::MAX;
        let preference = Preference {
            sender: house.sender.external_id.clone(),
            from: vec![address("phone", ANN)],
            purpose: "market\0ing".into(),
            wanted: false,
            document: None,
        };
        let nowhere = engine::facts::Message { sender: "no\0where".into(), ..house.inbound(BOB, "b", "hello") };
        let push = vec![
            Fact::Message(Box::new(nowhere)),
            said(house, BOB, "a\0b"),
            said(house, BOB, &long),
            said_by(house, &[("phone", "\0")], "c"),
            said_by(house, &[("user", &long)], "d"),
            house.receipt("x\0y", None, Status::Sent),
            house.receipt(&long, None, Status::Sent),
            Fact::Preference(preference),
            Fact::Notice(Notice { account: "account".into(), name: "n\0".into(), document: None }),
            Fact::Message(Box::new(odd)),
        ];
        let push = Received { accounts: vec!["account".into(), "acc\0unt".into()], ..house.push(push) };
        house.engine.receive(PROVIDER, push).await.unwrap();
        let messages = all(house).await;
        assert_eq!(messages.iter().map(|message| message.provider_id.as_deref().unwrap()).collect::<Vec<_>>(), ["good"]);
        assert_eq!(house.story(&house.account).await, ["account.notice"]);
        assert!(engine::explain::explain(&house.engine, "\0").await.unwrap().is_empty());
    }

    async fn a_push_that_comes_many_times_at_once_is_taken_once(house: &mut House) {
        let engines = [house.engine.clone(), house.another().await];
        let facts = || -> Vec<Fact> {
            (0..10).map(|number| said(house, &format!("+155504{:05}", number % 3), &format!("m{number}"))).collect()
        };
        let tasks: Vec<_> = (0..20)
            .map(|number| {
                let (engine, push) = (engines[number % 2].clone(), house.push(facts()));
                tokio::spawn(async move { engine.receive(PROVIDER, push).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let messages = all(house).await;
        assert_eq!(messages.len(), 10);
        for message in messages {
            assert_eq!(house.story(&message.id).await, [MESSAGE_RECEIVED]);
            assert_eq!(house.story(&message.contact_id).await, [CONTACT_CREATED]);
        }
    }

    /// Two transactions that want the same rows in opposite orders: whoever loses is run again, unseen.
    async fn pushes_that_overlap_do_not_lock_each_other_out(house: &mut House) {
        let mut sent = Vec::new();
        for _ in 0..10 {
            sent.push(taken(house).await);
        }
        let mut tasks = Vec::new();
        for round in 0..20 {
            let phone = format!("+155505{round:05}");
            let user = format!("user-{round}");
            let mut facts: Vec<_> = sent
                .iter()
                .map(|(message, provider_id)| house.receipt(provider_id, Some(message.id), Status::Delivered))
                .collect();
            for backwards in [false, true] {
                let mut from = vec![("phone", phone.as_str()), ("user", user.as_str())];
                if backwards {
                    from.reverse();
                    facts.reverse();
                }
                let mut push = facts.clone();
                push.push(said_by(house, &from, &format!("{round}-{backwards}")));
                let (engine, push) = (house.engine.clone(), house.push(push));
                tasks.push(tokio::spawn(async move { engine.receive(PROVIDER, push).await }));
            }
        }
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        for (message, _) in sent {
            assert_eq!(house.message(&message.id).await.status, Status::Delivered);
        }
        let inbound: Vec<_> = all(house).await.into_iter().filter(|message| message.direction == Direction::Inbound).collect();
        let people: std::collections::HashSet<_> = inbound.iter().map(|message| message.contact_id).collect();
        assert_eq!((inbound.len(), people.len()), (40, 20));
    }
}
