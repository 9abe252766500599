//! The guarded client against servers on loopback and a resolver that lies.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod server;

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{Method, StatusCode};
use net::{AddressPolicy, Error, GuardedClient, Looking, Lookup, Refusal, Request, Settings};
use server::Server;
use url::{Host, Url};

/// Answers each question with the next list; the last one stays.
struct Script(Mutex<VecDeque<Vec<IpAddr>>>);

impl Lookup for Script {
    fn lookup(&self, _host: &str) -> Looking {
        let mut answers = self.0.lock().unwrap();
        let answer = match answers.len() {
            0 => Err(io::Error::other("no such name")),
            1 => Ok(answers[0].clone()),
            _ => Ok(answers.pop_front().unwrap()),
        };
        Box::pin(async move { answer })
    }
}

fn client(allowed: &[&str], answers: &[&[&str]]) -> GuardedClient {
    let parse = |list: &&[&str]| list.iter().map(|a| a.parse().unwrap()).collect();
    let script = Script(Mutex::new(answers.iter().map(parse).collect()));
    GuardedClient::new(Settings {
        policy: AddressPolicy::new(allowed.iter().map(|n| n.parse().unwrap()).collect()),
        max_body: 10,
        lookup: Arc::new(script),
        ..Settings::default()
    })
    .unwrap()
}

fn get(url: &str) -> Request {
    Request::new(Method::GET, Url::parse(url).unwrap())
}

