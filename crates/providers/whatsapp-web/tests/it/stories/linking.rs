use engine::sessions::State;
use serde_json::{Value, json};
use testkit::on_both;

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
}
