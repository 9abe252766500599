//! The stand-in `smtp`, as a mail client meets it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use rustls::pki_types::ServerName;
use sandbox_carriers::smtp::{Bounces, Identity, Options, User};
use sandbox_carriers::{Fault, Handle, Outside, Phone, Target};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const NOW: i64 = 1_795_000_000_000;

type Push = (String, HeaderMap, Bytes);

/// The rest of the sandbox: faults in order, one mailbox that does not exist, and a platform whose answers are in order.
struct Around {
    faults: Mutex<VecDeque<Option<Fault>>>,
    answers: Mutex<VecDeque<Result<u16, String>>>,
    pushed: mpsc::UnboundedSender<Push>,
}

impl Outside for Around {
    fn now(&self) -> i64 {
        NOW
    }

    fn fault(&self, target: Target) -> Option<Fault> {
        assert_eq!(target, Target::Smtp);
        self.faults.lock().unwrap().pop_front().flatten()
    }

    fn phone(&self, number: &str) -> Phone {
        Phone { registered: number != "gone@example.org", online: true }
    }

    fn push(&self, url: String, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Result<u16, String>> {
        self.pushed.send((url, headers, body)).unwrap();
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Ok(200));
        Box::pin(async { answer })
    }
}

struct Ground {
    carriers: Handle,
    pushes: mpsc::UnboundedReceiver<Push>,
    identity: Identity,
}

async fn ground(users: Vec<User>, faults: Vec<Option<Fault>>) -> Ground {
    let (pushed, pushes) = mpsc::unbounded_channel();
    let around = Around { faults: Mutex::new(faults.into()), answers: Mutex::default(), pushed };
    let identity = Identity::self_signed().unwrap();
    let listen_tls = Some(([127, 0, 0, 1], 0).into());
    let smtp = Options { users, listen_tls, identity: Some(identity.clone()), largest: 1000, ..Options::default() };
    let options = sandbox_carriers::Options { smtp, ..sandbox_carriers::Options::default() };
    let carriers = sandbox_carriers::start(options, Arc::new(around)).await.unwrap();
    Ground { carriers, pushes, identity }
}

fn user() -> User {
    let bounces = Bounces { url: "http://platform.test/webhooks/smtp/a".to_owned(), secret: "b0unce".to_owned() };
    User { name: "user".to_owned(), password: "p4ss".to_owned(), bounces: Some(bounces) }
}

/// A client that says lines and compares the codes of what is answered.
struct Client<S>(BufReader<S>);

impl Client<TcpStream> {
    async fn connect(ground: &Ground) -> Self {
        let mut client = Self(BufReader::new(TcpStream::connect(ground.carriers.smtp().address()).await.unwrap()));
        client.hears(220).await;
        client
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    async fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).await.unwrap();
        self.0.get_mut().flush().await.unwrap();
    }

    /// All lines of a reply that must have this code.
    async fn hears(&mut self, code: u16) -> String {
        let mut reply = String::new();
        loop {
            let start = reply.len();
            assert!(self.0.read_line(&mut reply).await.unwrap() > 0, "it went after {reply:?}");
            let line = &reply[start..];
            assert!(line.starts_with(&code.to_string()) && line.ends_with("\r\n"), "{reply:?} instead of {code}");
            if !line[3..].starts_with('-') {
                return reply;
            }
        }
    }

    async fn ask(&mut self, line: &str, code: u16) -> String {
        self.say(&format!("{line}\r\n")).await;
        self.hears(code).await
    }

    async fn is_gone(&mut self) -> bool {
        let mut rest = String::new();
        matches!(self.0.read_line(&mut rest).await, Ok(0) | Err(_))
    }

    async fn mail(&mut self, from: &str, to: &str, content: &str, code: u16) -> String {
        self.ask(&format!("MAIL FROM:<{from}>"), 250).await;
        self.ask(&format!("RCPT TO:<{to}>"), 250).await;
        self.ask("DATA", 354).await;
        self.say(&format!("{content}\r\n.\r\n")).await;
        self.hears(code).await
    }
}

