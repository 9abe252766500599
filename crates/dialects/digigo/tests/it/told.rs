//! What a user's webhook is told, byte for byte where it matters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::contacts::Address;
use engine::content::{Content, Media, MediaKind, Source as From};
use engine::events::Document;
use engine::facts::{Fact, File, Message};
use engine::provider::Fetched;
use engine::sessions::State;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::{Echo, Line, on_both};
use web_wire::event::{self, Bare, Happening, MediaRef, MessageInfo, Qr, Source, Time};

use crate::house::{Flat, HMAC_KEY, HOOK, House, PUBLIC_URL, Particular, User};

const PERSON: &str = "5511988887777@s.whatsapp.net";
const GROUP: &str = "120363000000000000@g.us";

fn document(happening: &Happening) -> Document {
    Document { format: web_wire::FORMAT.into(), bytes: serde_json::to_vec(happening).unwrap() }
}

async fn happens(line: &Line, event: impl Into<Happening>) {
    let happening = event.into();
    line.notice(&happening.kind, document(&happening)).await;
}

/// What WhatsApp says of a message.
fn info(id: &str, chat: &str, own: bool) -> MessageInfo {
    let source = Source {
        chat: chat.parse().unwrap(),
        sender: PERSON.parse().unwrap(),
        is_from_me: own,
        is_group: chat.ends_with("@g.us"),
        addressing_mode: "pn".into(),
        ..Source::default()
    };
    MessageInfo { source, id: id.into(), kind: "text".into(), push_name: "Ann".into(), ..MessageInfo::default() }
}

fn said(info: MessageInfo, text: &str) -> Happening {
    event::Message::new(info, json!({ "conversation": text })).into()
}

/// The fact of a message in a user's account.
async fn message(house: &House, user: &User, happening: Happening, content: Content, file: Option<File>) -> Message {
    let info = &happening.event["Info"];
    let text = |name: &str| info[name].as_str().unwrap().to_owned();
    let (own, late) = (info["IsFromMe"] == true, happening.extras.contains_key("offline"));
    let (kind, value) = text("Chat").parse::<web_wire::jid::Jid>().unwrap().to_neutral();
    Message {
        sender: house.sender(user).await.external_id.clone(),
        provider_id: text("ID"),
        chat: text("Chat"),
        author: text("Sender"),
        own,
        late,
        from: vec![Address { kind: kind.into(), value }],
        profile_name: None,
        at: house.clock.now(),
        content,
        reply_to: None,
        file_first: file.is_some(),
        file,
        document: Some(document(&happening)),
    }
}

async fn hear(house: &House, user: &User, happening: Happening) {
    let content = Content::Text { body: "hi".into(), preview: false };
    house.hear(Fact::Message(Box::new(message(house, user, happening, content, None).await))).await;
}

async fn watched(house: &House, events: Value) -> (User, Line) {
    let user = house.create_with("shop", json!({ "webhook": HOOK, "events": events })).await;
    let line = house.link(&user).await;
    (user, line)
}

/// The kinds of what was told, in the order of their making, once a last one has been told.
async fn kinds(house: &House, line: &Line, count: usize) -> Vec<String> {
    happens(line, Bare::Connected).await;
    house.told(HOOK, count + 1).await[..count].iter().map(|told| told.kind().to_owned()).collect()
}

