use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use web_wire::send::{Header, Interactive, Media, MediaKind, NativeButton, Outgoing, Typing};

use super::*;
use crate::files::tests::{House, data_url, png};

const PHONE: &str = "5521971532700";
const MP4: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../media/tests/samples/clip.mp4"));
const MP3: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../media/tests/samples/tone.mp3"));
const OPUS: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../media/tests/samples/tone.opus"));

pub(super) fn body(value: Value) -> Body {
    Body::of(Some(value)).unwrap()
}

/// What a refused caller reads.
pub(super) fn refused<T: Debug>(outcome: Result<T, Error>) -> String {
    let error = outcome.unwrap_err();
    assert_eq!(error.status, 400, "{error:?}");
    error.text
}

/// Reads a body as the operation of this name does.
async fn read(house: &House, operation: &str, value: Value) -> Result<Draft, Error> {
    let (files, body) = (house.files(), body(value));
    match operation {
        "text" => text::read(files, body).await,
        "link" => link::read(files, body).await,
        "image" => image::read(files, body).await,
        "audio" => audio::read(files, body).await,
        "document" => document::read(files, body).await,
        "video" => video::read(files, body).await,
        "ptv" => video::read_note(files, body).await,
        "sticker" => sticker::read(files, body).await,
        "location" => location::read(&body),
        "contact" => contact::read(&body),
        "list" => list::read(&body),
        "poll" => poll::read(&body),
        "event" => event::read(&body),
        "buttons" => buttons::read(files, body).await,
        "flow" => flow::read(files, body).await,
        "carousel" => carousel::read(files, body).await,
        other => panic!("{other}"),
    }
}

/// The message as it is stored, for a body with the usual recipient.
async fn message(house: &House, operation: &str, mut value: Value) -> Value {
    value["Phone"] = json!(PHONE);
    let draft = read(house, operation, value).await.unwrap();
    assert_eq!(draft.to.to_string(), format!("{PHONE}@s.whatsapp.net"));
    serde_json::to_value(draft.outgoing.body).unwrap()
}

async fn media(house: &House, operation: &str, value: Value) -> Media {
    let stored = message(house, operation, value).await;
    serde_json::from_value(stored).unwrap()
}

#[tokio::test]
async fn what_is_said_is_what_is_sent() {
    let house = House::new().await;
    for (operation, given, sent) in [
        ("text", json!({ "body": "hi" }), json!({ "kind": "text", "text": "hi" })),
        (
            "location",
            json!({ "Latitude": 48.85837, "longitude": 2, "NAME": "Tower" }),
            json!({ "kind": "location", "latitude": 48.85837, "longitude": 2.0, "name": "Tower" }),
        ),
        (
            "contact",
            json!({ "Name": "John", "vCard": "BEGIN:VCARD\nEND:VCARD" }),
            json!({ "kind": "contact", "name": "John", "vcard": "BEGIN:VCARD\nEND:VCARD" }),
        ),
        (
            "poll",
            json!({ "Question": "Tea?", "Options": ["yes", "no"], "max_answer": 1 }),
            json!({ "kind": "poll", "question": "Tea?", "options": ["yes", "no"], "choices": 1 }),
        ),
        (
            "poll",
            json!({ "Header": "Which?", "Options": ["a", "b", "c"], "MaxAnswer": 2 }),
            json!({ "kind": "poll", "question": "Which?", "options": ["a", "b", "c"], "choices": 0 }),
        ),
        (
            "event",
            json!({ "Name": "Party", "StartTime": 2_524_608_000_i64, "Location": { "DegreesLatitude": 1.5 }, "IsScheduleCall": true }),
            json!({ "kind": "event", "name": "Party", "starts_at": 2_524_608_000_i64, "extra_guests": false, "cancelled": false,
                "call": true, "place": { "name": null, "latitude": 1.5, "longitude": null } }),
        ),
        (
            "list",
            json!({ "Text": "Choose", "ButtonText": "Open", "Footer": "f",
                "Sections": [{ "Title": "S", "Rows": [{ "RowId": "r", "Title": "R", "Description": "D" }] }] }),
            json!({ "kind": "list", "text": "Choose", "footer": "f", "button": "Open",
                "sections": [{ "title": "S", "rows": [{ "id": "r", "title": "R", "description": "D" }] }] }),
        ),
        (
            "list",
            json!({ "Desc": "Choose", "TopText": "T", "ButtonText": "Open", "List": [{ "RowId": "r", "title": "R", "desc": "D" }] }),
            json!({ "kind": "list", "title": "T", "text": "Choose", "button": "Open",
                "sections": [{ "title": "", "rows": [{ "id": "r", "title": "R", "description": "D" }] }] }),
        ),
    ] {
        assert_eq!(message(&house, operation, given).await, sent, "{operation}");
    }
}