#[tokio::test]
async fn a_mail_is_taken_and_shown() {
    let ground = ground(Vec::new(), Vec::new()).await;
    let mut client = Client::connect(&ground).await;
    let offers = client.ask("EHLO me.example", 250).await;
    for offer in
        ["PIPELINING", "SIZE 1000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "STARTTLS", "AUTH PLAIN LOGIN"]
    {
        assert!(offers.contains(offer), "{offer} is not in {offers}");
    }
    let mail = "From: The Shop <hello@shop.example>\r\nTo: Ada <ada@example.org>, x@example.org\r\nMessage-ID: <1@shop.example>\r\n\
                Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
                --b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n..Code=3A\r\n1\r\n\
                --b\r\nContent-Type: text/html\r\n\r\n<b>1</b>\r\n--b--";
    for _ in 0..2 {
        client.mail("b@shop.example", "ada@example.org", mail, 250).await;
    }
    client.ask("QUIT", 221).await;
    assert!(client.is_gone().await);

    let mails = ground.carriers.emails();
    assert_eq!(mails.len(), 2);
    assert_eq!((ground.carriers.stats().smtp.received, ground.carriers.stats().smtp.repeated), (2, 1));
    let mail = &mails[0];
    assert_eq!(
        (mail.from.as_str(), mail.to.as_str(), mail.subject.as_str()),
        ("hello@shop.example", "ada@example.org", "Grüße")
    );
    assert_eq!((mail.text.as_deref(), mail.html.as_deref()), (Some(".Code:\n1"), Some("<b>1</b>")));
    assert_eq!((mail.at, mail.status.as_str()), (NOW, "delivered"));
    let json = serde_json::to_value(mail).unwrap();
    assert_eq!(json["message_id"], "1@shop.example");
    assert_eq!(json["envelope"], serde_json::json!({"from": "b@shop.example", "to": ["ada@example.org"]}));
    assert_eq!(json["head_to"][0], serde_json::json!({"name": "Ada", "address": "ada@example.org"}));
    assert_eq!(
        (&json["from_name"], &json["secured"], &json["user"]),
        (&"The Shop".into(), &false.into(), &serde_json::Value::Null)
    );
}

#[tokio::test]
async fn the_dialogue_keeps_its_order() {
    let ground = ground(vec![user()], Vec::new()).await;
    let mut client = Client::connect(&ground).await;
    client.ask("MAIL FROM:<a@b.example>", 503).await;
    client.ask("EHLO me", 250).await;
    client.ask("MAIL FROM:<a@b.example>", 530).await;
    client.ask("AUTH GSSAPI", 504).await;
    client.ask("AUTH PLAIN AHVzZXIAd3Jvbmc=", 535).await;
    client.ask("AUTH PLAIN", 334).await;
    client.ask("*", 535).await;
    client.ask("AUTH LOGIN", 334).await;
    client.ask("dXNlcg==", 334).await;
    client.ask("cDRzcw==", 235).await;
    client.ask("AUTH PLAIN AHVzZXIAcDRzcw==", 503).await;
    client.ask("RCPT TO:<a@b.example>", 503).await;
    client.ask("DATA", 503).await;
    client.ask("MAIL FROM:<a@b.example> SIZE=1001", 552).await;
    client.ask("MAIL FROM:<ä@b.example>", 553).await;
    client.ask("MAIL FROM:<ä@b.example> SMTPUTF8 BODY=8BITMIME", 250).await;
    client.ask("MAIL FROM:<a@b.example>", 503).await;
    client.ask("DATA", 503).await;
    client.ask("RCPT TO:<ö@b.example>", 250).await;
    client.ask("DATA", 354).await;
    client.say(&format!("{}\r\n.\r\n", "x".repeat(999))).await;
    client.hears(552).await;
    client.ask("WHAT", 500).await;
    // All at once, as PIPELINING permits.
    client.say("RSET\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<e@d.example>\r\nDATA\r\n").await;
    for code in [250, 250, 250, 250, 354] {
        client.hears(code).await;
    }
    client.say("hi\r\n.\r\nNOOP\r\n").await;
    client.hears(250).await;
    client.hears(250).await;
    let kept = ground.carriers.emails();
    assert_eq!(kept.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["c@d.example", "e@d.example"]);
    client.say(&"x".repeat(3000)).await;
    client.hears(500).await;
    assert!(client.is_gone().await);
}

#[tokio::test]
async fn tls_begins_when_it_is_asked_for_or_with_the_first_byte() {
    let ground = ground(Vec::new(), Vec::new()).await;
    let roots = net::roots_from_pem(ground.identity.certificate_pem.as_bytes()).unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(net::tls_config(&roots).unwrap()));
    let name = || ServerName::try_from("localhost").unwrap();

    let mut plain = Client::connect(&ground).await;
    plain.ask("EHLO me", 250).await;
    plain.ask("STARTTLS", 220).await;
    let mut client = Client(BufReader::new(connector.connect(name(), plain.0.into_inner()).await.unwrap()));
    assert!(!client.ask("EHLO me", 250).await.contains("STARTTLS"));
    client.ask("STARTTLS", 502).await;
    client.mail("a@b.example", "c@d.example", "hi", 250).await;

    let tcp = TcpStream::connect(ground.carriers.smtp().tls_address().unwrap()).await.unwrap();
    let mut client = Client(BufReader::new(connector.connect(name(), tcp).await.unwrap()));
    client.hears(220).await;
    client.ask("EHLO me", 250).await;
    client.mail("a@b.example", "c@d.example", "hi", 250).await;
    assert!(ground.carriers.emails().iter().all(|mail| mail.more["secured"] == true));

    let mut early = Client::connect(&ground).await;
    early.ask("EHLO me", 250).await;
    early.ask("STARTTLS\r\nNOOP", 554).await;
    assert!(early.is_gone().await);
}

