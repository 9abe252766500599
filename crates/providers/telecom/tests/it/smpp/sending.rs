//! Texts go out whole, whatever they are made of, and their receipts come back.

use engine::content::Content;
use engine::failure::Failure;
use engine::messages::Status;
use sandbox_carriers::smsc::{Ids, Options, Receipts};
use sandbox_carriers::{Fault, Phone};
use serde_json::json;
use store::messages::Direction;

use super::world::{ANN, SENDER, World};

#[tokio::test]
async fn texts_arrive_as_they_were_written_in_every_way_of_cutting_them() {
    let long = "Grüße aus dem Süden: 12 € [sic] ".repeat(12);
    let foreign = "Привет, 世界! 👩‍👩‍👧‍👦 ".repeat(9);
    for (way, default) in [("udh8", "gsm7"), ("udh16", "gsm7"), ("sar", "gsm7"), ("udh8", "ia5")] {
        let config = json!({ "concatenation": way, "default_alphabet": default });
        let world = World::with(Options::default(), config).await;
        let cases = [("Hello", 1, "gsm7"), (long.as_str(), 3, "gsm7"), (foreign.as_str(), 4, "ucs2")];
        for (text, parts, encoding) in cases {
            let id = world.send(text).await;
            world.status_of(&id, Status::Delivered).await;
            let [sms] = &world.sms(text)[..] else { panic!("{way}: {:?}", world.carriers.sms()) };
            let (parts, encoding) = match (default, text) {
                // what ASCII cannot say
                ("ia5", text) if !text.is_ascii() => (sms_text::ucs2::encode(text).len().div_ceil(134) as u32, "ucs2"),
                _ => (parts, encoding),
            };
            assert_eq!((sms.from.as_str(), sms.to.as_str()), (SENDER, ANN));
            let found = (sms.parts, sms.encoding.as_str(), sms.status.as_str());
            assert!(
                found == (parts, encoding, "DELIVRD") || default == "ia5" && sms.parts >= parts,
                "{way}: {found:?}"
            );
        }
        world.finish().await;
    }
}

#[tokio::test]
async fn receipts_find_their_message_however_the_carrier_spells_its_name() {
    let cases = [
        (Ids::Same, "as_is", Receipts::Both),
        (Ids::HexThenDecimal, "hex_to_decimal", Receipts::Text),
        (Ids::DecimalThenHex, "decimal_to_hex", Receipts::Parameters),
    ];
    for (ids, naming, receipts) in cases {
        let smsc = Options { ids, receipts, ..Options::default() };
        let world = World::with(smsc, json!({ "message_id": naming })).await;
        let (one, many) = (world.send("short").await, world.send(&"long ".repeat(60)).await);
        world.status_of(&one, Status::Delivered).await;
        world.status_of(&many, Status::Delivered).await;
        world.finish().await;
    }
}

#[tokio::test]
async fn the_phone_decides_what_the_receipt_says() {
    let world = World::new().await;
    let (gone, off) = ("+4915550199002", "+4915550199003");
    world.street.phone(gone, Phone { registered: false, online: false });
    world.street.phone(off, Phone { registered: true, online: false });
    let (gone, later) = (world.send_to(gone, "hi").await, world.send_to(off, "later").await);
    let failed = world.status_of(&gone, Status::Failed).await;
    let failure: Failure = serde_json::from_str(&failed.error.unwrap()).unwrap();
    assert_eq!((failure.code, failure.provider_code), (engine::failure::Code::RecipientUnreachable, Some(34)));
    world.status_of(&later, Status::Sent).await;
    world.street.phone(off, Phone { registered: true, online: true });
    world.status_of(&later, Status::Delivered).await;
    world.street.faults([Some(Fault::Code("EXPIRED".to_owned())), Some(Fault::Status(0x0B))]);
    let (expired, refused) = (world.send("one").await, world.send("two").await);
    world.status_of(&expired, Status::Failed).await;
    let refused = world.status_of(&refused, Status::Failed).await;
    assert!(refused.error.unwrap().contains("0x0000000B"));
    assert_eq!(world.messages(Direction::Outbound).await.len(), 4);
    world.finish().await;
}

#[tokio::test]
async fn a_receipt_may_overtake_its_answer_and_come_twice() {
    let world = World::new().await;
    world.street.faults([Some(Fault::Reorder), Some(Fault::Duplicate), Some(Fault::Reorder), Some(Fault::Reorder)]);
    let ids = [world.send("early").await, world.send("twice").await, world.send(&"long ".repeat(60)).await];
    for id in &ids {
        let message = world.status_of(id, Status::Delivered).await;
        assert!(Content::parse(&message.content).is_ok());
    }
    assert_eq!(world.carriers.stats().sms.received, 3);
    world.finish().await;
}
