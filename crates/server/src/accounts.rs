//! What an operator does with accounts, and what is printed of it.

use std::io::{BufRead, IsTerminal};
use std::path::Path;

use engine::accounts::{self as use_cases, Admitted, NewAccount};
use engine::{Engine, Id};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::carriers;
use crate::cli::Failure;
use crate::settings::Settings;

/// Lines that must not stand on a command line.
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    /// From a file, or from standard input, where a person is asked for them.
    pub fn read(file: Option<&Path>, what: &str) -> Result<Self, Failure> {
        let text = match file {
            Some(file) => std::fs::read_to_string(file)?,
            None => {
                let input = std::io::stdin();
                if input.is_terminal() {
                    eprintln!("Enter the {what}, then an empty line:");
                }
                let lines =
                    input.lock().lines().take_while(|line| line.as_ref().is_ok_and(|line| !line.trim().is_empty()));
                lines.collect::<Result<Vec<_>, _>>()?.join("\n")
            }
        };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(Self(lines.map(|line| line.to_owned().into()).collect()))
    }

    pub(crate) fn line(&self, index: usize, what: &str) -> Result<&str, Failure> {
        self.0.get(index).map(ExposeSecret::expose_secret).ok_or_else(|| format!("the {what} is missing").into())
    }
}

impl Secrets {
    /// All lines from one on: a key that has several.
    pub(crate) fn rest(&self, from: usize) -> String {
        let lines: Vec<&str> = self.0.iter().skip(from).map(ExposeSecret::expose_secret).collect();
        lines.join("\n")
    }
}

/// What an app at Meta subscribes to, for us to hear all that we understand.
const WEBHOOK_FIELDS: [&str; 7] = [
    "messages",
    "message_template_status_update",
    "message_template_quality_update",
    "template_category_update",
    "phone_number_quality_update",
    "account_update",
    "user_preferences",
];

/// A WhatsApp Business Account to be added.
pub struct NewMeta {
    pub organization: Id,
    pub waba: String,
    pub app_id: String,
}

/// Checks the account at Meta, adds it with what hangs on it, and says what to enter there.
pub async fn add_meta(engine: &Engine, settings: &Settings, new: NewMeta, secrets: &Secrets) -> Result<(), Failure> {
    let (token, secret) = (secrets.line(0, "access token")?, secrets.line(1, "app secret")?);
    let verify_token =
        known_verify_token(engine, &new.waba).await?.unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    let account = NewAccount {
        organization: new.organization,
        provider: "meta-cloud".into(),
        external_id: new.waba.clone(),
        name: new.waba.clone(),
        config: json!({ "app_id": new.app_id }).to_string(),
        secrets: json!({ "access_token": token, "app_secret": secret, "verify_token": verify_token })
            .to_string()
            .into(),
    };
    carriers::refuse_foreign(engine, &account).await?;
    let Admitted { id, found, senders } = use_cases::admit(engine, account).await?;
    println!("account  {id}");
    println!("found    {} with {} numbers and {} templates", found.name, senders.len(), found.templates.len());
    for sender in senders {
        println!("number   {}  {}  {}", sender.external_id, sender.address, sender.status);
    }
    found.remarks.iter().for_each(|remark| println!("note     {remark}"));
    println!("{}", at_meta(origin(settings), &verify_token));
    Ok(())
}

/// What Meta must be told, in plain words.
fn at_meta(origin: &str, verify_token: &str) -> String {
    let fields = WEBHOOK_FIELDS.join("\n    ");
    format!(
        "\nEnter this at Meta, under WhatsApp > Configuration > Webhook, and subscribe to the fields below it:\n  \
         callback URL   {origin}/webhooks/meta\n  verify token   {verify_token}\n    {fields}"
    )
}

/// Where providers reach us.
pub(crate) fn origin(settings: &Settings) -> &str {
    match settings.server.public_url.trim_end_matches('/') {
        "" => "https://YOUR-HOST",
        url => url,
    }
}

