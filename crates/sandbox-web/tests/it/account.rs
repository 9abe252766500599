use sandbox_web::Chat;
use sandbox_web::phone::settings::Setting;
use serde_json::json;
use wacore::iq::privacy::{PrivacyCategory, PrivacyValue};
use whatsapp_rust::Jid;
use whatsapp_rust::types::events::Event;

use crate::house::{ANA, BEN, House, number, words};

const CAT: &str = "+15550100003";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_changed_on_one_device_or_on_the_phone_changes_on_all() {
    let house = House::open().await;
    let (mut first, mut second) = (house.linked(ANA).await, house.linked(ANA).await);
    let ben = Jid::pn("15550100002");
    first.client.chat_actions().pin_chat(&ben).await.unwrap();
    second.client.chat_actions().mute_chat(&ben).await.unwrap();
    let pinned =
        |event: &Event| matches!(event, Event::PinUpdate(pin) if pin.action.pinned == Some(true)).then_some(());
    second.event("a pin", pinned).await;
    first.event("silence", |event| matches!(event, Event::MuteUpdate(_)).then_some(())).await;

    let contact = Setting::Contact { jid: ben.to_string(), name: "Ben at work".into(), lid: None };
    house.handle.change_settings(&number(ANA), &[contact]);
    for guest in [&mut first, &mut second] {
        guest.event("a contact", |event| matches!(event, Event::ContactUpdate(_)).then_some(())).await;
    }
    house.handle.account(&number(ANA), Some("Ana the Second"));
    for guest in [&mut first, &mut second] {
        guest
            .event("a name", |event| match event {
                Event::SelfPushNameUpdated(it) => (it.new_name == "Ana the Second").then_some(()),
                _ => None,
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_show_themselves_as_they_like() {
    let house = House::open().await;
    let (ana, mut ben) = (house.linked(ANA).await, house.linked(BEN).await);
    let me = Jid::pn("15550100001");
    ana.client.profile().set_status_text("busy").await.unwrap();
    ben.event("an about text", |event| matches!(event, Event::UserAboutUpdate(_)).then_some(())).await;
    ana.client.profile().set_profile_picture(b"\xff\xd8\xffme".to_vec()).await.unwrap();
    ben.event("a picture", |event| matches!(event, Event::PictureUpdate(_)).then_some(())).await;
    let seen = ben.client.contacts().get_user_info(std::slice::from_ref(&me)).await.unwrap();
    let seen = &seen[&me];
    assert_eq!(seen.status.as_deref(), Some("busy"));
    assert!(seen.picture_id.is_some() && seen.lid.is_some() && seen.devices.contains(&33), "{seen:?}");
    let picture = ben.client.contacts().get_profile_picture(&me, false).await.unwrap().unwrap();
    assert!(picture.url.starts_with("https://127.0.0.1:"));

    ana.client.set_privacy_setting(PrivacyCategory::Profile, PrivacyValue::None).await.unwrap();
    let hidden = ben.client.contacts().get_profile_picture(&me, false).await;
    assert!(!matches!(hidden, Ok(Some(_))));
    let settings = ana.client.fetch_privacy_settings().await.unwrap();
    assert_eq!(settings.get(&PrivacyCategory::Profile).unwrap().value, PrivacyValue::None);

    house.handle.set_registered(&number(CAT), false);
    let asked = [Jid::pn("15550100001"), Jid::pn("15550100003")];
    let found = ben.client.contacts().is_on_whatsapp(&asked).await.unwrap();
    let there = |user: &str| found.iter().find(|it| it.jid.user == user).map(|it| it.is_registered);
    assert_eq!((there("15550100001"), there("15550100003")), (Some(true), Some(false)));
    assert_eq!(house.handle.stats().unknown_questions, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_blocked_is_not_heard() {
    let mut house = House::open().await;
    let mut ana = house.linked(ANA).await;
    let (ben, chat) = (number(BEN), Chat::With(number(ANA)));
    let body = |text: &str| json!({"type": "text", "text": {"body": text}});
    house.handle.speak(&ben, &chat, &body("first"), None).unwrap();
    assert_eq!(ana.text().await, "first");
    let jid = Jid::pn("15550100002");
    ana.client.blocking().block(&jid).await.unwrap();
    assert_eq!(ana.client.blocking().get_blocklist().await.unwrap().len(), 1);
    house.handle.speak(&ben, &chat, &body("unheard"), None).unwrap();
    ana.client.blocking().unblock(&jid).await.unwrap();
    house.handle.speak(&ben, &chat, &body("heard"), None).unwrap();
    assert_eq!(ana.text().await, "heard");
    ana.client.send_message(jid, words("sorry")).await.unwrap();
    assert_eq!(house.message_at(BEN).await.0, "sorry");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_reaches_those_it_is_meant_for() {
    use whatsapp_rust::features::StatusSendOptions;
    use whatsapp_rust::waproto::whatsapp::message::extended_text_message::FontType;
    let mut house = House::open().await;
    let (ana, mut ben) = (house.linked(ANA).await, house.linked(BEN).await);
    let readers = [Jid::pn("15550100002")];
    // A client writes status updates only to people whose other address it knows.
    ana.client.contacts().is_on_whatsapp(&readers).await.unwrap();
    for text in ["sunny", "rainy"] {
        let options = StatusSendOptions::default();
        ana.client.status().send_text(text, 0xFF1E_6E4F, FontType::SYSTEM, &readers, options).await.unwrap();
        assert_eq!(ben.text().await, text);
        assert_eq!(house.message_at(BEN).await.0, text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logging_out_ends_the_link() {
    let mut house = House::open().await;
    let ana = house.linked(ANA).await;
    ana.client.logout().await;
    house
        .arrival("the end of the link", |arrival| match arrival {
            sandbox_web::Arrival::Unlinked { device: 33, .. } => Some(()),
            _ => None,
        })
        .await;
    assert!(house.handle.devices(&number(ANA)).is_empty());
}