on_both! {
    async fn a_message_is_told_in_the_nested_envelope(house: &mut House) {
        let (user, _line) = watched(house, json!("Message")).await;
        hear(house, &user, said(info("A1", PERSON, false), "<olá>").late()).await;
        let told = &house.told(HOOK, 1).await[0];
        let event = json!({
            "Info": {
                "Chat": PERSON, "Sender": PERSON, "IsFromMe": false, "IsGroup": false, "AddressingMode": "pn",
                "SenderAlt": "", "RecipientAlt": "", "BroadcastListOwner": "", "BroadcastRecipients": null, "ID": "A1",
                "ServerID": 0, "Type": "text", "PushName": "Ann", "Timestamp": "0001-01-01T00:00:00Z", "Category": "",
                "Multicast": false, "MediaType": "", "Edit": "",
                "MsgBotInfo": { "EditType": "", "EditTargetID": "", "EditSenderTimestampMS": "0001-01-01T00:00:00Z" },
                "MsgMetaInfo": { "TargetID": "", "TargetSender": "", "TargetChat": "", "DeprecatedLIDSession": null,
                    "ThreadMessageID": "", "ThreadMessageSenderJID": "" },
                "IsNewsletterStatus": false, "VerifiedName": null, "DeviceSentMeta": null,
            },
            "Message": { "conversation": "<olá>" }, "IsEphemeral": false, "IsViewOnce": false, "IsViewOnceV2": false,
            "IsViewOnceV2Extension": false, "IsDocumentWithCaption": false, "IsLottieSticker": false,
            "IsBotInvoke": false, "IsEdit": false, "SourceWebMsg": null, "UnavailableRequestID": "", "RetryCount": 0,
            "NewsletterMeta": null, "RawMessage": { "conversation": "<olá>" },
        });
        let expected = json!({
            "baseURL": PUBLIC_URL, "businessName": "", "data": { "event": event, "offline": true, "type": "Message" },
            "eventType": "Message", "pushName": "Owner", "timestamp": house.clock.now() / 1000, "token": user.token,
            "userID": user.id.hex32(), "userJID": "5511999990000:4@s.whatsapp.net", "userName": "shop",
        });
        // Also the order of the members.
        assert_eq!(told.json.to_string(), expected.to_string());
    }

    async fn the_same_in_the_flat_envelope(flat: &mut Flat) {
        let house = &flat.0;
        let (user, line) = watched(house, json!("Connected,Message")).await;
        happens(&line, Bare::Connected).await;
        let told = &house.told(HOOK, 1).await[0];
        let expected = json!({ "event": {}, "instanceName": "shop", "type": "Connected", "userID": user.id.hex32() });
        assert_eq!(told.json.to_string(), expected.to_string());
        hear(house, &user, said(info("A1", PERSON, false), "hi").late()).await;
        let told = &house.told(HOOK, 2).await[1].json;
        let names: Vec<_> = told.as_object().unwrap().keys().collect();
        assert_eq!(names, ["event", "instanceName", "offline", "type", "userID"]);
        assert_eq!(json!([told["event"]["Message"], told["offline"]]), json!([{ "conversation": "hi" }, true]));
    }

    async fn subscriptions_limit_what_is_told(house: &mut House) {
        let (user, line) = watched(house, json!(["Receipt", "Connected"])).await;
        let receipt = || event::Receipt { ids: vec!["A1".into()], source: info("", PERSON, false).source, ..event::Receipt::default() };
        hear(house, &user, said(info("A1", PERSON, false), "not wanted")).await;
        happens(&line, Bare::KeepAliveRestored).await;
        happens(&line, receipt()).await;
        happens(&line, event::Receipt { kind: "read".into(), ..receipt() }).await;
        // Who asks for receipts gets deliveries alone, under that name.
        assert_eq!(kinds(house, &line, 1).await, ["Receipt"]);
        let told = house.told(HOOK, 2).await;
        let data = &told[0].json["data"];
        assert_eq!(json!([data["state"], data["event"]["MessageIDs"], data["type"]]), json!(["Delivered", ["A1"], "Receipt"]));

        house.post(&user, "/webhook", json!({ "webhookurl": "https://hooks.example.com/all", "events": ["All"] })).await;
        hear(house, &user, said(info("A2", PERSON, false), "wanted")).await;
        happens(&line, Bare::KeepAliveRestored).await;
        happens(&line, receipt()).await;
        happens(&line, Bare::QrTimeout).await;
        let all = house.told("https://hooks.example.com/all", 4).await;
        assert_eq!(all.iter().map(|told| told.kind()).collect::<Vec<_>>(), ["Message", "KeepAliveRestored", "ReadReceipt", "QRTimeout"]);
        assert_eq!(house.hooks.posted(HOOK).len(), 2);

        // Only what happens at his own account.
        let other = house.create_with("other", json!({ "webhook": "https://hooks.example.com/other", "events": "All" })).await;
        house.link(&other).await;
        hear(house, &user, said(info("A3", PERSON, false), "mine")).await;
        house.told("https://hooks.example.com/all", 5).await;
        assert!(house.hooks.posted("https://hooks.example.com/other").is_empty());
        // An inactive one gets nothing.
        house.by(&user.token, "PUT", "/webhook", json!({ "Active": false })).await;
        hear(house, &user, said(info("A4", PERSON, false), "unheard")).await;
        hear(house, &other, said(info("A4", PERSON, false), "heard")).await;
        house.told("https://hooks.example.com/other", 1).await;
        assert_eq!(house.hooks.posted("https://hooks.example.com/all").len(), 5);
    }

    async fn skip_flags_leave_events_out(house: &mut House) {
        let (user, line) = watched(house, json!("All")).await;
        for name in ["groups", "newsletters", "broadcasts", "ownmessages", "calls"] {
            house.post(&user, &format!("/session/skip{name}/config"), json!({ "enabled": true })).await;
        }
        for (id, chat, own) in [
            ("G", GROUP, false), ("N", "120363000000000001@newsletter", false), ("S", "status@broadcast", false), ("O", PERSON, true),
        ] {
            hear(house, &user, said(info(id, chat, own), "left out")).await;
        }
        happens(&line, Happening { kind: "CallOffer".into(), event: json!({}), media: None, extras: Default::default() }).await;
        hear(house, &user, said(info("P", PERSON, false), "told")).await;
        assert_eq!(kinds(house, &line, 1).await, ["Message"]);
        house.post(&user, "/session/skipgroups/config", json!({ "enabled": false })).await;
        house.post(&user, "/session/skipownmessages/config", json!({ "enabled": false })).await;
        hear(house, &user, said(info("G2", GROUP, false), "told")).await;
        hear(house, &user, said(info("O2", PERSON, true), "told")).await;
        let told = house.told(HOOK, 4).await;
        let ids: Vec<_> = told[2..].iter().map(|told| told.json["data"]["event"]["Info"]["ID"].as_str().unwrap()).collect();
        assert_eq!(ids, ["G2", "O2"]);
    }

    async fn an_operator_has_bodies_signed_and_headers_that_say_whose_they_are(particular: &mut Particular) {
        let house = &particular.0;
        let (user, _line) = watched(house, json!("Message,Receipt")).await;
        house.hooks.will(HOOK, [Echo::Status(500)]);
        let at = Time::from_secs(1_757_958_978);
        hear(house, &user, said(MessageInfo { timestamp: at, ..info("A1", PERSON, false) }, "2025-09-15T17:56:18Z")).await;
        house.patiently(house.told(HOOK, 2)).await;
        let posted = house.hooks.posted(HOOK);
        for post in &posted {
            let mut mac = Hmac::<Sha256>::new_from_slice(HMAC_KEY.as_bytes()).unwrap();
            mac.update(&post.body);
            assert_eq!(post.header("x-hmac-signature"), hex::encode(mac.finalize().into_bytes()));
            let names = ["X-DIGIGO-BaseURL", "X-DIGIGO-UserID", "X-DIGIGO-UserJID", "X-DIGIGO-EventType"];
            assert_eq!(names.map(|name| post.header(name)), [PUBLIC_URL, &user.id.hex32(), "5511999990000:4@s.whatsapp.net", "Message"]);
            assert!(post.headers.iter().all(|(_, value)| !value.contains(&user.token)));
            // Times are told in the operator's zone; what people write is left alone.
            let event = &post.json()["data"]["event"];
            assert_eq!(json!([event["Info"]["Timestamp"], event["Message"]]), json!(["2025-09-15T14:56:18-03:00", { "conversation": "2025-09-15T17:56:18Z" }]));
            assert_eq!(event["Info"]["MsgBotInfo"]["EditSenderTimestampMS"], "0001-01-01T00:00:00Z");
        }
        let sent = house.post(&user, "/chat/send/text", json!({ "Phone": "5511988887777", "Body": "hi" })).await;
        assert!(sent.data()["Timestamp"].as_str().unwrap().ends_with("-03:00"));
    }

    async fn a_file_comes_in_base64(house: &mut House) {
        let (user, _line) = watched(house, json!("Message")).await;
        let blobs = house.blobs.clone();
        house.phone.fetches(std::sync::Arc::new(move |media| {
            let blobs = blobs.clone();
            Box::pin(async move {
                let bytes = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from_static(b"OggS"))]);
                let meta = media::Meta { mime: media.mime.clone(), filename: None };
                blobs.put(&media.message_id.hex24(), meta, bytes, 100).await.unwrap();
                Ok(Fetched { size: 4, sha256: String::new() })
            })
        }));
        let hear = async |id: &str| {
            let raw = json!({ "audioMessage": { "mimetype": "audio/ogg; codecs=opus", "PTT": true } });
            let described = MediaRef { file_name: id.into(), mime: "audio/ogg; codecs=opus".into(), ..MediaRef::default() };
            let happening = Happening::from(event::Message::new(info(id, PERSON, false), raw)).with_media(described);
            let content = Content::Media(Media { kind: MediaKind::Audio, source: From::Id("x".into()), caption: None,
                filename: None, mime: Some("audio/ogg; codecs=opus".into()), voice: true });
            let file = File { external_id: "x".into(), mime: "audio/ogg; codecs=opus".into(), filename: None };
            house.hear(Fact::Message(Box::new(message(house, &user, happening, content, Some(file)).await))).await;
        };
        hear("A1").await;
        let told = &house.told(HOOK, 1).await[0].json["data"];
        assert_eq!(json!([told["base64"], told["mimeType"], told["fileName"]]),
            json!([STANDARD.encode(b"OggS"), "audio/ogg; codecs=opus", "A1.ogg"]));
        assert!(told.get("media").is_none() && told.get("isSticker").is_none(), "{told}");
        // Left where it is by whoever wants no files, and left out where it could not be had.
        house.post(&user, "/session/skipmedia/config", json!({ "enabled": true })).await;
        hear("A2").await;
        house.told(HOOK, 2).await;
        house.post(&user, "/session/skipmedia/config", json!({ "enabled": false })).await;
        house.phone.fetches(std::sync::Arc::new(|_| {
            Box::pin(async { Err(engine::provider::FetchError::Unavailable("it is gone".into())) })
        }));
        hear("A3").await;
        for told in &house.told(HOOK, 3).await[1..] {
            let data = told.json["data"].as_object().unwrap();
            assert_eq!(data.keys().collect::<Vec<_>>(), ["event", "type"]);
        }
    }

    async fn a_code_is_told_with_its_picture(house: &mut House) {
        let user = house.create_with("shop", json!({ "webhook": HOOK, "events": "QR,PairPasskeyRequest" })).await;
        let line = house.connect(&user).await;
        happens(&line, Qr { code: "2@first".into(), picture: None }).await;
        let told = &house.told(HOOK, 1).await[0].json;
        let data = told["data"].as_object().unwrap();
        assert_eq!(data.keys().collect::<Vec<_>>(), ["code", "event", "qrCodeBase64", "type"]);
        assert_eq!(json!([data["code"], data["event"], data["type"], told["userJID"]]), json!(["2@first", "code", "QR", ""]));
        let picture = data["qrCodeBase64"].as_str().unwrap();
        assert!(picture.starts_with("data:image/png;base64,iVBOR"));
        house.stands(&user, State::AwaitingLink).await;
        assert_eq!(house.get(&user, "/session/qr").await.data()["QRCode"], picture);
    }

    async fn what_a_receiver_refuses_is_told_again_alike(house: &mut House) {
        let (user, _line) = watched(house, json!("Message")).await;
        house.hooks.will(HOOK, [Echo::Status(404), Echo::Fails]);
        hear(house, &user, said(info("A1", PERSON, false), "hi")).await;
        house.patiently(house.told(HOOK, 3)).await;
        let posted = house.hooks.posted(HOOK);
        let first = &posted[0];
        for again in &posted[1..] {
            assert_eq!((again.header("X-Event-ID"), &again.body), (first.header("X-Event-ID"), &first.body));
        }
        let pauses: Vec<i64> = posted.windows(2).map(|two| two[1].at - two[0].at).collect();
        assert!(pauses[0] >= 4500 && pauses[1] >= 9000, "{pauses:?}");
    }

    async fn what_was_sent_here_is_told_as_the_users_own(house: &mut House) {
        let (user, _line) = watched(house, json!("Message")).await;
        let send = json!({ "Phone": "5511988887777", "Body": "hi", "Id": "A1" });
        let with = |id: &str, echo: bool| json!({ "Phone": "5511988887777", "Body": "hi", "Id": id, "EchoApi": echo });
        assert_eq!(house.post(&user, "/chat/send/text", send).await.status, 200);
        assert_eq!(house.post(&user, "/chat/send/text", with("A2", true)).await.status, 200);
        house.post(&user, "/session/echo/api", json!({ "enabled": true })).await;
        assert_eq!(house.post(&user, "/chat/send/text", json!({ "Phone": GROUP, "Body": "all", "Id": "A3" })).await.status, 200);
        let told = house.told(HOOK, 2).await;
        let seen: Vec<_> = told.iter().map(|told| {
            let event = &told.json["data"]["event"];
            let info = &event["Info"];
            json!([info["ID"], info["Chat"], info["IsFromMe"], info["IsFromAPI"], info["IsGroup"], info["Type"], event["Message"]])
        }).collect();
        assert_eq!(json!(seen), json!([
            ["A2", PERSON, true, true, false, "text", { "conversation": "hi" }],
            ["A3", GROUP, true, true, true, "text", { "conversation": "all" }],
        ]));
        let timestamp = told[0].json["data"]["event"]["Info"]["Timestamp"].as_str().unwrap();
        assert!(timestamp.starts_with("2026-"), "{timestamp}");
        assert_eq!(told[1].json["data"]["event"]["Info"]["Sender"], "5511999990000:4@s.whatsapp.net");
    }
}
