//! Labels, contacts, conversations, subscriptions and keys, each within its owner's walls.

use engine::contacts::{self, Contact};
use engine::conversations::{self, Status};
use engine::events::{CONTACT_CREATED, CONTACT_UPDATED, CONVERSATION_ASSIGNED, CONVERSATION_CLOSED, MESSAGE_RECEIVED};
use engine::facts::Fact;
use engine::keys::{self, Check};
use engine::labels::{self, Label, Stick, StickMany, Stuck, Target};
use engine::subscriptions::{self, AddSecret, Change, RevokeSecret};
use engine::{Id, Outcome, Refusal};
use testkit::{DIALECT, House, on_both};

use crate::{ANN, BOB, HOOK, seconds};

async fn label(house: &House, name: &str) -> Outcome<Label> {
    let create = labels::create(&house.engine, house.organization.id, labels::TEAM, name, "#fff");
    house.engine.perform(create).await.unwrap()
}

async fn contact(house: &House, phone: &str) -> Outcome<Contact> {
    let create = contacts::Create {
        engine: house.engine.clone(),
        organization: house.organization.id,
        sender: house.sender.id,
        phone: phone.into(),
        name: Some("Ann".into()),
        email: None,
        metadata: None,
    };
    house.engine.perform(create).await.unwrap()
}

async fn secrets(house: &House, target: &subscriptions::Target) -> Vec<(Id, Option<i64>)> {
    let (_, secrets) = house.engine.subscription(target).await.unwrap().unwrap();
    secrets.into_iter().map(|secret| (secret.id, secret.expires_at)).collect()
}

