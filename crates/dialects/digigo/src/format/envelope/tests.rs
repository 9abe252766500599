use engine::Id;
use engine::sessions::{Session, State};
use secrecy::SecretString;
use serde_json::json;
use web_wire::event::{Bare, Message, MessageInfo, Qr, Receipt, Source};

use super::*;
use crate::files::tests::{House, NOW};

const ONE: &str = "5511988887777@s.whatsapp.net";

pub(crate) fn sender() -> Sender {
    let id = Id::from_parts(NOW, 1);
    Sender {
        id,
        organization_id: id,
        account_id: id,
        channel: "whatsapp".into(),
        provider: crate::PROVIDER.into(),
        external_id: "one".into(),
        address: String::new(),
        name: Some("shop & co".into()),
        status: "connected".into(),
        status_reason: None,
        config: "{}".into(),
        settings: "{}".into(),
        created_at: NOW,
        updated_at: NOW,
    }
}

pub(crate) fn event() -> Event {
    let id = Id::from_parts(NOW, 2);
    Event {
        id,
        organization_id: id,
        kind: engine::events::SESSION_NOTICE.into(),
        subject_id: id,
        conversation_id: None,
        sender_id: Some(id),
        fact_id: None,
        data: "{}".into(),
        document: None,
        pending: true,
        created_at: NOW + 999,
    }
}

pub(crate) fn session() -> Session {
    let id = Id::from_parts(NOW, 1);
    Session {
        sender_id: id,
        organization_id: id,
        wanted: true,
        state: State::Connected,
        reason: None,
        next_step: None,
        identity: Some(json!({
            "jid": "5511999990000:4@s.whatsapp.net", "lid": "77@lid", "push_name": "Owner", "business_name": "Shop",
        })),
        offer: None,
        failures: 0,
        retry_at: 0,
        connected_at: None,
        active_at: 0,
        updated_at: 0,
        held: true,
    }
}

fn around() -> Context {
    Context { session: Some(session()), token: Some(SecretString::from("secret+token")), ..Context::default() }
}

async fn options() -> Options {
    House::new().await.options
}

/// The body of a letter, as it is sent.
fn letter(options: &Options, envelope: Envelope, global: bool, happening: impl Into<Happening>) -> String {
    let (sender, event, context) = (sender(), event(), around());
    let mut options = options.clone();
    options.webhooks.envelope = envelope;
    Letter { options: &options, sender: &sender, event: &event, context: &context, global }
        .json(happening.into())
        .to_string()
}

fn user() -> String {
    sender().id.hex32()
}

#[tokio::test]
async fn both_envelopes_byte_for_byte() {
    let (user, options) = (user(), options().await);
    let nested = r#"{"baseURL":"http://127.0.0.1","businessName":"Shop","data":{"event":{},"type":"Connected"},"eventType":"Connected","pushName":"Owner","timestamp":1700000000,"token":"secret+token","userID":"USER","userJID":"5511999990000:4@s.whatsapp.net","userName":"shop & co"}"#;
    assert_eq!(letter(&options, Envelope::Nested, false, Bare::Connected), nested.replace("USER", &user));
    let flat = r#"{"event":{},"instanceName":"shop & co","type":"Connected","userID":"USER"}"#;
    assert_eq!(letter(&options, Envelope::Flat, false, Bare::Connected), flat.replace("USER", &user));
}

#[tokio::test]
async fn the_operators_own_webhook_learns_who_speaks_and_whose_it_is() {
    let (user, options) = (user(), options().await);
    let nested = r#"{"baseURL":"http://127.0.0.1","businessName":"Shop","data":{"event":{},"type":"Connected"},"eventType":"Connected","pushName":"Owner","source":"digigo-global","timestamp":1700000000,"token":"secret+token","userID":"USER","userJID":"5511999990000:4@s.whatsapp.net","userName":"shop & co","userToken":"secret+token"}"#;
    assert_eq!(letter(&options, Envelope::Nested, true, Bare::Connected), nested.replace("USER", &user));
    let flat = r#"{"event":{},"instanceName":"shop & co","source":"digigo-global","token":"secret+token","type":"Connected","userID":"USER","userToken":"secret+token"}"#;
    assert_eq!(letter(&options, Envelope::Flat, true, Bare::Connected), flat.replace("USER", &user));
}

#[tokio::test]
async fn a_form_holds_the_event_as_json() {
    let expected = "instanceName=shop+%26+co&jsonData=%7B%22event%22%3A%7B%7D%2C%22offline%22%3Atrue%2C%22type%22%3A%22Connected%22%7D\
                    &token=secret%2Btoken&userID=USER";
    let (sender, event, context, options) = (sender(), event(), around(), options().await);
    for envelope in [Envelope::Nested, Envelope::Flat] {
        let mut options = options.clone();
        options.webhooks.envelope = envelope;
        let letter = Letter { options: &options, sender: &sender, event: &event, context: &context, global: false };
        let told = letter.form(Happening::from(Bare::Connected).late());
        assert_eq!(told, expected.replace("USER", &user()), "{envelope:?}");
    }
}

#[tokio::test]
async fn what_stands_beside_an_event_stands_beside_it_in_both() {
    let source = |chat: &str, sender: &str, group| Source {
        chat: chat.parse().unwrap(),
        sender: sender.parse().unwrap(),
        is_group: group,
        ..Source::default()
    };
    let said = |source| -> Happening {
        let info = MessageInfo { source, id: "A1".into(), ..MessageInfo::default() };
        Message::new(info, json!({ "conversation": "hi" })).into()
    };
    let receipt = |kind: &str| -> Happening {
        let source = source(ONE, ONE, false);
        Receipt { source, ids: vec!["A1".into()], kind: kind.into(), ..Receipt::default() }.into()
    };
    let channel = "120363000000000001@newsletter";
    let table = [
        (said(source(ONE, ONE, false)).late(), vec![("offline", json!(true))], "Message"),
        (said(source(channel, channel, false)), vec![], "Message"),
        (said(source("status@broadcast", ONE, true)), vec![], "Message"),
        (receipt(""), vec![("state", json!("Delivered"))], "ReadReceipt"),
        (receipt("read"), vec![("state", json!("Read"))], "ReadReceipt"),
        (receipt("read-self"), vec![("state", json!("ReadSelf"))], "ReadReceipt"),
        (
            Happening::from(Qr { code: "2@c".into(), picture: Some("data:image/png;base64,AA==".into()) }),
            vec![("code", json!("2@c")), ("qrCodeBase64", json!("data:image/png;base64,AA=="))],
            "QR",
        ),
    ];
    let options = options().await;
    for (happening, beside, kind) in table {
        let mut expected = json!({ "event": happening.event, "type": kind });
        beside.into_iter().for_each(|(name, value)| expected[name] = value);
        let nested: Value =
            serde_json::from_str(&letter(&options, Envelope::Nested, false, happening.clone())).unwrap();
        assert_eq!((&nested["data"], &nested["eventType"]), (&expected, &json!(kind)));
        (expected["instanceName"], expected["userID"]) = (json!("shop & co"), json!(user()));
        let flat: Value = serde_json::from_str(&letter(&options, Envelope::Flat, false, happening)).unwrap();
        assert_eq!(flat, expected);
    }
}
