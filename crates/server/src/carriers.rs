//! What an operator does with carriers: accounts, senders by address, routes.

use engine::accounts::{self as use_cases, NewAccount};
use engine::provider::Account;
use engine::routes::{AddSender, Set};
use engine::senders::Sender;
use engine::{Engine, Id};
use provider_telecom::http;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::accounts::{Secrets, parse};
use crate::cli::Failure;
use crate::settings::Settings;

/// An account with a carrier, to be added.
pub struct NewCarrier {
    pub organization: Id,
    /// Providers that use it: a carrier with an HTTP API is one for SMS and another for calls.
    pub providers: Vec<&'static str>,
    /// As it stands in callback addresses.
    pub external_id: String,
    pub name: Option<String>,
    /// What is null is left out.
    pub config: Value,
    pub secrets: Value,
    /// Senders to begin with.
    pub from: Vec<String>,
}

/// Checks the account as its providers do, keeps it, and says what to enter at the carrier.
pub async fn add(engine: &Engine, settings: &Settings, new: NewCarrier) -> Result<(), Failure> {
    let config = without_nulls(new.config).to_string();
    let accounts = new.providers.iter().map(|provider| NewAccount {
        organization: new.organization,
        provider: (*provider).to_owned(),
        external_id: new.external_id.clone(),
        name: new.name.clone().unwrap_or_else(|| new.external_id.clone()),
        config: config.clone(),
        secrets: new.secrets.to_string().into(),
    });
    // Nothing is kept before everything was found good.
    let mut checked = Vec::new();
    for account in accounts {
        refuse_foreign(engine, &account).await?;
        new.from.iter().try_for_each(|address| refuse_unfit(engine, &account.provider, address))?;
        checked.push((check(engine, &account).await?, account));
    }
    for (remarks, account) in checked {
        let provider = account.provider.clone();
        let id = engine.perform(use_cases::put(engine, account)).await?;
        println!("account  {id}  {provider}  {}", new.external_id);
        remarks.iter().for_each(|remark| println!("note     {remark}"));
        for address in &new.from {
            let sender = add_address(engine, new.organization, id, address, None).await?;
            println!("sender   {}  {}", sender.id, sender.address);
        }
    }
    println!("{}", at_the_carrier(settings, new.providers[0], &new.external_id, &new.secrets));
    Ok(())
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
    value
}

/// Names of accounts stand in addresses: no two organizations have the same one.
pub(crate) async fn refuse_foreign(engine: &Engine, new: &NewAccount) -> Result<(), Failure> {
    let known = engine.accounts_of(&new.provider).await?;
    let taken = known.iter().find(|known| known.external_id == new.external_id);
    match taken {
        Some(known) if known.organization_id != new.organization => {
            Err(format!("another organization has an account {:?} with {}", new.external_id, new.provider).into())
        }
        _ => Ok(()),
    }
}

