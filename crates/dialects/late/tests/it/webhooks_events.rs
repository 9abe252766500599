//! What webhooks are told: each event's body.

use engine::content::{Content, Media, MediaKind, Source};
use engine::facts::Fact;
use engine::failure::{Code, Failure};
use engine::messages::Status;
use serde_json::{Value, json};
use testkit::on_both;

use crate::webhooks_ground::{CUSTOMER, Ground, HOOK, NUMBER};

const EVERYTHING: &[&str] = &[
    "message.received",
    "message.sent",
    "message.delivered",
    "message.read",
    "message.failed",
    "message.edited",
    "message.deleted",
    "reaction.received",
    "conversation.started",
    "account.connected",
    "account.disconnected",
    "whatsapp.template.status_updated",
    "whatsapp.template.category_updated",
    "whatsapp.account.name_status_updated",
];
/// When Meta's pushes of these stories were written.
const SENT_AT: &str = "2026-09-21T14:13:20.000Z";

/// What the webhook was told since the last time.
async fn told(ground: &Ground) -> Vec<Value> {
    ground.work().await;
    let posted = ground.posted(HOOK);
    let seen = ground.seen.swap(posted.len(), std::sync::atomic::Ordering::Relaxed);
    posted[seen..].iter().map(|posted| serde_json::from_slice(&posted.body).unwrap()).collect()
}

/// The only event of these, without what every body has.
#[track_caller]
fn only(mut told: Vec<Value>, name: &str) -> Value {
    assert_eq!(told.iter().map(|body| body["event"].as_str().unwrap()).collect::<Vec<_>>(), [name]);
    let mut body = told.remove(0);
    let members = body.as_object_mut().unwrap();
    assert_eq!(members.remove("id").unwrap().as_str().unwrap().len(), 24);
    assert!(members.remove("timestamp").unwrap().is_string());
    members.remove("event");
    body
}

fn text(body: &str) -> Value {
    json!({ "type": "text", "text": { "body": body } })
}

