//! A connection from its opening to its end: codes, waiting, states, unlinking.

use engine::sessions::{CallError, Change, State};
use serde_json::{Value, json};
use testkit::{Kind, on_both, tell};

use crate::house::{HOOK, House, PHONE, User, identity};

async fn status(house: &House, user: &User) -> Value {
    house.get(user, "/session/status").await.data().clone()
}

/// `connected`, `loggedIn`, `hasClient`, `connectionHealth`, `state`.
async fn stands(house: &House, user: &User) -> Value {
    let status = status(house, user).await;
    json!([status["connected"], status["loggedIn"], status["hasClient"], status["connectionHealth"], status["state"]])
}

on_both! {
    async fn an_account_is_linked_by_its_picture(house: &mut House) {
        let user = house.create_with("one", json!({ "webhook": HOOK, "events": "Message" })).await;
        assert_eq!(stands(house, &user).await, json!([false, false, false, "no_client", null]));
        assert_eq!(house.get(&user, "/session/qr").await.told(), (500, "no session"));

        // Waiting for the real outcome ends as soon as there is something to scan.
        let connected = house.post(&user, "/session/connect", json!({ "Immediate": false })).await;
        assert_eq!(connected.data(), &json!({ "details": "Connected!", "events": "Message", "jid": "", "webhook": HOOK }));
        assert_eq!(stands(house, &user).await, json!([true, false, true, "connected_not_logged", "awaiting_link"]));
        let first = house.get(&user, "/session/qr").await.data()["QRCode"].as_str().unwrap().to_owned();
        assert!(first.starts_with("data:image/png;base64,iVBOR"));
        assert_eq!(status(house, &user).await["qrcode"], first);

        // The next code takes its place.
        let line = house.phone.line(&user.id).await;
        line.tell(Change { offer: Some(Some(json!({ "qr": "2@second" }))), ..Change::default() }).await;
        let second = house.get(&user, "/session/qr").await.data()["QRCode"].as_str().unwrap().to_owned();
        assert!(second.starts_with("data:image/png;base64,") && second != first);

        line.connect(identity()).await;
        assert_eq!(stands(house, &user).await, json!([true, true, true, "connected", "connected"]));
        let up = status(house, &user).await;
        assert_eq!((&up["jid"], &up["qrcode"]), (&json!("5511999990000:4@s.whatsapp.net"), &json!("")));
        assert_eq!((&up["lastSuccessfulConnect"], &up["timestamp"]), (&json!(house.clock.now() / 1000), &json!(house.clock.now() / 1000)));
        assert_eq!(house.get(&user, "/session/qr").await.data(), &json!({ "QRCode": "" }));
        let again = house.post(&user, "/session/connect", json!({})).await;
        assert_eq!(again.data()["jid"], "5511999990000:4@s.whatsapp.net");
        assert_eq!(house.phone.begun(&user.id), 1, "what is up stays so");

        let down = house.post(&user, "/session/disconnect", Value::Null).await;
        assert_eq!(down.data(), &json!({ "Details": "Disconnected" }));
        line.stopped().await;
        assert_eq!(stands(house, &user).await, json!([false, false, false, "no_client", "off"]));
        assert_eq!(house.post(&user, "/session/disconnect", Value::Null).await.told(), (500, "no session"));
        assert_eq!(status(house, &user).await["jid"], "5511999990000:4@s.whatsapp.net", "its link is kept");
        // Nothing is to be scanned again.
        house.connect(&user).await;
        house.stands(&user, State::Connected).await;
        assert_eq!(house.phone.begun(&user.id), 2);
    }

    async fn an_account_is_linked_by_a_code_and_unlinked(house: &mut House) {
        let user = house.create("one").await;
        house.phone.says("pairing_code", json!({ "code": "9H3J-H3J8" }));
        let pair = json!({ "Phone": PHONE });
        for path in ["/session/pairphone", "/session/logout"] {
            assert_eq!(house.post(&user, path, pair.clone()).await.told(), (500, "no session"), "{path}");
        }
        let line = house.connect(&user).await;
        house.stands(&user, State::AwaitingLink).await;
        assert_eq!(house.post(&user, "/session/logout", Value::Null).await.told(), (500, "not connected"));
        for (body, text) in [(json!({}), "missing Phone in Payload"), (json!({ "Phone": "abc" }), "could not parse Phone")] {
            assert_eq!(house.post(&user, "/session/pairphone", body).await.told(), (400, text));
        }
        let code = house.post(&user, "/session/pairphone", pair.clone()).await;
        assert_eq!(code.data(), &json!({ "LinkingCode": "9H3J-H3J8" }));
        assert_eq!(house.phone.last_asked("pairing_code"), json!({ "phone": PHONE }));
        line.connect(identity()).await;
        assert_eq!(house.post(&user, "/session/pairphone", pair).await.told(), (400, "already paired"));

        assert_eq!(house.post(&user, "/session/logout", Value::Null).await.data(), &json!({ "Details": "Logged out" }));
        assert_eq!(stands(house, &user).await, json!([false, false, false, "no_client", "off"]));
        assert_eq!(status(house, &user).await["jid"], "");
        let line = house.connect(&user).await;
        assert_eq!(house.stands(&user, State::AwaitingLink).await.offer.unwrap()["qr"], "2@first");
        drop(line);
    }

    async fn all_that_can_happen_to_a_connection_is_told_alike(house: &mut House) {
        let (user, line) = house.linked("one").await;
        for (state, expected) in [
            (State::Reconnecting, json!([false, false, true, "disconnected", "reconnecting"])),
            (State::Deaf, json!([true, false, true, "connected_not_logged", "deaf"])),
            (State::Connected, json!([true, true, true, "connected", "connected"])),
            (State::Replaced, json!([false, false, true, "disconnected", "replaced"])),
        ] {
            line.state(state, "as it goes").await;
            assert_eq!(stands(house, &user).await, expected);
            assert_eq!(status(house, &user).await["stateReason"], "as it goes");
            assert_eq!(house.post(&user, "/session/pairphone", json!({ "Phone": PHONE })).await.told(), (400, "already paired"));
            let listed = house.admin("GET", "/admin/instances/status", Value::Null).await;
            let listed = &listed.data()[0];
            assert_eq!(json!([listed["connected"], listed["loggedIn"], listed["hasClient"], listed["connectionHealth"]]),
                json!([expected[0], expected[1], expected[2], expected[3]]));
            let shown = house.admin("GET", &format!("/admin/users/{}", user.id.hex32()), Value::Null).await;
            assert_eq!(json!([shown.data()[0]["connected"], shown.data()[0]["loggedIn"]]), json!([expected[0], expected[1]]));
        }
    }

    async fn a_connection_is_brought_up_to_date(house: &mut House) {
        let user = house.create("one").await;
        let path = "/session/refresh";
        assert_eq!(house.post(&user, path, Value::Null).await.told(), (500, "no session"));
        let line = house.connect(&user).await;
        house.stands(&user, State::AwaitingLink).await;
        let unpaired = house.post(&user, path, json!({})).await;
        assert_eq!(unpaired.told(), (400, "no JID found, QR scan required for initial pairing"));
        line.connect(identity()).await;

        let patch = |name: &str, error: Option<&str>| json!({ "name": name, "success": error.is_none(), "error": error,
            "milliseconds": 12, "recovery_requested": error.is_some() });
        house.phone.says("refresh", json!({
            "was_connected": true, "was_logged_in": true, "connected": true, "logged_in": true,
            "app_state": [patch("critical_block", None), patch("regular", Some("it is locked"))],
            "prekeys": { "on_server": 47, "uploaded": false, "error": null },
            "privacy_fetched": true, "milliseconds": 4521,
        }));
        let done = house.post(&user, path, Value::Null).await;
        assert_eq!(done.json, json!({
            "Details": "Connection refresh completed", "refreshSuccess": true, "wasConnected": true, "wasLoggedIn": true,
            "newConnected": true, "newLoggedIn": true, "jid": "5511999990000:4@s.whatsapp.net",
            "sync_options": { "sync_app_state": true, "refresh_prekeys": true, "refresh_privacy": true, "auto_recovery": true },
            "sync": {
                "app_state": [
                    { "name": "critical_block", "success": true, "duration": "12ms", "recovery_requested": false },
                    { "name": "regular", "success": false, "error": "it is locked", "duration": "12ms", "recovery_requested": true },
                ],
                "app_state_success": false,
                "prekeys": { "checked": true, "server_count": 47, "upload_triggered": false },
                "privacy_settings": { "fetched": true }, "total_duration": "4521ms",
            },
        }));
        let wish = json!({ "sync_app_state": false, "refresh_prekeys": false, "refresh_privacy": false, "auto_recovery": false });
        house.phone.says("refresh", json!({ "was_connected": true, "was_logged_in": true, "connected": false, "logged_in": false }));
        let failed = house.post(&user, path, wish).await;
        assert_eq!(house.phone.last_asked("refresh"),
            json!({ "app_state": false, "prekeys": false, "privacy": false, "recover": false, "reconnect": true }));
        assert_eq!(failed.told(), (500, "Failed to refresh connection"));
        assert_eq!(json!([failed.json["refreshSuccess"], failed.json["wasLoggedIn"], failed.json["newConnected"]]), json!([false, true, false]));
        assert_eq!(house.post(&user, path, json!({ "auto_recovery": 1 })).await.told(), (400, "could not decode payload"));
    }

    async fn subscribing_limits_the_webhook(house: &mut House) {
        let user = house.create("one").await;
        house.clock.advance(std::time::Duration::from_secs(1));
        // Before there is a webhook, the wish waits for it.
        let body = json!({ "Subscribe": ["Message", "ChatPresence"], "Immediate": true });
        assert_eq!(house.post(&user, "/session/connect", body).await.data()["events"], "Message,ChatPresence");
        let put = house.by(&user.token, "PUT", "/webhook", json!({ "webhookurl": HOOK })).await;
        assert_eq!(put.data()["Events"], json!(["Message", "ChatPresence"]));
        for (body, events) in [
            (json!({ "Subscribe": "Message, Disconnected", "Immediate": true }), "Message,Disconnected"),
            (json!({ "Immediate": true }), "Message,Disconnected"),
            (json!({ "subscribe": ["All"], "immediate": true }), "All"),
        ] {
            let reply = house.post(&user, "/session/connect", body.clone()).await;
            assert_eq!((&reply.data()["events"], &reply.data()["webhook"]), (&json!(events), &json!(HOOK)), "{body}");
            assert_eq!(house.get(&user, "/webhook").await.data()["subscribe"], json!(events.split(',').collect::<Vec<_>>()));
        }
        assert_eq!(house.post(&user, "/session/connect", json!({ "Subscribe": 7.5 })).await.told(), (400, "could not decode payload"));
    }
}

