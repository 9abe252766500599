//! Everything that can be sent, what is handed over of it, and what callers are told.

use engine::content::Content;
use engine::failure::{Code, SendError};
use image::ImageFormat;
use serde_json::{Value, json};
use testkit::{Reply, on_both};
use web_wire::send::Outgoing;

use crate::house::{House, PHONE, Reply as Answer};
use crate::outside::{MP4, OPUS, PDF, data_url, picture};

/// What was handed over last.
fn handed(house: &House) -> (engine::provider::Outgoing, Outgoing) {
    let sent = house.phone.sent().pop().unwrap();
    let Content::Native(native) = &sent.content else { panic!("{sent:?}") };
    assert_eq!(native.format, web_wire::FORMAT);
    let outgoing = serde_json::from_value(native.json.clone()).unwrap();
    (sent, outgoing)
}

#[track_caller]
fn is_sent(reply: &Answer, id: &str) {
    let data = reply.data();
    assert_eq!((data["Details"].as_str(), data["Id"].as_str()), (Some("Sent"), Some(id)));
    let timestamp = data["Timestamp"].as_str().unwrap();
    assert!(
        timestamp.starts_with("2026-09-21T14:1") && timestamp.ends_with('Z') && timestamp.len() == 20,
        "{timestamp}"
    );
}

/// One body of each operation; the kind that it is kept as.
fn bodies(house: &House) -> Vec<(&'static str, &'static str, Value)> {
    let card = json!({ "Text": "Card", "MediaUrl": house.origin.url("/picture.png"), "MediaType": "image",
        "Buttons": [{ "Label": "Yes", "Type": "reply", "Id": "yes" }] });
    let button = json!({ "buttonId": "b", "buttonText": { "displayText": "Yes" }, "type": "quick_reply" });
    vec![
        ("text", "text", json!({ "Body": "hi" })),
        ("link", "text", json!({ "Link": house.origin.url("/page"), "Caption": "Look" })),
        ("image", "image", json!({ "Image": data_url("image/png", &picture(ImageFormat::Png)), "Caption": "c" })),
        ("audio", "audio", json!({ "Audio": data_url("audio/ogg", OPUS) })),
        ("document", "document", json!({ "Document": data_url("application/pdf", PDF), "FileName": "a.pdf" })),
        ("video", "video", json!({ "Video": house.origin.url("/clip.mp4") })),
        ("ptv", "ptv", json!({ "Video": data_url("video/mp4", MP4) })),
        ("sticker", "sticker", json!({ "Sticker": data_url("image/png", &picture(ImageFormat::Png)) })),
        ("location", "location", json!({ "Latitude": 48.85837, "Longitude": 2.294481, "Name": "Tower" })),
        ("contact", "contacts", json!({ "Name": "John", "Vcard": "BEGIN:VCARD\nEND:VCARD" })),
        (
            "list",
            "list",
            json!({ "Text": "Choose", "ButtonText": "Open",
            "Sections": [{ "Title": "S", "Rows": [{ "RowId": "r", "Title": "R", "Description": "D" }] }] }),
        ),
        ("event", "event", json!({ "Name": "Party", "StartTime": 2_524_608_000_i64 })),
        ("buttons", "interactive", json!({ "text": "Choose", "buttons": [button] })),
        (
            "flow",
            "interactive",
            json!({ "Body": "Fill in", "Buttons": [{ "Name": "start", "ButtonParams": { "flow_id": "1" } }] }),
        ),
        ("carousel", "carousel", json!({ "Message": "Look", "Carousel": [card.clone(), card] })),
    ]
}

