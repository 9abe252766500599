//! An account whose owner must prove himself with a passkey.

use engine::sessions::State;
use serde_json::{Value, json};
use testkit::on_both;

use crate::house::{House, User};

const NOTHING: (u16, &str) = (409, "no passkey was asked for");

async fn shown(house: &House, user: &User) -> Value {
    house.get(user, "/session/passkey").await.data().clone()
}

on_both! {
    async fn a_passkey_is_asked_for_signed_and_confirmed(house: &mut House) {
        let user = house.create("one").await;
        let none = json!({ "state": "none", "challenge": null, "code": null, "expires_at": null });
        assert_eq!(shown(house, &user).await, none);
        let credential = json!({ "id": "AQID", "type": "public-key", "response": { "clientDataJSON": "e30", "signature": "AA" } });
        for path in ["/session/passkey/response", "/session/passkey/confirm"] {
            assert_eq!(house.post(&user, path, credential.clone()).await.told(), NOTHING, "{path}");
        }
        let line = house.connect(&user).await;
        house.stands(&user, State::AwaitingLink).await;
        assert_eq!(house.post(&user, "/session/passkey/response", credential.clone()).await.told(), NOTHING);

        let challenge = json!({ "challenge": "q83v", "rpId": "web.whatsapp.com", "timeout": 60000 });
        let expires = house.clock.now() + 60_000;
        line.offer(State::AwaitingProof, json!({ "challenge": challenge, "expires_at": expires })).await;
        let expected = seconds(expires);
        assert_eq!(shown(house, &user).await,
            json!({ "state": "awaiting_response", "challenge": challenge, "code": null, "expires_at": expected }));
        let status = house.get(&user, "/session/status").await;
        assert_eq!(json!([status.data()["connected"], status.data()["state"]]), json!([true, "awaiting_proof"]));
        assert_eq!(house.post(&user, "/session/passkey/confirm", Value::Null).await.told(), NOTHING);
        for wrong in [Value::Null, json!([]), json!("x")] {
            assert_eq!(house.post(&user, "/session/passkey/response", wrong).await.status, 400);
        }
        house.phone.answers("passkey_response", |ask| match ask["credential"]["id"].as_str() {
            Some(_) => Ok(Value::Null),
            None => Err(engine::sessions::CallError::Invalid("the credential's id is missing or not base64url".into())),
        });
        let malformed = house.post(&user, "/session/passkey/response", json!({ "type": "public-key" })).await;
        assert_eq!(malformed.told(), (400, "the credential's id is missing or not base64url"));
        let signed = house.post(&user, "/session/passkey/response", credential.clone()).await;
        assert_eq!(signed.data(), &json!({ "state": "awaiting_response" }));
        // What browsers sign must not be respelt.
        assert_eq!(house.phone.last_asked("passkey_response"), json!({ "credential": credential }));

        line.offer(State::AwaitingConfirmation, json!({ "code": "ABCD1234", "expires_at": expires })).await;
        assert_eq!(shown(house, &user).await,
            json!({ "state": "awaiting_confirmation", "challenge": null, "code": "ABCD1234", "expires_at": expected }));
        assert_eq!(house.post(&user, "/session/passkey/confirm", Value::Null).await.data(), &json!({ "state": "awaiting_confirmation" }));
        line.connect(crate::house::identity()).await;
        assert_eq!(shown(house, &user).await, none);
    }

    async fn a_passkey_comes_too_late_or_fails(house: &mut House) {
        let user = house.create("one").await;
        let line = house.connect(&user).await;
        house.stands(&user, State::AwaitingLink).await;
        let expires = house.clock.now() + 2000;
        let paths = [("/session/passkey/response", State::AwaitingProof), ("/session/passkey/confirm", State::AwaitingConfirmation)];
        for (_, state) in paths {
            line.offer(state, json!({ "expires_at": expires })).await;
        }
        house.clock.advance(std::time::Duration::from_secs(2));
        for (path, state) in paths {
            line.offer(state, json!({ "expires_at": expires })).await;
            assert_eq!(house.post(&user, path, json!({ "id": "x" })).await.told(), (410, "the passkey's challenge has expired"), "{path}");
        }
        line.state(State::Failed, "the passkey: the signature is not the owner's").await;
        assert_eq!(shown(house, &user).await["state"], "failed");
        assert_eq!(house.post(&user, "/session/passkey/confirm", Value::Null).await.told(), NOTHING);
    }
}

/// As this API prints times.
fn seconds(millis: i64) -> String {
    let time = engine::clock::rfc3339(millis);
    format!("{}Z", &time[..19])
}
