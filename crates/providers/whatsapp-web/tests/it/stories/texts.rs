use engine::events::{MESSAGE_DELIVERED, MESSAGE_READ, MESSAGE_RECEIVED};
use engine::messages::Status;
use sandbox_web::Tick;
use testkit::on_both;
use web_wire::ask::Ask;

use super::house::{ANA, BEN, House, jid, phone, text};

on_both! {
    async fn texts_go_both_ways_with_their_ticks(house: &mut House) {
        let ana = house.linked(ANA).await;
        let message = house.sent(&ana, BEN, "3EB0A1", text("hello Ben")).await;
        let (id, shown) = house.shown(BEN).await;
        assert_eq!((id.as_str(), shown.conversation.as_deref()), ("3EB0A1", Some("hello Ben")));
        house.event(MESSAGE_DELIVERED, |event| (event.subject_id == message.id).then_some(())).await;
        house.web.read(&phone(BEN), None);
        house.event(MESSAGE_READ, |event| (event.subject_id == message.id).then_some(())).await;
        assert_eq!(house.settled(&message).await.status, Status::Read);
        assert_eq!(house.notice("ReadReceipt").await["state"], "Delivered");

        let id = house.says_text(BEN, ANA, "hi Ana");
        let told = house.document(MESSAGE_RECEIVED).await;
        assert_eq!(told["type"], "Message");
        assert_eq!(told["event"]["Info"]["ID"], id.as_str());
        assert_eq!(told["event"]["Info"]["PushName"], "Ben");
        assert_eq!(told["event"]["Info"]["IsFromMe"], false);
        assert_eq!(told["event"]["Message"]["conversation"], "hi Ana");
        house.ticked(BEN, &id, Tick::Delivered).await;
        house.ask(&ana, Ask::MarkRead { chat: jid(BEN), author: None, ids: vec![id.clone()] }).await.unwrap();
        house.ticked(BEN, &id, Tick::Read).await;
    }
}