/// Whether the provider can use what it is given; asks the carrier where that costs nothing. Gives remarks.
async fn check(engine: &Engine, new: &NewAccount) -> Result<Vec<String>, Failure> {
    if let Some(checked) = http::check(&new.provider, &new.config, &new.secrets) {
        checked?;
        return Ok(Vec::new());
    }
    engine.provider(&new.provider).ok_or("this program has no such provider")?;
    match use_cases::check(engine, new).await {
        Ok(found) => Ok(found.remarks),
        Err(use_cases::ConnectError::Unsupported) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// What the carrier must be told, in plain words.
fn at_the_carrier(settings: &Settings, provider: &str, name: &str, secrets: &Value) -> String {
    let url = format!("{}/webhooks/{provider}/{name}", crate::accounts::origin(settings));
    match provider {
        "twilio" => format!(
            "\nEnter this at Twilio, for each number under Messaging > A message comes in, as a webhook with HTTP POST:\n  {url}\n\
             Nothing is needed for receipts and calls: each names its own address."
        ),
        "telnyx" => format!(
            "\nEnter this at Telnyx, in the messaging profile under Inbound > webhook URL, with API version 2:\n  {url}\n\
             Nothing is needed for receipts and calls: each names its own address."
        ),
        "vonage" => format!(
            "\nEnter this at Vonage, in the application under Capabilities > Messages, as inbound and as status URL:\n  {url}\n\
             Choose version 1 of the webhooks, and HTTP POST. Nothing is needed for calls."
        ),
        "smtp" => format!(
            "\nHave mails that come back posted here, each raw as the body of a POST:\n  {url}\n  Authorization: Bearer {}",
            secrets["webhook_secret"].as_str().unwrap_or_default()
        ),
        _ => "\nNothing has to be entered at the carrier: receipts and messages come over the same connection."
            .to_owned(),
    }
}

/// The secret that shows whoever brings us bounces; an account that is added again keeps its own.
pub async fn webhook_secret(engine: &Engine, name: &str) -> Result<String, Failure> {
    let known = engine.accounts_of(provider_email::Smtp::NAME).await?;
    let known = known.iter().find(|account| account.external_id == name);
    let secrets: Option<Value> = known.map(|known| serde_json::from_str(known.secrets.expose_secret())).transpose()?;
    let kept = secrets.and_then(|secrets| secrets["webhook_secret"].as_str().map(str::to_owned));
    Ok(kept.unwrap_or_else(|| format!("{:032x}", rand::random::<u128>())))
}

/// The two secrets of a Vonage application: the signature secret on the first line, the private key on those after it.
pub fn vonage_secrets(secrets: &Secrets) -> Result<Value, Failure> {
    let (secret, key) = (secrets.line(0, "signature secret")?, secrets.rest(1));
    if key.is_empty() {
        return Err("the private key is missing".into());
    }
    Ok(json!({ "signature_secret": secret, "private_key": key }))
}

/// What is asked for when a carrier's secrets are changed; `None` for other providers.
#[must_use]
pub fn rotated(provider: &str) -> Option<&'static str> {
    Some(match provider.trim_end_matches("-voice") {
        "smpp" | "smtp" => "new password",
        "twilio" => "new auth token",
        "telnyx" => "new API key",
        "vonage" => "signature secret, then the new private key",
        _ => return None,
    })
}

/// New secrets, for all providers that use the account, once all accept them: what waited for them goes on.
pub async fn rotate(engine: &Engine, account: &Account, secrets: &Secrets) -> Result<(), Failure> {
    let carrier = account.provider.trim_end_matches("-voice");
    let mut checked = Vec::new();
    for provider in [carrier.to_owned(), format!("{carrier}-voice")] {
        let known = engine.accounts_of(&provider).await?;
        let own = known.iter().filter(|known| {
            known.external_id == account.external_id && known.organization_id == account.organization_id
        });
        for known in own {
            let new = with_secrets(known, carrier, secrets)?;
            check(engine, &new).await?;
            checked.push(new);
        }
    }
    for new in checked {
        let told = format!("{} ({}) has its new secrets", new.name, new.provider);
        engine.perform(use_cases::put(engine, new)).await?;
        println!("{told}");
    }
    Ok(())
}

fn with_secrets(known: &Account, carrier: &str, secrets: &Secrets) -> Result<NewAccount, Failure> {
    let mut opened: Value = serde_json::from_str(known.secrets.expose_secret())?;
    match carrier {
        "smpp" | "smtp" => opened["password"] = json!(secrets.line(0, "password")?),
        "twilio" => opened["auth_token"] = json!(secrets.line(0, "auth token")?),
        "telnyx" => opened["api_key"] = json!(secrets.line(0, "API key")?),
        _ => opened = vonage_secrets(secrets)?,
    }
    Ok(NewAccount {
        organization: known.organization_id,
        provider: known.provider.clone(),
        external_id: known.external_id.clone(),
        name: known.name.clone(),
        config: known.config.clone(),
        secrets: opened.to_string().into(),
    })
}

/// Adds an address that an account may send from.
pub async fn add_sender(engine: &Engine, account: &str, address: &str, name: Option<String>) -> Result<(), Failure> {
    let id = parse(account)?;
    let account = engine.account(&id).await?.ok_or("there is no such account")?;
    let sender = add_address(engine, account.organization_id, id, address, name).await?;
    println!("{}  {}  {}  {}", sender.id, sender.address, sender.channel, sender.status);
    Ok(())
}

async fn add_address(
    engine: &Engine,
    organization: Id,
    account: Id,
    address: &str,
    name: Option<String>,
) -> Result<Sender, Failure> {
    let known = engine.account(&account).await?.ok_or("there is no such account")?;
    refuse_unfit(engine, &known.provider, address)?;
    let add = AddSender { engine: engine.clone(), organization, account, address: address.to_owned(), name };
    Ok(engine.perform(add).await??)
}

fn refuse_unfit(engine: &Engine, provider: &str, address: &str) -> Result<(), Failure> {
    let channel = engine.provider(provider).map_or("", |provider| provider.channel());
    match unfit(channel, address) {
        Some(why) => Err(format!("{address:?}: {why}").into()),
        None => Ok(()),
    }
}

/// Why nothing could be sent from an address over a channel.
fn unfit(channel: &str, address: &str) -> Option<&'static str> {
    let digits = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let number = address.strip_prefix('+').is_some_and(|rest| digits(rest, 7..=15));
    let name = (1..=11).contains(&address.len())
        && address.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_&.".contains(&byte))
        && address.bytes().any(|byte| byte.is_ascii_alphabetic());
    match channel {
        "sms" if !(number || name || digits(address, 3..=8)) => {
            Some("an SMS comes from a number with `+`, a short code or a name of at most 11 letters and digits")
        }
        "voice" if !number => Some("a call comes from a number with `+`"),
        "email" if !address.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty()) => {
            Some("a mail comes from a mail address")
        }
        _ => None,
    }
}