#[test]
fn terms_are_common_to_all() {
    let plain = json!({ "kind": "location", "latitude": 1.0, "longitude": 2.0 });
    let read = |value: Value| location::read(&body(value));
    let given = json!({
        "phone": 5_521_971_532_700_i64, "latitude": 1, "longitude": 2, "id": "MY-1", "presence": 3000, "duration": 86400,
        "number_check": true, "echoApi": true,
        "context_info": { "stanzaID": "S1", "participant": "5511@s.whatsapp.net", "quotedMessage": { "conversation": "before" },
            "isForwarded": true, "mentionedJID": ["5521971532700", "77@lid"], "mentionAll": true }
    });
    let draft = read(given).unwrap();
    assert_eq!((draft.id.as_deref(), draft.told), (Some("MY-1"), Told::Sent));
    let expected = json!({
        "body": plain, "expires_in": 86400, "typing": { "milliseconds": 3000, "recording": false }, "check_number": true, "echo": true,
        "context": { "reply_to": { "id": "S1", "author": "5511@s.whatsapp.net", "message": { "conversation": "before" } },
            "forwarded": true, "mentions": ["5521971532700@s.whatsapp.net", "77@lid"], "mention_all": true }
    });
    assert_eq!(serde_json::to_value(&draft.outgoing).unwrap(), expected);

    let bare = json!({ "Phone": "1-2@g.us", "Latitude": 1, "Longitude": 2, "Presence": -1, "Duration": 0, "EchoApi": false, "Id": "",
        "ContextInfo": {}, "MentionInfo": {} });
    let draft = read(bare).unwrap();
    assert_eq!(draft.outgoing, Outgoing::new(serde_json::from_value(plain).unwrap()));
    assert_eq!((draft.to.to_string().as_str(), draft.id), ("1-2@g.us", None));
    let all = json!({ "Phone": "1-2@g.us", "Latitude": 1, "Longitude": 2, "Presence": 9_999_999, "MentionInfo": { "MentionAll": true } });
    let outgoing = read(all).unwrap().outgoing;
    assert_eq!(outgoing.typing, Some(Typing { milliseconds: 25_000, recording: false }));
    assert!(outgoing.context.unwrap().mention_all);
}

#[test]
fn recipients_are_people_groups_and_channels() {
    for (given, to) in [
        ("+55 (21) 97153-2700", "5521971532700@s.whatsapp.net"),
        ("5521971532700:12@s.whatsapp.net", "5521971532700@s.whatsapp.net"),
        ("5521971532700@c.us", "5521971532700@s.whatsapp.net"),
        ("123@lid", "123@lid"),
        ("1203@newsletter", "1203@newsletter"),
        ("status@broadcast", "status@broadcast"),
    ] {
        let to_whom = terms::recipient(&body(json!({ "Phone": given })), &["Phone"]).unwrap();
        assert_eq!(to_whom.to_string(), to);
    }
    for given in ["12", "abc", "a@evil.example", "1@g.us@g.us"] {
        let outcome = terms::recipient(&body(json!({ "Phone": given })), &["Phone"]);
        assert_eq!(refused(outcome), "could not parse phone number", "{given}");
    }
}