#[test]
fn what_cannot_be_reached_in_time_is_an_error() {
    tell(Kind::Sqlite, async |house: &mut House| {
        let user = house.create("one").await;
        house.phone.is_silent(true);
        let before = house.clock.now();
        let late = house.patiently(house.post(&user, "/session/connect", json!({}))).await;
        assert_eq!(late.told(), (500, "the connection could not be made in time"));
        assert!((10_000..60_000).contains(&(house.clock.now() - before)), "{}", house.clock.now() - before);
        // It goes on all the same, and who does not wait is told at once.
        assert_eq!(
            house.post(&user, "/session/connect", json!({ "Immediate": true })).await.data()["details"],
            "Connected!"
        );
        let line = house.phone.line(&user.id).await;
        line.state(State::Banned, "WhatsApp has banned the account for a time").await;
        assert_eq!(status(house, &user).await["state"], "banned");

        // A resting one is tried at once; what it says of its end is the answer.
        house.clock.advance(std::time::Duration::from_secs(1));
        let (reply, ()) = tokio::join!(house.post(&user, "/session/connect", json!({})), async {
            house.until(async || house.phone.begun(&user.id) == 2).await;
            house.phone.line(&user.id).await.state(State::Outdated, "WhatsApp wants a newer client version").await;
        });
        assert_eq!(reply.told(), (500, "WhatsApp wants a newer client version"));
    });
}

#[test]
fn a_question_that_is_not_answered_is_given_up() {
    tell(Kind::Sqlite, async |house: &mut House| {
        let (user, _) = house.linked("one").await;
        house.phone.ignores("about");
        let late = house.patiently(house.get(&user, "/user/status")).await;
        assert_eq!(late.told(), (500, "WhatsApp did not answer in time"));
        house.phone.answers("privacy", |_| Err(CallError::NotConnected));
        assert_eq!(house.get(&user, "/user/privacy/settings").await.told(), (500, "not connected"));
    });
}
