//! The webhook transport against receivers on loopback.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod receiver;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use engine::transport::{Answer, Parcel, Transport};
use net::{AddressPolicy, GuardedClient, Settings};
use receiver::Receiver;
use rstest::rstest;
use transports::Webhook;

const NOW: i64 = 1_700_000_000_000;

fn webhook(allowed: &[&str]) -> Webhook {
    net::install_crypto();
    let policy = AddressPolicy::new(allowed.iter().map(|net| net.parse().unwrap()).collect());
    let client = GuardedClient::new(Settings { policy, ..Settings::default() }).unwrap();
    Webhook::new(client, Arc::new(|| NOW))
}

fn loopback() -> Webhook {
    webhook(&["127.0.0.0/8"])
}

fn parcel(url: String, timeout: Duration) -> Parcel {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Parcel {
        url,
        headers: vec![header("content-type", "application/json"), header("X-Signature", "t=1,v1=s3cr3t")],
        body: Bytes::from_static(br#"{"id":"evt"}"#),
        timeout,
        answer_bytes: 1024,
    }
}

async fn deliver(to: &Webhook, url: String) -> Answer {
    to.deliver(&parcel(url, Duration::from_secs(10))).await
}

fn status(status: u16, snippet: &str, retry_after: Option<u64>) -> Answer {
    Answer::Status { status, snippet: snippet.to_owned(), retry_after: retry_after.map(Duration::from_secs) }
}

#[tokio::test]
async fn a_parcel_arrives_as_it_is_and_the_answer_comes_back() {
    let (receiver, webhook) = (Receiver::start().await, loopback());
    assert_eq!(deliver(&webhook, receiver.url("/ok")).await, status(200, "thank you", None));
    let seen = receiver.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].method, "POST");
    assert_eq!(seen[0].header("content-type"), ["application/json"]);
    assert_eq!(seen[0].header("x-signature"), ["t=1,v1=s3cr3t"]);
    assert_eq!(&seen[0].body[..], br#"{"id":"evt"}"#);

    for (path, expected) in [
        ("/moved", status(307, "", None)),
        ("/busy", status(429, "slow down", Some(120))),
        ("/busy-until", status(503, "", Some(60))),
        ("/empty", status(204, "", None)),
    ] {
        assert_eq!(deliver(&webhook, receiver.url(path)).await, expected, "{path}");
    }
    assert!(receiver.seen().iter().all(|request| request.path != "/elsewhere"), "a redirect was followed");
    assert!(receiver.connections() < receiver.seen().len(), "no connection was used again");
}

#[tokio::test]
async fn a_status_counts_even_if_its_body_is_endless_or_breaks_off() {
    let (receiver, webhook) = (Receiver::start().await, loopback());
    let Answer::Status { status: 200, snippet, .. } = deliver(&webhook, receiver.url("/endless")).await else {
        panic!("no status");
    };
    assert_eq!(snippet.len(), 1024);
    let curious = Parcel { answer_bytes: 10_240, ..parcel(receiver.url("/endless"), Duration::from_secs(10)) };
    let Answer::Status { snippet, .. } = webhook.deliver(&curious).await else { panic!("no status") };
    assert_eq!(snippet.len(), 10_240);
    let stalled = parcel(receiver.url("/stalled"), Duration::from_millis(300));
    assert_eq!(webhook.deliver(&stalled).await, status(200, "begun", None));
}

#[tokio::test]
async fn failures_are_told_shortly_and_without_secrets() {
    let (receiver, webhook) = (Receiver::start().await, loopback());
    let (closed, cutting) = (receiver::closed_port().await, receiver::cutting_port().await);
    let silent = parcel(receiver.url("/silent"), Duration::from_millis(200));
    let mut odd = parcel(receiver.url("/ok"), Duration::from_secs(10));
    odd.headers.push(("x-token".into(), "s3cr3t\n".into()));
    let outcomes = [
        (webhook.deliver(&silent).await, "timed out after 200 ms"),
        (deliver(&webhook, format!("http://127.0.0.1:{closed}/")).await, "connection refused"),
        (
            deliver(&webhook, format!("http://127.0.0.1:{cutting}/")).await,
            "the connection was lost before an answer came",
        ),
        (
            deliver(&webhook, format!("http://{}:1/", Ipv4Addr::new(10, 0, 0, 1))).await,
            "the address resolves to a private network",
        ),
        (webhook.deliver(&odd).await, "the header x-token has an invalid value"),
    ];
    for (outcome, expected) in outcomes {
        assert_eq!(outcome, Answer::Failed { error: expected.to_owned() });
    }
    let Answer::Failed { error } = deliver(&webhook, receiver.url("/ok").replace("http:", "https:")).await else {
        panic!("spoke TLS with a plain server");
    };
    assert!(error.starts_with("TLS: ") && error.len() < 100, "{error}");
}

#[tokio::test]
async fn many_at_once_share_few_connections() {
    let (receiver, webhook) = (Receiver::start().await, loopback());
    for _ in 0..10 {
        let wave = (0..20).map(|_| deliver(&webhook, receiver.url("/ok")));
        for answer in futures_util::future::join_all(wave).await {
            assert_eq!(answer, status(200, "thank you", None));
        }
    }
    assert_eq!(receiver.seen().len(), 200);
    // A connection that is just being given back is not found by the next request; hence some room.
    assert!(receiver.connections() <= 100, "{} connections", receiver.connections());
}

#[rstest]
#[case("https://hooks.example.com/a?b=c", None)]
#[case("https://hooks.example.com:8443/#part", None)]
#[case("http://hooks.example.com/", Some("plain http is not permitted to this host"))]
#[case("http://127.0.0.1/", Some("the address resolves to a private network"))]
#[case("https://192.168.1.1/", Some("the address resolves to a private network"))]
#[case("https://[::1]/", Some("the address resolves to a private network"))]
#[case("https://localhost/", Some("the address resolves to a private network"))]
#[case("https://user:secret@hooks.example.com/", Some("a user name or password in the URL is not permitted"))]
#[case("ftp://hooks.example.com/", Some("the scheme must be https"))]
#[case("hooks.example.com", Some("the address is not a URL"))]
#[case("", Some("the address is not a URL"))]
fn addresses_are_judged_before_they_are_used(#[case] url: &str, #[case] refused: Option<&str>) {
    let verdict = webhook(&[]).check(url);
    assert_eq!(verdict, refused.map_or(Ok(()), |why| Err(why.to_owned())));
}

#[test]
fn allowed_networks_open_and_length_is_limited() {
    let open = loopback();
    assert_eq!(open.name(), "webhook");
    assert_eq!(open.check("http://127.0.0.1:9/x"), Ok(()));
    assert!(open.check("http://10.0.0.1/").is_err());
    let of_length = |length: usize| format!("https://hooks.example.com/{}", "a".repeat(length - 26));
    assert_eq!(open.check(&of_length(2048)), Ok(()));
    assert!(open.check(&of_length(2049)).unwrap_err().contains("2048"));
}
