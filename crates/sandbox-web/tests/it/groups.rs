use sandbox_web::{Arrival, Chat};
use serde_json::json;
use wacore::iq::groups::MembershipApprovalMode;
use whatsapp_rust::Jid;
use whatsapp_rust::types::events::Event;

use crate::house::{ANA, BEN, House, number, text, words};

const CAT: &str = "+15550100003";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_of_phones_and_linked_accounts_talks() {
    let mut house = House::open().await;
    let (mut ana, mut ben) = (house.linked(ANA).await, house.linked(BEN).await);
    let group = house.handle.create_group(&number(ANA), "Friends", &[number(BEN), number(CAT)]);
    for guest in [&mut ana, &mut ben] {
        guest.event("the group", |event| matches!(event, Event::GroupUpdate(_)).then_some(())).await;
    }
    let jid: Jid = group.parse().unwrap();
    let known = ana.client.groups().get_participating().await.unwrap();
    assert_eq!(known[&jid].subject, "Friends");
    assert_eq!(known[&jid].participants.len(), 3);

    ana.client.send_message(jid.clone(), words("to all")).await.unwrap();
    let (message, info) = ben.message().await;
    assert_eq!(text(&message), "to all");
    assert!(info.source.is_group && info.source.chat == jid, "{:?}", info.source);
    for phone in [BEN, CAT] {
        let (shown, _, arrival) = house.message_at(phone).await;
        assert_eq!(shown, "to all");
        assert!(matches!(arrival, Arrival::Message { chat: Chat::Group(it), .. } if it == group));
    }

    let body = json!({"type": "text", "text": {"body": "from Cat"}});
    for n in 0..2 {
        house.handle.speak(&number(CAT), &Chat::Group(group.clone()), &body, None).unwrap();
        assert_eq!(ana.text().await, "from Cat", "message {n}");
        assert_eq!(ben.text().await, "from Cat", "message {n}");
    }

    let gone = ana.client.groups().remove_participants(&jid, &[Jid::pn("15550100003")]).await.unwrap();
    assert_eq!(gone[0].status.as_deref(), Some("200"));
    assert!(house.handle.speak(&number(CAT), &Chat::Group(group.clone()), &body, None).is_err());
    ben.client.send_message(jid.clone(), words("without Cat")).await.unwrap();
    assert_eq!(ana.text().await, "without Cat");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_linked_account_makes_a_group_and_changes_it() {
    use whatsapp_rust::features::{GroupCreateOptions, GroupParticipantOptions, GroupSubject};
    let house = House::open().await;
    let (mut ana, ben) = (house.linked(ANA).await, house.linked(BEN).await);
    house.handle.account(&number(CAT), None);
    let options =
        GroupCreateOptions::new("Plans").with_participant(GroupParticipantOptions::new(Jid::pn("15550100003")));
    let made = ana.client.groups().create_group(options).await.unwrap();
    let jid = made.metadata.id.clone();
    let client = std::sync::Arc::clone(&ana.client);
    let groups = client.groups();
    groups.set_subject(&jid, GroupSubject::new("Better plans").unwrap()).await.unwrap();
    groups.set_locked(&jid, true).await.unwrap();
    let link = groups.get_invite_link(&jid, false).await.unwrap();
    assert!(groups.get_invite_link(&jid, true).await.unwrap() != link);
    let link = groups.get_invite_link(&jid, false).await.unwrap();
    ben.client.groups().join_with_invite_code(&link).await.unwrap();
    let seen = ben.client.groups().get_metadata(&jid).await.unwrap();
    assert_eq!((seen.subject.as_str(), seen.participants.len(), seen.is_locked), ("Better plans", 3, true));
    let refused = ben.client.groups().set_subject(&jid, GroupSubject::new("Worse plans").unwrap()).await;
    assert!(refused.is_err(), "only admins while it is locked");
    ben.client.groups().leave(&jid).await.unwrap();
    assert!(ben.client.groups().get_participating().await.unwrap().is_empty());

    groups.set_membership_approval(&jid, MembershipApprovalMode::On).await.unwrap();
    ben.client.groups().join_with_invite_code(&link).await.unwrap();
    let asks = |event: &Event| match event {
        Event::GroupUpdate(update) => format!("{update:?}").contains("CreatedMembershipRequests").then_some(()),
        _ => None,
    };
    ana.event("a wish to come in", asks).await;
    let asking: Vec<Jid> = groups.get_membership_requests(&jid).await.unwrap().into_iter().map(|it| it.jid).collect();
    groups.approve_membership_requests(&jid, &asking).await.unwrap();
    assert_eq!(ben.client.groups().get_metadata(&jid).await.unwrap().participants.len(), 3);
    assert_eq!(house.handle.stats().unknown_questions, 0);
}
