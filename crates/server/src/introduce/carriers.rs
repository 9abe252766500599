//! What an organization has with the sandbox's carriers: accounts, senders and routes.

use engine::routes::{AddSender, Set};
use engine::{Engine, accounts};
use serde::Deserialize;
use serde_json::Value;
use store::Id;

use super::Error;

/// What the sandbox's carriers give one organization.
#[derive(Deserialize)]
pub struct Contract {
    pub sms_from: String,
    voice_from: String,
    pub email_from: String,
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
struct Account {
    provider: String,
    external_id: String,
    config: Value,
    secrets: Value,
    /// The addresses that are its alone.
    #[serde(default)]
    from: Vec<String>,
}

/// The carriers of a channel, in the order in which they are tried.
const SMS: [&str; 4] = ["smpp", "twilio", "telnyx", "vonage"];
const VOICE: [&str; 3] = ["twilio-voice", "telnyx-voice", "vonage-voice"];

/// Puts the accounts, and the senders with their routes: the same ones however often it is done.
pub(super) async fn settle(engine: &Engine, organization: Id, name: &str, given: &Contract) -> Result<(), Error> {
    let mut opened = Vec::new();
    for account in &given.accounts {
        for provider in [account.provider.clone(), format!("{}-voice", account.provider)] {
            if engine.provider(&provider).is_some() {
                let id = put(engine, organization, name, &provider, account).await?;
                opened.push((provider, id, &account.from));
            }
        }
    }
    let of = |providers: &[&str]| -> Vec<Id> {
        let found = providers.iter().filter_map(|name| opened.iter().find(|(provider, ..)| provider == name));
        found.map(|(_, id, _)| *id).collect()
    };
    // The first of a channel is the one that is taken where none is named.
    sender(engine, organization, &of(&SMS), &given.sms_from).await?;
    sender(engine, organization, &of(&VOICE), &given.voice_from).await?;
    sender(engine, organization, &of(&["smtp"]), &given.email_from).await?;
    for (provider, id, from) in &opened {
        if SMS[1..].contains(&provider.as_str()) {
            for address in *from {
                sender(engine, organization, &[*id], address).await?;
            }
        }
    }
    Ok(())
}

async fn put(engine: &Engine, organization: Id, name: &str, provider: &str, account: &Account) -> Result<Id, Error> {
    let new = accounts::NewAccount {
        organization,
        provider: provider.to_owned(),
        external_id: account.external_id.clone(),
        name: format!("{name} {provider}"),
        config: account.config.to_string(),
        secrets: account.secrets.to_string().into(),
    };
    Ok(engine.perform(accounts::put(engine, new)).await?)
}

/// A sender of the first account; the others stand in for it.
async fn sender(engine: &Engine, organization: Id, accounts: &[Id], address: &str) -> Result<(), Error> {
    let Some(account) = accounts.first() else { return Ok(()) };
    let add =
        AddSender { engine: engine.clone(), organization, account: *account, address: address.to_owned(), name: None };
    let sender = engine.perform(add).await??;
    if accounts.len() > 1 {
        let (region, accounts) = (String::new(), accounts.to_vec());
        let set = Set { engine: engine.clone(), organization, sender: sender.id, region, accounts };
        engine.perform(set).await??;
    }
    Ok(())
}
