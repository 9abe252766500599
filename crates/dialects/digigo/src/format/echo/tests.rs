use engine::contacts::Address;
use engine::content::Native;
use engine::messages::{Direction, Status};
use serde_json::{Value, json};

use super::*;
use crate::files::tests::{House, NOW};
use crate::format::envelope::tests::{event, session};
use crate::format::file;

const ANN: &str = "5511988887777@s.whatsapp.net";
const PHONE: &str = "5511999990000:4@s.whatsapp.net";
const LID: &str = "77:4@lid";

fn message(to: &str, outgoing: &Outgoing) -> Message {
    let id = event().id;
    let content = Content::Native(Native {
        format: web_wire::FORMAT.into(),
        name: outgoing.body.kind().into(),
        json: serde_json::to_value(outgoing).unwrap(),
        text: None,
    });
    Message {
        id,
        organization_id: id,
        sender_id: id,
        conversation_id: id,
        contact_id: id,
        direction: Direction::Outbound,
        kind: content.kind().into(),
        content: content.to_json(),
        reply_to: None,
        address: to.into(),
        status: Status::Read,
        receipts: 0,
        error: None,
        provider_id: Some("A1".into()),
        chat: String::new(),
        author: String::new(),
        origin: crate::NAME.into(),
        request_id: None,
        echo: None,
        billing: None,
        created_at: NOW,
        // Receipts came since.
        updated_at: NOW + 60_000,
    }
}

fn context(to: &str, outgoing: &Outgoing) -> Context {
    let address = |kind: &str, value: &str| Address { kind: kind.into(), value: value.into() };
    Context {
        session: Some(session()),
        message: Some(message(to, outgoing)),
        addresses: vec![address("phone", "+5511988887777"), address("hidden", "88@lid"), address("other", "x@y")],
        ..Context::default()
    }
}

fn asked(body: Body) -> Outgoing {
    Outgoing { echo: true, ..Outgoing::new(body) }
}

fn text() -> Body {
    Body::Text { text: "hi".into(), preview: None }
}

async fn told(house: &House, to: &str, outgoing: &Outgoing) -> Option<Happening> {
    of(&house.options, &Settings::default(), &event(), &context(to, outgoing)).await
}

#[tokio::test]
async fn who_it_is_from_depends_on_where_it_goes() {
    let house = House::new().await;
    for (to, chat, sender, group, mode, sender_alt, recipient_alt) in [
        ("+5511988887777", ANN, PHONE, false, "pn", "", "88@lid"),
        ("88@lid", "88@lid", LID, false, "lid", "", ANN),
        ("1@g.us", "1@g.us", PHONE, true, "pn", LID, ""),
        ("1@newsletter", "1@newsletter", "1@newsletter", false, "", "", ""),
        ("status@broadcast", "status@broadcast", PHONE, true, "", "", ""),
        ("1@broadcast", "1@broadcast", PHONE, true, "", "", ""),
    ] {
        let told = told(&house, to, &asked(text())).await.unwrap();
        let info = &told.event["Info"];
        let names =
            ["Chat", "Sender", "IsGroup", "AddressingMode", "SenderAlt", "RecipientAlt", "IsFromMe", "IsFromAPI"];
        let seen: Vec<&Value> = names.iter().map(|name| &info[*name]).collect();
        assert_eq!(json!(seen), json!([chat, sender, group, mode, sender_alt, recipient_alt, true, true]), "{to}");
        assert_eq!((told.kind.as_str(), &info["ID"], &info["PushName"]), ("Message", &json!("A1"), &json!("Owner")));
        assert_eq!(info["Timestamp"], "2023-11-14T22:13:20Z");
    }
}

#[tokio::test]
async fn the_kind_of_a_message_is_told_as_whatsapp_would() {
    let house = House::new().await;
    let target = web_wire::send::Target { id: "B".into(), own: true, author: None };
    let poll = Body::Poll { question: "?".into(), options: vec!["a".into(), "b".into()], choices: 1 };
    for (body, kind, media, edit) in [
        (text(), "text", "", ""),
        (Body::Location { latitude: 1.0, longitude: 2.0, name: None }, "media", "location", ""),
        (Body::Contact { name: "J".into(), vcard: "V".into() }, "media", "vcard", ""),
        (poll, "poll", "", ""),
        (Body::Reaction { target: target.clone(), emoji: "👍".into() }, "reaction", "", ""),
        (Body::Edit { id: "B".into(), text: "new".into() }, "text", "", "1"),
        (Body::Revoke { target }, "text", "", "7"),
    ] {
        let told = told(&house, ANN, &asked(body)).await.unwrap();
        let info = &told.event["Info"];
        assert_eq!(
            json!([info["Type"], info["MediaType"], info["Edit"]]),
            json!([kind, media, edit]),
            "{}",
            told.event
        );
        assert_eq!(told.event["Message"], told.event["RawMessage"]);
    }
}

#[tokio::test]
async fn a_file_that_is_here_still_is_told_with_it() {
    let house = House::new().await;
    let blob = house.files().keep(bytes::Bytes::from_static(b"OggS"), "audio/ogg").await.unwrap();
    let audio = json!({
        "kind": "media", "media": "audio", "blob": blob, "mime": "audio/ogg; codecs=opus", "voice": true,
        "view_once": true,
    });
    let outgoing = asked(serde_json::from_value(audio).unwrap());
    let tell = async || {
        let mut happening = told(&house, ANN, &outgoing).await.unwrap();
        file::add(&house.options, &context(ANN, &outgoing), &mut happening).await;
        happening
    };
    let with = tell().await;
    assert_eq!(
        json!(with.extras),
        json!({ "base64": "T2dnUw==", "mimeType": "audio/ogg; codecs=opus", "fileName": "A1.ogg" })
    );
    let (event, info) = (&with.event, &with.event["Info"]);
    assert_eq!((&event["Message"]["audioMessage"]["fileLength"], &info["MediaType"]), (&json!(4), &json!("ptt")));
    assert_eq!(json!([event["IsViewOnce"], event["IsViewOnceV2"]]), json!([true, true]));
    assert!(event["RawMessage"]["viewOnceMessageV2"].is_object() && with.media.is_none());

    house.options.blobs.delete(&blob).await.unwrap();
    let without = tell().await;
    assert!(without.extras.is_empty() && without.media.is_none());
    assert_eq!(without.event["Message"]["audioMessage"]["mimetype"], "audio/ogg; codecs=opus");
}

#[tokio::test]
async fn both_must_want_it_unless_the_message_does() {
    let mut house = House::new().await;
    for (operator, user, asked, expected) in [
        (true, true, false, true),
        (true, false, false, false),
        (false, true, false, false),
        (false, false, true, true),
    ] {
        house.options.echo = operator;
        let (settings, outgoing) =
            (Settings { echo: user, ..Settings::default() }, Outgoing { echo: asked, ..Outgoing::new(text()) });
        let told = of(&house.options, &settings, &event(), &context(ANN, &outgoing)).await;
        assert_eq!(told.is_some(), expected, "{operator} {user} {asked}");
    }
    // What another dialect sent is not of this family.
    let neutral = Content::Text { body: "hi".into(), preview: false };
    let message = Message { content: neutral.to_json(), ..message(ANN, &asked(text())) };
    let context = Context { message: Some(message), ..context(ANN, &asked(text())) };
    assert!(of(&house.options, &Settings { echo: true, ..Settings::default() }, &event(), &context).await.is_none());
}
