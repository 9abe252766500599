use engine::sessions::State;
use serde_json::{Value, json};
use testkit::on_both;
use web_wire::ask::{Ask, Code};

use super::house::{ANA, BEN, House, phone, text};

on_both! {
    async fn an_account_is_linked_and_stays_so(house: &mut House) {
        let ana = house.enrol("ana").await;
        house.open(&ana).await;
        let session = house.stands(&ana, State::AwaitingLink).await;
        let offer = session.offer.unwrap();
        assert!(offer["qr"].as_str().unwrap().contains(','), "{offer}");
        assert!(offer["expires_at"].as_i64().unwrap() > house.clock.now());
        assert_eq!(session.next_step.as_deref(), Some("scan the code with the phone"));
        assert_eq!(house.notice("QR").await["code"], offer["qr"]);

        house.link(&ana, ANA).await;
        let session = house.stands(&ana, State::Connected).await;
        let identity = session.identity.unwrap();
        assert_eq!(identity["jid"], "15550100001:33@s.whatsapp.net");
        assert!(identity["lid"].as_str().unwrap().ends_with(":33@lid"), "{identity}");
        assert_eq!((&identity["platform"], &identity["push_name"]), (&json!("android"), &json!("Ana")));
        assert_eq!((session.offer, session.reason), (None, None));
        let sender = house.engine().sender_by_id(&ana.id).await.unwrap().unwrap();
        assert_eq!((sender.address.as_str(), sender.status.as_str()), (ANA, "connected"));
        assert_eq!(house.notice("PairSuccess").await["event"]["ID"], "15550100001:33@s.whatsapp.net");
        assert_eq!(house.notice("Connected").await["event"], Value::Object(Default::default()));
        assert_eq!(house.web.devices(&phone(ANA)), [33]);

        house.restart().await;
        house.stands(&ana, State::Connected).await;
        assert_eq!(house.web.devices(&phone(ANA)), [33]);
        house.sent(&ana, BEN, "3EB0AA", text("still here")).await;
        assert_eq!(house.shown(BEN).await.0, "3EB0AA");
        assert_eq!(house.web.stats().unknown_questions, 0);
    }

    async fn a_code_to_type_that_is_over_is_told(house: &mut House) {
        let ana = house.enrol("ana").await;
        house.open(&ana).await;
        house.stands(&ana, State::AwaitingLink).await;
        let coded = |session: &engine::sessions::Session| session.offer.as_ref().is_some_and(|offer| offer["code"].is_string());
        for by_hand in [false, true] {
            house.ask(&ana, Ask::PairingCode { phone: ANA.into() }).await.unwrap();
            house.stands_in(house.engine(), &ana, coded).await;
            assert!(house.web.refresh_code(&phone(ANA), by_hand));
            let session = house.stands_in(house.engine(), &ana, |session| !coded(session)).await;
            assert!(session.state == State::AwaitingLink && session.next_step.unwrap().contains("another code"));
            let told = house.notice("PairingCodeRefresh").await["event"].clone();
            assert_eq!(told, json!({ "ForceManual": by_hand, "Expired": false }));
        }
        let code: Code = serde_json::from_value(house.ask(&ana, Ask::PairingCode { phone: ANA.into() }).await.unwrap()).unwrap();
        house.stands_in(house.engine(), &ana, coded).await;
        house.passes_until("its time is over", async || !coded(&house.engine().session(&ana.id).await.unwrap().unwrap())).await;
        assert_eq!(house.notice("PairingCodeRefresh").await["event"], json!({ "ForceManual": false, "Expired": true }));
        assert_ne!(code.code, "");
    }
}
