//! Mails over the sandbox's mail server.

use engine::Id;
use engine::failure::{Code, Retry};
use engine::provider::{CallError, Provider};
use sandbox_carriers::Fault;
use serde_json::json;

use crate::ground::{MailServer, NOW, account, config, provider, send};

#[tokio::test]
async fn a_mail_goes_out_under_tls_with_a_log_in_and_arrives_as_it_was_written() {
    let server = MailServer::start(Vec::new()).await;
    let provider = provider();
    let wrapped = server.carriers.smtp().tls_address().unwrap().port();
    let tls = json!({"host": "127.0.0.1", "security": "tls", "port": wrapped});
    for (number, change) in [(1, json!({})), (2, tls), (3, json!({"host": "127.0.0.1", "security": "none"}))] {
        let mut config = server.config();
        config.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let sent = send(&provider, &config, "ada@example.org", number).await.unwrap();
        let id = Id::from_parts(NOW, number).hex24();
        assert_eq!((&sent.provider_id, sent.parts.len()), (&id, 0));
        let mail = serde_json::to_value(server.carriers.emails().pop().unwrap()).unwrap();
        assert_eq!(mail["envelope"], json!({"from": format!("bounces+{id}@mail.example"), "to": ["ada@example.org"]}));
        assert_eq!((&mail["from"], &mail["from_name"]), (&json!("hello@shop.example"), &json!("The Shop")));
        assert_eq!((&mail["to"], &mail["subject"]), (&json!("ada@example.org"), &json!("Grüße: your code")));
        assert_eq!((&mail["text"], &mail["html"]), (&json!(".Your code is 123456\n.\n"), &json!("<b>123456</b>")));
        assert_eq!(
            (&mail["message_id"], &mail["auto_submitted"]),
            (&json!(format!("{id}@mail.example")), &json!("auto-generated"))
        );
        assert_eq!((&mail["user"], &mail["secured"]), (&json!("user"), &json!(number < 3)));
    }
}

#[tokio::test]
async fn what_the_relay_says_decides_what_follows() {
    let fault = |status| Some(Fault::Status(status));
    let faults = [fault(550), fault(451), fault(452), fault(421), Some(Fault::Drop), Some(Fault::Timeout), None];
    let server = MailServer::start(faults.to_vec()).await;
    let provider = provider();
    let mut config = server.config();
    config["timeout_s"] = json!(1);
    let mut outcomes = Vec::new();
    for number in 1..=7 {
        let outcome = send(&provider, &config, "ada@example.org", number).await;
        outcomes.push(
            outcome
                .map(|sent| sent.provider_id)
                .map_err(|error| (error.failure.code, error.retry, error.failure.provider_code)),
        );
    }
    let id = |number| Id::from_parts(NOW, number).hex24();
    assert_eq!(
        outcomes,
        [
            Err((Code::RecipientUnreachable, Retry::Never, Some(550))),
            Err((Code::ProviderUnavailable, Retry::BackOff, Some(451))),
            Err((Code::ProviderUnavailable, Retry::BackOff, Some(452))),
            // The relay ended a connection that had been used; on a new one it took the mail, and the answer was lost.
            Err((Code::OutcomeUnknown, Retry::Unknown, None)),
            Err((Code::OutcomeUnknown, Retry::Unknown, None)),
            Ok(id(6)),
            Ok(id(7)),
        ]
    );
    let kept: Vec<_> = server.carriers.emails().into_iter().map(|mail| mail.more["message_id"].clone()).collect();
    assert_eq!(kept, [4, 6, 7].map(|number| json!(format!("{}@mail.example", id(number)))));
}

#[tokio::test]
async fn an_account_that_cannot_work_says_why() {
    let server = MailServer::start(Vec::new()).await;
    let provider = provider();
    let base = server.config();
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (change, code, retry, words) in [
        (json!({"username": "somebody"}), Code::AccountProblem, Retry::Stop, "user name and password"),
        (json!({"roots_pem": null}), Code::ProviderUnavailable, Retry::BackOff, "certificate"),
        (json!({"port": unused}), Code::ProviderUnavailable, Retry::BackOff, "refused"),
        (json!({"pool": 0}), Code::AccountProblem, Retry::Stop, "pool"),
        (json!({"host": "192.0.2.1", "security": "none"}), Code::ProviderUnavailable, Retry::BackOff, "without TLS"),
    ] {
        let mut config = base.clone();
        config.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let error = send(&provider, &config, "ada@example.org", 1).await.unwrap_err();
        assert_eq!((error.failure.code, error.retry), (code, retry), "{change}: {error}");
        assert!(error.failure.message.contains(words), "{change}: {error}");
    }
    assert!(server.carriers.emails().is_empty());
}

#[tokio::test]
async fn connecting_an_account_finds_its_mailboxes_and_tells_what_to_know() {
    let server = MailServer::start(Vec::new()).await;
    let provider = provider();
    let setup = provider.setup().unwrap();
    let found = setup.connect(&account(&server.config())).await.unwrap();
    assert_eq!(found.senders.iter().map(|sender| sender.address.as_str()).collect::<Vec<_>>(), ["hello@shop.example"]);
    assert!(found.remarks.is_empty(), "{:?}", found.remarks);

    let plain = config(server.carriers.smtp().address().port(), &json!({"return_path": null}));
    let found = setup.connect(&account(&plain)).await.unwrap();
    assert_eq!(found.remarks.len(), 3, "{:?}", found.remarks);
    let mut wrong = server.config();
    wrong["username"] = json!("somebody");
    let refused = setup.connect(&account(&wrong)).await.unwrap_err();
    assert!(matches!(refused, CallError::Unauthorized { code: Some(535), .. }), "{refused}");
}
