//! Keys, request limits, and what is answered where there is nothing.

use axum::body::Body;
use axum::http::Request;
use dialect_kirim::new_key;
use engine::keys;

use crate::house::{House, NUMBER, START, text};

#[tokio::test]
async fn only_good_keys_open() {
    let house = House::new().await;
    let (expiring, revoked) = (new_key([1; 18], true), new_key([2; 18], true));
    let make =
        |token: &str, expires_at| keys::create(&house.engine, house.organization, "kirim", "", token, true, expires_at);
    house.engine.perform(make(&expiring, Some(START + 1000))).await.unwrap();
    let id = house.engine.perform(make(&revoked, None)).await.unwrap().id;
    let other_dialect = new_key([3; 18], true);
    house
        .engine
        .perform(keys::create(&house.engine, house.organization, "other", "", &other_dialect, true, None))
        .await
        .unwrap();

    for good in [&house.key, &expiring, &revoked] {
        assert_eq!(house.with_key(good, "GET", "/me", None).await.status, 200);
    }
    house.later(1);
    house.engine.perform(keys::Revoke { id, now: house.clock.now() }).await.unwrap();
    let unknown = new_key([9; 18], true);
    for (key, code) in [
        (&*expiring, "expired_api_key"),
        (&*revoked, "revoked_api_key"),
        (&*unknown, "invalid_api_key"),
        (&*other_dialect, "invalid_api_key"),
        ("", "invalid_api_key"),
        ("sk_something", "invalid_api_key"),
    ] {
        let reply = house.with_key(key, "GET", "/me", None).await;
        assert_eq!((reply.status, reply.code()), (401, code), "{key}");
        assert_eq!(reply.json["error"]["type"], "authentication_error");
    }
    let bare = house.raw(Request::builder().uri("/v1/me?api_key=x").body(Body::empty()).unwrap()).await;
    assert_eq!((bare.status, bare.header("www-authenticate")), (401, "Bearer"));
}

#[tokio::test]
async fn me_and_accounts_tell_whose_key_it_is() {
    let house = House::new().await;
    let me = house.get("/me").await;
    assert_eq!(me.data()["organization"]["name"], "1");
    assert_eq!(me.data()["api_key"]["last4"], house.key[house.key.len() - 4..]);
    assert_eq!(me.data()["rate_limits"]["tier"], "free");

    assert_eq!(house.get("/accounts").await.data().as_array().unwrap().len(), 2);
    let foreign = house.with_key(&house.foreign_key, "GET", "/accounts?status=all", None).await;
    assert_eq!(foreign.data()[0]["phone_number"], "+15550100003");
    disconnect(&house).await;
    assert_eq!(house.get("/accounts").await.data().as_array().unwrap().len(), 0);
    let all = house.get("/accounts?status=all").await;
    assert_eq!(all.data()[0]["status"], "degraded");
    assert_eq!(house.get("/accounts?status=some").await.param(), "status");
}

/// All numbers of the first organization lose their connection.
pub async fn disconnect(house: &House) {
    struct Degrade(engine::Id);
    impl store::Work for Degrade {
        type Output = ();
        async fn run(&self, tx: &mut store::Tx) -> store::Result<()> {
            for sender in store::senders::list(tx, Some(&self.0), None).await? {
                store::senders::set_status(tx, &sender.id, "degraded", Some("token"), START).await?;
            }
            Ok(())
        }
    }
    house.engine.db.write(Degrade(house.organization)).await.unwrap();
    house.engine.cache.clear();
}

#[tokio::test]
async fn a_number_without_connection_is_only_read() {
    let house = House::new().await;
    disconnect(&house).await;
    assert_eq!(house.get(&format!("/{NUMBER}/messages")).await.status, 200);
    let send = house.send_text("x").await;
    assert_eq!((send.status, send.code()), (422, "upstream_error"));
    let receipt = serde_json::json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1" });
    assert_eq!(house.post(&format!("/{NUMBER}/messages"), receipt).await.code(), "upstream_error");
    let contact =
        house.post(&format!("/{NUMBER}/contacts"), serde_json::json!({ "phone_number": "+6281234567890" })).await;
    assert_eq!((contact.status, contact.code()), (422, "account_not_connected"));
}

#[tokio::test]
async fn requests_are_counted_by_class() {
    let house = House::with(|options| (options.read_per_minute, options.write_per_minute) = (3, 2)).await;
    let first = house.get("/me").await;
    let shown = |reply: &crate::house::Reply| {
        ["limit", "remaining", "reset"].map(|name| reply.header(&format!("x-ratelimit-{name}")).parse::<i64>().unwrap())
    };
    assert_eq!(shown(&first), [3, 2, START / 1000 + 20]);
    assert_eq!(shown(&house.get("/labels/nonsense").await), [3, 1, START / 1000 + 40], "refusals count");
    assert_eq!(shown(&house.send_text("x").await), [2, 1, START / 1000 + 30], "writing has its own");
    house.get("/me").await;
    let refused = house.get("/me").await;
    assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (429, "rate_limit_exceeded", "20"));
    assert_eq!(shown(&refused), [3, 0, START / 1000 + 60]);
    assert_eq!(house.with_key(&house.foreign_key, "GET", "/me", None).await.status, 200);
    house.later(20);
    assert_eq!(house.get("/me").await.status, 200);
    let health = house.raw(Request::builder().uri("/v1/health").body(Body::empty()).unwrap()).await;
    assert_eq!((health.status, shown(&health)[1]), (200, 3), "and who is nobody has a full bucket");
}

#[tokio::test]
async fn what_is_not_there_is_told_in_our_words() {
    let house = House::new().await;
    for (method, path) in [("GET", "/nothing"), ("GET", "/"), ("POST", "/v2/x/y/z"), ("GET", "/me/x")] {
        let reply = house.with_key(&house.key, method, path, None).await;
        assert_eq!((reply.status, reply.code()), (404, "resource_not_found"), "{path}");
    }
    for (method, path) in [
        ("POST", "/me"),
        ("PUT", "/labels"),
        ("DELETE", "/webhook_deliveries"),
        ("GET", "/100000000000001/contacts/bulk_label"),
    ] {
        let reply = house.with_key(&house.key, method, path, None).await;
        assert_eq!((reply.status, reply.code()), (405, "method_not_allowed"), "{path}");
        assert_ne!(reply.header("allow"), "", "{path}");
    }
    let plain =
        Request::post(format!("/v1/{NUMBER}/messages")).header("authorization", format!("Bearer {}", house.key));
    let plain = house.raw(plain.body(Body::from(text("x").to_string())).unwrap()).await;
    assert_eq!((plain.status, plain.code()), (415, "unsupported_media_type"));
    for number in ["12345", "abcdefgh", "123456789012345678901", "1234567%30x"] {
        let reply = house.get(&format!("/{number}/messages")).await;
        assert_eq!(
            (reply.status, reply.code(), reply.param()),
            (400, "invalid_field_value", "phone_number_id"),
            "{number}"
        );
    }
    assert_eq!(house.get("/123456/messages").await.status, 404);
    assert_eq!(house.get("/labels/%ff").await.status, 400);
}
