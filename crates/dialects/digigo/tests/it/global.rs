//! The operator's own webhook, and bodies in form.

use dialect_digigo::{Encoding, GlobalWebhook, GlobalWebhookError, settle_global};
use engine::Id;
use serde_json::{Value, json};
use testkit::{Fixture, Kind, Line, on_both};
use web_wire::event::{Bare, Happening};

use crate::house::{FOREIGN_ADMIN, HOOK, House, START, User};

const GLOBAL: &str = "https://hooks.example.com/global";
const MOVED: &str = "https://hooks.example.com/moved";
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

async fn happens(line: &Line, event: impl Into<Happening>) {
    let happening: Happening = event.into();
    let bytes = serde_json::to_vec(&happening).unwrap();
    line.notice(&happening.kind, engine::events::Document { format: web_wire::FORMAT.into(), bytes }).await;
}

fn wanted(house: &House, url: &str, events: &[&str]) -> GlobalWebhook {
    let events = events.iter().map(|event| (*event).to_owned()).collect();
    GlobalWebhook { organization: house.organization, url: url.into(), events }
}

async fn settle(house: &House, wanted: Option<GlobalWebhook>) -> Result<(), GlobalWebhookError> {
    settle_global(&house.engine, wanted, &house.options).await
}

async fn standing(house: &House) -> Vec<(Id, String, Vec<String>)> {
    let found = house.engine.subscriptions_of_no_sender(dialect_digigo::NAME).await.unwrap();
    found.into_iter().map(|found| (found.id, found.url, found.events)).collect()
}

/// Types and users of what an address was told.
async fn heard(house: &House, url: &str, count: usize) -> Vec<(String, Value)> {
    house.told(url, count).await.iter().map(|told| (told.kind().to_owned(), told.json["userName"].clone())).collect()
}

fn named(kind: &str, user: &str) -> (String, Value) {
    (kind.to_owned(), json!(user))
}

/// The same, with bodies in form.
pub struct Form(House);

impl Fixture for Form {
    async fn set_up(kind: Kind) -> Self {
        Self(House::build(kind, |options| options.webhooks.encoding = Encoding::Form).await)
    }

    async fn finish(self, told: bool) {
        self.0.finish(told).await;
    }
}

