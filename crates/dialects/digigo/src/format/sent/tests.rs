use web_wire::send::{self as wire, Typing};

use super::*;

const ANN: &str = "5511988887777@s.whatsapp.net";
const ME: &str = "5511999990000@s.whatsapp.net";
const GROUP: &str = "120363000000000000@g.us";

fn built(chat: &str, outgoing: &Outgoing) -> Value {
    let files = HashMap::from([("known".to_owned(), File { length: 7, sha256: [1; 32] })]);
    let (chat, me) = (chat.parse().unwrap(), ME.parse().unwrap());
    Sent { chat: &chat, me: &me, outgoing, at: 5, files: &files }.message()
}

fn of(body: Body) -> Value {
    built(ANN, &Outgoing::new(body))
}

fn media(kind: MediaKind, mime: &str) -> Media {
    Media {
        kind,
        blob: "known".into(),
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

fn text(text: &str) -> Body {
    Body::Text { text: text.into(), preview: None }
}

/// What is known of the file.
fn file(mut more: Value, mime: &str) -> Value {
    (more["mimetype"], more["fileLength"], more["fileSHA256"]) =
        (json!(mime), json!(7), json!(STANDARD.encode([1; 32])));
    more
}

#[test]
fn files_are_described_as_far_as_they_are_known() {
    let image = Media {
        caption: Some("c".into()),
        width: Some(2),
        height: Some(3),
        thumbnail: Some("AA==".into()),
        ..media(MediaKind::Image, "image/jpeg")
    };
    let expected = file(json!({ "caption": "c", "width": 2, "height": 3, "JPEGThumbnail": "AA==" }), "image/jpeg");
    assert_eq!(of(Body::Media(image.clone())), json!({ "imageMessage": expected }));
    let gone = Media { blob: "gone".into(), caption: None, thumbnail: None, ..image.clone() };
    assert_eq!(of(Body::Media(gone)), json!({ "imageMessage": { "mimetype": "image/jpeg", "width": 2, "height": 3 } }));

    let once = Media { view_once: true, seconds: Some(4), ..media(MediaKind::Video, "video/mp4") };
    let expected = file(json!({ "viewOnce": true, "seconds": 4 }), "video/mp4");
    assert_eq!(of(Body::Media(once)), json!({ "viewOnceMessageV2": { "message": { "videoMessage": expected } } }));

    let ogg = "audio/ogg; codecs=opus";
    let voice = Media { voice: true, seconds: Some(4), waveform: Some("AQ==".into()), ..media(MediaKind::Audio, ogg) };
    let expected = file(json!({ "PTT": true, "seconds": 4, "waveform": "AQ==" }), ogg);
    assert_eq!(of(Body::Media(voice)), json!({ "audioMessage": expected }));

    let paper = Media { filename: Some("a.pdf".into()), ..media(MediaKind::Document, "application/pdf") };
    let expected = file(json!({ "fileName": "a.pdf", "title": "a.pdf" }), "application/pdf");
    assert_eq!(of(Body::Media(paper.clone())), json!({ "documentMessage": expected }));
    let captioned = of(Body::Media(Media { caption: Some("read".into()), ..paper }));
    let inside = &captioned["documentWithCaptionMessage"]["message"]["documentMessage"];
    assert_eq!((&inside["caption"], &inside["fileName"]), (&json!("read"), &json!("a.pdf")));

    let sticker = Media { animated: true, thumbnail: Some("AA==".into()), ..media(MediaKind::Sticker, "image/webp") };
    let expected = file(json!({ "isAnimated": true, "pngThumbnail": "AA==" }), "image/webp");
    assert_eq!(of(Body::Media(sticker)), json!({ "stickerMessage": expected }));
    assert!(of(Body::Media(media(MediaKind::Ptv, "video/mp4")))["ptvMessage"].is_object());
}

#[test]
fn words_places_and_choices() {
    assert_eq!(of(text("hi")), json!({ "conversation": "hi" }));
    let preview = Preview { url: "https://x".into(), title: Some("X".into()), description: None, thumbnail: None };
    assert_eq!(
        of(Body::Text { text: "see https://x".into(), preview: Some(preview) }),
        json!({ "extendedTextMessage": { "text": "see https://x", "matchedText": "https://x", "title": "X" } }),
    );
    assert_eq!(
        of(Body::Location { latitude: 48.5, longitude: -2.25, name: Some("Tower".into()) }),
        json!({ "locationMessage": { "degreesLatitude": 48.5, "degreesLongitude": -2.25, "name": "Tower" } }),
    );
    assert_eq!(
        of(Body::Contact { name: "John".into(), vcard: "BEGIN:VCARD".into() }),
        json!({ "contactMessage": { "displayName": "John", "vcard": "BEGIN:VCARD" } }),
    );
    for (choices, name) in [(1, "pollCreationMessageV3"), (0, "pollCreationMessage"), (2, "pollCreationMessage")] {
        let poll = Body::Poll { question: "?".into(), options: vec!["a".into(), "b".into()], choices };
        let options = json!([{ "optionName": "a" }, { "optionName": "b" }]);
        let expected = json!({ "name": "?", "options": options, "selectableOptionsCount": choices });
        assert_eq!(of(poll), json!({ name: expected }));
    }
    let place = Place { name: Some("Hall".into()), latitude: None, longitude: None };
    let party = wire::Event {
        name: "Party".into(),
        starts_at: 9,
        ends_at: None,
        description: None,
        place: Some(place),
        extra_guests: true,
        cancelled: false,
        call: false,
    };
    assert_eq!(
        of(Body::Event(Box::new(party))),
        json!({ "eventMessage": {
            "isCanceled": false, "name": "Party", "location": { "name": "Hall" }, "startTime": 9,
            "extraGuestsAllowed": true, "isScheduleCall": false,
        } }),
    );
    let row = Row { id: "r".into(), title: "R".into(), description: String::new() };
    let sections = vec![Section { title: "S".into(), rows: vec![row] }];
    let list = List { title: None, text: "Choose".into(), footer: Some("f".into()), button: "Open".into(), sections };
    assert_eq!(
        of(Body::List(list)),
        json!({ "listMessage": {
            "description": "Choose", "buttonText": "Open", "listType": 1, "footerText": "f",
            "sections": [{ "title": "S", "rows": [{ "title": "R", "description": "", "rowID": "r" }] }],
        } }),
    );
}

#[test]
fn cards_alone_and_side_by_side() {
    let button = NativeButton { name: "quick_reply".into(), params: "{}".into() };
    let card = Interactive {
        header: Some(Header::Media(Box::new(media(MediaKind::Image, "image/jpeg")))),
        text: Some("Choose".into()),
        buttons: vec![button],
        ..Interactive::default()
    };
    let header = json!({ "hasMediaAttachment": true, "Media": { "ImageMessage": file(json!({}), "image/jpeg") } });
    let flow = json!({ "buttons": [{ "name": "quick_reply", "buttonParamsJSON": "{}" }], "messageVersion": 1 });
    let expected = json!({
        "header": header, "body": { "text": "Choose" }, "InteractiveMessage": { "NativeFlowMessage": flow },
    });
    assert_eq!(of(Body::Interactive(Box::new(card.clone()))), json!({ "interactiveMessage": expected }));
    assert_eq!(
        of(Body::Carousel { text: "Look".into(), cards: vec![card] }),
        json!({ "interactiveMessage": {
            "body": { "text": "Look" },
            "InteractiveMessage": { "CarouselMessage": { "cards": [expected], "messageVersion": 1 } },
        } }),
    );
    let titled = Interactive { header: Some(Header::Text("T".into())), ..Interactive::default() };
    let told = of(Body::Interactive(Box::new(titled)));
    assert_eq!(told["interactiveMessage"]["header"], json!({ "title": "T", "Media": null }));
}

#[test]
fn what_is_done_to_other_messages() {
    let theirs = Target { id: "A1".into(), own: false, author: ANN.replace('@', ":7@").parse().ok() };
    let reaction = Outgoing::new(Body::Reaction { target: theirs.clone(), emoji: "👍".into() });
    let key = json!({ "remoteJID": ANN, "fromMe": false, "ID": "A1" });
    assert_eq!(
        built(ANN, &reaction),
        json!({ "reactionMessage": { "key": key, "text": "👍", "senderTimestampMS": 5 } })
    );
    assert_eq!(built(GROUP, &reaction)["reactionMessage"]["key"]["participant"], ANN);

    let edit = Outgoing::new(Body::Edit { id: "A1".into(), text: "new".into() });
    let key = json!({ "remoteJID": ANN, "fromMe": true, "ID": "A1" });
    let new = json!({ "key": key, "type": 14, "editedMessage": { "conversation": "new" }, "timestampMS": 5 });
    assert_eq!(built(ANN, &edit), json!({ "protocolMessage": new }));
    assert_eq!(built(GROUP, &edit)["protocolMessage"]["key"]["participant"], ME);

    let own = Target { id: "A1".into(), own: true, author: None };
    assert_eq!(of(Body::Revoke { target: own }), json!({ "protocolMessage": { "key": key, "type": 0 } }));
    let key = json!({ "remoteJID": GROUP, "fromMe": false, "ID": "A1", "participant": ANN });
    let removed = Outgoing::new(Body::Revoke { target: theirs });
    assert_eq!(built(GROUP, &removed), json!({ "protocolMessage": { "key": key, "type": 0 } }));
}

#[test]
fn what_is_answered_named_and_passed_on() {
    let reply =
        Quoted { id: "Q".into(), author: None, message: Some(json!({ "imageMessage": { "fileSha256": "AA==" } })) };
    let context = Context {
        reply_to: Some(reply.clone()),
        forwarded: true,
        mentions: vec![ANN.parse().unwrap()],
        mention_all: true,
    };
    let typing = Some(Typing { milliseconds: 1, recording: false });
    let outgoing = Outgoing { context: Some(context), expires_in: Some(86_400), typing, ..Outgoing::new(text("hi")) };
    let info = json!({
        "stanzaID": "Q", "participant": ANN, "quotedMessage": { "imageMessage": { "fileSHA256": "AA==" } },
        "mentionedJID": [ANN], "nonJIDMentions": 1, "isForwarded": true, "forwardingScore": 1, "expiration": 86_400,
    });
    assert_eq!(built(ANN, &outgoing), json!({ "extendedTextMessage": { "text": "hi", "contextInfo": info } }));
    // In a group what has no author is ours.
    let context = Context { reply_to: Some(Quoted { message: None, ..reply }), ..Context::default() };
    let outgoing = Outgoing { context: Some(context), ..Outgoing::new(text("hi")) };
    let info = json!({ "stanzaID": "Q", "participant": ME, "quotedMessage": { "conversation": "" } });
    assert_eq!(built(GROUP, &outgoing)["extendedTextMessage"]["contextInfo"], info);
}
