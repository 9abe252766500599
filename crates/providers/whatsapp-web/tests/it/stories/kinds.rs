use bytes::Bytes;
use engine::events::{MESSAGE_ECHOED, MESSAGE_RECEIVED};
use engine::messages::Status;
use sandbox_web::Chat;
use serde_json::{Value, json};
use testkit::on_both;
use web_wire::jid::Jid;
use web_wire::send::{
    Body, Context, Event, Header, Interactive, List, Media, MediaKind, NativeButton, Outgoing, Place, Preview, Quoted,
    Row, Section, Target,
};

use super::house::{ANA, BEN, CYD, House, blob as name_of, document, jid, phone, text};

fn media(kind: MediaKind, blob: &str, mime: &str) -> Media {
    Media {
        kind,
        blob: blob.into(),
        mime: mime.into(),
        caption: None,
        filename: None,
        width: None,
        height: None,
        seconds: None,
        waveform: None,
        thumbnail: None,
        voice: false,
        view_once: false,
        animated: false,
    }
}

fn reply_button(id: &str, title: &str) -> NativeButton {
    let params = json!({ "display_text": title, "id": id }).to_string();
    NativeButton { name: "quick_reply".into(), params }
}

fn target(id: &str, own: bool) -> Target {
    Target { id: id.into(), own, author: None }
}