#[tokio::test]
async fn faults_hit_one_mail_each() {
    let faults =
        [Some(Fault::Status(451)), Some(Fault::Status(550)), Some(Fault::Drop), None, Some(Fault::Status(421))];
    let ground = ground(Vec::new(), faults.to_vec()).await;
    let mut client = Client::connect(&ground).await;
    client.ask("EHLO me", 250).await;
    for code in [451, 550] {
        client.ask("MAIL FROM:<a@b.example>", 250).await;
        client.ask("RCPT TO:<c@d.example>", code).await;
        client.ask("RSET", 250).await;
    }
    client.ask("MAIL FROM:<a@b.example>", 250).await;
    client.ask("RCPT TO:<c@d.example>", 250).await;
    client.ask("DATA", 354).await;
    client.say("lost answer\r\n.\r\n").await;
    assert!(client.is_gone().await);
    let mut client = Client::connect(&ground).await;
    client.ask("EHLO me", 250).await;
    client.mail("a@b.example", "c@d.example", "well", 250).await;
    client.ask("MAIL FROM:<a@b.example>", 250).await;
    client.ask("RCPT TO:<c@d.example>", 421).await;
    assert!(client.is_gone().await);
    assert_eq!(ground.carriers.emails().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_delivered_comes_back_to_who_sent_it() {
    let faults = vec![None, None, Some(Fault::Code("4.4.7".to_owned())), Some(Fault::Code("2.0.0".to_owned()))];
    let mut ground = ground(vec![user()], faults).await;
    let mut client = Client::connect(&ground).await;
    client.ask("EHLO me", 250).await;
    client.ask("AUTH PLAIN AHVzZXIAcDRzcw==", 235).await;
    let mail = "Subject: Hi\r\nMessage-ID: <1@shop.example>\r\n\r\nhi";
    for (to, status, action, kept) in [
        ("gone@example.org", "5.1.1", "failed", "bounced"),
        ("ada@nowhere.invalid", "5.1.1", "failed", "bounced"),
        ("ada@example.org", "4.4.7", "failed", "bounced"),
        ("ada@example.org", "2.0.0", "delivered", "delivered"),
    ] {
        client.mail("b+1@shop.example", to, mail, 250).await;
        let (url, headers, body) = ground.pushes.recv().await.unwrap();
        assert_eq!(
            (url.as_str(), headers["authorization"].to_str().unwrap()),
            ("http://platform.test/webhooks/smtp/a", "Bearer b0unce")
        );
        let report = String::from_utf8(body.to_vec()).unwrap();
        for line in [
            "To: <b+1@shop.example>".to_owned(),
            format!("Final-Recipient: rfc822; {to}"),
            format!("Action: {action}"),
            format!("Status: {status}"),
            "Message-ID: <1@shop.example>".to_owned(),
        ] {
            assert!(report.contains(&format!("{line}\r\n")), "{line} is not in {report}");
        }
        assert_eq!(ground.carriers.emails().last().unwrap().status, kept);
    }
    // A report about a report would go round and round.
    client.mail("", "gone@example.org", mail, 250).await;
    client.mail("b@shop.example", "ada@example.org", mail, 250).await;
    client.ask("QUIT", 221).await;
    assert!(ground.pushes.try_recv().is_err());
}