#[tokio::test]
async fn refusals_name_what_is_wrong() {
    let house = House::new().await;
    let undecodable = "could not decode payload";
    let rows = |count: usize| vec![json!({ "RowId": "r", "Title": "R" }); count];
    let list = |sections: Value| json!({ "Text": "t", "ButtonText": "b", "Sections": sections });
    let carousel = |card: Value| json!({ "Message": "m", "Carousel": [card] });
    let button = |button: Value| json!({ "body": "b", "buttons": [button] });
    let mut cases = vec![
        ("text", json!({}), "missing Body in Payload"),
        ("text", json!({ "Body": "  " }), "missing Body in Payload"),
        ("text", json!({ "Body": {} }), undecodable),
        ("text", json!({ "Body": "x".repeat(4097) }), "Body is longer than 4096 characters"),
        ("text", json!({ "Body": "x", "Presence": "soon" }), undecodable),
        ("text", json!({ "Body": "x", "Duration": 60 }), "invalid Duration, must be: 86400, 604800, or 7776000"),
        ("text", json!({ "Body": "x", "Id": "a b" }), "Id must be 1 to 128 characters without spaces"),
        ("text", json!({ "Body": "x", "NumberCheck": "yes" }), undecodable),
        ("text", json!({ "Body": "x", "ContextInfo": [] }), undecodable),
        ("text", json!({ "Body": "x", "ContextInfo": { "StanzaId": "A" } }), "missing Participant in ContextInfo"),
        ("text", json!({ "Body": "x", "ContextInfo": { "Participant": "1" } }), "missing StanzaId in ContextInfo"),
        ("text", json!({ "Body": "x", "ContextInfo": { "MentionedJID": ["no one"] } }), "invalid JID: no one"),
        (
            "text",
            json!({ "Body": "x", "ContextInfo": { "StanzaId": "A", "Participant": PHONE, "QuotedMessage": "hi" } }),
            undecodable,
        ),
        ("link", json!({}), "missing Link in Payload"),
        ("link", json!({ "Link": "shop.example" }), "Link must be an HTTP/HTTPS URL"),
        ("location", json!({ "Longitude": 1 }), "missing Latitude in Payload"),
        ("location", json!({ "Latitude": 1 }), "missing Longitude in Payload"),
        ("location", json!({ "Latitude": 91, "Longitude": 1 }), "Latitude must be between -90 and 90"),
        ("location", json!({ "Latitude": "1", "Longitude": 1 }), undecodable),
        ("contact", json!({ "Vcard": "v" }), "missing Name in Payload"),
        ("contact", json!({ "Name": "n" }), "missing Vcard in Payload"),
        ("poll", json!({ "Options": ["a", "b"] }), "missing Header in Payload"),
        ("poll", json!({ "Header": "h" }), "missing Options in Payload"),
        ("poll", json!({ "Header": "h", "Options": ["a"] }), "Options must have 2 to 12 options"),
        ("poll", json!({ "Header": "h", "Options": ["a", "a"] }), "Options must differ from each other"),
        ("poll", json!({ "Header": "h", "Options": ["a", ""] }), "each of Options must have 1 to 100 characters"),
        ("event", json!({ "Name": "n" }), "Missing required field: Name or StartTime"),
        ("event", json!({ "StartTime": 1 }), "Missing required field: Name or StartTime"),
        ("event", json!({ "Name": "n", "StartTime": 2, "EndTime": 1 }), "EndTime is before StartTime"),
        ("list", list(json!([])), "missing Sections in Payload"),
        ("list", list(json!([{ "Title": "s", "Rows": [] }])), "missing Rows in Payload"),
        ("list", list(json!([{ "Title": "s", "Rows": rows(11) }])), "Rows has more than 10 rows"),
        ("list", list(json!([{ "Title": "x".repeat(25), "Rows": rows(1) }])), "Title is longer than 24 characters"),
        ("list", list(json!(7)), undecodable),
        ("list", json!({ "Text": "t", "ButtonText": "x".repeat(21) }), "ButtonText is longer than 20 characters"),
        ("image", json!({}), "missing Image in Payload"),
        (
            "image",
            json!({ "Image": "x", "ViewOnce": true, "Duration": 86400 }),
            "ViewOnce cannot be combined with Duration",
        ),
        ("image", json!({ "Image": "data:image/png;base64,iVBORw0KGgo=" }), "the image is damaged or incomplete"),
        (
            "image",
            json!({ "Image": "data:image/png;base64,aGVsbG8=" }),
            "a file of unknown type cannot be used as image: send JPEG, PNG, GIF or WebP",
        ),
        ("audio", json!({}), "missing Audio in Payload"),
        ("audio", json!({ "Audio": "x", "PTT": 1 }), undecodable),
        ("video", json!({}), "missing Video in Payload"),
        ("ptv", json!({}), "missing Video in Payload"),
        ("sticker", json!({}), "missing Sticker in Payload"),
        ("document", json!({}), "missing Document in Payload"),
        ("document", json!({ "Document": "data:;base64,eA==" }), "missing FileName in Payload"),
        ("document", json!({ "Document": "x", "FileName": "f", "MimeType": "<b>" }), "invalid MimeType"),
        ("buttons", json!({ "body": "b" }), "missing Buttons in Payload"),
        ("buttons", json!({ "buttons": [{ "buttonId": "i", "buttonText": "l" }] }), "missing Body in Payload"),
        ("buttons", button(json!({ "buttonId": "i" })), "missing buttonText in Payload"),
        ("buttons", button(json!({ "buttonText": { "displayText": "l" } })), "missing buttonId in Payload"),
        ("buttons", button(json!({ "buttonId": "i", "buttonText": "l", "type": "fly" })), "invalid button type: fly"),
        ("buttons", button(json!({ "buttonId": "i", "buttonText": "l", "type": "url" })), "missing url in Payload"),
        (
            "buttons",
            button(json!({ "buttonId": "i", "buttonText": "l", "type": "pix", "pix_type": "X" })),
            "invalid pix_type, must be: PHONE, EMAIL, CPF, CNPJ, or EVP",
        ),
        (
            "buttons",
            json!({ "image": {}, "buttons": [{ "buttonId": "i", "buttonText": "l" }] }),
            "missing url in image",
        ),
        ("flow", json!({ "Body": "b" }), "missing Buttons in Payload"),
        ("flow", json!({ "Buttons": [{ "Name": "n" }] }), "missing Body in Payload"),
        ("flow", json!({ "Body": "b", "Buttons": [{}] }), "missing Name in Payload"),
        (
            "flow",
            json!({ "Body": "b", "Buttons": [{ "Name": "n", "ParamsJSON": "[]" }] }),
            "ParamsJSON is not a JSON object",
        ),
        ("carousel", json!({ "Message": "m" }), "Missing required field: Message or Carousel"),
        ("carousel", json!({ "Message": "m", "Carousel": [] }), "Missing required field: Message or Carousel"),
        ("carousel", json!({ "Carousel": [{}] }), "Missing required field: Message or Carousel"),
        ("carousel", carousel(json!({ "Text": "t" })), "missing Buttons in Carousel"),
        (
            "carousel",
            carousel(json!({ "Text": "t", "MediaUrl": "x", "Buttons": [{ "Label": "l", "Type": "reply" }] })),
            "invalid MediaType, must be: image, video, or document",
        ),
    ];
    let without: Vec<_> =
        cases.iter().map(|(operation, ..)| (*operation, json!({}), "missing Phone in Payload")).collect();
    for (operation, value, _) in &mut cases {
        value[if *operation == "poll" { "Group" } else { "Phone" }] = json!(PHONE);
    }
    for (operation, value, complaint) in cases {
        assert_eq!(refused(read(&house, operation, value.clone()).await), complaint, "{operation}: {value}");
    }
    for (operation, value, complaint) in without {
        let complaint = if operation == "poll" { "missing Group in Payload" } else { complaint };
        assert_eq!(refused(read(&house, operation, value).await), complaint, "{operation}");
    }
    assert_eq!(house.options.blobs.usage(), 0);
}

