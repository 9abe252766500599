use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::ground::{CUSTOMER, Ground, options};

/// What the first organization has with a carrier.
fn account(introduced: &Value, provider: &str) -> Value {
    let all = introduced["carriers"][0]["accounts"].as_array().unwrap();
    all.iter().find(|account| account["provider"] == provider).unwrap().clone()
}

fn word<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap()
}

/// A request to the first organization's Twilio.
async fn twilio(ground: &Ground, what: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let account = account(&ground.introduce("first").await, "twilio");
    let (sid, base) = (word(&account, "/config/account_sid"), word(&account, "/config/base_url"));
    let url = format!("{base}/2010-04-01/Accounts/{sid}/{what}.json");
    let request = ground.http.post(url).basic_auth(sid, Some(word(&account, "/secrets/auth_token"))).form(form);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn given(ground: &Ground, path: &str) -> Vec<Value> {
    let (status, answer) = ground.control("GET", path, Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].as_array().unwrap().clone()
}

async fn fault(ground: &Ground, body: Value) {
    let (status, answer) = ground.control("POST", "/faults", body).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
async fn contracts_differ_by_organization_and_are_the_same_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let ground = Ground::with(options(Some(dir.path().to_owned()))).await;
    let before = ground.introduce("first").await;
    let Ground { handle, platform, platform_url, .. } = ground;
    handle.stop().await;
    let handle = sandbox::start(options(Some(dir.path().to_owned()))).await.unwrap();
    let ground = Ground::introduced(handle, platform, platform_url).await;
    let after = ground.introduce("first").await;
    for provider in ["smpp", "twilio", "telnyx", "vonage", "smtp"] {
        let (old, new) = (account(&before, provider), account(&after, provider));
        assert_eq!((&old["external_id"], &old["secrets"]), (&new["external_id"], &new["secrets"]), "{provider}");
        let others = after["carriers"][1]["accounts"].as_array().unwrap();
        let other = others.iter().find(|account| account["provider"] == provider).unwrap();
        assert_ne!(new["external_id"], other["external_id"], "{provider}");
        assert_ne!(new["secrets"], other["secrets"], "{provider}");
    }
    assert_eq!(after["carriers"][0]["sms_from"], "HERMOD");
    assert_eq!(after["carriers"][0]["email_from"], "hello@sandbox.test");
    let text = [("From", "HERMOD"), ("To", CUSTOMER), ("Body", "still known")];
    assert_eq!(twilio(&ground, "Messages", &text).await.0, 201);
}

#[tokio::test]
async fn what_carriers_are_given_is_shown_and_goes_wrong_as_told() {
    let ground = Ground::new().await;
    let text = |body| [("From", "HERMOD"), ("To", CUSTOMER), ("Body", body)];
    for body in [
        json!({"target": "sms", "kind": "status", "status": 503}),
        json!({"target": "sms", "kind": "code", "code": "UNDELIV"}),
        json!({"target": "voice", "kind": "status", "status": 400}),
    ] {
        fault(&ground, body).await;
    }
    let (status, answer) = twilio(&ground, "Messages", &text("refused")).await;
    assert_eq!((status, answer["status"].as_i64()), (503, Some(503)), "{answer}");
    assert_eq!(twilio(&ground, "Messages", &text("lost")).await.0, 201);
    assert_eq!(twilio(&ground, "Messages", &text("read me")).await.0, 201);
    let call = [("From", "+15551100001"), ("To", CUSTOMER), ("Twiml", "<Response><Say>1 2 3</Say></Response>")];
    assert_eq!(twilio(&ground, "Calls", &call).await.0, 400);
    assert_eq!(twilio(&ground, "Calls", &call).await.0, 201);

    let sms = given(&ground, "/sms").await;
    let texts: Vec<&str> = sms.iter().map(|sms| word(sms, "/text")).collect();
    assert_eq!(texts, ["lost", "read me"]);
    assert_eq!(
        (&sms[0]["from"], &sms[0]["to"], &sms[0]["carrier"]),
        (&json!("HERMOD"), &json!(CUSTOMER), &json!("twilio"))
    );
    let calls = given(&ground, "/voice").await;
    assert_eq!((calls.len(), word(&calls[0], "/text")), (1, "1 2 3"));
    let (_, stats) = ground.control("GET", "/stats", Value::Null).await;
    assert_eq!((&stats["sms"]["received"], &stats["voice"]["received"]), (&json!(2), &json!(1)));
    assert_eq!(stats["smtp"], json!({"received": 0, "repeated": 0}));
    for wrong in [
        json!({"target": "sms", "kind": "conflict"}),
        json!({"target": "voice", "kind": "code"}),
        json!({"target": "smtp", "kind": "status"}),
        json!({"target": "sms", "kind": "drop", "path": "/Messages"}),
        json!({"target": "meta", "kind": "code", "code": "UNDELIV"}),
    ] {
        assert_eq!(ground.control("POST", "/faults", wrong.clone()).await.0, 400, "{wrong}");
    }
}

/// Enough of SMPP to be told something.
struct Bound(TcpStream);

impl Bound {
    async fn new(account: &Value) -> Self {
        let port = account["config"]["port"].as_u64().unwrap();
        let mut bound = Self(TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).await.unwrap());
        let (id, password) = (word(account, "/config/system_id"), word(account, "/secrets/password"));
        let body = [id.as_bytes(), b"\0", password.as_bytes(), b"\0\0\x34\0\0\0"].concat();
        bound.say(9, 0, &body).await;
        let (command, status, _) = bound.hear().await;
        assert_eq!((command, status), (0x8000_0009, 0), "bind_transceiver");
        bound
    }

    async fn say(&mut self, command: u32, sequence: u32, body: &[u8]) {
        let head = [u32::try_from(body.len() + 16).unwrap(), command, 0, sequence];
        let head: Vec<u8> = head.iter().flat_map(|field| field.to_be_bytes()).collect();
        self.0.write_all(&[&head, body].concat()).await.unwrap();
    }

    /// Command, status and the rest of it.
    async fn hear(&mut self) -> (u32, u32, Vec<u8>) {
        let (length, command) = (self.0.read_u32().await.unwrap(), self.0.read_u32().await.unwrap());
        let (status, _) = (self.0.read_u32().await.unwrap(), self.0.read_u32().await.unwrap());
        let mut rest = vec![0; length as usize - 16];
        self.0.read_exact(&mut rest).await.unwrap();
        (command, status, rest)
    }
}

