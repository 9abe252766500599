//! The ledger of who does not want to hear from us, and the gate before sends.

use engine::consent::{self, Address, Filter, Wish};
use engine::contacts::{PHONE, USER};
use engine::content::Content;
use engine::events::{CONSENT_GIVEN, CONSENT_WITHDRAWN, MESSAGE_CREATED, MESSAGE_FAILED};
use engine::facts::{self, Fact};
use engine::messages::{self, Consult, Echo, Message, Status, Terms};
use engine::{Outcome, Refusal, directory};
use testkit::{DIALECT, House, on_both};

use crate::{ANN, BOB};

/// Where somebody moves.
const CAT: &str = "+15550200003";

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

    /// Told by the provider or by a caller.
    async fn it_goes_with_who_moves_to_another_address(house: &mut House) {
        let (organization, sender) = (house.organization.id, house.sender.external_id.clone());
        let user = |value: &str| Address { kind: USER.into(), value: value.into() };
        let moved = |old, new| facts::IdentityChange { sender: sender.clone(), old: vec![old], new: vec![new], document: None };
        says(house, ANN, 1, "STOP").await;
        house.receive(vec![Fact::Identity(moved(address(ANN), address(BOB)))]).await;
        assert_eq!(send(house, BOB, Consult::Always).await.unwrap_err(), Refusal::OptedOut);
        let opt_out = facts::Preference {
            sender: sender.clone(),
            from: vec![user("US.1")],
            purpose: consent::MARKETING.into(),
            wanted: false,
            document: None,
        };
        house.receive(vec![Fact::Preference(opt_out), Fact::Identity(moved(user("US.1"), user("US.2")))]).await;
        let entries = house.engine.consent_entries(&organization, &user("US.2")).await.unwrap();
        assert_eq!((entries[0].wanted, entries[0].source.as_str()), (false, consent::BY_MOVE));

        let id = house.engine.directory_id(&organization, BOB).await.unwrap().unwrap();
        let change = directory::Change { phone: Some(CAT.into()), ..directory::Change::default() };
        let update = directory::Update { engine: house.engine.clone(), organization, id, change };
        house.engine.perform(update).await.unwrap().unwrap();
        assert_eq!(send(house, CAT, Consult::Always).await.unwrap_err(), Refusal::OptedOut);
        let filter = Filter { value: Some(CAT.into()), ..Filter::default() };
        let made = house.engine.opt_outs(&organization, &filter, 10, 0).await.unwrap();
        assert_eq!(house.story(&made[0].id).await, [CONSENT_WITHDRAWN]);
        let entries = house.engine.consent_entries(&organization, &address(CAT)).await.unwrap();
        assert_eq!((entries.len(), entries[0].source.as_str(), entries[0].proof.is_some()), (1, consent::BY_MOVE, true));
        // And back, if she changes her mind.
        says(house, CAT, 2, "START").await;
        assert!(send(house, CAT, Consult::Always).await.is_ok());
        house.settle().await;
    }
}
