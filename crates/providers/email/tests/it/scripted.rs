//! A relay that says what a test wants, and goes when it wants: what happens in the middle of a dialogue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use engine::failure::{Code, Retry};
use engine::provider::Provider;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::ground::{MailServer, config, engine, provider, send};

/// What it does, in order, on each connection: what must be heard, then what is said. It goes after the last.
type Script = &'static [(&'static str, &'static str)];

const HELLO: (&str, &str) = ("EHLO", "250-x\r\n250 8BITMIME\r\n");

/// Plays one script for each connection.
struct Relay {
    port: u16,
    connections: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
    played: JoinHandle<()>,
}

impl Relay {
    async fn play(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, ended): (Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
        let counted = (connections.clone(), ended.clone());
        let played = tokio::spawn(async move {
            for script in scripts {
                let (tcp, _) = listener.accept().await.unwrap();
                counted.0.fetch_add(1, Ordering::SeqCst);
                act(tcp, script).await;
                counted.1.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { port, connections, ended, played }
    }

    fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn act(tcp: TcpStream, script: Script) {
    let mut line = BufReader::new(tcp);
    line.get_mut().write_all(b"220 x\r\n").await.unwrap();
    for (heard, said) in script {
        let mut text = String::new();
        while !text.lines().last().is_some_and(|last| last.starts_with(heard)) {
            assert!(line.read_line(&mut text).await.unwrap() > 0, "{heard} was not said after {text:?}");
        }
        line.get_mut().write_all(said.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn until_the_end_mark_nothing_was_taken_and_after_it_nobody_knows() {
    for (script, code, retry) in [
        (&[] as Script, Code::ProviderUnavailable, Retry::BackOff),
        (&[HELLO], Code::ProviderUnavailable, Retry::BackOff),
        (&[HELLO, ("MAIL", "250 ok\r\n"), ("RCPT", "250 ok\r\n")], Code::ProviderUnavailable, Retry::BackOff),
        (&[HELLO, ("MAIL", "250 ok\r\n"), ("RCPT", "4\r\n")], Code::ProviderUnavailable, Retry::BackOff),
        (
            &[HELLO, ("MAIL", "250 ok\r\n"), ("RCPT", "250 ok\r\n"), ("DATA", "354 go\r\n"), (".", "")],
            Code::OutcomeUnknown,
            Retry::Unknown,
        ),
        (
            &[HELLO, ("MAIL", "250 ok\r\n"), ("RCPT", "250 ok\r\n"), ("DATA", "354 go\r\n"), (".", "taken!\r\n")],
            Code::OutcomeUnknown,
            Retry::Unknown,
        ),
        (
            &[HELLO, ("MAIL", "250 ok\r\n"), ("RCPT", "250 ok\r\n"), ("DATA", "354 go\r\n"), (".", "554 5.6.0 no\r\n")],
            Code::Rejected,
            Retry::Never,
        ),
    ] {
        let relay = Relay::play(vec![script]).await;
        let error = send(&provider(), &config(relay.port, &json!({})), "ada@example.org", 1).await.unwrap_err();
        assert_eq!((error.failure.code, error.retry), (code, retry), "{script:?}: {error}");
        assert!(!error.failure.message.chars().any(char::is_control));
    }
}

const TAKEN: [(&str, &str); 4] =
    [("MAIL", "250 ok\r\n"), ("RCPT", "250 ok\r\n"), ("DATA", "354 go\r\n"), (".", "250 ok\r\n")];

#[tokio::test]
async fn a_connection_is_used_again_and_replaced_when_it_has_gone() {
    let [mail, rcpt, data, end] = TAKEN;
    let relay = Relay::play(vec![
        // Two mails and a refusal between them; it goes before the fourth.
        Box::leak(Box::new([
            HELLO,
            mail,
            rcpt,
            data,
            end,
            mail,
            ("RCPT", "550 5.1.1 no\r\n"),
            ("RSET", "250 ok\r\n"),
            mail,
            rcpt,
            data,
            end,
        ])),
        // It takes the fourth and says that it goes when the fifth begins.
        Box::leak(Box::new([HELLO, mail, rcpt, data, end, ("MAIL", "421 4.3.2 too long open\r\n")])),
        Box::leak(Box::new([HELLO, mail, rcpt, data, end])),
    ])
    .await;
    let (provider, config) = (provider(), config(relay.port, &json!({})));
    let mut outcomes = Vec::new();
    for number in 1..=5 {
        outcomes.push(send(&provider, &config, "ada@example.org", number).await.map_err(|error| error.retry));
    }
    assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, true, true], "{outcomes:?}");
    assert_eq!(relay.connections(), 3);
}

#[tokio::test]
async fn tls_is_not_given_up_and_nothing_is_slipped_in_before_it() {
    for (script, words) in [
        (&[HELLO] as Script, "does not offer STARTTLS"),
        (&[("EHLO", "250 STARTTLS\r\n"), ("STARTTLS", "220 go\r\n250 AUTH PLAIN\r\n")], "between STARTTLS and TLS"),
        (&[("EHLO", "250 STARTTLS\r\n"), ("STARTTLS", "220 go\r\n")], "cannot be reached"),
    ] {
        let relay = Relay::play(vec![script]).await;
        let config = config(relay.port, &json!({"security": "starttls", "username": "user"}));
        let error = send(&provider(), &config, "ada@example.org", 1).await.unwrap_err();
        assert_eq!(error.retry, Retry::BackOff);
        assert!(error.failure.message.contains(words), "{error}");
    }
    let relay = Relay::play(vec![&[HELLO]]).await;
    let config = config(relay.port, &json!({"username": "user"}));
    let error = send(&provider(), &config, "ada@example.org", 1).await.unwrap_err();
    assert_eq!((error.failure.code, error.retry), (Code::AccountProblem, Retry::Stop));
}

#[tokio::test]
async fn an_address_beyond_ascii_goes_only_where_it_is_known() {
    let relay = Relay::play(vec![&[HELLO]]).await;
    let refused = send(&provider(), &config(relay.port, &json!({})), "dörte@example.org", 1).await.unwrap_err();
    assert_eq!((refused.failure.code, refused.retry), (Code::Rejected, Retry::Never));
    let server = MailServer::start(Vec::new()).await;
    send(&provider(), &server.config(), "dörte@bücher.example", 2).await.unwrap();
    assert_eq!(server.carriers.emails()[0].to, "dörte@xn--bcher-kva.example");
}

#[tokio::test]
async fn connections_are_ended_politely_when_nobody_needs_them() {
    let [mail, rcpt, data, end] = TAKEN;
    let quit = ("QUIT", "221 bye\r\n");
    let polite: Script = Box::leak(Box::new([HELLO, mail, rcpt, data, end, quit]));
    let (provider, stop) = (Arc::new(provider()), CancellationToken::new());
    let (engine, _dir) = engine(provider.clone()).await;
    let tending = {
        let (provider, stop, engine) = (provider.clone(), stop.clone(), engine.clone());
        tokio::spawn(async move { provider.service().unwrap().run(&engine, stop).await })
    };
    let relay = Relay::play(vec![polite, polite]).await;
    let config = config(relay.port, &json!({}));
    send(&provider, &config, "ada@example.org", 1).await.unwrap();
    // The engine knows no such account, so its connection is ended as soon as somebody looks.
    while relay.ended() < 1 {
        engine.clock.advance(Duration::from_secs(10));
        tokio::task::yield_now().await;
    }
    stop.cancel();
    tending.await.unwrap();

    send(&provider, &config, "ada@example.org", 2).await.unwrap();
    provider.service().unwrap().run(&engine, stop).await;
    relay.played.await.unwrap();
}