on_both! {
    async fn every_kind_without_a_file_is_readable_on_the_phone(house: &mut House) {
        let ana = house.linked(ANA).await;
        let row = |id: &str| Row { id: id.into(), title: id.into(), description: String::new() };
        let vcard = "BEGIN:VCARD\nVERSION:3.0\nFN:Cyd\nTEL:+15550100003\nEND:VCARD";
        let cases: Vec<(Body, &str, Value)> = vec![
            (
                Body::Text {
                    text: "see https://example.com".into(),
                    preview: Some(Preview {
                        url: "https://example.com".into(),
                        title: Some("Example".into()),
                        description: None,
                        thumbnail: None,
                    }),
                },
                "/text/preview/title",
                json!("Example"),
            ),
            (
                Body::Location { latitude: -22.5, longitude: 43.25, name: Some("Here".into()) },
                "/location",
                json!({ "latitude": -22.5, "longitude": 43.25, "name": "Here" }),
            ),
            (Body::Contact { name: "Cyd".into(), vcard: vcard.into() }, "/contacts/0/phones/0/phone", json!(CYD)),
            (
                Body::Poll { question: "Where?".into(), options: vec!["a".into(), "b".into()], choices: 1 },
                "/poll",
                json!({ "name": "Where?", "options": ["a", "b"], "selectable_count": 1 }),
            ),
            (
                Body::Poll { question: "What?".into(), options: vec!["a".into(), "b".into()], choices: 0 },
                "/poll/name",
                json!("What?"),
            ),
            (
                Body::Event(Box::new(Event {
                    name: "Dinner".into(),
                    starts_at: 1_800_000_000,
                    ends_at: None,
                    description: Some("at eight".into()),
                    place: Some(Place { name: Some("Home".into()), latitude: Some(1.0), longitude: Some(2.0) }),
                    extra_guests: true,
                    cancelled: false,
                    call: false,
                })),
                "/event/name",
                json!("Dinner"),
            ),
            (
                Body::List(List {
                    title: Some("Menu".into()),
                    text: "Choose".into(),
                    footer: None,
                    button: "Open".into(),
                    sections: vec![Section { title: "One".into(), rows: vec![row("r1"), row("r2")] }],
                }),
                "/list/sections/0/rows/1/id",
                json!("r2"),
            ),
            (
                Body::Interactive(Box::new(Interactive {
                    header: Some(Header::Text("Head".into())),
                    text: Some("Yes or no?".into()),
                    footer: Some("foot".into()),
                    buttons: vec![reply_button("y", "Yes"), reply_button("n", "No")],
                    ..Interactive::default()
                })),
                "/buttons/buttons/1/title",
                json!("No"),
            ),
        ];
        for (n, (body, path, expected)) in cases.into_iter().enumerate() {
            house.sent(&ana, BEN, &format!("3EB0{n:02X}"), body).await;
            let shown = house.content(BEN).await;
            assert_eq!(shown.pointer(path), Some(&expected), "{shown:#}");
        }
    }

    async fn every_kind_of_file_arrives_whole(house: &mut House) {
        let ana = house.linked(ANA).await;
        for (n, (kind, mime, word)) in [
            (MediaKind::Image, "image/jpeg", "image"),
            (MediaKind::Video, "video/mp4", "video"),
            (MediaKind::Ptv, "video/mp4", "ptv"),
            (MediaKind::Audio, "audio/ogg; codecs=opus", "audio"),
            (MediaKind::Document, "application/pdf", "document"),
            (MediaKind::Sticker, "image/webp", "sticker"),
        ]
        .into_iter()
        .enumerate()
        {
            let bytes = vec![n as u8 ^ 0x5A; 10_000 + n];
            let blob = house.keep(n as u64, &bytes).await;
            let captioned = matches!(kind, MediaKind::Image | MediaKind::Document);
            let file = Media {
                caption: captioned.then(|| "look".to_owned()),
                filename: Some("a.pdf".into()).filter(|_| kind == MediaKind::Document),
                voice: kind == MediaKind::Audio,
                waveform: (kind == MediaKind::Audio).then(|| "AAECAw==".to_owned()),
                ..media(kind, &blob, mime)
            };
            let id = format!("3EB0F{n}");
            house.sent(&ana, BEN, &id, Body::Media(file)).await;
            let (shown_id, message) = house.shown(BEN).await;
            assert_eq!(shown_id, id);
            assert_eq!(house.web.open_file(&message).unwrap(), bytes, "{word}");
            let shown = sandbox_web::phone::show::content(&message);
            assert_eq!((shown["type"].as_str(), shown["mime_type"].as_str()), (Some(word), Some(mime)), "{shown}");
            if captioned {
                assert_eq!(shown[word]["caption"], "look");
            }
        }
        let blob = house.keep(99, b"only once").await;
        let once = Media { view_once: true, ..media(MediaKind::Image, &blob, "image/jpeg") };
        house.sent(&ana, BEN, "3EB0F9", Body::Media(once)).await;
        assert_eq!(house.content(BEN).await["view_once"], true);

        let cards: Vec<_> = (0..2u64)
            .map(|n| Interactive {
                header: Some(Header::Media(Box::new(media(MediaKind::Image, &blob, "image/jpeg")))),
                text: Some(format!("card {n}")),
                buttons: vec![reply_button("y", "Yes")],
                ..Interactive::default()
            })
            .collect();
        house.sent(&ana, BEN, "3EB0FA", Body::Carousel { text: "two".into(), cards }).await;
        let shown = house.content(BEN).await;
        assert_eq!((shown["type"].as_str(), shown["carousel"]["cards"][1]["text"].as_str()), (Some("carousel"), Some("card 1")));

        let missing = media(MediaKind::Image, &name_of(77), "image/jpeg");
        let failed = house.send(&ana, BEN, "3EB0FB", Body::Media(missing)).await;
        assert_eq!(failed.status, Status::Failed, "{failed:?}");
    }

    async fn messages_are_answered_changed_and_taken_back(house: &mut House) {
        let ana = house.linked(ANA).await;
        let first = house.says_text(BEN, ANA, "a question");
        house.document(MESSAGE_RECEIVED).await;
        let quoted = Quoted { id: first.clone(), author: None, message: Some(json!({ "conversation": "a question" })) };
        let context = Context {
            reply_to: Some(quoted),
            mentions: vec![jid(CYD)],
            forwarded: true,
            ..Context::default()
        };
        let outgoing = Outgoing { context: Some(context), expires_in: Some(86_400), ..Outgoing::new(text("an answer")) };
        house.send_as(&ana, &jid(BEN), "3EB0C0", outgoing).await;
        let shown = house.content(BEN).await;
        assert_eq!(shown["text"]["body"], "an answer");
        assert_eq!(shown["context"]["message_id"], first.as_str());
        assert_eq!((&shown["mentions"], &shown["forwarded"]), (&json!(["15550100003@s.whatsapp.net"]), &json!(true)));
        assert_eq!(shown["expiration"], 86_400);

        use sandbox_web::phone::show::{Change, change};
        house.sent(&ana, BEN, "3EB0C1", Body::Reaction { target: target(&first, false), emoji: "👍".into() }).await;
        let (_, reaction) = house.shown(BEN).await;
        assert_eq!(change(&reaction), Some(Change::Reaction { id: first.clone(), emoji: "👍".into() }));
        house.sent(&ana, BEN, "3EB0C2", Body::Edit { id: "3EB0C0".into(), text: "a better one".into() }).await;
        let (_, edit) = house.shown(BEN).await;
        let Some(Change::Edit { id, content }) = change(&edit) else { panic!("{edit:?}") };
        assert_eq!((id.as_str(), content["text"]["body"].as_str()), ("3EB0C0", Some("a better one")));
        house.sent(&ana, BEN, "3EB0C3", Body::Revoke { target: target("3EB0C0", true) }).await;
        let (_, revoked) = house.shown(BEN).await;
        assert_eq!(change(&revoked), Some(Change::Delete { id: "3EB0C0".into() }));

        // The same from the other side.
        house.web.change(&phone(BEN), &first, Some("another question")).unwrap();
        let told = house.document(MESSAGE_RECEIVED).await;
        let protocol = &told["event"]["Message"]["protocolMessage"];
        assert_eq!((&protocol["key"]["ID"], &protocol["type"]), (&json!(first), &json!(14)), "{told:#}");
        house.web.change(&phone(BEN), &first, None).unwrap();
        let told = house.document(MESSAGE_RECEIVED).await;
        assert_eq!(told["event"]["Message"]["protocolMessage"]["key"]["ID"], first.as_str(), "{told:#}");
    }

    async fn groups_are_written_to_and_heard(house: &mut House) {
        let ana = house.linked(ANA).await;
        let group = house.web.create_group(&phone(BEN), "Friends", &[phone(ANA), phone(CYD)]);
        assert_eq!(house.notice("JoinedGroup").await["event"]["JID"], group.as_str());
        let address: Jid = group.parse().unwrap();
        let outgoing = Outgoing {
            context: Some(Context { mention_all: true, ..Context::default() }),
            ..Outgoing::new(text("to all"))
        };
        let message = house.send_as(&ana, &address, "3EB0D0", outgoing).await;
        assert!(message.status >= Status::Sent && message.status != Status::Failed, "{message:?}");
        for reader in [BEN, CYD] {
            let shown = house.content(reader).await;
            assert_eq!((shown["text"]["body"].as_str(), &shown["mentions_all"]), (Some("to all"), &json!(1)), "{shown}");
        }
        let body = json!({ "type": "text", "text": { "body": "from Cyd" } });
        let id = house.web.speak(&phone(CYD), &Chat::Group(group.clone()), &body, None).unwrap();
        let told = house.document(MESSAGE_RECEIVED).await;
        let info = &told["event"]["Info"];
        assert_eq!((&info["ID"], &info["Chat"], &info["IsGroup"]), (&json!(id), &json!(group), &json!(true)));
        assert_eq!(info["SenderAlt"], "15550100003@s.whatsapp.net");
        assert_eq!(told["event"]["Message"]["conversation"], "from Cyd");
        house.web.rename_group(&phone(BEN), &group, "Old friends");
        assert_eq!(house.notice("GroupInfo").await["event"]["Name"]["Name"], "Old friends");
    }

    async fn what_the_owner_writes_on_the_phone_is_told_as_an_echo(house: &mut House) {
        let ana = house.linked(ANA).await;
        let id = house.says_text(ANA, BEN, "from the phone");
        let told = house.document(MESSAGE_ECHOED).await;
        assert_eq!(told["event"]["Info"]["ID"], id.as_str());
        assert_eq!(told["event"]["Info"]["IsFromMe"], true);
        assert_eq!(told["event"]["Message"]["conversation"], "from the phone");
        // What was sent here is not told a second time.
        house.sent(&ana, BEN, "3EB0E0", text("from here")).await;
        house.says_text(ANA, BEN, "from the phone again");
        let told = house.document(MESSAGE_ECHOED).await;
        assert_eq!(told["event"]["Message"]["conversation"], "from the phone again");
    }

    async fn a_file_that_comes_is_fetched_before_it_is_told(house: &mut House) {
        let ana = house.linked(ANA).await;
        let bytes = Bytes::from(vec![7; 200_000]);
        for (n, body) in [
            json!({ "type": "image", "image": { "link": "https://a.example/a.jpg", "caption": "cat" } }),
            json!({ "type": "document", "document": { "link": "https://a.example/a.pdf", "filename": "a.pdf" } }),
            json!({ "type": "audio", "audio": { "link": "https://a.example/a.ogg", "voice": true } }),
        ]
        .into_iter()
        .enumerate()
        {
            let chat = Chat::With(phone(ANA));
            let id = house.web.speak(&phone(BEN), &chat, &body, Some(bytes.clone())).unwrap();
            let (message, told) = house
                .event(MESSAGE_RECEIVED, |event| Some((event.subject_id, document(event))))
                .await;
            assert_eq!(told["event"]["Info"]["ID"], id.as_str(), "{n}");
            house.delivered(&message).await;
            let file = house.engine().media(&ana.organization_id, &message).await.unwrap().unwrap();
            assert_eq!((file.status.as_str(), file.size), ("ready", Some(200_000)), "{file:?}");
            assert_eq!(house.blob_of(&message.hex24()).await, bytes);
        }
        // It cannot be had now, even where the phone puts it again: it is told all the same.
        house.web.refuse_media(404, 20);
        let body = json!({ "type": "image", "image": { "link": "https://a.example/a.jpg" } });
        house.web.speak(&phone(BEN), &Chat::With(phone(ANA)), &body, Some(bytes)).unwrap();
        let message = house.event(MESSAGE_RECEIVED, |event| Some(event.subject_id)).await;
        house.delivered(&message).await;
        let file = house.engine().media(&ana.organization_id, &message).await.unwrap().unwrap();
        assert_eq!(file.status, "pending", "{file:?}");
    }

    async fn a_vote_and_a_tap_come_back(house: &mut House) {
        let ana = house.linked(ANA).await;
        let poll = Body::Poll { question: "Where?".into(), options: vec!["a".into(), "b".into()], choices: 1 };
        house.sent(&ana, BEN, "3EB0B0", poll).await;
        house.shown(BEN).await;
        house.says(BEN, ANA, json!({ "type": "poll_vote", "poll_id": "3EB0B0", "options": ["b"] }));
        let told = house.document(MESSAGE_RECEIVED).await;
        let vote = &told["event"]["Message"]["pollUpdateMessage"];
        assert_eq!(vote["pollCreationMessageKey"]["ID"], "3EB0B0", "{told:#}");

        house.says(BEN, ANA, json!({ "type": "reaction", "reaction": { "message_id": "3EB0B0", "emoji": "🎉" } }));
        let told = house.document(MESSAGE_RECEIVED).await;
        assert_eq!(told["event"]["Message"]["reactionMessage"]["text"], "🎉", "{told:#}");
    }
}