#[tokio::test]
async fn pictures_and_stickers_are_made_fit() {
    let house = House::new().await;
    let given = data_url("image/jpeg", &png(40, 20));
    let image = media(&house, "image", json!({ "image": given, "Caption": "c", "view_once": true })).await;
    let (mime, bytes) = house.blob(&image.blob).await.unwrap();
    assert_eq!((image.mime.as_str(), mime.as_str(), &bytes[..2]), ("image/jpeg", "image/jpeg", &b"\xff\xd8"[..]));
    assert_eq!(
        (image.width, image.height, image.caption.as_deref(), image.view_once),
        (Some(40), Some(20), Some("c"), true)
    );
    assert!(STANDARD.decode(image.thumbnail.unwrap()).unwrap().starts_with(b"\xff\xd8"));

    let address = format!("{}/moved", house.origin);
    let small = STANDARD.encode(png(2, 2));
    let sticker = media(&house, "sticker", json!({ "Sticker": address, "pngThumbnail": small })).await;
    let (mime, bytes) = house.blob(&sticker.blob).await.unwrap();
    assert_eq!((sticker.kind, mime.as_str(), &bytes[8..12]), (MediaKind::Sticker, "image/webp", &b"WEBP"[..]));
    assert_eq!((sticker.width, sticker.animated, sticker.thumbnail), (Some(512), false, Some(small)));
}