/// An account that is added again keeps the token that Meta knows.
async fn known_verify_token(engine: &Engine, waba: &str) -> Result<Option<String>, Failure> {
    let known = engine.accounts_of("meta-cloud").await?;
    let Some(known) = known.iter().find(|account| account.external_id == waba) else { return Ok(None) };
    let secrets: Value = serde_json::from_str(known.secrets.expose_secret())?;
    Ok(secrets["verify_token"].as_str().map(str::to_owned))
}

pub async fn list(engine: &Engine) -> Result<(), Failure> {
    for row in engine.account_rows().await? {
        let reason = row.status_reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        println!(
            "{}  {}  {}  {}{reason}  org {}",
            row.id, row.provider, row.external_id, row.status, row.organization_id
        );
    }
    Ok(())
}

/// A new token, once Meta accepts it: what waited for it goes on. It is read from the file, or from standard input.
pub async fn rotate(engine: &Engine, id: &str, file: Option<&Path>) -> Result<(), Failure> {
    let id = parse(id)?;
    let known = engine.account(&id).await?.ok_or("there is no such account")?;
    if let Some(what) = carriers::rotated(&known.provider) {
        return carriers::rotate(engine, &known, &Secrets::read(file, what)?).await;
    }
    let secrets = Secrets::read(file, "new access token")?;
    let row = engine.account_rows().await?.into_iter().find(|row| row.id == id).ok_or("there is no such account")?;
    let mut opened: Value = serde_json::from_str(known.secrets.expose_secret())?;
    opened["access_token"] = json!(secrets.line(0, "access token")?);
    let new = NewAccount {
        organization: row.organization_id,
        provider: row.provider,
        external_id: row.external_id,
        name: row.name,
        config: row.config,
        secrets: opened.to_string().into(),
    };
    let found = use_cases::admit(engine, new).await?.found;
    println!("{} works with the new token", found.name);
    found.remarks.iter().for_each(|remark| println!("note     {remark}"));
    Ok(())
}

pub async fn remove(engine: &Engine, id: &str) -> Result<(), Failure> {
    match engine.perform(use_cases::Remove { id: parse(id)?, now: engine.now() }).await? {
        true => println!("removed"),
        false => return Err("there is no such account".into()),
    }
    Ok(())
}

pub async fn add_sender(engine: &Engine, account: &str, number: &str, register: bool) -> Result<(), Failure> {
    let id = parse(account)?;
    if register {
        let pin = Secrets::read(None, "six-digit PIN of the number")?;
        use_cases::register(engine, &id, number, pin.line(0, "PIN")?).await?;
    }
    let (_, senders) = use_cases::connect(engine, &id).await?;
    let sender = senders.iter().find(|sender| sender.external_id == number).ok_or("the account has no such number")?;
    println!("{}  {}  {}", sender.external_id, sender.address, sender.status);
    Ok(())
}

pub async fn list_senders(engine: &Engine) -> Result<(), Failure> {
    let held = engine.held_senders().await?;
    for sender in engine.all_senders().await? {
        let hold = held.iter().find(|(id, ..)| *id == sender.id);
        let why = hold.and_then(|(_, _, reason)| reason.clone()).or(sender.status_reason);
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        println!(
            "{}  {}  {}  {}{why}  org {}  id {}",
            sender.external_id,
            sender.address,
            sender.provider,
            sender.status,
            sender.organization_id,
            sender.id.hex24()
        );
    }
    Ok(())
}

pub(crate) fn parse(id: &str) -> Result<Id, Failure> {
    Id::parse_hex24(id).ok_or_else(|| "an account's id has 24 hexadecimal digits".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meta_is_told_of_every_field_that_the_manual_names() {
        let manual = include_str!("../../../docs/providers/meta-cloud.md");
        let (_, step) = manual.split_once("verify, and subscribe to").unwrap();
        let (step, _) = step.split_once(". The callback").unwrap();
        let named: Vec<&str> = step.split('`').skip(1).step_by(2).collect();
        assert_eq!(named, WEBHOOK_FIELDS);
        let told = at_meta("https://hermod.example", "token");
        let lines: Vec<&str> = told.lines().map(str::trim).collect();
        assert!(WEBHOOK_FIELDS.iter().all(|field| lines.contains(field)), "{told}");
    }
}
