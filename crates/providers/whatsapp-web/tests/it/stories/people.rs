use engine::Id;
use engine::events::{MESSAGE_ECHOED, MESSAGE_READ, MESSAGE_RECEIVED, SESSION_NOTICE};
use sandbox_web::{Chat, Fault, Kind};
use serde_json::{Value, json};
use testkit::on_both;
use wacore_binary::builder::NodeBuilder;

use super::house::{ANA, BEN, CYD, House, document, jid, phone, text};

/// The next message to Ana's devices names nobody twice.
fn tersely(house: &House) {
    house.web.add_fault(Fault { number: Some(phone(ANA)), ..Fault::once(Kind::Terse) });
}

async fn told(house: &mut House, kind: &str) -> (Id, Value) {
    house.event(kind, |event| Some((event.subject_id, document(event)["event"]["Info"].clone()))).await
}

on_both! {
    async fn both_addresses_of_everybody_are_told_and_lead_to_one_conversation(house: &mut House) {
        let ana = house.linked(ANA).await;
        // Somebody whom the account wrote to by number.
        let sent = house.sent(&ana, BEN, "3EB0C1", text("hello Ben")).await;
        tersely(house);
        house.says_text(BEN, ANA, "hi Ana");
        let (id, info) = told(house, MESSAGE_RECEIVED).await;
        assert_eq!(info["Chat"], house.web.lid(&phone(BEN)), "{info:#}");
        assert_eq!((&info["SenderAlt"], &info["AddressingMode"]), (&json!(jid(BEN)), &json!("lid")), "{info:#}");
        assert_eq!(house.conversation(&id).await, sent.conversation_id);

        // Somebody of whom nothing is known: WhatsApp is asked.
        tersely(house);
        house.says_text(CYD, ANA, "who am I?");
        let (id, info) = told(house, MESSAGE_RECEIVED).await;
        assert_eq!(info["SenderAlt"], json!(jid(CYD)), "{info:#}");
        let sent = house.sent(&ana, CYD, "3EB0C2", text("you are Cyd")).await;
        assert_eq!(house.conversation(&id).await, sent.conversation_id);

        // The owner writes on the phone.
        tersely(house);
        house.says_text(ANA, CYD, "from the phone");
        let (id, info) = told(house, MESSAGE_ECHOED).await;
        assert_eq!((&info["IsFromMe"], &info["RecipientAlt"]), (&json!(true), &json!(jid(CYD))), "{info:#}");
        assert_eq!(info["SenderAlt"], json!(jid(ANA)), "{info:#}");
        assert_eq!(house.conversation(&id).await, sent.conversation_id);

        let group = Chat::Group(house.web.create_group(&phone(ANA), "Plans", &[phone(BEN)]));
        tersely(house);
        let body = json!({ "type": "text", "text": { "body": "to all" } });
        house.web.speak(&phone(BEN), &group, &body, None).unwrap();
        let (_, info) = told(house, MESSAGE_RECEIVED).await;
        assert_eq!((&info["IsGroup"], &info["SenderAlt"]), (&json!(true), &json!(jid(BEN))), "{info:#}");
        assert_eq!(info["AddressingMode"], "lid");
        assert_eq!(house.notice("ReadReceipt").await["event"]["SenderAlt"], json!(jid(BEN)));
    }

    async fn what_became_of_a_call_is_told(house: &mut House) {
        let ana = house.linked(ANA).await;
        for (reason, name, member, word) in [
            ("timeout", "MissedCall", "Reason", "remote"),
            ("accepted_elsewhere", "CallEndedElsewhere", "Outcome", "accepted"),
            ("rejected_elsewhere", "CallEndedElsewhere", "Outcome", "rejected"),
        ] {
            let call = house.web.call(&phone(BEN), &phone(ANA), false);
            house.notice("CallOffer").await;
            house.web.end_call(&phone(BEN), &phone(ANA), &call, reason);
            let told = house.notice(name).await["event"].clone();
            assert_eq!((&told["CallID"], &told[member]), (&json!(call), &json!(word)), "{told:#}");
            assert_eq!(told["CallCreatorAlt"], json!(jid(BEN)), "{told:#}");
            assert_eq!(house.notice("CallTerminate").await["event"]["Reason"], reason);
        }
        engine::sessions::close(house.engine(), &ana, "away").await.unwrap();
        house.lets_go(&ana).await;
        let call = house.web.call(&phone(BEN), &phone(ANA), true);
        house.open(&ana).await;
        let told = house.notice("MissedCall").await;
        assert_eq!((&told["event"]["CallID"], &told["event"]["Reason"]), (&json!(call), &json!("offline")));
        assert_eq!(told["offline"], true);
    }

    async fn a_receipt_is_one_commit(house: &mut House) {
        let ana = house.linked(ANA).await;
        let ids = ["3EB0D1", "3EB0D2", "3EB0D3"];
        for id in ids {
            house.sent(&ana, BEN, id, text(id)).await;
            house.notice("ReadReceipt").await;
        }
        let noted = house.notes_transactions().await;
        let items = ids[1..].iter().map(|id| NodeBuilder::new("item").attr("id", *id).build());
        let list = NodeBuilder::new("list").children(items.collect::<Vec<_>>()).build();
        let receipt = NodeBuilder::new("receipt").attr("from", house.web.jid(&phone(BEN))).attr("type", "read");
        house.web.push(&phone(ANA), &receipt.attr("id", ids[0]).attr("t", "1800000000").children([list]).build());
        let mut told = Vec::new();
        for _ in ids {
            told.push(house.event(MESSAGE_READ, |event| Some(event.id)).await);
        }
        let notice = house.event(SESSION_NOTICE, |event| (document(event)["state"] == "Read").then(|| (event.id, document(event)))).await;
        let mut about: Vec<&str> = notice.1["event"]["MessageIDs"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        about.sort_unstable();
        assert_eq!(about, ids);
        told.push(notice.0);
        assert!(!noted || house.transactions(&told).await == 1);
    }
}