#[tokio::test]
async fn sound_is_a_voice_note_unless_it_is_music() {
    let house = House::new().await;
    for (bytes, ptt, mime, kept, voice) in [
        (MP3, None, "audio/ogg; codecs=opus", false, true),
        (MP3, Some(false), "audio/mpeg", true, false),
        (OPUS, Some(true), "audio/ogg; codecs=opus", true, true),
        (OPUS, Some(false), "audio/ogg; codecs=opus", true, false),
        (b"OggS\0\x02\0\0\0\0\0\0\0\0J", None, "audio/ogg; codecs=opus", true, true),
    ] {
        let given = json!({ "Audio": data_url("audio/ogg", bytes), "ptt": ptt, "Presence": 1000 });
        let mut with_phone = given.clone();
        with_phone["Phone"] = json!(PHONE);
        let typing = read(&house, "audio", with_phone).await.unwrap().outgoing.typing;
        assert_eq!(typing, Some(Typing { milliseconds: 1000, recording: true }));
        let sound = media(&house, "audio", given).await;
        let (stored, file) = house.blob(&sound.blob).await.unwrap();
        assert_eq!((sound.mime.as_str(), stored.as_str(), sound.voice), (mime, mime, voice));
        assert_eq!(file == bytes, kept);
        let readable = bytes.len() > 100;
        assert_eq!(sound.seconds.is_some(), readable);
        let drawn = sound.waveform.map(|bars| STANDARD.decode(bars).unwrap().len());
        assert_eq!(drawn, (readable && mime != "audio/mpeg").then_some(64));
    }
}

#[tokio::test]
async fn videos_and_documents_keep_their_bytes() {
    let house = House::new().await;
    let given = data_url("video/mp4", MP4);
    let small = STANDARD.encode(png(10, 10));
    let video = media(&house, "video", json!({ "video": given, "jpegthumbnail": small, "caption": "c" })).await;
    assert_eq!(
        (video.kind, video.mime.as_str(), video.width, video.height),
        (MediaKind::Video, "video/mp4", Some(64), Some(48))
    );
    assert_eq!((video.seconds.is_some(), video.caption.as_deref()), (true, Some("c")));
    assert!(STANDARD.decode(video.thumbnail.unwrap()).unwrap().starts_with(b"\xff\xd8"));
    assert_eq!(house.blob(&video.blob).await.unwrap().1, MP4);
    assert_eq!(media(&house, "ptv", json!({ "Video": given })).await.kind, MediaKind::Ptv);
    let cut =
        media(&house, "video", json!({ "Video": data_url("video/mp4", &MP4[..32]), "JPEGThumbnail": "..." })).await;
    assert_eq!((cut.mime.as_str(), cut.seconds, cut.thumbnail), ("video/mp4", None, None));

    let address = format!("{}/list.csv", house.origin);
    let document =
        media(&house, "document", json!({ "Document": address, "FileName": "Prices.csv", "Caption": "c" })).await;
    assert_eq!((document.mime.as_str(), document.filename.as_deref()), ("text/csv", Some("Prices.csv")));
    let named = json!({ "Document": data_url("application/octet-stream", b"%PDF-1.7\n"), "FileName": "a.pdf", "MimeType": "application/x-pdf" });
    assert_eq!(media(&house, "document", named).await.mime, "application/x-pdf");
}