on_both! {
    async fn it_hears_of_all_who_do_not_object(house: &mut House) {
        settle(house, Some(wanted(house, GLOBAL, &["KeepAliveRestored", "QRTimeout"]))).await.unwrap();
        let (one, line) = house.linked("one").await;
        let (two, other) = house.linked("two").await;
        let made = house.by_admin(FOREIGN_ADMIN, "POST", "/admin/users", json!({ "name": "far", "token": "token-of-far" })).await;
        let far = User { id: Id::parse_hex32(made.data()["id"].as_str().unwrap()).unwrap(), token: "token-of-far".into() };
        let foreign = house.link(&far).await;
        happens(&foreign, Bare::KeepAliveRestored).await;
        happens(&line, Bare::Connected).await;
        happens(&line, Bare::KeepAliveRestored).await;
        happens(&other, Bare::KeepAliveRestored).await;
        assert_eq!(heard(house, GLOBAL, 2).await, [named("KeepAliveRestored", "one"), named("KeepAliveRestored", "two")]);
        let told = &house.told(GLOBAL, 2).await[0].json;
        assert_eq!(json!([told["source"], told["token"], told["userToken"], told["userID"]]),
            json!(["digigo-global", one.token, one.token, one.id.hex32()]));
        // A user sees nothing of it, and has a webhook of his own beside.
        assert_eq!(house.get(&one, "/webhook").await.data()["webhook"], "");
        house.post(&two, "/webhook", json!({ "webhookurl": HOOK, "events": ["All"] })).await;
        house.post(&two, "/session/globaltransports/config", json!({ "skipGlobalWebhook": true })).await;
        happens(&other, Bare::QrTimeout).await;
        happens(&line, Bare::QrTimeout).await;
        assert_eq!(heard(house, HOOK, 1).await, [named("QRTimeout", "two")]);
        assert_eq!(heard(house, GLOBAL, 3).await[2], named("QRTimeout", "one"));
        assert!(house.told(HOOK, 1).await[0].json.get("source").is_none());
    }

    async fn every_start_settles_it(house: &mut House) {
        settle(house, None).await.unwrap();
        settle(house, Some(wanted(house, GLOBAL, &[]))).await.unwrap();
        let first = standing(house).await;
        assert_eq!((first.len(), &first[0].1, &first[0].2), (1, &GLOBAL.to_owned(), &vec!["All".to_owned()]));
        settle(house, Some(wanted(house, GLOBAL, &[]))).await.unwrap();
        assert_eq!(standing(house).await, first);
        settle(house, Some(wanted(house, MOVED, &["Message"]))).await.unwrap();
        assert_eq!(standing(house).await, [(first[0].0, MOVED.to_owned(), vec!["Message".to_owned()])]);
        // For another organization it is made anew.
        let other = house.engine.organizations().await.unwrap().into_iter().find(|other| other.id != house.organization).unwrap().id;
        settle(house, Some(GlobalWebhook { organization: other, ..wanted(house, GLOBAL, &[]) })).await.unwrap();
        let moved = standing(house).await;
        assert!(moved.len() == 1 && moved[0].0 != first[0].0);
        let refused = settle(house, Some(wanted(house, "http://not.example.com", &[]))).await;
        assert!(matches!(refused, Err(GlobalWebhookError::Refused(_))));
        assert_eq!(standing(house).await, moved, "a failed start takes nothing back");
        settle(house, None).await.unwrap();
        assert!(standing(house).await.is_empty());
    }

    async fn processes_that_start_at_once_make_one(house: &mut House) {
        let start = || settle(house, Some(wanted(house, GLOBAL, &[])));
        let (a, b, c) = tokio::join!(start(), start(), start());
        a.and(b).and(c).unwrap();
        assert_eq!(standing(house).await.len(), 1);
    }

    async fn users_may_be_told_in_forms(form: &mut Form) {
        let house = &form.0;
        settle(house, Some(wanted(house, GLOBAL, &["KeepAliveRestored"]))).await.unwrap();
        let user = house.create_with("shop", json!({ "webhook": HOOK, "events": "KeepAliveRestored" })).await;
        let line = house.link(&user).await;
        happens(&line, Happening::from(Bare::KeepAliveRestored).late()).await;
        house.until(async || house.hooks.posted(HOOK).len() == 1).await;
        let posted = &house.hooks.posted(HOOK)[0];
        assert_eq!(posted.header("Content-Type"), "application/x-www-form-urlencoded");
        let fields: Vec<_> = url::form_urlencoded::parse(&posted.body).into_owned().collect();
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(fields, [
            field("instanceName", "shop"),
            field("jsonData", r#"{"event":{},"offline":true,"type":"KeepAliveRestored"}"#),
            field("token", &user.token),
            field("userID", &user.id.hex32()),
        ]);
        // The operator's own is told in JSON.
        assert_eq!(heard(house, GLOBAL, 1).await, [named("KeepAliveRestored", "shop")]);
    }

    async fn a_sent_file_is_told_and_kept_no_longer_than_needed(house: &mut House) {
        let user = house.create_with("shop", json!({ "webhook": HOOK, "events": "Message" })).await;
        house.link(&user).await;
        house.post(&user, "/session/echo/api", json!({ "enabled": true })).await;
        let send = json!({ "Phone": "5511988887777", "Document": "data:application/octet-stream;base64,aGVsbG8=",
            "FileName": "a.txt", "Caption": "read", "Id": "A1" });
        assert_eq!(house.post(&user, "/chat/send/document", send).await.status, 200);
        let told = &house.told(HOOK, 1).await[0].json["data"];
        let (info, document) = (&told["event"]["Info"], &told["event"]["Message"]["documentMessage"]);
        assert_eq!(told["base64"], "aGVsbG8=");
        assert_eq!(json!([info["Type"], info["MediaType"], info["ID"], info["IsFromAPI"]]), json!(["media", "document", "A1", true]));
        assert_eq!(json!([document["caption"], document["fileName"], document["fileLength"]]), json!(["read", "a.txt", 5]));
        assert_eq!(told["event"]["IsDocumentWithCaption"], true);

        assert!(house.blobs.usage() > 0);
        dialect_digigo::sweep(&house.blobs, START + DAY_MS).await;
        assert!(house.blobs.usage() > 0, "its message may be tried still");
        dialect_digigo::sweep(&house.blobs, START + 3 * DAY_MS).await;
        assert_eq!(house.blobs.usage(), 0);
        // What is not told is of no use once it was sent.
        house.post(&user, "/session/echo/api", json!({ "enabled": false })).await;
        let send = json!({ "Phone": "5511988887777", "Document": "data:application/octet-stream;base64,aGVsbG8=", "FileName": "a.txt" });
        assert_eq!(house.post(&user, "/chat/send/document", send).await.status, 200);
        assert_eq!(house.blobs.usage(), 0);
    }
}