on_both! {
    async fn what_a_linked_account_sends_is_told_once_whatsapp_took_it(ground: &mut Ground) {
        ground.hook(HOOK, EVERYTHING).await;
        let (sender, _up) = ground.linked().await;
        only(told(ground).await, "account.connected");
        let text = Content::Text { body: "from a telephone".into(), preview: false };
        let (message, wamid) = ground.send_from(sender.clone(), text).await;
        let mut told_now = told(ground).await;
        only(vec![told_now.remove(0)], "conversation.started");
        let body = only(told_now, "message.sent");
        assert_eq!((&body["message"]["id"], &body["message"]["platformMessageId"]), (&json!(message.id.hex24()), &json!(wamid)));
        assert_eq!((&body["message"]["text"], &body["message"]["sentVia"]), (&json!("from a telephone"), &json!("api")));
        assert_eq!(body["account"]["accountId"], sender.id.hex24());
    }

    async fn somebody_writes(ground: &mut Ground) {
        ground.hook(HOOK, EVERYTHING).await;
        let wamid = ground.write(text("hello")).await;
        let mut told_now = told(ground).await;
        let started = only(vec![told_now.remove(0)], "conversation.started");
        let body = only(told_now, "message.received");
        let (message, account, conversation) = (&body["message"], &body["account"], &body["conversation"]);
        assert_eq!(body, json!({
            "message": {
                "id": message["id"], "conversationId": conversation["id"], "platform": "whatsapp",
                "platformMessageId": wamid, "direction": "incoming", "text": "hello", "attachments": [],
                "sender": { "id": &CUSTOMER[1..], "contactId": conversation["contactId"], "phoneNumber": CUSTOMER,
                    "name": "Ayu", "businessScopedUserId": "ID.1", "whatsappUsername": "@ayu" },
                "sentAt": SENT_AT, "isRead": false, "sentVia": null,
            },
            "conversation": { "id": conversation["id"], "platformConversationId": &CUSTOMER[1..],
                "participantId": &CUSTOMER[1..], "participantName": "Ayu", "status": "active",
                "contactId": conversation["contactId"] },
            "account": { "id": account["accountId"], "accountId": account["accountId"],
                "profileId": ground.organization.hex24(), "platform": "whatsapp", "username": NUMBER,
                "displayName": "Shop" },
        }));
        assert_eq!(started["conversation"]["id"], &CUSTOMER[1..]);
        assert_eq!((&started["account"], &started["conversation"]["contactId"]), (account, &conversation["contactId"]));
        assert!(started["startedAt"].is_string());

        // Only the first message starts a conversation.
        ground.write(text("again")).await;
        only(told(ground).await, "message.received");
    }

    async fn messages_bring_more_than_text(ground: &mut Ground) {
        let first = ground.write(text("first")).await;
        ground.work().await;
        ground.hook(HOOK, EVERYTHING).await;
        let rows = [
            (json!({ "type": "location", "location": { "latitude": 1.5, "longitude": 2.0, "name": "Harbour" } }),
                json!("📍 Harbour"), json!({ "location": { "latitude": 1.5, "longitude": 2.0, "name": "Harbour" } })),
            (json!({ "type": "button", "button": { "payload": "yes", "text": "Yes" } }),
                json!("Yes"), json!({ "buttonPayload": "yes" })),
            (json!({ "type": "interactive", "interactive": { "type": "list_reply", "list_reply": { "id": "r1", "title": "Red" } } }),
                json!("Red"), json!({ "interactiveType": "list_reply", "interactiveId": "r1" })),
            (json!({ "type": "interactive", "interactive": { "type": "nfm_reply", "nfm_reply": { "name": "flow", "body": "Sent", "response_json": "{\"a\":1}" } } }),
                json!("Sent"), json!({ "interactiveType": "nfm_reply", "nfmReplyName": "flow", "flowResponseJson": "{\"a\":1}", "flowResponseData": { "a": 1 } })),
            (json!({ "type": "order", "order": { "catalog_id": "7", "text": "please", "product_items": [] } }),
                json!("please"), json!({ "order": { "catalog_id": "7", "text": "please", "product_items": [] } })),
            (json!({ "type": "text", "text": { "body": "hi" }, "referral": { "source_id": "1", "ctwa_clid": "c" } }),
                json!("hi"), json!({ "referral": { "source_id": "1", "ctwa_clid": "c" } })),
            (json!({ "type": "something_new", "something_new": { "a": 1 } }), Value::Null, Value::Null),
        ];
        for (message, text, metadata) in rows {
            ground.write(message.clone()).await;
            let body = only(told(ground).await, "message.received");
            assert_eq!((&body["message"]["text"], &body["metadata"]), (&text, &metadata), "{message}");
        }
        let card = json!({ "name": { "formatted_name": "Bo" }, "phones": [{ "phone": "+1 555" }] });
        ground.write(json!({ "type": "contacts", "contacts": [card] })).await;
        let body = only(told(ground).await, "message.received");
        assert_eq!((&body["message"]["text"], &body["metadata"]["contacts"][0]["name"]), (&json!("👤 Bo"), &card["name"]));

        // A file, and an answer to what was said before.
        let media = json!({ "id": "m1", "mime_type": "application/pdf", "filename": "a.pdf", "caption": "see" });
        ground.write(json!({ "type": "document", "document": media, "context": { "id": first } })).await;
        let body = only(told(ground).await, "message.received");
        assert_eq!(body["message"]["text"], "see");
        let attachment = &body["message"]["attachments"][0];
        assert_eq!((&attachment["type"], &attachment["payload"]), (&json!("file"), &json!({ "mimeType": "application/pdf", "filename": "a.pdf" })));
        let link = format!("https://late.example/media/{}?", body["message"]["id"].as_str().unwrap());
        assert!(attachment["url"].as_str().unwrap().starts_with(&link));
        let quoted = &body["metadata"]["quotedMessage"];
        assert_eq!((&body["metadata"]["quotedMessageId"], &quoted["platformMessageId"]), (&json!(first), &json!(first)));
        assert_eq!(quoted["messageId"].as_str().unwrap().len(), 24);
    }

    async fn reactions_edits_and_deletions_are_told_of_the_message_they_are_about(ground: &mut Ground) {
        ground.hook(HOOK, EVERYTHING).await;
        let first = ground.write(text("first")).await;
        let original = told(ground).await.pop().unwrap()["message"].clone();

        for (emoji, action) in [(Some("👍"), "added"), (None, "removed")] {
            ground.write(json!({ "type": "reaction", "reaction": { "message_id": first, "emoji": emoji } })).await;
            let body = only(told(ground).await, "reaction.received");
            let reaction = &body["reaction"];
            assert_eq!((&reaction["action"], &reaction["emoji"]), (&json!(action), &json!(emoji.unwrap_or_default())));
            assert_eq!((&reaction["platformMessageId"], &reaction["messageId"]), (&json!(first), &original["id"]));
            assert_eq!((&reaction["sender"], &reaction["reactedAt"]), (&original["sender"], &json!(SENT_AT)));
        }

        let edit = json!({ "type": "edit", "edit": { "original_message_id": first, "message": text("better") } });
        ground.write(edit).await;
        let body = only(told(ground).await, "message.edited");
        let message = &body["message"];
        assert_eq!((&message["id"], &message["platformMessageId"], &message["text"]), (&original["id"], &json!(first), &json!("better")));
        assert_eq!((&body["editCount"], &body["editHistory"][0]["text"], &body["editedAt"]), (&json!(1), &json!("first"), &json!(SENT_AT)));

        ground.write(json!({ "type": "revoke", "revoke": { "original_message_id": first } })).await;
        let body = only(told(ground).await, "message.deleted");
        assert_eq!((&body["message"]["id"], &body["message"]["text"]), (&original["id"], &json!("first")));
        assert_eq!(body["deletedAt"], SENT_AT);

        // Of one that we never had, what is known.
        ground.write(json!({ "type": "revoke", "revoke": { "original_message_id": "wamid.before" } })).await;
        let body = only(told(ground).await, "message.deleted");
        assert_eq!(body["message"]["platformMessageId"], "wamid.before");
    }

    async fn what_becomes_of_our_messages(ground: &mut Ground) {
        ground.hook(HOOK, EVERYTHING).await;
        let (message, wamid) = ground.send(Content::Text { body: "dear customer".into(), preview: false }).await;
        only(told(ground).await, "conversation.started");
        ground.receipt(&wamid, Status::Sent, None, json!({})).await;
        let body = only(told(ground).await, "message.sent");
        let sent = &body["message"];
        assert_eq!((&sent["id"], &sent["platformMessageId"]), (&json!(message.id.hex24()), &json!(wamid)));
        assert_eq!((&sent["direction"], &sent["source"], &sent["sentVia"]), (&json!("outgoing"), &json!("cloud_api"), &json!("api")));
        assert_eq!(sent["sender"]["id"], body["account"]["id"]);
        assert!(sent["sender"].get("contactId").is_none() && body.get("metadata").is_none());
        assert_eq!(body["conversation"]["participantId"], &CUSTOMER[1..]);

        for (status, name, read) in [(Status::Delivered, "message.delivered", false), (Status::Read, "message.read", true)] {
            ground.clock.advance(std::time::Duration::from_secs(60));
            ground.receipt(&wamid, status, None, json!({})).await;
            let body = only(told(ground).await, name);
            assert_eq!((&body["message"]["text"], &body["message"]["isRead"]), (&json!("dear customer"), &json!(read)));
            assert_eq!((&body["error"], &body["statusAt"]), (&Value::Null, &json!(engine::clock::rfc3339(ground.clock.now()))));
        }

        let link = "https://files.example/a.jpg";
        let media = Media { kind: MediaKind::Image, source: Source::Link(link.into()), caption: None, filename: None, mime: None, voice: false };
        let (_, wamid) = ground.send(Content::Media(media)).await;
        let failure = Failure {
            code: Code::RecipientUnreachable,
            message: "Message undeliverable".into(),
            provider_code: Some(131_026),
            details: Some("no such number".into()),
        };
        let said = json!({ "errors": [{ "code": 131_026, "title": "Undeliverable", "href": "https://errors.example/" }] });
        ground.receipt(&wamid, Status::Failed, Some(failure), said).await;
        let body = only(told(ground).await, "message.failed");
        assert_eq!(body["error"], json!({ "code": 131_026, "title": "Undeliverable", "message": "Message undeliverable",
            "details": "no such number", "href": "https://errors.example/" }));
        assert_eq!(body["message"]["attachments"][0]["url"], link);

        // Sent from the owner's telephone.
        let own = engine::facts::Message {
            sender: "100000000000001".into(),
            provider_id: "wamid.own".into(),
            chat: String::new(),
            author: String::new(),
            own: true,
            late: false,
            file_first: false,
            from: vec![engine::contacts::Address { kind: "phone".into(), value: CUSTOMER.into() }],
            profile_name: None,
            at: ground.clock.now(),
            content: Content::Text { body: "by hand".into(), preview: false },
            reply_to: None,
            file: None,
            document: None,
        };
        ground.fact(Fact::Message(Box::new(own))).await;
        let body = only(told(ground).await, "message.sent");
        assert_eq!((&body["message"]["source"], &body["message"]["sentVia"]), (&json!("whatsapp_business_app"), &Value::Null));
    }

    async fn templates_and_accounts_change(ground: &mut Ground) {
        ground.hook(HOOK, EVERYTHING).await;
        let template = |more: Value| {
            let mut value = json!({ "message_template_id": 594_425_479_261_596_i64, "message_template_name": "welcome",
                "message_template_language": "en_US" });
            more.as_object().unwrap().iter().for_each(|(name, member)| value[name] = member.clone());
            value
        };
        let known = json!({ "templateId": "594425479261596", "name": "welcome", "language": "en_US" });
        let rows = [
            ("message_template_status_update", json!({ "event": "APPROVED", "reason": "NONE" }),
                json!({ "status": "APPROVED", "reason": "NONE" })),
            ("message_template_status_update", json!({ "event": "REJECTED", "reason": "ABUSIVE_CONTENT" }),
                json!({ "status": "REJECTED", "reason": "ABUSIVE_CONTENT" })),
            ("template_category_update", json!({ "previous_category": "UTILITY", "new_category": "MARKETING" }),
                json!({ "changeType": "applied", "category": "MARKETING", "previousCategory": "UTILITY" })),
            ("template_category_update", json!({ "new_category": "UTILITY", "correct_category": "MARKETING", "category_update_timestamp": 1_790_000_000 }),
                json!({ "changeType": "scheduled", "category": "UTILITY", "scheduledCategory": "MARKETING", "effectiveAt": SENT_AT })),
        ];
        for (field, value, expected) in rows {
            ground.push(field, template(value.clone())).await;
            let name = if field.ends_with("status_update") { "whatsapp.template.status_updated" } else { "whatsapp.template.category_updated" };
            let body = only(told(ground).await, name);
            let mut whole = known.clone();
            expected.as_object().unwrap().iter().for_each(|(name, member)| whole[name] = member.clone());
            assert_eq!(body["template"], whole, "{value}");
            assert_eq!((&body["account"]["username"], &body["account"]["platform"]), (&json!(NUMBER), &json!("whatsapp")));
        }

        let review = json!({ "display_phone_number": &NUMBER[1..], "decision": "REJECTED",
            "requested_verified_name": "Best Shop", "rejection_reason": "NAME_TAKEN" });
        ground.push("phone_number_name_update", review).await;
        let body = only(told(ground).await, "whatsapp.account.name_status_updated");
        assert_eq!(body["name"], json!({ "status": "DECLINED", "requestedName": "Best Shop",
            "rejectionReason": "NAME_TAKEN", "displayPhoneNumber": &NUMBER[1..] }));
        // What Meta tells besides is not told here.
        ground.push("account_review_update", json!({ "decision": "APPROVED" })).await;
        assert!(told(ground).await.is_empty());

        for (status, name) in [("disconnected", "account.disconnected"), ("connected", "account.connected")] {
            let change = engine::facts::SenderChange {
                account: "1".into(),
                sender: "100000000000001".into(),
                what: "status".into(),
                status: Some(status.into()),
                reason: Some("the number was moved".into()),
                document: None,
            };
            ground.fact(Fact::Sender(change)).await;
            let account = only(told(ground).await, name)["account"].clone();
            let gone = status == "disconnected";
            assert_eq!(account.get("reason").is_some(), gone);
            assert_eq!(account.get("disconnectionType"), gone.then(|| json!("unintentional")).as_ref());
        }
    }
}