#[tokio::test]
async fn links_bring_their_preview() {
    let house = House::new().await;
    let link = format!("{}/page", house.origin);
    let text = format!("See {link}!");
    for (operation, given, sent, previewed) in [
        ("text", json!({ "Body": text, "LinkPreview": true }), text.clone(), true),
        ("text", json!({ "Body": text }), text.clone(), false),
        ("text", json!({ "Body": "no link", "LinkPreview": true }), "no link".into(), false),
        ("link", json!({ "Link": link }), link.clone(), true),
        ("link", json!({ "Link": link, "caption": "Shoes:" }), format!("Shoes:\n{link}"), true),
    ] {
        let body = message(&house, operation, given).await;
        assert_eq!(body["text"], sent);
        let title = previewed.then_some("Shoes");
        assert_eq!(
            (body["preview"]["title"].as_str(), body["preview"]["url"].as_str()),
            (title, previewed.then_some(link.as_str()))
        );
    }
}

async fn card(house: &House, operation: &str, value: Value) -> Interactive {
    let body = message(house, operation, value).await;
    serde_json::from_value(body).unwrap()
}

fn params(button: &NativeButton) -> (&str, Value) {
    (&button.name, serde_json::from_str(&button.params).unwrap())
}

#[tokio::test]
async fn buttons_speak_whatsapps_words() {
    let house = House::new().await;
    let button = |kind: &str, more: Value| {
        let mut button = json!({ "buttonId": "id", "buttonText": { "displayText": "Label" }, "type": kind });
        button.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        button
    };
    let pix = json!({ "pix_key": "k", "merchant_name": "Shop", "pix_type": "phone" });
    let mut order = pix.clone();
    order["total_value"] = json!(10990);
    order["reference_id"] = json!("R-1");
    order["items"] = json!([{ "name": "Box", "quantity": 2, "amount_value": 5000, "amount_offset": 100 }]);
    let given = json!({
        "title": "T", "text": "B", "footer": "F", "duration": 10,
        "image": { "url": data_url("image/png", &png(4, 4)) },
        "buttons": [
            button("quick_reply", json!({})),
            button("cta_url", json!({ "merchant_url": "https://shop.example" })),
            button("call", json!({ "phone": "+551199" })),
            button("copy", json!({ "code": "C" })),
            button("pix", pix),
            button("review_and_pay", order),
        ],
    });
    let card = card(&house, "buttons", given).await;
    let words = (card.title.as_deref(), card.text.as_deref(), card.footer.as_deref(), card.called.as_str());
    assert_eq!(words, (Some("T"), Some("B"), Some("F"), "buttons"));
    assert!(matches!(&card.header, Some(Header::Media(media)) if media.kind == MediaKind::Image));
    let [reply, page, call, copy, pix, review] = &card.buttons[..] else { panic!("{card:?}") };
    assert_eq!(params(reply), ("quick_reply", json!({ "display_text": "Label", "id": "id" })));
    let shop = "https://shop.example";
    assert_eq!(params(page), ("cta_url", json!({ "display_text": "Label", "url": shop, "merchant_url": shop })));
    assert_eq!((params(call).0, &params(call).1["phone_number"]), ("cta_call", &json!("+551199")));
    assert_eq!((params(copy).0, &params(copy).1["copy_code"]), ("cta_copy", &json!("C")));
    let code = json!({ "merchant_name": "Shop", "key": "k", "key_type": "PHONE" });
    let (name, told) = params(pix);
    assert_eq!(
        (name, &told["payment_settings"][0]["pix_static_code"], &told["currency"]),
        ("payment_info", &code, &json!("BRL"))
    );
    let (name, told) = params(review);
    assert_eq!(
        (name, &told["reference_id"], &told["total_amount"]["value"]),
        ("review_and_pay", &json!("R-1"), &json!(10990))
    );
    assert_eq!(told["order"]["items"][0]["amount"], json!({ "value": 5000, "offset": 100 }));
}