on_both! {
    async fn everything_can_be_sent(house: &mut House) {
        let (user, _line) = house.linked("one").await;
        for (operation, kind, mut body) in bodies(house) {
            let id = format!("MY-{}", operation.to_uppercase());
            (body["Phone"], body["Id"]) = (json!(PHONE), json!(id));
            let reply = house.post(&user, &format!("/chat/send/{operation}"), body).await;
            is_sent(&reply, &id);
            let (sent, outgoing) = handed(house);
            assert_eq!((outgoing.body.kind(), sent.provider_id.as_deref()), (kind, Some(id.as_str())), "{operation}");
            assert_eq!((sent.to.kind.as_str(), sent.to.value.as_str()), ("phone", "+5521971532700"));
            // Files are of no use once the message is out.
            for blob in outgoing.body.blobs() {
                assert!(house.blob(blob).await.is_none(), "{operation}");
            }
        }
        let poll = json!({ "Group": "120363000000000000@g.us", "Header": "Tea?", "Options": ["yes", "no"], "Id": "POLL" });
        let reply = house.post(&user, "/chat/send/poll", poll).await;
        assert_eq!(reply.data(), &json!({ "Details": "Poll sent successfully", "Id": "POLL" }));
        assert_eq!(handed(house).0.to.value, "120363000000000000@g.us");
        let edit = house.post(&user, "/chat/send/edit", json!({ "Phone": PHONE, "Id": "MY-TEXT", "Body": "hello" })).await;
        assert_eq!(edit.data(), &json!({ "Details": "Message edited successfully", "Id": "MY-TEXT" }));
        assert_eq!(serde_json::to_value(handed(house).1.body).unwrap(), json!({ "kind": "edit", "id": "MY-TEXT", "text": "hello" }));
        assert_eq!(house.phone.sent().len(), 17);
        // Kept for whoever looks at the engine's messages.
        let kept = house.engine.messages(&house.organization, &user.id, &Default::default(), 100).await.unwrap();
        assert_eq!(kept.len(), 17);

        let fresh = house.post(&user, "/chat/send/text", json!({ "Phone": PHONE, "Body": "hi" })).await;
        let id = fresh.data()["Id"].as_str().unwrap();
        assert!(id.starts_with("3EB0") && id.len() == 22, "{id}");
        let again = house.post(&user, "/chat/send/text", json!({ "Phone": PHONE, "Body": "hi", "Id": id })).await;
        assert_eq!(again.told(), (409, "there is already a message with this Id"));
    }

    async fn terms_reach_the_other_side(house: &mut House) {
        let (user, _line) = house.linked("one").await;
        let body = json!({
            "phone": PHONE, "BODY": "yes", "id": "R1", "presence": 3000, "duration": 86400, "numberCheck": true,
            "ContextInfo": { "stanzaID": "S1", "participant": "5511@s.whatsapp.net", "quotedMessage": { "conversation": "really?" },
                "isForwarded": true, "mentionedJID": ["5521971532700@s.whatsapp.net"], "mentionAll": true },
        });
        is_sent(&house.post(&user, "/chat/send/text", body).await, "R1");
        let (sent, outgoing) = handed(house);
        assert_eq!(sent.reply_to.as_deref(), Some("S1"));
        assert_eq!(serde_json::to_value(&outgoing).unwrap(), json!({
            "body": { "kind": "text", "text": "yes" }, "expires_in": 86400, "check_number": true,
            "typing": { "milliseconds": 3000, "recording": false },
            "context": { "reply_to": { "id": "S1", "author": "5511@s.whatsapp.net", "message": { "conversation": "really?" } },
                "forwarded": true, "mentions": ["5521971532700@s.whatsapp.net"], "mention_all": true },
        }));
        for (to, value) in [
            ("+55 21 97153-2700", "+5521971532700"), ("5521971532700:3@s.whatsapp.net", "+5521971532700"),
            ("77@lid", "77@lid"), ("120363000000000000@g.us", "120363000000000000@g.us"),
        ] {
            assert_eq!(house.post(&user, "/chat/send/text", json!({ "Phone": to, "Body": "hi" })).await.status, 200);
            let (sent, _) = handed(house);
            assert_eq!(sent.to.value, value, "{to}");
        }
    }

    async fn reactions_and_deletions_are_messages_too(house: &mut House) {
        let (user, _line) = house.linked("one").await;
        for (body, target, emoji) in [
            (json!({ "Phone": PHONE, "Id": "A1", "Body": "❤️" }), json!({ "id": "A1", "own": false }), "❤️"),
            (json!({ "Phone": PHONE, "Id": "me:A1", "Body": "👍" }), json!({ "id": "A1", "own": true }), "👍"),
            (json!({ "Phone": format!("me:{PHONE}"), "Id": "A1", "Body": "" }), json!({ "id": "A1", "own": true }), ""),
            (json!({ "Phone": PHONE, "Id": "A1", "Body": "remove", "Participant": "5511@s.whatsapp.net" }),
                json!({ "id": "A1", "own": false, "author": "5511@s.whatsapp.net" }), ""),
        ] {
            let reply = house.post(&user, "/chat/react", body).await;
            is_sent(&reply, reply.data()["Id"].as_str().unwrap());
            let (sent, outgoing) = handed(house);
            assert_eq!(serde_json::to_value(outgoing.body).unwrap(), json!({ "kind": "reaction", "target": target, "emoji": emoji }));
            assert_eq!(sent.to.value, "+5521971532700");
        }
        let deleted = house.post(&user, "/chat/delete", json!({ "Phone": PHONE, "Id": "A1" })).await;
        assert_eq!(deleted.data(), &json!({ "Details": "Message deleted" }));
        assert_eq!(serde_json::to_value(handed(house).1.body).unwrap(),
            json!({ "kind": "revoke", "target": { "id": "A1", "own": true } }));
        for (path, body, text) in [
            ("/chat/react", json!({ "Phone": PHONE, "Id": "A1" }), "missing Body in Payload"),
            ("/chat/react", json!({ "Phone": "me:", "Id": "A1", "Body": "x" }), "could not parse Phone"),
            ("/chat/delete", json!({ "Phone": PHONE }), "missing Id in Payload"),
            ("/chat/delete", json!({ "Id": "A1" }), "missing Phone in Payload"),
        ] {
            assert_eq!(house.post(&user, path, body).await.told(), (400, text), "{path}");
        }
    }

    async fn refusals_are_told_with_whose_fault_it_was(house: &mut House) {
        let (user, _line) = house.linked("one").await;
        let refused = |code, words: &str| Reply::Fails(SendError::refused(code, words));
        for (reply, status, text) in [
            (refused(Code::RecipientUnreachable, "the recipient is not on WhatsApp (404)."), 400, "the recipient is not on WhatsApp (404)."),
            (refused(Code::Rejected, "WhatsApp refused the message (479)."), 400, "WhatsApp refused the message (479)."),
            (refused(Code::MediaFailed, "the file could not be uploaded"), 500, "the file could not be uploaded"),
        ] {
            house.phone.will([reply]);
            let image = json!({ "Phone": PHONE, "Image": house.origin.url("/picture.png"), "NumberCheck": true });
            assert_eq!(house.post(&user, "/chat/send/image", image).await.told(), (status, text));
            let blob = handed(house).1.body.blobs()[0].to_owned();
            assert!(house.blob(&blob).await.is_none());
        }
        house.phone.will([refused(Code::Rejected, "WhatsApp refused the message (479).")]);
        assert_eq!(house.post(&user, "/chat/react", json!({ "Phone": PHONE, "Id": "A", "Body": "x" })).await.status, 400);
    }

    async fn without_a_connection_nothing_is_begun(house: &mut House) {
        let user = house.create("one").await;
        let mut all: Vec<(String, Value)> = Vec::new();
        for (operation, _, mut body) in bodies(house) {
            body["Phone"] = json!(PHONE);
            all.push((format!("/chat/send/{operation}"), body));
        }
        all.push(("/chat/send/poll".into(), json!({ "Group": "1@g.us", "Header": "?", "Options": ["a", "b"] })));
        all.push(("/chat/send/edit".into(), json!({ "Phone": PHONE, "Id": "A", "Body": "x" })));
        all.push(("/chat/react".into(), json!({ "Phone": PHONE, "Id": "A", "Body": "x" })));
        all.push(("/chat/delete".into(), json!({ "Phone": PHONE, "Id": "A" })));
        for (path, body) in &all {
            assert_eq!(house.post(&user, path, body.clone()).await.told(), (500, "no session"), "{path}");
        }
        house.connect(&user).await;
        house.stands(&user, engine::sessions::State::AwaitingLink).await;
        for (path, body) in &all {
            assert_eq!(house.post(&user, path, body.clone()).await.told(), (500, "not connected"), "{path}");
        }
        house.link(&user).await;
        house.post(&user, "/session/disconnect", Value::Null).await;
        for (path, body) in &all {
            assert_eq!(house.post(&user, path, body.clone()).await.told(), (500, "no session"), "{path}");
        }
        assert_eq!((house.phone.sent().len(), house.blobs.usage()), (0, 0));
    }
}