on_both! {
    async fn labels_are_unique_within_a_team(house: &mut House) {
        let vip = label(house, "vip").await.unwrap();
        let late = label(house, "late").await.unwrap();
        assert_eq!(label(house, "vip").await.unwrap_err(), Refusal::Taken { field: "name" });
        let rename = |id, name: &str| labels::Update {
            organization: house.organization.id,
            id,
            name: Some(name.into()),
            color: None,
            now: house.now(),
        };
        let taken = house.engine.perform(rename(late.id, "vip")).await.unwrap();
        assert_eq!(taken.unwrap_err(), Refusal::Taken { field: "name" });
        assert_eq!(house.engine.perform(rename(vip.id, "vip")).await.unwrap().unwrap().name, "vip");
        let (neighbour, ..) = house.neighbour("neighbour").await;
        let delete = labels::Delete { organization: neighbour.id, id: vip.id };
        assert_eq!(house.engine.perform(delete).await.unwrap(), Err(Refusal::NotFound("label")));
        assert_eq!(house.engine.labels(&house.organization.id, None, 10).await.unwrap().len(), 2);
        house.engine.perform(labels::Delete { organization: house.organization.id, id: vip.id }).await.unwrap().unwrap();
        assert!(label(house, "vip").await.is_ok());
    }

    async fn of_two_who_change_a_contact_at_once_neither_loses(house: &mut House) {
        let id = contact(house, ANN).await.unwrap().id;
        let update = |name: Option<String>, email: Option<String>| contacts::Update {
            engine: house.engine.clone(),
            organization: house.organization.id,
            sender: house.sender.id,
            id,
            name: name.map(Some),
            email: email.map(Some),
            metadata: None,
        };
        for round in 0..20 {
            let (name, email) = (format!("Ann {round}"), format!("ann{round}@example.org"));
            let (first, second) = tokio::join!(
                house.engine.perform(update(Some(name.clone()), None)),
                house.engine.perform(update(None, Some(email.clone()))),
            );
            assert!(first.unwrap().is_ok() && second.unwrap().is_ok());
            let after = house.engine.contact(&house.organization.id, &house.sender.id, &id).await.unwrap().unwrap();
            assert_eq!((after.name, after.email), (Some(name), Some(email)));
        }
    }

    async fn labels_stick_to_what_their_owner_has(house: &mut House) {
        house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        let (vip, late) = (label(house, "vip").await.unwrap(), label(house, "late").await.unwrap());
        let (ann, bob) = (contact(house, ANN).await.unwrap(), contact(house, BOB).await.unwrap());
        let stick = |target, id, label, attach| Stick {
            engine: house.engine.clone(),
            organization: house.organization.id,
            sender: house.sender.id,
            target,
            id,
            label,
            attach,
        };
        for _ in 0..2 {
            house.engine.perform(stick(Target::Contact, ann.id, vip.id, true)).await.unwrap().unwrap();
        }
        assert_eq!(house.story(&ann.id).await, [CONTACT_CREATED, CONTACT_UPDATED], "stuck on once");
        house.receive(vec![Fact::Message(Box::new(house.inbound(ANN, "1", "hello")))]).await;
        let found = house.engine.message_by_provider_id(&house.organization.id, &house.sender.id, "1").await;
        let conversation = found.unwrap().unwrap().conversation_id;
        for label in [vip.id, late.id] {
            house.engine.perform(stick(Target::Conversation, conversation, label, true)).await.unwrap().unwrap();
        }
        house.receive(vec![Fact::Message(Box::new(house.inbound(ANN, "2", "hello")))]).await;
        house.settle().await;
        assert_eq!(house.transport.posted(HOOK).last().unwrap().json()["labels"], serde_json::json!(["vip", "late"]));

        let many = |contacts, attach| StickMany {
            engine: house.engine.clone(),
            organization: house.organization.id,
            sender: house.sender.id,
            contacts,
            label: vip.id,
            attach,
        };
        let stranger = house.engine.new_id();
        let stuck = house.engine.perform(many(vec![ann.id, bob.id, stranger], true)).await.unwrap();
        assert_eq!(stuck, Ok(Stuck { applied: 2, foreign: 1 }));
        assert_eq!(house.story(&bob.id).await, [CONTACT_CREATED, CONTACT_UPDATED]);
        let stuck = house.engine.perform(many(vec![ann.id, bob.id], false)).await.unwrap();
        assert_eq!(stuck, Ok(Stuck { applied: 2, foreign: 0 }));

        // Not with a sender that does not know her, not with a stranger's label.
        let elsewhere = Stick { sender: house.second_sender.id, ..stick(Target::Contact, ann.id, vip.id, true) };
        assert_eq!(house.engine.perform(elsewhere).await.unwrap(), Err(Refusal::NotFound("contact")));
        let unknown = stick(Target::Contact, ann.id, stranger, true);
        assert_eq!(house.engine.perform(unknown).await.unwrap(), Err(Refusal::NotFound("label")));
    }

    async fn a_contact_is_one_for_all_senders_and_goes_with_everything(house: &mut House) {
        let ann = contact(house, ANN).await.unwrap();
        assert_eq!(contact(house, ANN).await.unwrap_err(), Refusal::Taken { field: "phone_number" });
        let elsewhere = contacts::Create {
            engine: house.engine.clone(),
            organization: house.organization.id,
            sender: house.second_sender.id,
            phone: ANN.into(),
            name: None,
            email: Some("ann@example.com".into()),
            metadata: None,
        };
        let same = house.engine.perform(elsewhere).await.unwrap().unwrap();
        assert_eq!((same.id, same.name.as_deref(), same.email.as_deref()), (ann.id, Some("Ann"), Some("ann@example.com")));

        let message = house.send(ANN, "hello").await;
        assert_eq!(message.contact_id, ann.id);
        let delete = |sender| contacts::Delete { engine: house.engine.clone(), organization: house.organization.id, sender, id: ann.id };
        let (neighbour, _, [foreign, _]) = house.neighbour("neighbour").await;
        let stranger = contacts::Delete { organization: neighbour.id, ..delete(foreign.id) };
        assert_eq!(house.engine.perform(stranger).await.unwrap(), Err(Refusal::NotFound("contact")));
        house.engine.perform(delete(house.sender.id)).await.unwrap().unwrap();
        house.settle().await;
        assert!(house.provider.calls().is_empty(), "what waited for her went with her");
        assert!(house.job(&message.id).await.is_none());
        assert_ne!(contact(house, ANN).await.unwrap().id, ann.id);
    }

    async fn people_are_found_by_parts_of_their_names(house: &mut House) {
        for (number, name) in ["Änne Öztürk", "100%_!", "ann", "Iván \'); --"].into_iter().enumerate() {
            let create = contacts::Create {
                engine: house.engine.clone(),
                organization: house.organization.id,
                sender: house.sender.id,
                phone: format!("+1555090000{number}"),
                name: Some(name.into()),
                email: (number == 2).then(|| "Ann@Example.com".into()),
                metadata: None,
            };
            house.engine.perform(create).await.unwrap().unwrap();
        }
        let rows = [
            ("Änne", vec!["Änne Öztürk"]),
            ("öZTÜRK", vec!["Änne Öztürk"]),
            ("%", vec!["100%_!"]),
            ("0%_!", vec!["100%_!"]),
            ("_", vec!["100%_!"]),
            ("ANN", vec!["ann"]),
            ("example.COM", vec!["ann"]),
            ("\');", vec!["Iván \'); --"]),
            ("nobody", vec![]),
        ];
        for (search, expected) in rows {
            let filter = contacts::Filter { search: Some(search.into()), ..contacts::Filter::default() };
            let found = house.engine.contacts(&house.organization.id, &house.sender.id, &filter, 10).await.unwrap();
            let names: Vec<_> = found.into_iter().filter_map(|contact| contact.name).collect();
            assert_eq!(names, expected, "{search}");
        }
    }

    async fn of_many_who_make_one_contact_one_succeeds(house: &mut House) {
        let engines = [house.engine.clone(), house.another().await];
        let tasks: Vec<_> = (0..20)
            .map(|number| {
                let engine = engines[number % 2].clone();
                let create = contacts::Create {
                    engine: engine.clone(),
                    organization: house.organization.id,
                    sender: house.sender.id,
                    phone: ANN.into(),
                    name: None,
                    email: None,
                    metadata: None,
                };
                tokio::spawn(async move { engine.perform(create).await.unwrap() })
            })
            .collect();
        let mut made = Vec::new();
        for task in tasks {
            made.extend(task.await.unwrap().ok());
        }
        assert_eq!(made.len(), 1);
        assert_eq!(house.story(&made[0].id).await, [CONTACT_CREATED]);
    }

    async fn a_conversation_changes_hands_and_is_closed(house: &mut House) {
        let message = house.send(ANN, "hello").await;
        let update = |status, assignee: Option<Option<&str>>| conversations::Update {
            engine: house.engine.clone(),
            organization: house.organization.id,
            sender: house.sender.id,
            id: message.conversation_id,
            status,
            assignee: assignee.map(|assignee| assignee.map(str::to_owned)),
        };
        house.engine.perform(update(None, Some(Some("kim")))).await.unwrap().unwrap();
        house.engine.perform(update(None, Some(Some("kim")))).await.unwrap().unwrap();
        let (closed, _) = house.engine.perform(update(Some(Status::Resolved), None)).await.unwrap().unwrap();
        assert_eq!((closed.status, closed.assignee.as_deref()), (Status::Resolved, Some("kim")));
        let story = [CONVERSATION_ASSIGNED, CONVERSATION_CLOSED];
        assert_eq!(house.story(&message.conversation_id).await, story);
        let elsewhere = conversations::Update { sender: house.second_sender.id, ..update(None, Some(None)) };
        assert!(matches!(house.engine.perform(elsewhere).await.unwrap(), Err(Refusal::NotFound("conversation"))));
        // Somebody writes: it is open again.
        house.receive(vec![Fact::Message(Box::new(house.inbound(ANN, "1", "hello")))]).await;
        let found = house.engine.conversation(&house.organization.id, &house.sender.id, &message.conversation_id).await;
        assert_eq!(found.unwrap().unwrap().0.status, Status::Open);
        house.settle().await;
    }

    async fn conversations_are_listed_by_activity_without_gaps(house: &mut House) {
        for number in 0..7 {
            house.send(&format!("+1555070{number:04}"), "hello").await;
            // Two at a time share a moment.
            house.advance(seconds(number % 2));
        }
        house.settle().await;
        let (mut filter, mut seen) = (conversations::Filter::default(), Vec::new());
        loop {
            let page = house.engine.conversations(&house.organization.id, &house.sender.id, &filter, 3).await.unwrap();
            let Some((last, _)) = page.last() else { break };
            filter.after = Some((last.last_message_at, last.id));
            seen.extend(page.into_iter().map(|(conversation, contact)| (conversation.last_message_at, contact.phone.unwrap())));
        }
        assert_eq!(seen.len(), 7);
        assert!(seen.windows(2).all(|pair| pair[0].0 >= pair[1].0), "{seen:?}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 7);
    }

    async fn a_subscription_never_runs_out_of_secrets(house: &mut House) {
        let subscription = house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        let target = house.target(&subscription);
        let [(first, None)] = secrets(house, &target).await[..] else { panic!("the first never expires") };
        let revoke = |secret| house.engine.perform(RevokeSecret { target, secret, now: house.now() });
        assert_eq!(revoke(first).await.unwrap(), Err(Refusal::LastSecret));
        for hours in [1, 2] {
            let expires_at = Some(house.now() + hours * 3_600_000);
            let add = AddSecret { engine: house.engine.clone(), target, secret: "s".into(), expires_at };
            house.engine.perform(add).await.unwrap().unwrap();
        }
        revoke(first).await.unwrap().unwrap();
        assert_eq!(revoke(first).await.unwrap(), Err(Refusal::NotFound("secret")));
        house.advance(seconds(3600 * 3));
        let left = secrets(house, &target).await;
        assert!(matches!(left[..], [(_, None)]), "{left:?}");
        let last = left[0].0;
        let revoke = RevokeSecret { target, secret: last, now: house.now() };
        assert_eq!(house.engine.perform(revoke).await.unwrap(), Err(Refusal::LastSecret));
    }

    async fn a_subscription_is_checked_and_belongs_to_somebody(house: &mut House) {
        let subscription = house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        let target = house.target(&subscription);
        let events = Change { events: Some(vec!["nonsense".into()]), ..Change::default() };
        assert!(matches!(subscriptions::update(&house.engine, target, events), Err(Refusal::Invalid { field: "events", .. })));
        let url = Change { url: Some("ftp://hook.example".into()), ..Change::default() };
        assert!(matches!(subscriptions::update(&house.engine, target, url), Err(Refusal::Invalid { field: "url", .. })));
        let (neighbour, ..) = house.neighbour("neighbour").await;
        let foreign = subscriptions::Target { organization: neighbour.id, ..target };
        assert!(house.engine.subscription(&foreign).await.unwrap().is_none());
        let delete = house.engine.perform(subscriptions::Delete(foreign)).await.unwrap();
        assert_eq!(delete, Err(Refusal::NotFound("subscription")));
        house.receive(vec![Fact::Message(Box::new(house.inbound(ANN, "1", "hello")))]).await;
        house.engine.perform(subscriptions::Delete(target)).await.unwrap().unwrap();
        house.settle().await;
        assert!(house.transport.posted(HOOK).is_empty());
    }

    async fn keys_are_good_until_they_expire_or_are_revoked(house: &mut House) {
        let engine = house.engine.clone();
        let make = |token: &'static str, expires_at| {
            engine.perform(keys::create(&engine, house.organization.id, DIALECT, "label", token, true, expires_at))
        };
        let for_good = make("token-one", None).await.unwrap();
        make("token-two", Some(house.now() + 1000)).await.unwrap();
        assert_eq!(for_good.last4, "-one");
        for token in ["token-one", "token-two"] {
            assert!(matches!(engine.check_key(DIALECT, token).await.unwrap(), Check::Good(_)));
            assert!(matches!(engine.check_key("another", token).await.unwrap(), Check::Unknown));
        }
        house.advance(seconds(1));
        assert!(matches!(engine.check_key(DIALECT, "token-two").await.unwrap(), Check::Expired));
        assert!(matches!(engine.check_key(DIALECT, "token-one").await.unwrap(), Check::Good(_)));
        assert!(engine.perform(keys::Revoke { id: for_good.id, now: house.now() }).await.unwrap());
        assert!(!engine.perform(keys::Revoke { id: for_good.id, now: house.now() }).await.unwrap());
        assert!(matches!(engine.check_key(DIALECT, "token-one").await.unwrap(), Check::Revoked));
        assert!(matches!(engine.check_key(DIALECT, "token-none").await.unwrap(), Check::Unknown));
    }
}
