//! The ledger of who does not want to hear from us, and the gate before sends.

use engine::consent::{self, Address, Filter, Wish};
use engine::contacts::{PHONE, USER};
use engine::content::Content;
use engine::events::{CONSENT_GIVEN, CONSENT_WITHDRAWN, MESSAGE_CREATED, MESSAGE_FAILED};
use engine::facts::{self, Fact};
use engine::messages::{self, Consult, Echo, Message, Status, Terms};
use engine::{Outcome, Refusal};
use testkit::{DIALECT, House, on_both};

use crate::{ANN, BOB};

fn address(value: &str) -> Address {
    Address { kind: PHONE.into(), value: value.into() }
}

async fn send(house: &House, to: &str, opted_out: Consult) -> Outcome<Message> {
    let echo = Echo { external_id: Some("theirs".into()), ..Echo::default() };
    let new = messages::New {
        sender: house.sender.clone(),
        to: address(to),
        content: Content::Text { body: "hello".into(), preview: false },
        reply_to: None,
        provider_id: None,
        origin: DIALECT,
        request_id: "request".into(),
        terms: Terms { opted_out, echo, ..Terms::default() },
    };
    house.engine.perform(messages::send(&house.engine, new)).await.unwrap()
}

async fn says(house: &House, from: &str, number: usize, text: &str) {
    house.receive(vec![Fact::Message(Box::new(house.inbound(from, &format!("in.{number}"), text)))]).await;
}

on_both! {
    async fn a_word_of_theirs_closes_and_opens_the_gate(house: &mut House) {
        says(house, ANN, 1, "please stop by tomorrow").await;
        assert!(send(house, ANN, Consult::Always).await.is_ok());
        says(house, ANN, 2, " Stop. ").await;
        assert_eq!(send(house, ANN, Consult::Always).await.unwrap_err(), Refusal::OptedOut);
        assert!(send(house, ANN, Consult::Never).await.is_ok());
        assert!(send(house, BOB, Consult::Always).await.is_ok());
        says(house, ANN, 3, "START").await;
        assert!(send(house, ANN, Consult::Always).await.is_ok());
        let entries = house.engine.consent_entries(&house.organization.id, &address(ANN)).await.unwrap();
        let told: Vec<_> = entries.iter().map(|entry| (entry.wanted, entry.source.as_str())).collect();
        assert_eq!(told, [(false, consent::BY_KEYWORD), (true, consent::BY_KEYWORD)]);
        assert!(entries.iter().all(|entry| entry.proof.is_some()));
        house.settle().await;
    }

    async fn what_is_taken_all_the_same_fails_and_is_told(house: &mut House) {
        says(house, ANN, 1, "STOP").await;
        let message = send(house, ANN, Consult::Afterwards).await.unwrap();
        assert_eq!(message.status, Status::Pending, "the caller sees a message that was taken");
        let kept = house.message(&message.id).await;
        assert_eq!((kept.status, Echo::of(&kept).external_id.as_deref()), (Status::Failed, Some("theirs")));
        assert!(house.job(&message.id).await.is_none());
        house.settle().await;
        assert_eq!(house.story(&message.id).await, [MESSAGE_CREATED, MESSAGE_FAILED]);
        assert!(house.provider.calls().is_empty());
    }

    async fn an_address_stands_for_all_of_its_owner(house: &mut House) {
        let user = Address { kind: USER.into(), value: "US.1".into() };
        let both = facts::Message { from: vec![address(ANN), user.clone()], ..house.inbound(ANN, "in.1", "hi") };
        house.receive(vec![Fact::Message(Box::new(both))]).await;
        let wish = Wish {
            organization: house.organization.id,
            addresses: vec![user],
            channel: house.sender.channel.clone(),
            purpose: consent::MARKETING.into(),
            wanted: false,
            source: consent::BY_CALLER,
            proof: None,
            region: Some("ID".into()),
        };
        let enter = |wish: &Wish| consent::Enter { engine: house.engine.clone(), wish: wish.clone() };
        let made = house.engine.perform(enter(&wish)).await.unwrap();
        assert_eq!(house.story(&made[0].id).await, [CONSENT_WITHDRAWN]);
        assert!(house.engine.perform(enter(&wish)).await.unwrap().is_empty(), "it stands already");
        assert_eq!(send(house, ANN, Consult::Always).await.unwrap_err(), Refusal::OptedOut);
        let listed = house.engine.opt_outs(&house.organization.id, &Filter::default(), 10, 0).await.unwrap();
        assert_eq!(listed.len(), 1);
        let back = house.engine.perform(enter(&Wish { wanted: true, ..wish })).await.unwrap();
        assert_eq!(back[0].id, made[0].id);
        assert_eq!(house.story(&made[0].id).await, [CONSENT_WITHDRAWN, CONSENT_GIVEN]);
        assert!(send(house, ANN, Consult::Always).await.is_ok());
        house.settle().await;
    }
}
