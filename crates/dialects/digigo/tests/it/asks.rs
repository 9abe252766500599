//! Questions to WhatsApp and to what is kept: what is asked, and how it is answered.

use engine::contacts::Address;
use engine::facts::{ChatStanding, Fact, PersonNames};
use engine::sessions::State;
use image::ImageFormat;
use serde_json::{Value, json};
use testkit::on_both;

use crate::house::{House, PHONE, User};
use crate::outside::{data_url, picture};

/// Where a file lies that was asked for.
const FETCHED: &str = "in-0123456789abcdef01234567";
const JID: &str = "5521971532700@s.whatsapp.net";

/// What is asked under which name, with what body, for which answer of the session; and the whole data.
type Story = (&'static str, &'static str, Value, &'static str, Value, Value, Value);

async fn tell(house: &House, user: &User, stories: Vec<Story>) {
    for (method, path, body, name, says, asked, data) in stories {
        house.phone.says(name, says);
        let reply = house.by(&user.token, method, path, body.clone()).await;
        assert_eq!(reply.data(), &data, "{path} {body}");
        assert_eq!(house.phone.last_asked(name), asked, "{path} {body}");
    }
}

on_both! {
    async fn chats_are_changed(house: &mut House) {
        let (user, _line) = house.linked("one").await;
        let now = house.clock.now();
        let last = json!({ "id": "A1", "at": 1_703_123_456, "own": true, "author": "5511@s.whatsapp.net" });
        let none = Value::Null;
        let done = |message: &str, name: &str, value: bool| json!({ "success": true, "message": message, "jid": JID, name: value });
        tell(house, &user, vec![
            ("POST", "/chat/pin", json!({ "phone": PHONE, "pin": true }), "pin", none.clone(),
                json!({ "chat": JID, "pinned": true }), done("Chat pinned successfully", "pinned", true)),
            ("POST", "/chat/pin", json!({ "phone": JID, "pin": false }), "pin", none.clone(),
                json!({ "chat": JID, "pinned": false }), done("Chat unpinned successfully", "pinned", false)),
            ("POST", "/chat/archive", json!({ "phone": PHONE, "archive": true, "last_message_id": "A1",
                "last_message_timestamp": 1_703_123_456, "last_message_from_me": true, "last_message_remote_jid": "5511@s.whatsapp.net" }),
                "archive", none.clone(), json!({ "chat": JID, "archived": true, "last": last }), done("Chat archived successfully", "archived", true)),
            ("POST", "/chat/archive", json!({ "phone": PHONE, "archive": false }), "archive", none.clone(),
                json!({ "chat": JID, "archived": false, "last": null }), done("Chat unarchived successfully", "archived", false)),
            ("POST", "/chat/mute", json!({ "phone": PHONE, "mute": true, "mute_duration": "8h" }), "mute", none.clone(),
                json!({ "chat": JID, "muted": true, "until": now + 8 * 3_600_000 }),
                json!({ "success": true, "message": "Chat muted successfully", "jid": JID, "muted": true, "duration": "8h" })),
            ("POST", "/chat/mute", json!({ "phone": PHONE, "mute": true }), "mute", none.clone(),
                json!({ "chat": JID, "muted": true, "until": null }),
                json!({ "success": true, "message": "Chat muted successfully", "jid": JID, "muted": true, "duration": "always" })),
            ("POST", "/chat/star", json!({ "chat_jid": "1-2@g.us", "sender_jid": JID, "message_id": "A1", "star": true }), "star", none.clone(),
                json!({ "chat": "1-2@g.us", "id": "A1", "author": JID, "own": false, "starred": true }),
                json!({ "success": true, "message": "Message starred successfully", "chat_jid": "1-2@g.us", "message_id": "A1", "starred": true })),
            ("POST", "/chat/delete-chat", json!({ "phone": PHONE, "last_message_id": "A1", "last_message_timestamp": 1_703_123_456,
                "last_message_from_me": true, "last_message_sender_jid": "5511@s.whatsapp.net" }), "delete_chat", none.clone(),
                json!({ "chat": JID, "last": last }), json!({ "success": true, "message": "Chat deleted successfully", "jid": JID })),
            ("POST", "/chat/presence", json!({ "Phone": PHONE, "State": "composing", "Media": "audio" }), "typing", none.clone(),
                json!({ "chat": JID, "typing": true, "recording": true }), json!({ "Details": "Chat presence set successfuly" })),
            ("POST", "/chat/presence", json!({ "Phone": PHONE, "State": "paused" }), "typing", none.clone(),
                json!({ "chat": JID, "typing": false, "recording": false }), json!({ "Details": "Chat presence set successfuly" })),
            ("POST", "/chat/markread", json!({ "Id": ["A1", "A2"], "Chat": "1-2@g.us", "Sender": JID }), "mark_read", none.clone(),
                json!({ "chat": "1-2@g.us", "author": JID, "ids": ["A1", "A2"] }), json!({ "Details": "Message(s) marked as read" })),
            ("POST", "/chat/markread", json!({ "Id": "A1", "Chat": JID }), "mark_read", none,
                json!({ "chat": JID, "author": null, "ids": ["A1"] }), json!({ "Details": "Message(s) marked as read" })),
        ]).await;
    }

    async fn chats_and_contacts_are_listed_from_what_is_known(house: &mut House) {
        let user = house.create("one").await;
        house.link(&user).await;
        let sender = house.sender(&user).await.external_id.clone();
        let phone = |value: &str| Address { kind: "phone".into(), value: value.into() };
        let now = house.clock.now();
        let chat = |address: Address, standing: engine::chats::Standing| Fact::Chat(ChatStanding { sender: sender.clone(), address, standing: Some(standing) });
        for fact in [
            chat(phone("+5521971532700"), engine::chats::Standing { pinned: Some(true), muted_until: Some(Some(i64::MAX / 1000)), ..Default::default() }),
            chat(Address { kind: "group".into(), value: "1-2@g.us".into() },
                engine::chats::Standing { archived: Some(true), muted_until: Some(Some(now - 1)), ..Default::default() }),
            Fact::Person(PersonNames { sender: sender.clone(), address: phone("+5521971532700"),
                names: engine::chats::Names { full_name: Some("Ann Lee".into()), push_name: Some("Ann".into()), ..Default::default() } }),
        ] {
            house.hear(fact).await;
        }
        let chats = house.get(&user, "/chat/list").await;
        assert_eq!(chats.json, json!({
            "success": true,
            "chats": [
                { "chat_jid": "1-2@g.us", "phone_number": "1-2", "muted_until": 0, "pinned": false, "archived": true },
                { "chat_jid": JID, "phone_number": PHONE, "muted_until": i64::MAX / 1_000_000, "pinned": true, "archived": false },
            ],
            "stats": { "total": 2, "pinned_count": 1, "archived_count": 1, "muted_count": 1 },
        }));
        let contacts = house.get(&user, "/user/contacts").await;
        assert_eq!(contacts.data(), &json!({
            JID: { "BusinessName": "", "FirstName": "", "Found": true, "FullName": "Ann Lee", "PushName": "Ann" },
        }));
        // They are there while the connection is not.
        house.post(&user, "/session/disconnect", Value::Null).await;
        assert_eq!(house.get(&user, "/chat/list").await.json["stats"]["total"], 2);
        assert_eq!(house.get(&user, "/user/contacts").await.data().as_object().unwrap().len(), 1);
    }

    async fn people_are_looked_up(house: &mut House) {
        let (user, _line) = house.linked("one").await;
        let person = json!({ "address": JID, "hidden": "77@lid", "about": "Hi", "picture_id": "17", "verified_name": "Shop",
            "business": true, "devices": [JID, "5521971532700:5@s.whatsapp.net"] });
        let device = |jid: &str, ad: &str| json!({ "user": PHONE, "agent": "0", "device": "UNKNOWN", "server": "s.whatsapp.net", "ad": ad, "jid": jid });
        let devices = json!([device(JID, "5521971532700.0:0@s.whatsapp.net"),
            device("5521971532700:5@s.whatsapp.net", "5521971532700.0:5@s.whatsapp.net")]);
        let business = json!({ "address": JID, "email": "a@example.com", "street": "1 Street",
            "categories": [{ "id": "1", "name": "Shopping" }], "options": { "website": "https://example.com" }, "timezone": "America/Sao_Paulo",
            "hours": [{ "day": "mon", "mode": "open_24h", "opens": null, "closes": null }] });
        let hours = json!([{ "day_of_week": "mon", "mode": "open_24h", "open_time": "", "close_time": "" }]);
        let bare = json!({ "address": "5511999999999@s.whatsapp.net" });
        tell(house, &user, vec![
            ("POST", "/user/info", json!({ "Phone": [PHONE, "5511999999999"] }), "people", json!([person, bare]),
                json!({ "addresses": [JID, "5511999999999@s.whatsapp.net"] }),
                json!({ "users": {
                    JID: { "jid": JID, "status": "Hi", "picture_id": "17", "is_business_account": true, "device_count": 2,
                        "devices": devices, "first_device": JID, "verified_name": "Shop", "business_name": "Shop", "lid": "77@lid" },
                    "5511999999999@s.whatsapp.net": { "jid": "5511999999999@s.whatsapp.net", "status": "", "picture_id": "",
                        "is_business_account": false, "device_count": 0, "devices": [] },
                } })),
            ("POST", "/user/check", json!({ "Phone": [PHONE, "123456"] }), "check_numbers",
                json!([{ "query": PHONE, "address": JID, "exists": true, "verified_name": "Shop" },
                    { "query": "123456", "address": "123456@s.whatsapp.net", "exists": false, "verified_name": null }]),
                json!({ "phones": [PHONE, "123456"] }),
                json!({ "Users": [{ "IsInWhatsapp": true, "JID": JID, "Query": PHONE, "VerifiedName": "Shop" },
                    { "IsInWhatsapp": false, "JID": "123456@s.whatsapp.net", "Query": "123456", "VerifiedName": "" }] })),
            ("POST", "/user/business/profile", json!({ "phone": PHONE }), "business", business.clone(), json!({ "address": JID }),
                json!({ "jid": JID, "email": "a@example.com", "address": "1 Street", "categories": [{ "id": "1", "name": "Shopping" }],
                    "profile_options": { "website": "https://example.com" }, "business_hours_timezone": "America/Sao_Paulo", "business_hours": hours })),
            ("POST", "/user/avatar", json!({ "Phone": PHONE, "Preview": true, "CommonGID": "1-2@g.us", "InviteCode": "X", "PersonaID": "P" }), "picture",
                json!({ "id": "17", "url": "https://pps.whatsapp.net/a.jpg", "kind": "preview", "direct_path": "/a.jpg" }),
                json!({ "address": JID, "preview": true, "existing_id": null, "community": false, "common_group": "1-2@g.us", "invite_code": "X", "persona_id": "P" }),
                json!({ "direct_path": "/a.jpg", "id": "17", "type": "preview", "url": "https://pps.whatsapp.net/a.jpg" })),
        ]).await;

        // All of it at once, from any address of theirs.
        house.phone.says("both_addresses", json!({ "phone": JID, "hidden": "77@lid", "known_since": 1_640_995_200_000_i64 }));
        house.phone.says("check_numbers", json!([{ "query": PHONE, "address": JID, "exists": true, "verified_name": null }]));
        house.phone.says("people", json!([person]));
        for (asked, kind) in [(PHONE, "phone"), (JID, "jid"), ("77@lid", "lid")] {
            let found = house.post(&user, "/user/contact/info", json!({ "phone": asked })).await;
            assert_eq!(found.data(), &json!({
                "phone": PHONE, "jid": JID, "input_type": kind, "is_on_whatsapp": true, "verified_name": "Shop", "lid": "77@lid",
                "devices": devices, "contact_names": null,
                "user_info": { "status": "Hi", "picture_id": "17", "verified_name": "Shop", "is_business_account": true, "device_count": 2 },
                "avatar": { "url": "https://pps.whatsapp.net/a.jpg", "id": "17", "type": "preview", "direct_path": "/a.jpg" },
                "business_profile": { "email": "a@example.com", "address": "1 Street", "categories": [{ "id": "1", "name": "Shopping" }],
                    "profile_options": { "website": "https://example.com" }, "business_hours_timezone": "America/Sao_Paulo", "business_hours": hours },
            }), "{asked}");
        }
        // What they hide is left out; who is not there has nothing.
        house.phone.refuses("picture", "not authorized");
        house.phone.says("business", Value::Null);
        house.phone.says("people", json!([bare]));
        let found = house.post(&user, "/user/contact/info", json!({ "phone": PHONE })).await;
        assert_eq!(json!([found.data()["avatar"], found.data()["business_profile"], found.data()["user_info"]["status"]]), json!([null, null, ""]));
        house.phone.says("check_numbers", json!([{ "query": PHONE, "address": JID, "exists": false, "verified_name": null }]));
        house.phone.says("both_addresses", Value::Null);
        let found = house.post(&user, "/user/contact/info", json!({ "phone": PHONE })).await;
        assert_eq!(json!([found.data()["is_on_whatsapp"], found.data()["user_info"], found.data()["lid"]]), json!([false, null, null]));
        let unknown = house.post(&user, "/user/contact/info", json!({ "phone": "99@lid" })).await;
        assert_eq!(unknown.told(), (404, "could not resolve LID to phone number. The LID mapping may not be cached locally"));
        assert_eq!(house.post(&user, "/user/business/profile", json!({ "phone": PHONE })).await.status, 500);
    }

    async fn both_addresses_of_a_person_are_told(house: &mut House) {
        let (user, _line) = house.linked("one").await;
        let pair = json!({ "phone": JID, "hidden": "77@lid", "known_since": 1_640_995_200_000_i64 });
        house.phone.says("both_addresses", pair.clone());
        let of_phone = json!({ "success": true, "phone": JID, "lid": "77@lid", "created_at": 1_640_995_200, "message": "LID retrieved successfully" });
        let of_lid = json!({ "success": true, "lid": "77@lid", "phone": JID, "created_at": 1_640_995_200, "message": "Phone/JID retrieved successfully" });
        for phone in [PHONE, JID, "%2B55%2021%2097153-2700"] {
            assert_eq!(house.get(&user, &format!("/user/lid/get?phone={phone}")).await.json, of_phone, "{phone}");
        }
        assert_eq!(house.post(&user, "/user/lid/get", json!({ "phone": PHONE })).await.json, of_phone);
        assert_eq!(house.get(&user, "/user/lid/from-lid?lid=77@lid").await.json, of_lid);
        assert_eq!(house.post(&user, "/user/lid/from-lid", json!({ "lid": "77:3@lid" })).await.json, of_lid);
        house.phone.says("known_pairs", json!({ "total": 7, "pairs": [pair] }));
        let known = house.get(&user, "/user/lid/mappings?limit=1&offset=3").await;
        assert_eq!(known.json, json!({
            "success": true, "total": 7, "limit": 1, "offset": 3, "message": "LID mappings retrieved successfully",
            "mappings": [{ "id": 4, "phone": JID, "lid": "77@lid", "created_at": 1_640_995_200, "last_used": 1_640_995_200, "usage_count": 0 }],
        }));
        assert_eq!(house.phone.last_asked("known_pairs"), json!({ "limit": 1, "offset": 3 }));
        house.get(&user, "/user/lid/mappings").await;
        assert_eq!(house.phone.last_asked("known_pairs"), json!({ "limit": 100, "offset": 0 }));
        for phone in ["", "x", "77@lid", "1-2@g.us"] {
            assert_eq!(house.get(&user, &format!("/user/lid/get?phone={phone}")).await.told(), (400, "invalid phone/JID format"), "{phone}");
        }
        for lid in ["", "77", "x@lid", "2:abcd1234efgh5678@lid", "77.1@lid", JID] {
            assert_eq!(house.get(&user, &format!("/user/lid/from-lid?lid={lid}")).await.told(), (400, "invalid LID format"), "{lid}");
        }
        house.phone.says("both_addresses", Value::Null);
        assert_eq!(house.get(&user, "/user/lid/from-lid?lid=99@lid").await.status, 404);
    }

    async fn the_account_itself_is_shown_and_changed(house: &mut House) {
        let (user, _line) = house.linked("one").await;
        let none = Value::Null;
        tell(house, &user, vec![
            ("GET", "/user/status", none.clone(), "about", json!("Busy"), none.clone(), json!({ "status": "Busy" })),
            ("POST", "/user/status", json!({ "status": "" }), "set_about", none.clone(), json!({ "text": "" }),
                json!({ "success": true, "message": "Status updated successfully", "status": "" })),
            ("POST", "/user/pushname", json!({ "push_name": "John" }), "set_push_name", none.clone(), json!({ "push_name": "John" }),
                json!({ "success": true, "message": "Push name updated successfully", "push_name": "John" })),
            ("POST", "/user/presence", json!({ "type": "available" }), "presence", none.clone(), json!({ "available": true }),
                json!({ "Details": "Presence set successfuly" })),
            ("GET", "/user/privacy/settings", none.clone(), "privacy",
                json!({ "group_add": "contacts", "last_seen": "all", "about": "none", "picture": "all", "read_receipts": "all",
                    "online": "match_last_seen", "call_add": "known" }), none.clone(),
                json!({ "group_add": "contacts", "last_seen": "all", "status": "none", "profile": "all", "read_receipts": "all",
                    "online": "match_last_seen", "call_add": "known" })),
            ("POST", "/user/contact/add", json!({ "phone": PHONE, "full_name": "Ann Lee" }), "save_contact", none.clone(),
                json!({ "address": JID, "full_name": "Ann Lee" }),
                json!({ "success": true, "message": "Contact added successfully", "phone": PHONE, "full_name": "Ann Lee" })),
            ("POST", "/user/contact/remove", json!({ "phone": PHONE }), "remove_contact", none.clone(), json!({ "address": JID }),
                json!({ "success": true, "message": "Contact removed successfully", "phone": PHONE })),
            ("POST", "/user/photo/remove", none.clone(), "remove_picture", none.clone(), none, json!({ "Details": "Profile photo removed successfully" })),
        ]).await;

        house.phone.says("set_picture", json!({ "id": "1729003008" }));
        let jpeg = picture(ImageFormat::Jpeg);
        for image in [data_url("image/jpeg", &jpeg), house.origin.url("/photo.jpg")] {
            let set = house.post(&user, "/user/photo", json!({ "Image": image })).await;
            assert_eq!(set.data(), &json!({ "Details": "Profile photo set successfully", "PictureID": "1729003008" }));
            let blob = house.phone.last_asked("set_picture")["blob"].as_str().unwrap().to_owned();
            assert!(house.blob(&blob).await.is_none(), "it was only kept for this");
        }
        for (image, text) in [
            (json!(null), "missing Image in Payload"),
            (json!(data_url("image/png", &picture(ImageFormat::Png))), "image must be in JPEG format. WhatsApp only accepts JPEG images for profile photos"),
            (json!("x"), r#"Image must be a base64 data URL ("data:image/jpeg;base64,...") or an HTTP/HTTPS URL"#),
            (json!(house.origin.url("/missing")), "could not download image from URL: HTTP error 404 when downloading from URL"),
            (json!("data:image/jpeg;base64,*"), "could not decode base64 encoded data from payload"),
        ] {
            assert_eq!(house.post(&user, "/user/photo", json!({ "Image": image })).await.told(), (400, text));
        }
        house.phone.refuses("set_picture", "image not acceptable");
        let refused = house.post(&user, "/user/photo", json!({ "Image": data_url("image/jpeg", &jpeg) })).await;
        assert_eq!(refused.json, json!({ "code": 500, "data": "failed to set profile photo: image not acceptable", "success": false }));
        assert_eq!(house.blobs.usage(), 0);
    }

    async fn files_are_downloaded_in_a_data_url(house: &mut House) {
        let (user, _line) = house.linked("one").await;
        for (kind, mime) in [
            ("image", "image/jpeg"), ("video", "video/mp4"), ("document", "application/pdf"), ("audio", "audio/ogg"), ("sticker", "image/webp"),
        ] {
            let meta = media::Meta { mime: mime.into(), filename: None };
            let bytes = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from_static(b"file"))]);
            house.blobs.put(FETCHED, meta, bytes, 100).await.unwrap();
            house.phone.says("download", json!({ "blob": FETCHED, "size": 4 }));
            let body = json!({ "Url": "https://mmg.whatsapp.net/x", "DirectPath": "/x", "MediaKey": "a2V5", "Mimetype": mime,
                "FileEncSHA256": "ZW5j", "FileSHA256": "c2hh", "FileLength": 4 });
            let reply = house.post(&user, &format!("/chat/download{kind}"), body.clone()).await;
            assert_eq!(reply.data(), &json!({ "Data": format!("data:{mime};base64,ZmlsZQ=="), "Mimetype": mime }));
            assert_eq!(house.phone.last_asked("download"), json!({ "kind": kind, "url": "https://mmg.whatsapp.net/x", "direct_path": "/x",
                "media_key": "a2V5", "sha256": "c2hh", "encrypted_sha256": "ZW5j", "length": 4 }));
            assert!(house.blob(FETCHED).await.is_none());
            for (name, text) in [
                ("MediaKey", "missing MediaKey in Payload"), ("Mimetype", "missing Mimetype in Payload"),
                ("FileSHA256", "missing FileSHA256 in Payload"), ("FileLength", "missing FileLength in Payload"),
            ] {
                let mut body = body.clone();
                body.as_object_mut().unwrap().remove(name);
                assert_eq!(house.post(&user, &format!("/chat/download{kind}"), body).await.told(), (400, text));
            }
            house.phone.refuses("download", "the file is gone");
            let gone = house.post(&user, &format!("/chat/download{kind}"), body).await;
            assert_eq!(gone.told(), (500, "failed to download: the file is gone"));
        }
        let whole = json!({ "MediaKey": "a2V5", "Mimetype": "image/jpeg", "FileSHA256": "c2hh", "FileLength": 4.0 });
        assert_eq!(house.post(&user, "/chat/downloadimage", whole).await.told(), (400, "missing Url in Payload"));
    }

    async fn what_whatsapp_refuses_is_told_in_its_words(house: &mut House) {
        let (user, line) = house.linked("one").await;
        let asks = [
            ("POST", "/chat/pin", json!({ "phone": PHONE, "pin": true }), "pin", "no"),
            ("POST", "/chat/delete-chat", json!({ "phone": PHONE }), "delete_chat", "failed to delete chat: no"),
            ("POST", "/user/contact/add", json!({ "phone": PHONE, "full_name": "Ann" }), "save_contact", "failed to add contact: no"),
            ("POST", "/user/contact/remove", json!({ "phone": PHONE }), "remove_contact", "failed to remove contact: no"),
            ("POST", "/user/contact/info", json!({ "phone": PHONE }), "check_numbers", "failed to check WhatsApp registration: no"),
            ("POST", "/user/photo/remove", Value::Null, "remove_picture", "failed to remove profile photo: no"),
            ("GET", "/user/status", Value::Null, "about", "no"),
        ];
        for (method, path, body, name, text) in asks.clone() {
            house.phone.refuses(name, "no");
            assert_eq!(house.by(&user.token, method, path, body).await.told(), (500, text), "{path}");
        }
        line.state(State::Reconnecting, "no network").await;
        for (method, path, body, _, _) in asks.clone() {
            let reply = house.by(&user.token, method, path, body).await;
            assert!(reply.status == 500 && reply.told().1.ends_with("not connected"), "{path}: {}", reply.json);
        }
        house.post(&user, "/session/disconnect", Value::Null).await;
        line.stopped().await;
        house.until(async || !house.engine.session(&user.id).await.unwrap().unwrap().held).await;
        for (method, path, body, _, _) in asks {
            assert_eq!(house.by(&user.token, method, path, body).await.told(), (500, "no session"), "{path}");
        }
    }
}
