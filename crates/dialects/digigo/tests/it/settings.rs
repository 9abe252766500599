//! What is set for a connection, and read back.

use serde_json::{Value, json};
use testkit::on_both;

use crate::house::House;

async fn config(house: &House, user: &crate::house::User) -> Value {
    serde_json::from_str(&house.sender(user).await.config).unwrap()
}

on_both! {
    async fn switches_are_set_and_read_back(house: &mut House) {
        let user = house.create("one").await;
        for (path, set, read, in_status, words) in [
            ("skipmedia", "SkipMediaDownload", "UserSkipMediaDownload", "skip_media_download", "Skip media download"),
            ("skipgroups", "SkipGroups", "UserSkipGroups", "skip_groups", "Skip groups"),
            ("skipnewsletters", "SkipNewsletters", "SkipNewsletters", "skip_newsletters", "Skip newsletters"),
            ("skipbroadcasts", "SkipBroadcasts", "SkipBroadcasts", "skip_broadcasts", "Skip broadcasts"),
            ("skipownmessages", "SkipOwnMessages", "SkipOwnMessages", "skip_own_messages", "Skip own messages"),
            ("presence", "AutoPresenceUnavailable", "AutoPresenceUnavailable", "", "Auto presence unavailable"),
        ] {
            let path = format!("/session/{path}/config");
            for on in [true, false, true] {
                let reply = house.post(&user, &path, json!({ "enabled": on })).await;
                let details = format!("{words} configuration updated successfully");
                assert_eq!(reply.data(), &json!({ "Details": details, set: on }));
                let shown = house.get(&user, &path).await;
                assert_eq!((&shown.data()[read], &shown.data()["Details"]),
                    (&json!(on), &json!(format!("{words} configuration retrieved successfully"))));
                if !in_status.is_empty() {
                    assert_eq!(house.get(&user, "/session/status").await.data()[in_status], on, "{in_status}");
                }
            }
            assert_eq!(house.post(&user, &path, json!({})).await.told(), (400, "missing enabled in payload"), "{path}");
            assert_eq!(house.post(&user, &path, json!({ "enabled": "on" })).await.told(), (400, "could not decode payload"), "{path}");
        }
        // What the connection itself must know reaches it.
        let config = config(house, &user).await;
        assert_eq!(json!([config["leave_files"], config["auto_unavailable"], config["reject_calls"]]), json!([true, true, null]));
    }

    async fn echo_is_a_switch_of_its_own(house: &mut House) {
        let user = house.create("one").await;
        let shown = house.get(&user, "/session/echo/api").await;
        assert_eq!(shown.json["EchoAPIMessages"], false);
        let set = house.post(&user, "/session/echo/api", json!({ "Enabled": true })).await;
        assert_eq!(set.json, json!({ "EchoAPIMessages": true, "Details": "Echo API messages configuration updated successfully" }));
        let status = house.get(&user, "/session/status").await;
        assert_eq!(json!([status.data()["echo_api_messages"], status.data()["isFromAPI"]]), json!([true, true]));
        assert_eq!(house.post(&user, "/session/echo/api", json!({})).await.json, json!({ "error": "missing enabled in payload" }));
    }

    async fn calls_are_turned_away_with_words(house: &mut House) {
        let user = house.create("one").await;
        let path = "/session/skipcalls/config";
        let usual = "Sorry, I cannot take calls at the moment.";
        for (body, message, kind) in [
            (json!({ "enabled": true, "reject_message": "Write to us", "reject_type": "unavailable" }), "Write to us", "unavailable"),
            (json!({ "enabled": true, "reject_type": "decline" }), usual, "declined"),
            (json!({ "enabled": true, "reject_type": "busy" }), usual, "busy"),
        ] {
            let reply = house.post(&user, path, body).await;
            assert_eq!(reply.data(), &json!({ "Details": "Skip calls configuration updated successfully", "SkipCalls": true,
                "RejectMessage": message, "RejectType": kind }));
            assert_eq!(config(house, &user).await["reject_calls"], json!({ "message": message, "reason": kind }));
        }
        let refused = house.post(&user, path, json!({ "enabled": true, "reject_type": "rudely" })).await;
        assert_eq!(refused.told(), (400, "invalid reject_type, must be: busy, declined, or unavailable"));
        house.post(&user, path, json!({ "enabled": false })).await;
        assert_eq!(config(house, &user).await["reject_calls"], Value::Null);
        let shown = house.get(&user, path).await;
        assert_eq!(shown.data(), &json!({ "Details": "Skip calls configuration retrieved successfully", "SkipCalls": false,
            "RejectMessage": usual, "RejectType": "busy" }));
    }

    async fn shared_transports_are_left_out_one_by_one(house: &mut House) {
        let user = house.create("one").await;
        let path = "/session/globaltransports/config";
        house.post(&user, path, json!({ "skipGlobalRabbitMQ": true, "skipGlobalS3": true })).await;
        let set = house.post(&user, path, json!({ "skipGlobalS3": false, "skipGlobalSQS": true })).await;
        let mut flags = json!({ "skipGlobalWebhook": false, "skipGlobalRabbitMQ": true, "skipGlobalSQS": true,
            "skipGlobalRedis": false, "skipGlobalWebSocket": false, "skipGlobalS3": false });
        assert_eq!(house.get(&user, "/session/status").await.data()["globalTransportSkips"], flags);
        flags["details"] = json!("Global transport skip configuration updated successfully");
        assert_eq!(set.data(), &flags);
        flags["details"] = json!("Global transport skip configuration retrieved successfully");
        assert_eq!(house.get(&user, path).await.data(), &flags);
        for (body, text) in [
            (Value::Null, "no fields provided"),
            (json!({}), "no fields provided"),
            (json!({ "skipGlobalFax": true }), "unknown field: skipglobalfax"),
            (json!({ "skipGlobalS3": 1 }), "could not decode payload"),
        ] {
            assert_eq!(house.post(&user, path, body).await.told(), (400, text));
        }
    }

    async fn a_proxy_is_kept_for_the_next_connect(house: &mut House) {
        let (user, line) = house.linked("one").await;
        let path = "/session/proxy";
        let address = "socks5://user:pass@proxy.example:1080";
        let set = house.post(&user, path, json!({ "proxy_url": address, "enable": true })).await;
        assert_eq!(set.json, json!({ "Details": "Proxy configured successfully", "ProxyURL": address }));
        let status = house.get(&user, "/session/status").await;
        assert_eq!(json!([status.data()["proxy_url"], status.data()["proxy_config"], status.data()["connected"]]),
            json!([address, { "enabled": true, "proxy_url": address }, true]));
        assert!(!config(house, &user).await["proxy"].as_str().unwrap().contains("proxy.example"));
        // Other settings leave it alone.
        house.post(&user, "/session/skipmedia/config", json!({ "enabled": true })).await;
        house.post(&user, "/session/presence/config", json!({ "enabled": true })).await;
        assert_eq!(house.get(&user, "/session/status").await.data()["proxy_url"], address);
        for (body, text) in [
            (json!({ "enable": true }), "missing proxy_url in payload"),
            (json!({ "proxy_url": "https://h:1", "enable": true }), "invalid proxy_url, must be http://host:port or socks5://user:pass@host:port"),
            (json!({ "proxy_url": 7, "enable": "x" }), "could not decode payload"),
        ] {
            assert_eq!(house.post(&user, path, body).await.told(), (400, text));
        }
        house.post(&user, path, json!({ "proxy_url": "", "enable": false })).await;
        assert_eq!(house.get(&user, "/session/status").await.data()["proxy_config"], json!({ "enabled": false, "proxy_url": "" }));
        drop(line);
    }
}