/// A sender by its id, its provider's name for it, or its address where that is not ambiguous.
async fn find(engine: &Engine, named: &str) -> Result<Sender, Failure> {
    let (all, id) = (engine.all_senders().await?, Id::parse_hex24(named));
    let fits = |sender: &&Sender| Some(sender.id) == id || sender.external_id == named || sender.address == named;
    let mut fitting = all.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(found), None) => Ok(found.clone()),
        (None, _) => Err(format!("there is no sender {named:?}").into()),
        (Some(_), Some(_)) => Err(format!("there are several senders {named:?}: give the id").into()),
    }
}

/// Says which accounts carry for a sender to a country, in their order; none: as everywhere else.
pub async fn set_route(engine: &Engine, sender: &str, region: &str, accounts: &[String]) -> Result<(), Failure> {
    let region = region.to_ascii_uppercase();
    if !(region.is_empty() || (region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase()))) {
        return Err("a region is two letters, as in DE".into());
    }
    let sender = find(engine, sender).await?;
    let accounts = accounts.iter().map(|account| parse(account)).collect::<Result<_, _>>()?;
    let (organization, id) = (sender.organization_id, sender.id);
    engine.perform(Set { engine: engine.clone(), organization, sender: id, region, accounts }).await??;
    print_routes(engine, &sender).await
}

/// Of one sender, or of all that know routes.
pub async fn list_routes(engine: &Engine, sender: Option<&str>) -> Result<(), Failure> {
    let senders = match sender {
        Some(named) => vec![find(engine, named).await?],
        None => engine.all_senders().await?,
    };
    for sender in senders {
        if engine.provider(&sender.provider).is_some_and(|provider| provider.by_address()) {
            print_routes(engine, &sender).await?;
        }
    }
    Ok(())
}

async fn print_routes(engine: &Engine, sender: &Sender) -> Result<(), Failure> {
    let (rows, routes) = (engine.account_rows().await?, engine.routes(&sender.id).await?);
    let name = |id: &Id| {
        let row = rows.iter().find(|row| row.id == *id);
        row.map_or_else(|| id.to_string(), |row| format!("{id}  {} {} ({})", row.provider, row.external_id, row.status))
    };
    println!("{}  {}  {}  org {}", sender.id, sender.address, sender.channel, sender.organization_id);
    for route in &routes {
        let region = if route.region.is_empty() { "else" } else { &route.region };
        println!("  {region:<4}  {}", name(&route.account_id));
    }
    if !routes.iter().any(|route| route.region.is_empty()) {
        println!("  else  {}", name(&sender.account_id));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_fits_its_channel() {
        for (channel, fine, wrong) in [
            (
                "sms",
                &["+4915112345678", "HERMOD", "My Shop", "72345"][..],
                &["", "+49", "TWELVELETTERS", "015112345678", "é"][..],
            ),
            ("voice", &["+4915112345678"], &["HERMOD", "72345", "a@b"]),
            ("email", &["hello@example.com"], &["hello", "@example.com", "+4915112345678"]),
        ] {
            fine.iter().for_each(|address| assert_eq!(unfit(channel, address), None, "{channel} {address}"));
            wrong.iter().for_each(|address| assert!(unfit(channel, address).is_some(), "{channel} {address}"));
        }
    }

    #[test]
    fn what_is_null_is_left_out() {
        assert_eq!(without_nulls(json!({"a": null, "b": 0, "c": {"d": null}})), json!({"b": 0, "c": {"d": null}}));
    }
}
