//! Those who wait for what comes of a message, or take it back; ids that are chosen beforehand.

use engine::contacts::{Address, PHONE};
use engine::content::Content;
use engine::events::{
    MESSAGE_CREATED, MESSAGE_DELIVERED, MESSAGE_ECHOED, MESSAGE_FAILED, MESSAGE_RECEIVED, MESSAGE_RETRYING,
    MESSAGE_SUBMITTED,
};
use engine::facts::{self, Fact};
use engine::failure::{Code, Failure, SendError};
use engine::messages::{self, Direction, Filter, Message, Status};
use testkit::{DIALECT, Gate, House, Manner, Reply, on_both};

use crate::{ANN, DAY, HOUR, MINUTE, die, millis, seconds, working};

/// Accepts a message with an id of our choice.
pub async fn send_as(house: &House, provider_id: &str) -> Message {
    let new = messages::New {
        sender: house.sender.clone(),
        to: Address { kind: PHONE.into(), value: ANN.into() },
        content: Content::Text { body: provider_id.into(), preview: false },
        reply_to: None,
        provider_id: Some(provider_id.into()),
        origin: DIALECT,
        request_id: "request".into(),
        terms: messages::Terms::default(),
    };
    house.engine.perform(messages::send(&house.engine, new)).await.unwrap().unwrap()
}

async fn all(house: &House) -> Vec<Message> {
    let (organization, sender) = (&house.organization.id, &house.sender.id);
    house.engine.messages(organization, sender, &Filter::default(), 100).await.unwrap()
}