fn refusal<T>(result: Result<T, Error>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        Err(other) => panic!("failed otherwise: {other:?}"),
        Ok(_) => panic!("was not refused"),
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: Text/Plain; charset=utf-8\r\ncontent-length: 5\r\n\r\nhello";

#[tokio::test]
async fn names_that_lead_inside_are_refused_and_nothing_connects() {
    let server = Server::start(OK).await;
    let port = server.port;
    for answer in [
        &["127.0.0.1"][..],
        &["93.184.215.14", "127.0.0.1"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["169.254.169.254"],
        &["fd00:ec2::254"],
    ] {
        let client = client(&[], &[answer]);
        let url = format!("https://inside.example:{port}/");
        let refused = refusal(client.send(get(&url)).await);
        assert!(matches!(refused, Refusal::Address { .. }), "{answer:?}");
    }
    let strict = client(&[], &[]);
    let literal = strict.send(get(&format!("https://2130706433:{port}/")));
    assert!(matches!(refusal(literal.await), Refusal::Address { range: "loopback", .. }));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn hosts_of_other_connections_are_vetted_alike() {
    let resolve = async |allowed: &[&str], host: &str, answer: &[&str]| {
        let policy = AddressPolicy::new(allowed.iter().map(|n| n.parse().unwrap()).collect());
        let answers = answer.iter().map(|a| a.parse().unwrap()).collect();
        let script = Script(Mutex::new(VecDeque::from([answers])));
        net::vetted(&policy, &script, &Host::parse(host).unwrap()).await
    };
    let public: Vec<IpAddr> = vec!["93.184.215.14".parse().unwrap(), "2606:2800:21f::1".parse().unwrap()];
    assert_eq!(resolve(&[], "proxy.example", &["93.184.215.14", "2606:2800:21f::1"]).await.unwrap(), public);
    assert_eq!(resolve(&[], "93.184.215.14", &[]).await.unwrap(), public[..1]);
    assert_eq!(
        resolve(&["127.0.0.0/8"], "localhost", &["10.0.0.1"]).await.unwrap(),
        ["127.0.0.1".parse::<IpAddr>().unwrap()]
    );
    for (host, answer) in [
        ("proxy.example", &["93.184.215.14", "10.0.0.1"][..]),
        ("localhost", &["93.184.215.14"]),
        ("127.1", &[]),
        ("[::ffff:10.0.0.1]", &[]),
    ] {
        assert!(matches!(refusal(resolve(&[], host, answer).await), Refusal::Address { .. }), "{host}");
    }
    assert!(matches!(resolve(&[], "proxy.example", &[]).await, Err(Error::Dns(_))));
}

#[tokio::test]
async fn rebinding_is_caught_at_the_connection_that_would_use_it() {
    let server = Server::start(OK).await;
    let url = format!("http://rebind.example:{}/", server.port);
    let client = client(&["127.0.0.1/32"], &[&["127.0.0.1"], &["127.0.0.2"]]);
    // `check_url` may have been satisfied long ago; what counts is the answer at the time of connecting.
    assert_eq!(client.send(get(&url)).await.unwrap().status, StatusCode::OK);
    assert!(matches!(refusal(client.send(get(&url)).await), Refusal::Address { range: "loopback", .. }));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn plain_http_reaches_listed_addresses_only() {
    let server = Server::start(OK).await;
    let url = format!("http://hook.example:{}/path", server.port);
    let listed = client(&["127.0.0.0/8"], &[&["127.0.0.1"]]);
    assert_eq!(&listed.send(get(&url)).await.unwrap().body[..], b"hello");
    let mixed = client(&["127.0.0.0/8"], &[&["127.0.0.1", "93.184.215.14"]]);
    assert_eq!(refusal(mixed.send(get(&url)).await), Refusal::PlainHttp);
    let local = client(&["127.0.0.0/8"], &[]);
    let local_url = format!("http://localhost:{}/", server.port);
    assert_eq!(local.send(get(&local_url)).await.unwrap().status, 200);
}

#[tokio::test]
async fn redirects_are_answers_and_long_bodies_are_cut() {
    let inner = Server::start(OK).await;
    let location = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{}/\r\ncontent-length: 12\r\n\r\nover the top",
        inner.port
    );
    let server = Server::start(&location).await;
    let client = client(&["127.0.0.0/8"], &[]);
    let mut request = get(&format!("http://127.0.0.1:{}/", server.port));
    request.method = Method::POST;
    request.body = Bytes::from_static(b"{\"a\":1}");
    let answer = client.send(request).await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!((&answer.body[..], answer.truncated), (&b"over the t"[..], true));
    assert_eq!(inner.connections(), 0);
    let seen = server.requests();
    assert!(seen[0].starts_with("POST / HTTP/1.1") && seen[0].ends_with("{\"a\":1}"));
    assert!(seen[0].contains("user-agent: hermod/"));
}

#[tokio::test]
async fn downloads_stop_at_their_limit_announced_or_not() {
    let client = client(&["127.0.0.0/8"], &[]);
    let fetch = async |answer: &str, max: u64| {
        let server = Server::start(answer).await;
        let url = format!("http://127.0.0.1:{}/", server.port);
        let download = client.get_stream(url.parse().unwrap(), max).await?;
        let mime = download.mime();
        let parts: Vec<Bytes> = download.body.try_collect().await?;
        Ok::<_, Error>((mime, parts.concat()))
    };
    let unannounced = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";
    let (mime, body) = fetch(OK, 5).await.unwrap();
    assert_eq!((mime.as_deref(), &body[..]), (Some("text/plain"), &b"hello"[..]));
    assert_eq!(fetch(unannounced, 6).await.unwrap().1, b"abcdef");
    for answer in [OK, unannounced] {
        let result = fetch(answer, 4).await;
        assert!(matches!(result, Err(Error::TooLarge { limit: 4 })));
    }
    let cut = fetch("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel", 20).await;
    assert!(matches!(cut, Err(Error::Other(_))));
}

#[tokio::test]
async fn each_failure_has_its_name() {
    let client = client(&["127.0.0.0/8"], &[]);
    let dns = client.send(get("https://nowhere.example/")).await.unwrap_err();
    assert!(matches!(dns, Error::Dns(_)) && dns.never_sent());

    let closed = Server::start(OK).await.stop().await;
    let connect = client.send(get(&format!("http://127.0.0.1:{closed}/"))).await;
    assert!(matches!(connect, Err(Error::Connect(_))));

    let plain = Server::start(OK).await;
    let tls = client.send(get(&format!("https://127.0.0.1:{}/", plain.port))).await;
    assert!(matches!(tls, Err(Error::Tls(_))), "{tls:?}");

    let silent = Server::start("").await;
    let mut request = get(&format!("http://127.0.0.1:{}/?token=hush", silent.port));
    request.timeout = Some(Duration::from_millis(50));
    let timeout = client.send(request).await.unwrap_err();
    assert!(matches!(timeout, Error::Timeout(_)) && !timeout.never_sent());
    assert!(!format!("{timeout:?}").contains("hush"));
}
