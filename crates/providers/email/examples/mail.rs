//! Sends mails as the provider does, for tests in other languages. Reads a JSON object from each line of its input,
//! `{"config", "secrets", "from", "to", "number", "email"}`, and prints what came of it:
//! `{"sent": ID}` or `{"failure": {…}, "retry": "BackOff"}`. Connections are kept from line to line.

use std::error::Error;
use std::io::BufRead;

use engine::Id;
use engine::contacts::{Address, EMAIL};
use engine::content::{Content, Email};
use engine::provider::{Account, Outgoing, Provider};
use engine::senders::Sender;
use provider_email::{Options, Smtp};
use serde::Deserialize;
use serde_json::{Value, json};

/// When every mail was accepted; milliseconds since 1970.
const ACCEPTED: i64 = 1_795_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    config: Value,
    secrets: Value,
    from: String,
    to: String,
    /// Of the mail's id.
    number: u64,
    email: Email,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    net::install_crypto();
    let provider = Smtp::new(Options::default());
    for line in std::io::stdin().lock().lines() {
        let Wish { config, secrets, from, to, number, email } = serde_json::from_str(&line?)?;
        let outgoing = Outgoing {
            id: Id::from_parts(ACCEPTED, number),
            to: Address { kind: EMAIL.to_owned(), value: to },
            content: Content::Email(Box::new(email)),
            reply_to: None,
            provider_id: None,
        };
        let told = match provider.send(&account(&config, &secrets), &sender(from), &outgoing).await {
            Ok(sent) => json!({"sent": sent.provider_id}),
            Err(error) => json!({"failure": error.failure, "retry": format!("{:?}", error.retry)}),
        };
        println!("{told}");
    }
    Ok(())
}

fn account(config: &Value, secrets: &Value) -> Account {
    Account {
        id: Id::from_parts(0, 1),
        organization_id: Id::from_parts(0, 2),
        provider: Smtp::NAME.to_owned(),
        external_id: "relay".to_owned(),
        name: "Relay".to_owned(),
        config: config.to_string(),
        secrets: secrets.to_string().into(),
        status: engine::accounts::ACTIVE.to_owned(),
    }
}

fn sender(from: String) -> Sender {
    Sender {
        id: Id::from_parts(0, 3),
        organization_id: Id::from_parts(0, 2),
        account_id: Id::from_parts(0, 1),
        channel: "email".to_owned(),
        provider: Smtp::NAME.to_owned(),
        external_id: from.clone(),
        address: from,
        name: None,
        status: engine::senders::CONNECTED.to_owned(),
        status_reason: None,
        config: "{}".to_owned(),
        settings: "{}".to_owned(),
        created_at: ACCEPTED,
        updated_at: ACCEPTED,
    }
}
