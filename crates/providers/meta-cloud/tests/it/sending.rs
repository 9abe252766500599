//! What becomes of a message that is handed over.

use std::time::Duration;

use engine::failure::{Code, Retry, SendError};
use engine::provider::{Provider, Sent};
use serde_json::json;

use crate::ground::{Ground, PHONE, TOKEN, account, outgoing, sender, text};
use crate::stub::{Reply, Stub, nobody, ok, rude};

async fn send(ground: &Ground) -> Result<Sent, SendError> {
    ground.provider.send(&account(), &sender(), &outgoing(text("Hi"))).await
}

async fn outcome(reply: fn() -> Reply) -> SendError {
    let stub = Stub::start(move |_, _| reply()).await;
    send(&Ground::new(&stub.url)).await.unwrap_err()
}

#[tokio::test]
async fn a_message_is_posted_to_its_number_and_answered_with_an_id() {
    let stub = Stub::start(|_, _| {
        ok(json!({"messaging_product": "whatsapp", "contacts": [{"input": "+15550199001", "wa_id": "15550199001"}],
            "messages": [{"id": "wamid.A", "message_status": "accepted"}], "new": {}}))
    })
    .await;
    let ground = Ground::new(&stub.url);
    assert_eq!(send(&ground).await.unwrap(), Sent::one("wamid.A"));
    let mark = ground.provider.read_receipts().unwrap();
    mark.mark_read(&account(), &sender(), "wamid.IN", true).await.unwrap_err();

    let calls = stub.calls();
    assert_eq!(stub.lines(), [format!("POST /v26.0/{PHONE}/messages"), format!("POST /v26.0/{PHONE}/messages")]);
    assert!(calls.iter().all(|call| call.token() == TOKEN));
    assert_eq!(calls[0].json()["biz_opaque_callback_data"], outgoing(text("")).id.hex24());
    assert_eq!(
        calls[1].json(),
        json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN", "typing_indicator": {"type": "text"}})
    );
}

#[tokio::test]
async fn an_account_may_name_another_graph_and_its_ids_cannot_leave_their_place() {
    let stub = Stub::start(|_, _| ok(json!({"messaging_product": "whatsapp", "messages": [{"id": "wamid.A"}]}))).await;
    let ground = Ground::new(&nobody().await);
    let mut account = account();
    account.config = json!({"app_id": "1", "graph_url": format!("{}/proxy/", stub.url)}).to_string();
    let mut sender = sender();
    sender.external_id = "../1/x?y=z#".to_owned();
    ground.provider.send(&account, &sender, &outgoing(text("Hi"))).await.unwrap();
    assert_eq!(stub.lines(), ["POST /proxy/v26.0/..%2F1%2Fx%3Fy=z%23/messages"]);
}

#[tokio::test]
async fn only_what_cannot_have_arrived_is_simply_tried_again() {
    let unreached = send(&Ground::new(&nobody().await)).await.unwrap_err();
    assert_eq!((unreached.retry, unreached.failure.code), (Retry::BackOff, Code::ProviderUnavailable));
    let lost = send(&Ground::new(&rude().await)).await.unwrap_err();
    assert_eq!((lost.retry, lost.failure.code), (Retry::Unknown, Code::OutcomeUnknown));
    let stub = Stub::start(|_, _| Reply::Silence).await;
    let silent = send(&Ground::with(&stub.url, Duration::from_millis(200))).await.unwrap_err();
    assert_eq!(silent.retry, Retry::Unknown);
    assert_eq!(stub.lines().len(), 1, "nothing is tried again behind the engine's back");
}

#[tokio::test]
async fn answers_are_sorted_by_who_gave_them() {
    let refused = outcome(|| {
        let details = json!({"messaging_product": "whatsapp", "details": "24 hours have passed"});
        Reply::Json(
            400,
            json!({"error": {"message": "(#131047) Re-engagement message", "type": "OAuthException", "code": 131_047,
            "error_data": details, "fbtrace_id": "A"}}),
        )
    })
    .await;
    assert_eq!((refused.retry, refused.failure.code), (Retry::Never, Code::OutsideWindow));
    assert_eq!(refused.failure.details.as_deref(), Some("24 hours have passed"));
    let outage = outcome(|| Reply::Json(503, json!({"error": {"message": "Down", "code": 2}}))).await;
    assert_eq!(outage.retry, Retry::BackOff);
    for (reply, retry) in [
        (outcome(|| Reply::Text(502, "<html>")).await, Retry::Unknown),
        (outcome(|| Reply::Text(504, "")).await, Retry::Unknown),
        (outcome(|| Reply::Text(503, "busy")).await, Retry::BackOff),
        (outcome(|| Reply::Text(200, "<html>")).await, Retry::Unknown),
        (outcome(|| ok(json!({"messaging_product": "whatsapp", "messages": []}))).await, Retry::Unknown),
    ] {
        assert_eq!(reply.retry, retry, "{reply:?}");
    }
}

#[tokio::test]
async fn an_account_that_cannot_be_read_stops_and_tells_no_secret() {
    let ground = Ground::new(&nobody().await);
    let mut account = account();
    account.secrets = r#"{"access_token": "EAAtoken"}"#.to_owned().into();
    let stopped = ground.provider.send(&account, &sender(), &outgoing(text("Hi"))).await.unwrap_err();
    assert_eq!(stopped.retry, Retry::Stop);
    assert!(!format!("{stopped:?}").contains("EAA"));
}

#[test]
fn the_pace_is_the_cloud_apis() {
    let ground = Ground::new("http://127.0.0.1:1");
    let (provider, pace) = (&ground.provider, ground.provider.pace());
    assert_eq!((provider.name(), provider.channel()), ("meta-cloud", "whatsapp"));
    assert_eq!(provider.window(), Some(Duration::from_secs(86_400)));
    let pair = pace.pair.unwrap();
    assert_eq!((pace.per_second, pair.interval, pair.burst), (80, Duration::from_secs(6), 45));
}
