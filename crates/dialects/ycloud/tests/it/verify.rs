//! Codes: sent, checked, gone another way, and kept from everybody but their recipient.

use engine::content::Content;
use engine::failure::{Code, SendError};
use engine::messages::Status;
use engine::{accounts, explain};
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::cloud::template;
use testkit::on_both;

use crate::house::{CUSTOMER, House, NUMBER, Reply};

const START: &str = "/verify/verifications";
const CHECK: &str = "/verify/verificationChecks";

fn by(channel: &str, code: &str) -> Value {
    json!({ "channel": channel, "to": CUSTOMER, "code": code })
}

impl House {
    async fn start(&self, wanted: Value) -> Value {
        let begun = self.post(START, wanted).await.good().clone();
        assert_eq!(begun["status"], "pending", "{begun}");
        begun
    }

    /// Whether a code is right, and how the verification stands then.
    async fn check(&self, whose: &Value, code: &str) -> (bool, String) {
        let mut body = whose.clone();
        body["code"] = code.into();
        told(&self.post(CHECK, body).await)
    }

    /// The account's template for codes.
    async fn approve_template(&self) {
        let made = engine::facts::TemplateState {
            components: r#"[{"type":"BODY","text":"{{1}}"},{"type":"BUTTONS","buttons":[{"type":"URL"}]}]"#.into(),
            ..template("code", "en", "APPROVED", "AUTHENTICATION")
        };
        self.cloud.templates.lock().unwrap().push(made);
        let accounts = self.engine.accounts_in(&self.organization).await.unwrap();
        let account = accounts.iter().find(|account| account.provider == "fake").unwrap();
        accounts::connect(&self.engine, &account.id).await.unwrap();
    }

    /// Whether the code itself is still there, sealed.
    async fn has_code(&self, begun: &Value) -> bool {
        let id = engine::Id::parse_hex24(begun["id"].as_str().unwrap()).unwrap();
        let mut reader = self.engine.db.reader().await.unwrap();
        store::verifications::find(&mut reader, &id).await.unwrap().unwrap().sealed.is_some()
    }

    /// All that carriers and WhatsApp were given.
    fn handed_over(&self) -> Vec<String> {
        self.cloud.sent.lock().unwrap().iter().map(|outgoing| outgoing.content.to_json()).collect()
    }
}

#[track_caller]
fn told(reply: &Reply) -> (bool, String) {
    let told = reply.good();
    (told["valid"].as_bool().unwrap(), told["status"].as_str().unwrap().to_owned())
}

fn id(begun: &Value) -> Value {
    json!({ "verificationId": begun["id"] })
}

fn to(recipient: &str) -> Value {
    json!({ "to": recipient })
}

fn of(valid: bool, status: &str) -> (bool, String) {
    (valid, status.to_owned())
}

