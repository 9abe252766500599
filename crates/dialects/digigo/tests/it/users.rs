//! Users: made, shown, renamed, removed; and the wall between organizations.

use engine::sessions::State;
use serde_json::{Value, json};
use testkit::on_both;

use crate::house::{ADMIN, DAY, FOREIGN_ADMIN, HOOK, House, Particular, Unlinkable, User};

const NOBODY: &str = "00000000000000000000000000000000";

on_both! {
    async fn a_user_is_made_shown_and_deleted(house: &mut House) {
        let all = json!({
            "name": "shop", "token": "1234ABCD", "webhook": HOOK, "events": "Message, ReadReceipt",
            "echoApiMessages": true, "skipMedia": true, "skipGroups": true, "skipNewsletters": true,
            "skipBroadcasts": true, "skipOwnMessages": true, "skipCalls": true, "callRejectMessage": "Later",
            "callRejectType": "decline", "globalTransportSkips": { "skipGlobalSQS": true },
            "proxyConfig": { "enabled": true, "proxyURL": "socks5://u:p@proxy.example:1080" },
            "whatsappConfig": { "waOSName": "Linux", "waMCC": "724", "waPlatformType": "FIREFOX" },
        });
        let made = house.admin("POST", "/admin/users", all).await;
        assert_eq!((made.status, &made.json["code"], &made.json["success"]), (201, &json!(201), &json!(true)));
        let data = made.data();
        let id = data["id"].as_str().unwrap();
        let expected = json!({
            "id": id, "name": "shop", "token": "1234ABCD", "echoApiMessages": true, "skipMediaDownload": true,
            "skipGroups": true, "skipNewsletters": true, "skipBroadcasts": true, "skipOwnMessages": true,
            "globalTransportSkips": { "skipGlobalWebhook": false, "skipGlobalRabbitMQ": false, "skipGlobalSQS": true,
                "skipGlobalRedis": false, "skipGlobalWebSocket": false, "skipGlobalS3": false },
            "isFromAPI": true, "skipCalls": true, "callRejectMessage": "Later", "callRejectType": "declined",
            "webhook": HOOK, "events": "Message,ReadReceipt",
            "proxyConfig": { "enabled": true, "proxyURL": "socks5://u:p@proxy.example:1080" },
            "s3Config": { "enabled": false }, "rabbitmqConfig": { "enabled": false },
            "whatsappConfig": { "waVersion": "", "waPlatform": "", "waReleaseChannel": "", "waWebSubPlatform": "",
                "waOsName": "Linux", "waOsVersion": "", "waDeviceName": "", "waManufacturer": "", "waDeviceBoard": "",
                "waLocaleLanguage": "", "waLocaleCountry": "", "waMcc": "724", "waMnc": "", "waConnectType": "",
                "waPlatformType": "FIREFOX" },
        });
        assert_eq!(data, &expected);

        house.create("plain").await;
        let listed = house.admin("GET", "/admin/users", Value::Null).await;
        let names: Vec<&str> = listed.data().as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["shop", "plain"]);
        let shown = house.admin("GET", &format!("/admin/users/{id}"), Value::Null).await;
        let shown = &shown.data()[0];
        assert_eq!(shown, &listed.data()[0]);
        for (name, value) in [
            ("token", json!("1234ABCD")), ("webhook", json!(HOOK)), ("events", json!("Message,ReadReceipt")),
            ("connected", json!(false)), ("loggedIn", json!(false)), ("jid", json!("")), ("qrcode", json!("")),
            ("expiration", json!(0)), ("call_reject_type", json!("declined")), ("skip_calls", json!(true)),
            ("whatsapp_config", json!({ "wa_os_name": "Linux", "wa_mcc": "724", "wa_platform_type": "FIREFOX" })),
            ("proxy_config", json!({ "enabled": true, "proxy_url": "socks5://u:p@proxy.example:1080" })),
        ] {
            assert_eq!(shown[name], value, "{name}");
        }
        // What is kept of the proxy does not show it.
        let user = User { id: engine::Id::parse_hex32(id).unwrap(), token: "1234ABCD".into() };
        assert!(!house.sender(&user).await.config.contains("proxy.example"));

        let gone = house.admin("DELETE", &format!("/admin/users/{id}"), Value::Null).await;
        assert_eq!(gone.json, json!({ "code": 200, "data": { "id": id }, "details": "User deleted successfully", "success": true }));
        for (method, path) in [("GET", ""), ("DELETE", ""), ("DELETE", "/full")] {
            let again = house.admin(method, &format!("/admin/users/{id}{path}"), Value::Null).await;
            assert_eq!(again.told(), (404, "user not found"), "{method} {path}");
        }
        assert_eq!(house.get(&user, "/session/status").await.told(), (401, "unauthorized"));
        assert_eq!(house.admin("GET", "/admin/users", Value::Null).await.data().as_array().unwrap().len(), 1);
        // A token whose owner is gone can be given again.
        assert_eq!(house.admin("POST", "/admin/users", json!({ "name": "new", "token": "1234ABCD" })).await.status, 201);
    }

    async fn an_operator_says_what_new_users_are_made_with(particular: &mut Particular) {
        let house = &particular.0;
        let usual = house.create("usual").await;
        let own = house.create_with("own", json!({ "skipGroups": false, "skipCalls": false, "callRejectMessage": "No" })).await;
        for (user, expected) in [(&usual, json!([true, true, "Write", "busy"])), (&own, json!([false, false, "No", "busy"]))] {
            let status = house.get(user, "/session/status").await;
            let data = status.data();
            assert_eq!(json!([data["skip_groups"], data["skip_calls"], data["call_reject_message"], data["call_reject_type"]]), expected);
        }
        // The connection knows, too; and what he leaves out later is the operator's word.
        let config: Value = serde_json::from_str(&house.sender(&usual).await.config).unwrap();
        assert_eq!(config["reject_calls"], json!({ "message": "Write", "reason": "busy" }));
        let set = house.post(&own, "/session/skipcalls/config", json!({ "enabled": true })).await;
        assert_eq!(set.data()["RejectMessage"], "Write");
        let health = house.by("", "GET", "/health", Value::Null).await;
        assert_eq!(json!([health.json["environment"]["app_env"], health.json["environment"]["app_region"]]), json!(["production", "sa-east-1"]));
    }

    async fn a_user_whom_nothing_could_link_is_not_made(unlinkable: &mut Unlinkable) {
        let house = &unlinkable.0;
        let reply = house.admin("POST", "/admin/users", json!({ "name": "x", "token": "y" })).await;
        assert_eq!(reply.told(), (501, "this sandbox has no WhatsApp Web to link accounts with: build hermod with --features web-sandbox"));
        assert_eq!(house.admin("GET", "/admin/users", Value::Null).await.data(), &json!([]));
    }

    async fn an_accounts_picture_is_asked_for_once_a_day(house: &mut House) {
        let picture = |url: &str| json!({ "id": "17", "url": url, "kind": "preview", "direct_path": "/a.jpg" });
        let user = house.create("one").await;
        let status = async || house.get(&user, "/session/status").await.data()["avatar_url"].clone();
        let asked = || house.phone.asked().iter().filter(|(name, _)| name == "picture").count();
        house.phone.says("picture", picture("https://pps.whatsapp.net/a.jpg"));
        assert_eq!((status().await, asked()), (json!(""), 0));
        house.link(&user).await;
        let listed = house.admin("GET", "/admin/users", Value::Null).await;
        assert_eq!((&listed.data()[0]["avatar_url"], asked()), (&json!(""), 0), "a list asks nobody");
        for _ in 0..2 {
            assert_eq!((status().await, asked()), (json!("https://pps.whatsapp.net/a.jpg"), 1));
        }
        assert_eq!(house.phone.last_asked("picture")["address"], "5511999990000@s.whatsapp.net");
        let shown = house.admin("GET", &format!("/admin/users/{}", user.id.hex32()), Value::Null).await;
        let listed = house.admin("GET", "/admin/users", Value::Null).await;
        assert_eq!((&shown.data()[0]["avatar_url"], &shown.data()[0]), (&json!("https://pps.whatsapp.net/a.jpg"), &listed.data()[0]));
        // Whoever has none, or does not answer, is asked again later.
        let days_later = async || {
            house.clock.advance(DAY);
            house.patiently(house.stands(&user, State::Connected)).await;
        };
        days_later().await;
        house.phone.says("picture", Value::Null);
        assert_eq!((status().await, asked()), (json!(""), 2));
        days_later().await;
        house.phone.refuses("picture", "not now");
        assert_eq!((status().await, status().await, asked()), (json!(""), json!(""), 3));
        days_later().await;
        house.phone.says("picture", picture("https://pps.whatsapp.net/b.jpg"));
        assert_eq!((status().await, asked()), (json!("https://pps.whatsapp.net/b.jpg"), 4));
    }

    async fn what_cannot_be_made_leaves_nothing(house: &mut House) {
        house.create("one").await;
        let long = "x".repeat(256);
        for (body, status, text) in [
            (json!({}), 400, "missing name in payload"),
            (json!({ "name": " ", "token": "t" }), 400, "missing name in payload"),
            (json!({ "name": "two" }), 400, "missing token in payload"),
            (json!({ "name": "two", "token": "token-of-one" }), 409, "user with this token already exists"),
            (json!({ "name": "two", "token": ADMIN }), 409, "user with this token already exists"),
            (json!({ "name": "two", "token": FOREIGN_ADMIN }), 409, "user with this token already exists"),
            (json!({ "name": long, "token": "t" }), 400, "Name too long (max 255 characters)"),
            (json!({ "name": "two", "token": "a b" }), 400, "Token must be printable ASCII without spaces (max 255 characters)"),
            (json!({ "name": "two", "token": "t", "skipCalls": "yes" }), 400, "could not decode payload"),
            (json!({ "name": "two", "token": "t", "callRejectType": "rudely" }), 400,
                "invalid reject_type, must be: busy, declined, or unavailable"),
            (json!({ "name": "two", "token": "t", "globalTransportSkips": { "skipEverything": true } }), 400,
                "unknown field: skipeverything"),
            (json!({ "name": "two", "token": "t", "proxyConfig": { "enabled": true, "proxyURL": "ftp://x" } }), 400,
                "invalid proxy_url, must be http://host:port or socks5://user:pass@host:port"),
            (json!({ "name": "two", "token": "t", "webhook": "gopher://x" }), 400, "only https is spoken here"),
        ] {
            let reply = house.admin("POST", "/admin/users", body.clone()).await;
            assert_eq!(reply.status, status, "{body}: {}", reply.json);
            assert!(reply.told().1.contains(text), "{body}: {}", reply.json);
        }
        assert_eq!(house.admin("GET", "/admin/users", Value::Null).await.data().as_array().unwrap().len(), 1);
    }

    async fn a_user_is_removed_with_all_that_is_his(house: &mut House) {
        let (user, line) = house.linked("whole").await;
        let (other, other_line) = house.linked("row").await;
        let gone = house.admin("DELETE", &format!("/admin/users/{}/full", user.id.hex32()), Value::Null).await;
        assert_eq!(gone.json, json!({ "code": 200, "success": true, "details": "User instance removed completely",
            "data": { "id": user.id.hex32(), "jid": "5511999990000:4@s.whatsapp.net", "name": "whole" } }));
        line.stopped().await;
        let logouts = || house.phone.asked().iter().filter(|(name, _)| name == "logout").count();
        assert_eq!(logouts(), 1);
        // The other way nothing is said to WhatsApp.
        house.admin("DELETE", &format!("/admin/users/{}", other.id.hex32()), Value::Null).await;
        other_line.stopped().await;
        assert_eq!(logouts(), 1);
        for user in [&user, &other] {
            assert_eq!(house.get(user, "/session/status").await.told(), (401, "unauthorized"));
            assert!(house.engine.session(&user.id).await.unwrap().is_none());
        }
        // Whoever cannot be reached is removed all the same.
        let lost = house.create("lost").await;
        house.link(&lost).await.state(State::Reconnecting, "no network").await;
        assert_eq!(house.admin("DELETE", &format!("/admin/users/{}/full", lost.id.hex32()), Value::Null).await.status, 200);
    }

    async fn a_user_changes_his_name_and_token(house: &mut House) {
        let user = house.create("one").await;
        house.create("two").await;
        let long = "x".repeat(256);
        for (body, status, text) in [
            (json!({}), 400, "No changes detected"),
            (json!({ "name": "one", "token": "token-of-one" }), 400, "No changes detected"),
            (json!({ "name": " " }), 400, "Name cannot be empty"),
            (json!({ "name": long }), 400, "Name too long (max 255 characters)"),
            (json!({ "token": "short" }), 400, "Token too short (min 8 characters)"),
            (json!({ "token": "token-of-two" }), 409, "Token already in use"),
            (json!({ "token": FOREIGN_ADMIN }), 409, "Token already in use"),
        ] {
            assert_eq!(house.post(&user, "/user/update", body).await.told(), (status, text));
        }
        let renamed = house.post(&user, "/user/update", json!({ "name": "uno" })).await;
        let data = |name: &str, token: &str| {
            json!({ "id": user.id.hex32(), "name": name, "token": token, "message": "Profile updated successfully" })
        };
        assert_eq!(renamed.data(), &data("uno", "token-of-one"));
        let changed = house.post(&user, "/user/update", json!({ "token": "another-token" })).await;
        assert_eq!(changed.data(), &data("uno", "another-token"));
        assert_eq!(house.get(&user, "/session/status").await.told(), (401, "unauthorized"));
        let user = User { token: "another-token".into(), ..user };
        let status = house.get(&user, "/session/status").await;
        assert_eq!((&status.data()["name"], &status.data()["token"]), (&json!("uno"), &json!("another-token")));
        let shown = house.admin("GET", &format!("/admin/users/{}", user.id.hex32()), Value::Null).await;
        assert_eq!(shown.data()[0]["token"], "another-token");

        // Of two who change at the same time one is told so.
        let (first, second) = tokio::join!(
            house.post(&user, "/user/update", json!({ "name": "eins" })),
            house.post(&user, "/user/update", json!({ "name": "un" })),
        );
        let mut outcomes = [first.status, second.status];
        outcomes.sort_unstable();
        assert!(outcomes == [200, 409] || outcomes == [200, 200], "{outcomes:?}");
    }

    async fn organizations_do_not_see_each_other(house: &mut House) {
        let (user, _) = house.linked("one").await;
        let path = format!("/admin/users/{}", user.id.hex32());
        for (method, target) in [("GET", path.clone()), ("DELETE", path.clone()), ("DELETE", format!("{path}/full"))] {
            let reply = house.by_admin(FOREIGN_ADMIN, method, &target, Value::Null).await;
            assert_eq!(reply.told(), (404, "user not found"), "{method} {target}");
        }
        for target in ["/admin/users", "/admin/instances/status"] {
            assert_eq!(house.by_admin(FOREIGN_ADMIN, "GET", target, Value::Null).await.data(), &json!([]), "{target}");
        }
        let named = format!("/admin/instances/status?ids={}", user.id.hex32());
        assert_eq!(house.by_admin(FOREIGN_ADMIN, "GET", &named, Value::Null).await.data(), &json!([]));
        // Nobody takes a token for what it is not.
        for token in [ADMIN, FOREIGN_ADMIN] {
            assert_eq!(house.by(token, "GET", "/session/status", Value::Null).await.told(), (401, "unauthorized"));
        }
        for token in ["token-of-one", "nobody's", "", "Bearer ", "Bearer token-of-one"] {
            let reply = house.by_admin(token, "GET", "/admin/users", Value::Null).await;
            assert_eq!(reply.json, json!({ "error": "unauthorized - admin token required" }), "{token}");
        }
        let bearer = house.by_admin(&format!("Bearer {ADMIN}"), "GET", &path, Value::Null).await;
        assert_eq!(bearer.data()[0]["name"], "one");
        for id in [NOBODY, "x", "%00", "..%2f"] {
            let reply = house.admin("GET", &format!("/admin/users/{id}"), Value::Null).await;
            assert_eq!(reply.told(), (404, "user not found"), "{id}");
        }
        let upper = house.admin("GET", &format!("/admin/users/{}", user.id.hex32().to_uppercase()), Value::Null).await;
        assert_eq!(upper.status, 200);
    }

    async fn connections_are_listed_page_by_page(house: &mut House) {
        let (one, _) = house.linked("one").await;
        let two = house.create("two").await;
        house.connect(&two).await;
        house.stands(&two, State::AwaitingLink).await;
        house.create("three").await;
        let page = async |query: &str| house.admin("GET", &format!("/admin/instances/status{query}"), Value::Null).await;
        let all = page("").await;
        let stands: Vec<_> = all.data().as_array().unwrap().iter().map(|of| {
            json!([of["name"], of["connected"], of["loggedIn"], of["hasClient"], of["connectionHealth"], of["source"], of["qrcode_text"]])
        }).collect();
        assert_eq!(json!(stands), json!([
            ["one", true, true, true, "connected", "runtime", null],
            ["two", true, false, true, "connected_not_logged", "runtime", "2@first"],
            ["three", false, false, false, "no_client", "database", ""],
        ]));
        assert_eq!(all.data()[0]["jid"], "5511999990000:4@s.whatsapp.net");
        assert_eq!(all.data()[0]["lastSuccessfulConnect"], json!(house.clock.now() / 1000 - 1));
        assert!(all.data()[1]["qrcode"].as_str().unwrap().starts_with("data:image/png;base64,iVBOR"));
        assert_eq!(all.json["pagination"], json!({ "limit": 200, "offset": 0, "has_more": false, "next_offset": null }));

        let first = page("?limit=2&include_total=true").await;
        assert_eq!(first.json["pagination"], json!({ "limit": 2, "offset": 0, "has_more": true, "next_offset": 2, "total": 3 }));
        let rest = page("?limit=2&offset=2").await;
        assert_eq!(rest.data()[0]["name"], "three");
        assert_eq!(rest.json["pagination"], json!({ "limit": 2, "offset": 2, "has_more": false, "next_offset": null }));
        let named = page(&format!("?ids={},{},{NOBODY},x", two.id.hex32(), one.id.hex32())).await;
        assert_eq!(named.data().as_array().unwrap().len(), 2);
        for query in ["?limit=0", "?limit=1001", "?limit=x", "?limit=-1"] {
            assert_eq!(page(query).await.told(), (400, "invalid limit parameter"), "{query}");
        }
        assert_eq!(page("?offset=-1").await.told(), (400, "invalid offset parameter"));
    }

    async fn the_licence_and_the_health_are_told(house: &mut House) {
        let licence = house.admin("GET", "/admin/license/info", Value::Null).await;
        let told = &licence.json;
        assert_eq!(json!([told["valid"], told["plan_type"], told["status"], told["is_in_grace_period"]]), json!([true, "ENTERPRISE", "active", false]));
        let stranger = house.by_admin("nobody's", "GET", "/admin/license/info", Value::Null).await;
        assert_eq!(stranger.json, json!({ "success": false, "error": "unauthorized - admin token required", "code": 401 }));
        let health = house.by("", "GET", "/health", Value::Null).await;
        assert_eq!(json!([health.json["data"], health.json["status"], health.json["version"]]), json!(["OK", "healthy", "0.1.0"]));
        assert_eq!(health.json["services"]["database"]["status"], "up");
    }
}
