//! A wish is taken whole, once, or not at all.

use engine::content::{Content, Template};
use engine::events::{CONTACT_CREATED, MESSAGE_CREATED};
use engine::idempotency::{Given, Kept, Once};
use engine::messages::{self, Message, New, Status};
use engine::{Engine, Outcome, Refusal};
use store::jobs::State;
use testkit::{DIALECT, House, START, on_both};

use crate::{ANN, BOB, DAY, millis};

fn once(house: &House, key: &str, asked: &str) -> Once {
    Once::new(&house.organization.id, DIALECT, key, &[asked.as_bytes()])
}

fn given(output: &Outcome<Message>) -> Given {
    Given { status: 202, body: output.as_ref().unwrap().id.hex24().into_bytes() }
}

async fn contacts(house: &House) -> usize {
    let filter = engine::contacts::Filter::default();
    house.engine.contacts(&house.organization.id, &house.sender.id, &filter, 100).await.unwrap().len()
}

/// All wishes at once; half of them through another process.
async fn all_at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    house: &mut House,
    count: usize,
    wish: impl Fn(Engine, usize) -> F,
) -> Vec<T> {
    let engines = [house.engine.clone(), house.another().await];
    let tasks: Vec<_> = (0..count).map(|number| tokio::spawn(wish(engines[number % 2].clone(), number))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

on_both! {
    async fn message_event_and_job_are_one_commit(house: &mut House) {
        let message = house.send(ANN, "hello").await;
        assert_eq!((message.status, message.created_at), (Status::Pending, START));
        assert_eq!(house.story(&message.id).await, [MESSAGE_CREATED]);
        assert_eq!(house.story(&message.contact_id).await, [CONTACT_CREATED]);
        let job = house.job(&message.id).await.unwrap();
        assert_eq!((job.state, job.due_at, job.lane), (State::Ready, START, house.sender.id));
        let found = house.engine.conversation(&house.organization.id, &house.sender.id, &message.conversation_id).await;
        let (conversation, contact) = found.unwrap().unwrap();
        assert_eq!(contact.phone.as_deref(), Some(ANN));
        assert_eq!((conversation.last_message_at, conversation.window_until), (Some(START), None));
        house.settle().await;
    }

    async fn a_refused_wish_leaves_nothing(house: &mut House) {
        let content = Content::Template(Template { name: "unknown".into(), language: "en".into(), components: None });
        let wish = house.wish(BOB, "…");
        drop(wish);
        let new = New {
            sender: house.sender.clone(),
            to: engine::contacts::Address { kind: "phone".into(), value: BOB.into() },
            content,
            reply_to: None, provider_id: None,
            origin: DIALECT,
            request_id: "request".into(),
            terms: engine::messages::Terms::default(),
        };
        let refused = house.engine.perform(messages::send(&house.engine, new)).await.unwrap();
        assert_eq!(refused.unwrap_err(), Refusal::UnknownTemplate);
        assert_eq!(contacts(house).await, 0);
    }

    async fn a_key_makes_a_wish_come_true_once(house: &mut House) {
        let first = house.engine.perform_once(house.wish(ANN, "a"), &once(house, "k", "a"), given).await.unwrap();
        let Kept::Fresh(message, first) = first else { panic!("the first is carried out") };
        let again = house.engine.perform_once(house.wish(ANN, "a"), &once(house, "k", "a"), given).await.unwrap();
        assert!(matches!(again, Kept::Replayed(again) if again == first));
        let looked = house.engine.answered(&once(house, "k", "a")).await.unwrap();
        assert!(matches!(looked, Some(Kept::Replayed(looked)) if looked == first));
        let other = house.engine.perform_once(house.wish(BOB, "b"), &once(house, "k", "b"), given).await.unwrap();
        assert!(matches!(other, Kept::Reused));

        // A key belongs to its dialect and its organization.
        let (neighbour, ..) = house.neighbour("neighbour").await;
        for foreign in [
            Once::new(&house.organization.id, "another", "k", &[b"a"]),
            Once::new(&neighbour.id, DIALECT, "k", &[b"a"]),
        ] {
            assert!(house.engine.answered(&foreign).await.unwrap().is_none());
        }

        house.advance(DAY - millis(1));
        let late = house.engine.perform_once(house.wish(ANN, "a"), &once(house, "k", "a"), given).await.unwrap();
        assert!(matches!(late, Kept::Replayed(late) if late == first));
        house.advance(millis(1));
        let anew = house.engine.perform_once(house.wish(ANN, "a"), &once(house, "k", "b"), given).await.unwrap();
        let Kept::Fresh(second, _) = anew else { panic!("a day later the key is free") };
        assert_ne!(message.unwrap().id, second.unwrap().id);
        house.settle().await;
        assert_eq!(house.provider.calls().len(), 2);
    }

    async fn what_is_remembered_without_a_wish_is_found_and_not_overwritten(house: &mut House) {
        let (key, answer) = (once(house, "k", "a"), |text: &str| Given { status: 500, body: text.into() });
        house.engine.remember(&key, answer("first")).await.unwrap();
        house.engine.remember(&key, answer("second")).await.unwrap();
        let found = house.engine.answered(&key).await.unwrap();
        assert!(matches!(found, Some(Kept::Replayed(found)) if found == answer("first")));
    }

    async fn of_many_callers_with_one_key_one_is_heard(house: &mut House) {
        // The second round meets a key that is too old: it must be taken anew by one only.
        for round in 1..=2 {
            let (key, sender) = (once(house, "k", "a"), house.sender.clone());
            let kept = all_at_once(house, 50, |engine, _| {
                let (key, sender) = (key.clone(), sender.clone());
                async move { engine.perform_once(wish(&engine, sender, ANN, "a"), &key, given).await.unwrap() }
            })
            .await;
            let mut fresh = kept.iter().filter_map(|kept| match kept {
                Kept::Fresh(_, given) => Some(given),
                _ => None,
            });
            let given = fresh.next().unwrap();
            assert!(fresh.next().is_none(), "round {round}");
            let replayed = kept.iter().filter(|kept| matches!(kept, Kept::Replayed(again) if again == given));
            assert_eq!(replayed.count(), 49, "round {round}");
            house.settle().await;
            assert_eq!(house.provider.calls().len(), round);
            house.advance(DAY);
        }
    }

    async fn many_messages_to_a_new_phone_make_one_contact(house: &mut House) {
        let sender = house.sender.clone();
        let sent = all_at_once(house, 50, |engine, number| {
            let sender = sender.clone();
            async move { engine.perform(wish(&engine, sender, ANN, &number.to_string())).await.unwrap().unwrap() }
        })
        .await;
        let same = |message: &Message| (message.contact_id, message.conversation_id) == (sent[0].contact_id, sent[0].conversation_id);
        assert!(sent.iter().all(same));
        assert_eq!(house.story(&sent[0].contact_id).await, [CONTACT_CREATED]);
        assert_eq!(contacts(house).await, 1);
        house.settle().await;
        assert_eq!(house.provider.calls().len(), 50);
    }
}

fn wish(engine: &Engine, sender: std::sync::Arc<engine::senders::Sender>, to: &str, text: &str) -> messages::Send {
    let new = New {
        sender,
        to: engine::contacts::Address { kind: "phone".into(), value: to.into() },
        content: Content::Text { body: text.into(), preview: false },
        reply_to: None,
        provider_id: None,
        origin: DIALECT,
        request_id: "request".into(),
        terms: engine::messages::Terms::default(),
    };
    messages::send(engine, new)
}