on_both! {
    async fn who_waits_is_told_when_it_was_answered(house: &mut House) {
        let gate = Gate::new();
        house.provider.will([Reply::Behind(gate.clone(), Box::new(Reply::Taken))]);
        let message = house.send(ANN, "hello").await;
        let (engine, id) = (house.engine.clone(), message.id);
        let waiting = tokio::spawn(async move { messages::settled(&engine, &id, DAY).await });
        let work = working(house);
        house.provider.called(1).await;
        assert!(!waiting.is_finished());
        gate.open();
        assert_eq!(waiting.await.unwrap().unwrap().status, Status::Sent);
        work.await.unwrap();

        let later = Reply::Fails(SendError::unreached("no way there"));
        house.provider.will([later]);
        let message = house.send(ANN, "hello").await;
        house.settle().await;
        let (engine, id) = (house.engine.clone(), message.id);
        let waiting = tokio::spawn(async move { messages::settled(&engine, &id, MINUTE).await });
        while !waiting.is_finished() {
            house.advance(millis(500));
            tokio::task::yield_now().await;
        }
        assert_eq!(waiting.await.unwrap().unwrap().status, Status::Pending);
        house.settle().await;
    }

    async fn a_message_is_taken_back_while_nothing_of_it_is_out(house: &mut House) {
        let message = house.send(ANN, "hello").await;
        assert!(messages::withdraw(&house.engine, &message.id).await.unwrap());
        assert!(!messages::withdraw(&house.engine, &message.id).await.unwrap());
        house.settle().await;
        let failed = house.message(&message.id).await;
        let failure: Failure = serde_json::from_str(&failed.error.unwrap()).unwrap();
        assert_eq!((failed.status, failure.code), (Status::Failed, Code::Withdrawn));
        assert_eq!(house.story(&message.id).await, [MESSAGE_CREATED, MESSAGE_FAILED]);
        assert_eq!(house.provider.calls().len(), 0);

        // What was refused for now is not out; what is being asked may be.
        house.provider.will([Reply::Fails(SendError::unreached("no way there")), Reply::Hangs]);
        let (refused, asked, behind) = (house.send(ANN, "a").await, house.send(ANN, "b").await, house.send(ANN, "c").await);
        let work = working(house);
        house.provider.called(2).await;
        assert!(messages::withdraw(&house.engine, &refused.id).await.unwrap());
        assert!(!messages::withdraw(&house.engine, &asked.id).await.unwrap());
        assert!(messages::withdraw(&house.engine, &behind.id).await.unwrap());
        die(house, work).await;
        house.pass(DAY, HOUR).await;
        assert!(!house.provider.texts().contains(&"c".to_owned()));
        assert_eq!(house.story(&refused.id).await, [MESSAGE_CREATED, MESSAGE_RETRYING, MESSAGE_FAILED]);
    }

    /// Whatever became of a later attempt.
    async fn what_was_never_answered_is_not_taken_back(house: &mut House) {
        let unreached = || Reply::Fails(SendError::unreached("no way there"));
        house.provider.will([unreached(), Reply::Fails(SendError::unknown("no answer")), unreached(), unreached()]);
        let message = send_as(house, "ours").await;
        house.settle().await;
        assert!(house.job(&message.id).await.unwrap().called_at.is_none(), "that it was not reached is an answer");
        for calls in 2..=4 {
            house.advance(MINUTE);
            house.settle().await;
            assert_eq!(house.provider.calls().len(), calls);
            assert!(!messages::withdraw(&house.engine, &message.id).await.unwrap());
        }
        house.advance(MINUTE);
        house.settle().await;
        assert_eq!(house.message(&message.id).await.status, Status::Sent);
    }

    async fn the_id_of_what_was_taken_back_is_free(house: &mut House) {
        let first = send_as(house, "ours").await;
        assert!(messages::withdraw(&house.engine, &first.id).await.unwrap());
        let second = send_as(house, "ours").await;
        house.settle().await;
        let (first, second) = (house.message(&first.id).await, house.message(&second.id).await);
        assert_eq!((first.status, first.provider_id), (Status::Failed, None));
        assert_eq!((second.status, second.provider_id.as_deref()), (Status::Sent, Some("ours")));
        house.receive(vec![house.receipt("ours", None, Status::Delivered)]).await;
        assert_eq!(house.message(&first.id).await.status, Status::Failed);
        assert_eq!(house.message(&second.id).await.status, Status::Delivered);
    }

    async fn taken_back_or_sent_but_never_both(house: &mut House) {
        let other = house.another().await;
        for round in 0..10 {
            let message = house.send(ANN, &round.to_string()).await;
            let engine = other.clone();
            let back = tokio::spawn(async move { messages::withdraw(&engine, &message.id).await.unwrap() });
            house.settle().await;
            let (back, sent) = (back.await.unwrap(), house.provider.texts().contains(&round.to_string()));
            assert_ne!(back, sent, "round {round}");
            let status = if back { Status::Failed } else { Status::Sent };
            assert_eq!(house.message(&message.id).await.status, status);
        }
    }

    async fn a_lost_answer_is_asked_for_again_with_the_same_id(house: &mut House) {
        house.provider.will([Reply::Hangs, Reply::Fails(SendError::unknown("no answer"))]);
        let message = send_as(house, "ours").await;
        let work = working(house);
        house.provider.called(1).await;
        die(house, work).await;
        house.advance(seconds(90));
        house.settle().await;
        assert_eq!(house.provider.calls().len(), 2, "nothing has to be found out first");
        house.advance(seconds(4));
        house.settle().await;
        let ids: Vec<_> = house.provider.calls().into_iter().map(|call| call.provider_id.unwrap()).collect();
        assert_eq!(ids, ["ours", "ours", "ours"]);
        let found = house.message(&message.id).await;
        assert_eq!((found.status, found.provider_id.as_deref()), (Status::Sent, Some("ours")));
        assert_eq!(house.story(&message.id).await, [MESSAGE_CREATED, MESSAGE_RETRYING, MESSAGE_SUBMITTED]);
    }

    async fn a_receipt_settles_what_has_its_id_already(house: &mut House) {
        house.provider.will([Reply::Hangs]);
        let message = send_as(house, "ours").await;
        let work = working(house);
        house.provider.called(1).await;
        die(house, work).await;
        house.receive(vec![house.receipt("ours", None, Status::Delivered)]).await;
        assert!(house.job(&message.id).await.is_none());
        house.pass(DAY, HOUR).await;
        assert_eq!(house.provider.calls().len(), 1);
        assert_eq!(house.story(&message.id).await, [MESSAGE_CREATED, MESSAGE_SUBMITTED, MESSAGE_DELIVERED]);
    }

    async fn an_id_is_one_message_in_its_chat_and_of_its_author(house: &mut House) {
        let written = |chat: &str, author: &str| {
            let fact = house.inbound(ANN, "id", "hello");
            Fact::Message(Box::new(facts::Message { chat: chat.into(), author: author.into(), ..fact }))
        };
        let facts = [("a", "x"), ("a", "y"), ("b", "x"), ("a", "x"), ("b", "x")].map(|(chat, author)| written(chat, author));
        house.receive(facts.to_vec()).await;
        house.receive(facts.to_vec()).await;
        let mut found: Vec<_> = all(house).await.into_iter().map(|message| message.chat + &message.author).collect();
        found.sort();
        assert_eq!(found, ["ax", "ay", "bx"]);
    }

    async fn what_we_wrote_on_another_device_is_ours(house: &mut House) {
        house.provider.sessions_are(Manner::Silent);
        let fact = |provider_id: &str| facts::Message {
            own: true,
            late: true,
            chat: "chat".into(),
            profile_name: Some("Us".into()),
            ..house.inbound(ANN, provider_id, "hello")
        };
        house.receive(vec![Fact::Message(Box::new(fact("theirs")))]).await;
        let found = all(house).await;
        let message = &found[0];
        assert_eq!((message.direction, message.status, message.origin.as_str()), (Direction::Outbound, Status::Sent, "device"));
        let (conversation, contact) =
            house.engine.conversation(&house.organization.id, &house.sender.id, &message.conversation_id).await.unwrap().unwrap();
        assert_eq!((conversation.unread_count, conversation.last_inbound_at, contact.name), (0, None, None));
        let events = house.events(&message.id).await;
        assert_eq!((events[0].kind.as_str(), events[0].data.contains("\"late\":true")), (MESSAGE_ECHOED, true));
        house.receive(vec![house.receipt("theirs", None, Status::Delivered)]).await;
        assert_eq!(house.story(&message.id).await, [MESSAGE_ECHOED, MESSAGE_DELIVERED]);

        // What comes back of our own is no second message.
        house.provider.sessions_are(Manner::None);
        send_as(house, "ours").await;
        house.receive(vec![Fact::Message(Box::new(fact("ours")))]).await;
        house.settle().await;
        assert_eq!(all(house).await.len(), 2);
        let late = facts::Message { late: true, ..house.inbound(ANN, "in", "hello") };
        house.receive(vec![Fact::Message(Box::new(late))]).await;
        let event = &house.events(&all(house).await[0].id).await[0];
        assert_eq!((event.kind.as_str(), event.data.contains("\"late\":true")), (MESSAGE_RECEIVED, true));
    }
}