#[tokio::test]
async fn older_buttons_are_replies_under_a_title() {
    let house = House::new().await;
    let card =
        card(&house, "buttons", json!({ "Title": "Choose", "Buttons": [{ "ButtonId": "1", "ButtonText": "One" }] }))
            .await;
    assert_eq!((card.text.as_deref(), card.header), (Some("Choose"), None));
    assert_eq!(params(&card.buttons[0]), ("quick_reply", json!({ "display_text": "One", "id": "1" })));
}

#[tokio::test]
async fn flows_pass_their_parameters_on() {
    let house = House::new().await;
    let given = json!({
        "Message": "B", "MessageVersion": 3, "MessageParamsJSON": "{\"a\":1}",
        "Header": { "Title": "T", "Subtitle": "S", "Media": { "type": "Document", "url": data_url("application/pdf", b"%PDF-1.7\n"),
            "Filename": "a.pdf", "Caption": "c" } },
        "Buttons": [
            { "Name": "one", "ButtonParams": { "display_text": "Go", "Mode": 1 }, "Params": { "Mode": 2, "version": "3.0" } },
            { "Name": "two", "ButtonParamsJSON": "{\"flow_id\":\"7\"}", "ParamsJSON": "{\"x\":null}" },
        ],
    });
    let card = card(&house, "flow", given).await;
    assert_eq!((card.text.as_deref(), card.version, card.params.as_deref()), (Some("B"), Some(3), Some(r#"{"a":1}"#)));
    assert_eq!((card.title.as_deref(), card.subtitle.as_deref(), card.called.as_str()), (Some("T"), Some("S"), "flow"));
    let Some(Header::Media(file)) = &card.header else { panic!("{card:?}") };
    assert_eq!(
        (file.filename.as_deref(), file.caption.as_deref(), file.mime.as_str()),
        (Some("a.pdf"), Some("c"), "application/pdf")
    );
    assert_eq!(params(&card.buttons[0]), ("one", json!({ "display_text": "Go", "Mode": 1, "version": "3.0" })));
    assert_eq!(params(&card.buttons[1]), ("two", json!({ "flow_id": "7", "x": null })));
}

#[tokio::test]
async fn carousels_hold_cards_and_leave_nothing_when_one_fails() {
    let house = House::new().await;
    let picture = data_url("image/png", &png(4, 4));
    let shown = json!({ "Text": "1", "MediaUrl": picture, "MediaType": "image", "Caption": "c", "Buttons": [
        { "Label": "Go", "Type": "url", "Url": "https://shop.example" }, { "Label": "Say", "Type": "reply" } ] });
    let plain = json!({ "Text": "2", "Buttons": [{ "Label": "Copy", "Type": "copy", "Id": "C" }, { "Label": "Call", "Type": "call", "Id": "+55" }] });
    let body = message(&house, "carousel", json!({ "Message": "M", "Carousel": [shown, plain] })).await;
    let Ok(wire::Body::Carousel { text, cards }) = serde_json::from_value(body.clone()) else { panic!("{body}") };
    assert_eq!((text.as_str(), cards.len()), ("M", 2));
    assert!(matches!(&cards[0].header, Some(Header::Media(media)) if media.caption.as_deref() == Some("c")));
    assert_eq!((params(&cards[0].buttons[1]).1["id"].clone(), cards[1].header.is_none()), (json!("Say"), true));
    assert_eq!((params(&cards[1].buttons[0]).0, params(&cards[1].buttons[1]).0), ("cta_copy", "cta_call"));

    let broken = json!({ "Text": "2", "MediaUrl": "data:;base64,eA==", "MediaType": "image", "Buttons": [{ "Label": "l", "Type": "reply" }] });
    let (files, before) = (house.files(), house.options.blobs.usage());
    let given =
        crate::body::Body::of(Some(json!({ "Phone": PHONE, "Message": "M", "Carousel": [shown, broken] }))).unwrap();
    assert!(carousel::read(files.clone(), given).await.is_err());
    assert!(house.options.blobs.usage() > before);
    files.forget().await;
    assert_eq!(house.options.blobs.usage(), before);
}