#[tokio::test]
async fn phones_answer_by_sms_to_whoever_has_the_name_or_number() {
    let ground = Ground::new().await;
    let introduced = ground.introduce("first").await;
    let mut bound = Bound::new(&account(&introduced, "smpp")).await;
    let write = async |to: &str, text: &str| {
        let body = json!({"to": to, "type": "text", "text": {"body": text}});
        ground.control("POST", &format!("/phones/{CUSTOMER}/messages"), body).await
    };
    let (status, answer) = write("HERMOD", "yes please").await;
    assert_eq!(status, 200, "{answer}");
    assert!(!word(&answer, "/id").is_empty());
    let (command, _, pdu) = bound.hear().await;
    let said = String::from_utf8_lossy(&pdu).into_owned();
    assert!(command == 5 && said.contains("15550199001\0") && said.contains("HERMOD\0") && said.contains("yes please"));

    let number = word(&account(&introduced, "twilio"), "/from/0").to_owned();
    let (status, answer) = write(&number, "over HTTP").await;
    assert_eq!(status, 200, "{answer}");
    assert_ne!(write("NOBODY", "hello?").await.0, 200);
}

#[tokio::test]
async fn mail_is_taken_from_those_who_have_an_account_and_shown() {
    let ground = Ground::new().await;
    let introduced = ground.introduce("first").await;
    let account = account(&introduced, "smtp");
    let port = u16::try_from(account["config"]["port"].as_u64().unwrap()).unwrap();
    let plain = format!("\0{}\0{}", word(&account, "/external_id"), word(&account, "/secrets/password"));
    let plain = base64(plain.as_bytes());
    let mut relay = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    let mail = "From: Hermod <hello@sandbox.test>\r\nTo: ada@example.com\r\nSubject: Your code\r\n\r\n123456\r\n.";
    for (line, expected) in [
        ("", "220"),
        ("EHLO test", "250"),
        ("MAIL FROM:<hello@sandbox.test>", "530"),
        (&*format!("AUTH PLAIN {plain}"), "235"),
        ("MAIL FROM:<hello@sandbox.test>", "250"),
        ("RCPT TO:<ada@example.com>", "250"),
        ("DATA", "354"),
        (mail, "250"),
    ] {
        if !line.is_empty() {
            relay.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        }
        let mut answer = String::new();
        while relay.read_line(&mut answer).await.unwrap() > 0 && answer.lines().last().unwrap().as_bytes()[3] == b'-' {}
        assert!(answer.lines().last().unwrap().starts_with(expected), "{line}: {answer}");
    }
    let mails = given(&ground, "/emails").await;
    assert_eq!((mails.len(), word(&mails[0], "/to"), word(&mails[0], "/subject")), (1, "ada@example.com", "Your code"));
    let (_, stats) = ground.control("GET", "/stats", Value::Null).await;
    assert_eq!(stats["smtp"], json!({"received": 1, "repeated": 0}));
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