on_both! {
    async fn a_code_proves_a_number_once(house: &mut House) {
        house.open("sms", "Brand").await;
        house.endpoint(&["sms.message.updated"]).await;
        let begun = house.start(json!({ "channel": "sms", "to": CUSTOMER, "externalId": "login-1" })).await;
        assert_eq!((&begun["channel"], &begun["to"], &begun["externalId"]), (&json!("sms"), &json!(CUSTOMER), &json!("login-1")));
        assert!(begun.get("smsFallbackEnabled").is_none() && begun["totalPrice"].is_number());
        house.work().await;
        let sent = house.cloud.sent.lock().unwrap()[0].clone();
        let Content::Text { body, .. } = &sent.content else { panic!("a text") };
        let code: String = body.chars().filter(char::is_ascii_digit).take(6).collect();
        assert_eq!(*body, format!("Your verification code is {code}. It is valid for 10 minutes."));

        assert!(house.has_code(&begun).await);
        house.report("sms", "sms.1", Status::Delivered).await;
        assert!(!house.has_code(&begun).await, "what has arrived is not sent again");
        let parcels = house.told().await;
        let sms = &parcels[0]["sms"];
        assert_eq!((&sms["bizType"], &sms["verificationId"], &sms["externalId"]), (&json!("verify"), &begun["id"], &json!("login-1")));
        let listed = house.get("/sms").await;
        assert_eq!(listed.good()["items"][0]["text"], body.replace(&code, "******"));
        let story = explain::explain(&house.engine, &sent.id.hex24()).await.unwrap();
        let whole = explain::explain(&house.engine, begun["id"].as_str().unwrap()).await.unwrap();
        assert_eq!((whole[0].text.contains("pending"), &whole[1..]), (true, &story[..]));
        let kept = house.engine.message_of(&house.organization, &sent.id).await.unwrap().unwrap();
        for place in [format!("{kept:?}"), format!("{whole:?}"), listed.json.to_string(), json!(parcels).to_string()] {
            assert!(!place.contains(&code), "{place}");
        }

        let wrong = if code == "000000" { "000001" } else { "000000" };
        assert_eq!(house.check(&id(&begun), wrong).await, of(false, "pending"));
        let checked = house.post(CHECK, json!({ "to": CUSTOMER, "code": code })).await;
        assert_eq!(told(&checked), of(true, "approved"));
        assert_eq!((&checked.json["to"], &checked.json["channel"]), (&json!(CUSTOMER), &json!("sms")));
        assert_ne!(checked.json["id"], begun["id"], "a check has a name of its own");
        assert_eq!(house.check(&id(&begun), &code).await, of(false, "approved"));
        assert_eq!(house.check(&to(CUSTOMER), &code).await, of(false, "approved"));
    }

    async fn a_code_ends_with_its_time_and_its_tries(house: &mut House) {
        house.open("sms", "Brand").await;
        let begun = house.start(by("sms", "A1b2C3")).await;
        house.work().await;
        assert!(house.handed_over()[0].contains("A1b2C3"));
        for wrong in ["a1b2c3", "A1b2C", "A1b2C3 ", "******"] {
            assert_eq!(house.check(&id(&begun), wrong).await, of(false, "pending"), "{wrong}");
        }
        assert_eq!(house.check(&id(&begun), "000000").await, of(false, "expired"));
        assert_eq!(house.check(&id(&begun), "A1b2C3").await, of(false, "expired"));

        let begun = house.start(by("sms", "0042")).await;
        house.later(10 * 60 - 1);
        assert_eq!(house.check(&id(&begun), "0043").await, of(false, "pending"));
        house.later(1);
        assert_eq!(house.check(&id(&begun), "0042").await, of(false, "expired"));
        house.work().await;
        assert_eq!(house.handed_over().len(), 1, "a code that nobody waits for is not sent");
        assert_eq!(house.get("/sms").await.good()["items"][0]["status"], "failed");
        let forgotten = house.start(by("sms", "0042")).await;
        house.later(10 * 60);
        engine::retention::round(&house.engine).await.unwrap();
        assert!(!house.has_code(&forgotten).await, "nobody asked, and nobody can send it any more");
        assert_eq!(house.check(&to(CUSTOMER), "0042").await, of(false, "expired"));
        house.later(31 * 24 * 60 * 60);
        engine::retention::round(&house.engine).await.unwrap();
        house.post(CHECK, json!({ "to": CUSTOMER, "code": "0042" })).await.refused(404, "NOT_FOUND", "");
        house.post(CHECK, json!({ "verificationId": "0".repeat(24), "code": "0042" })).await.refused(404, "NOT_FOUND", "");
        house.post(CHECK, json!({ "to": "+6281111111111", "code": "0042" })).await.refused(404, "NOT_FOUND", "");
    }

    async fn several_wait_and_the_newest_is_meant(house: &mut House) {
        house.open("sms", "Brand").await;
        house.open("voice", "+15550100009").await;
        let first = house.start(by("sms", "1111")).await;
        house.later(1);
        let again = house.start(by("sms", "2222")).await;
        house.later(1);
        let spoken = house.start(by("voice", "3333")).await;
        house.work().await;
        assert_eq!(house.handed_over().iter().filter(|content| content.contains("3, 3, 3, 3")).count(), 1);
        assert_eq!(house.get("/voices").await.good()["items"][0]["verificationCode"], "****");
        assert_eq!(house.check(&to(CUSTOMER), "2222").await, of(false, "pending"), "the call came last");
        assert_eq!(house.check(&to(CUSTOMER), "3333").await, of(true, "approved"));
        assert_eq!(house.check(&id(&first), "1111").await, of(true, "approved"), "older ones can be named");
        assert_eq!(house.check(&to(CUSTOMER), "2222").await, of(true, "approved"), "one still waited");
        for ended in [&first, &again, &spoken] {
            assert!(!house.check(&id(ended), "1111").await.0);
        }
    }

    async fn a_code_comes_by_mail(house: &mut House) {
        let wanted = json!({ "channel": "email_code", "to": "ayu@example.com", "code": "0042", "language": "de" });
        house.post(START, wanted.clone()).await.refused(403, "EMAIL_DOMAIN_UNVERIFIED", "");
        house.open("email", "hello@example.com").await;
        house.endpoint(&["email.delivery.updated"]).await;
        let begun = house.start(wanted).await;
        assert_eq!(begun["channel"], "email_code");
        house.work().await;
        let Content::Email(mail) = house.cloud.sent.lock().unwrap()[0].content.clone() else { panic!("a mail") };
        assert!(mail.subject.contains("0042") && mail.text.unwrap().contains("0042"));
        house.report("email", "email.1", Status::Failed).await;
        let told = house.told().await;
        assert_eq!((&told[0]["emailDelivery"]["bizType"], &told[0]["emailDelivery"]["verificationId"]), (&json!("verify"), &begun["id"]));
        assert_eq!(house.check(&to("ayu@example.com"), "0042").await, of(false, "undelivered"));
    }

    async fn what_whatsapp_reports_as_failed_at_once_goes_by_sms(house: &mut House) {
        house.post(START, by("whatsapp", "0042")).await.refused(403, "WHATSAPP_TEMPLATE_UNAVAILABLE", "");
        house.approve_template().await;
        house.open("sms", "Brand").await;
        let mut wanted = by("whatsapp", "0042");
        (wanted["senderId"], wanted["signature"], wanted["externalId"]) = (json!("Brand"), json!("Shop"), json!("login-1"));
        let begun = house.start(wanted).await;
        assert_eq!((&begun["smsFallbackEnabled"], &begun["smsFallback"]), (&json!(true), &json!({ "supported": true })));
        house.work().await;
        let given = house.cloud.sent.lock().unwrap()[0].clone();
        let Content::Template(filled) = &given.content else { panic!("a template") };
        let parameters = json!([{ "type": "text", "text": "0042" }]);
        let words = &filled.components.as_ref().unwrap().json;
        assert_eq!((&words[0]["parameters"], &words[1]["parameters"]), (&parameters, &parameters));
        let shown = house.get(&format!("/whatsapp/messages/{}", given.id.hex24())).await;
        assert_eq!(shown.good()["template"]["components"][0]["parameters"][0]["text"], "****");
        assert_eq!((&shown.json["from"], &shown.json["verificationId"]), (&json!(NUMBER), &begun["id"]));

        house.receipt("wamid.1", Status::Sent).await;
        house.later(30);
        for _ in 0..2 {
            house.receipt("wamid.1", Status::Failed).await;
            house.work().await;
        }
        let handed_over = house.handed_over();
        assert_eq!(handed_over.len(), 2, "the same report again says nothing new");
        assert!(handed_over[1].contains("【Shop】Your verification code is 0042"));
        let sms = &house.get("/sms").await.good()["items"][0].clone();
        assert_eq!((&sms["verificationId"], &sms["externalId"]), (&begun["id"], &json!("login-1")));
        // WhatsApp has brought it after all: the text still counts.
        house.receipt("wamid.1", Status::Delivered).await;
        house.report("sms", "sms.2", Status::Delivered).await;
        assert_eq!(house.check(&id(&begun), "0042").await, of(true, "approved"));
    }

    async fn whatsapps_refusal_is_a_report_too_and_there_is_one_fallback(house: &mut House) {
        house.approve_template().await;
        house.open("sms", "Brand").await;
        let begun = house.start(by("whatsapp", "0042")).await;
        house.cloud.failures.lock().unwrap().push(SendError::refused(Code::RecipientUnreachable, "not on WhatsApp"));
        house.work().await;
        assert_eq!(house.handed_over().len(), 1);
        house.report("sms", "sms.1", Status::Failed).await;
        house.work().await;
        assert_eq!(house.check(&id(&begun), "0042").await, of(false, "undelivered"));
        assert_eq!(house.handed_over().len(), 1);
    }

    async fn nothing_goes_by_sms_that_came_late_or_arrived_or_cannot(house: &mut House) {
        house.approve_template().await;
        let begun = house.start(by("whatsapp", "0042")).await;
        let fallback = &begun["smsFallback"];
        assert_eq!((&fallback["supported"], &fallback["unsupportedReason"]), (&json!(false), &json!("SENDER_ID_UNAVAILABLE")));
        house.work().await;
        house.receipt("wamid.1", Status::Failed).await;
        assert_eq!(house.check(&id(&begun), "0042").await, of(false, "undelivered"), "there was no other way");

        house.open("sms", "Brand").await;
        let late = house.start(by("whatsapp", "0043")).await;
        house.work().await;
        house.later(31);
        house.receipt("wamid.2", Status::Failed).await;
        assert_eq!(house.check(&id(&late), "0043").await, of(false, "undelivered"));

        let arrived = house.start(by("whatsapp", "0044")).await;
        house.work().await;
        house.receipt("wamid.3", Status::Delivered).await;
        house.receipt("wamid.3", Status::Failed).await;
        house.work().await;
        assert_eq!(house.check(&id(&arrived), "0044").await, of(true, "approved"));
        assert_eq!(house.handed_over().len(), 3);
        assert_eq!(house.get("/sms").await.good()["length"], 0);
    }

    async fn who_asks_too_often_waits(house: &mut House) {
        house.open("sms", "Brand").await;
        for _ in 0..5 {
            house.start(by("sms", "0042")).await;
        }
        let refused = house.post(START, by("sms", "0042")).await;
        refused.refused(429, "TOO_MANY_REQUESTS", "to");
        assert_eq!(refused.header("retry-after"), "120");
        assert_eq!(house.get("/sms?includeTotal=true").await.good()["total"], 5);
        house.later(120);
        house.start(by("sms", "0042")).await;
        house.post(START, by("sms", "0042")).await.refused(429, "TOO_MANY_REQUESTS", "to");
        // One more at the same time does not slip through.
        house.later(120);
        let answers = join_all((0..8).map(|_| house.post(START, by("sms", "0042")))).await;
        assert_eq!(answers.iter().filter(|reply| reply.status == 200).count(), 1);
    }

    async fn a_series_of_numbers_is_blocked(house: &mut House) {
        house.open("sms", "Brand").await;
        let to = |number: usize| json!({ "channel": "sms", "to": format!("+62812345{number:05}"), "code": "0042" });
        for number in 10_000..10_050 {
            house.start(to(number)).await;
        }
        let blocked = house.post(START, to(10_050)).await;
        assert_eq!(blocked.good()["status"], "blocked");
        assert_eq!(house.check(&id(&blocked.json), "0042").await, of(false, "blocked"));
        house.start(to(20_000)).await;
        house.work().await;
        assert_eq!(house.handed_over().len(), 51, "nothing is sent for what is blocked");
        let contact = house.post("/contact/contacts", json!({ "phoneNumber": CUSTOMER })).await.good()["id"].clone();
        let contact = engine::Id::parse_hex24(contact.as_str().unwrap()).unwrap();
        house.engine.db.write(Block(house.organization, contact)).await.unwrap();
        assert_eq!(house.post(START, by("sms", "0042")).await.good()["status"], "blocked");
    }

    async fn of_many_right_answers_one_is_told_so(house: &mut House) {
        house.open("sms", "Brand").await;
        let begun = house.start(by("sms", "0042")).await;
        let answers = join_all((0..200).map(|_| async { house.check(&id(&begun), "0042").await })).await;
        assert_eq!(answers.iter().filter(|(valid, _)| *valid).count(), 1);
        assert!(answers.iter().all(|(_, status)| status == "approved"));
        // Wrong ones are all counted.
        let begun = house.start(by("sms", "0042")).await;
        let answers = join_all((0..50).map(|_| async { house.check(&id(&begun), "0043").await })).await;
        assert_eq!(answers.iter().filter(|(_, status)| status == "pending").count(), 4);
        assert_eq!(house.check(&id(&begun), "0042").await, of(false, "expired"));
    }

    async fn what_cannot_be_is_refused_by_name_and_leaves_nothing(house: &mut House) {
        house.post(START, by("sms", "0042")).await.refused(403, "SENDER_ID_UNAVAILABLE", "senderId");
        for (channel, address) in [("sms", "Brand"), ("voice", "+15550100009"), ("email", "hello@example.com")] {
            house.open(channel, address).await;
        }
        let with = |name: &str, value: Value| {
            let mut body = by("sms", "0042");
            body[name] = value;
            body
        };
        let without = |name: &str| {
            let mut body = by("sms", "0042");
            body.as_object_mut().unwrap().remove(name);
            body
        };
        for (body, status, code, target) in [
            (without("channel"), 400, "PARAM_MISSING", "channel"),
            (without("to"), 400, "PARAM_MISSING", "to"),
            (with("channel", json!("pigeon")), 400, "PARAM_INVALID", "channel"),
            (with("channel", json!(1)), 400, "PARAM_INVALID", "channel"),
            (with("to", json!("hello")), 400, "PARAM_INVALID", "to"),
            (with("to", json!("+10000000")), 400, "PARAM_INVALID", "to"),
            (with("to", json!("ayu@example.com")), 400, "PARAM_INVALID", "to"),
            (json!({ "channel": "email_code", "to": CUSTOMER }), 400, "PARAM_INVALID", "to"),
            (json!({ "channel": "email_code", "to": "Ayu<ayu@example.com>" }), 400, "PARAM_INVALID", "to"),
            (json!({ "channel": "email_code", "to": "a@example.com\r\nBcc: b@example.com" }), 400, "PARAM_INVALID", "to"),
            (with("code", json!("123")), 400, "PARAM_INVALID_LENGTH", "code"),
            (with("code", json!("123456789")), 400, "PARAM_INVALID_LENGTH", "code"),
            (with("code", json!(1234)), 400, "PARAM_INVALID", "code"),
            (with("code", json!("12\"34")), 400, "PARAM_INVALID", "code"),
            (with("code", json!("٤٤٤٤")), 400, "PARAM_INVALID", "code"),
            (json!({ "channel": "voice", "to": CUSTOMER, "code": "12ab" }), 400, "PARAM_INVALID", "code"),
            (with("language", json!("pt")), 400, "PARAM_INVALID", "language"),
            (with("signature", json!("x".repeat(51))), 400, "PARAM_INVALID_LENGTH", "signature"),
            (with("externalId", json!([])), 400, "PARAM_INVALID", "externalId"),
            (with("senderId", json!("Nobody")), 403, "SENDER_ID_UNAVAILABLE", "senderId"),
            (with("channel", json!("whatsapp")), 403, "WHATSAPP_TEMPLATE_UNAVAILABLE", ""),
        ] {
            let reply = house.post(START, body.clone()).await;
            assert_eq!((reply.status, reply.code(), reply.target()), (status, code, target), "{body}: {}", reply.json);
        }
        for (body, code, target) in [
            (json!({ "code": "0042" }), "PARAM_MISSING", "verificationId"),
            (json!({ "to": CUSTOMER }), "PARAM_MISSING", "code"),
            (json!({ "to": CUSTOMER, "code": 42 }), "PARAM_INVALID", "code"),
            (json!({ "to": 42, "code": "0042" }), "PARAM_INVALID", "to"),
            (json!({ "to": "a@b", "code": "0042" }), "PARAM_INVALID", "to"),
            (json!({ "verificationId": {}, "code": "0042" }), "PARAM_INVALID", "verificationId"),
            (json!({ "to": CUSTOMER, "code": "0".repeat(65) }), "PARAM_INVALID_LENGTH", "code"),
        ] {
            house.post(CHECK, body).await.refused(400, code, target);
        }
        for whose in [json!({ "to": CUSTOMER }), json!({ "verificationId": "nonsense" })] {
            let mut body = whose;
            body["code"] = json!("0042");
            house.post(CHECK, body).await.refused(404, "NOT_FOUND", "");
        }
        house.work().await;
        assert!(house.handed_over().is_empty());
        assert_eq!(house.get("/contact/contacts").await.good()["length"], 0);
        for _ in 0..5 {
            house.start(by("sms", "0042")).await;
        }
    }
}

/// We do not want to write to a contact.
struct Block(engine::Id, engine::Id);

impl store::Work for Block {
    type Output = ();
    async fn run(&self, tx: &mut store::Tx) -> store::Result<()> {
        let contact = store::contacts::get(tx, &self.0, &self.1).await?.unwrap();
        store::contacts::update(tx, &store::contacts::Contact { blocked: true, ..contact }).await.map(drop)
    }
}
