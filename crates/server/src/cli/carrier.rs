//! Accounts with carriers, as they are typed. Their secrets are read from standard input or a file, never from here.

use std::path::PathBuf;

use clap::Args;
use engine::Engine;
use serde_json::json;

use super::Failure;
use crate::accounts::Secrets;
use crate::carriers::{self, NewCarrier};
use crate::settings::Settings;

/// What all of them have.
#[derive(Args)]
pub struct Common {
    /// The organization's id or name.
    #[arg(long)]
    org: String,
    /// A file with the secrets instead of standard input.
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
}

#[derive(Args)]
pub struct Smpp {
    #[command(flatten)]
    common: Common,
    /// What to call the account: letters, digits, `-` and `_`.
    #[arg(long, value_parser = name)]
    name: String,
    #[arg(long)]
    host: String,
    #[arg(long)]
    port: u16,
    #[arg(long)]
    tls: bool,
    #[arg(long)]
    system_id: String,
    #[arg(long)]
    system_type: Option<String>,
    /// Requests that may be unanswered at a time [10].
    #[arg(long)]
    window: Option<u16>,
    /// Parts per second that the contract allows; 0: as fast as the window allows [0].
    #[arg(long)]
    per_second: Option<u32>,
    /// Seconds of silence before the carrier is asked whether it is there [30].
    #[arg(long)]
    enquire_link_s: Option<u16>,
    /// How names in receipts relate to those in answers: as_is, hex_to_decimal or decimal_to_hex [as_is].
    #[arg(long)]
    message_id: Option<String>,
    /// What the carrier takes data_coding 0 for: gsm7, latin1 or ia5 [gsm7].
    #[arg(long)]
    default_alphabet: Option<String>,
    /// How parts of long texts find together: udh8, udh16 or sar [udh8].
    #[arg(long)]
    concatenation: Option<String>,
    /// Type of number of all senders, where the carrier wants another than their look suggests.
    #[arg(long, requires = "source_npi")]
    source_ton: Option<u8>,
    /// Numbering plan of all senders.
    #[arg(long, requires = "source_ton")]
    source_npi: Option<u8>,
    /// For how many seconds the carrier may try.
    #[arg(long)]
    validity_s: Option<u32>,
    /// A name or number to send from; may be given several times.
    #[arg(long)]
    from: Vec<String>,
}

#[derive(Args)]
pub struct Twilio {
    #[command(flatten)]
    common: Common,
    #[arg(long)]
    account_sid: String,
    /// For calls that say nothing of theirs, as in de-DE.
    #[arg(long)]
    voice_language: Option<String>,
    /// Instead of Twilio's own address.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
}

#[derive(Args)]
pub struct Telnyx {
    #[command(flatten)]
    common: Common,
    /// What to call the account: letters, digits, `-` and `_`.
    #[arg(long, value_parser = name)]
    name: String,
    /// What Telnyx signs with, as its portal shows it.
    #[arg(long)]
    public_key: String,
    /// Needed to send from names.
    #[arg(long)]
    messaging_profile_id: Option<String>,
    /// The call control application: without it there are no calls.
    #[arg(long)]
    connection_id: Option<String>,
    /// Instead of Telnyx's own address.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
}

#[derive(Args)]
pub struct Vonage {
    #[command(flatten)]
    common: Common,
    #[arg(long)]
    application_id: String,
    /// Instead of Vonage's own address.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
}

#[derive(Args)]
pub struct Smtp {
    #[command(flatten)]
    common: Common,
    /// What to call the account: letters, digits, `-` and `_`.
    #[arg(long, value_parser = name)]
    name: String,
    #[arg(long)]
    host: String,
    #[arg(long)]
    port: u16,
    /// starttls, tls or none; none reaches loopback and outbound.allowed_networks only.
    #[arg(long, default_value = "starttls")]
    security: String,
    /// Whoever logs in; without it nobody does, and no password is read.
    #[arg(long)]
    username: Option<String>,
    /// A mailbox to send from; may be given several times.
    #[arg(long, required = true)]
    from: Vec<String>,
    /// Where bounces go; our id takes the place of `{}`.
    #[arg(long)]
    return_path: Option<String>,
    /// Connections at once [4].
    #[arg(long)]
    pool: Option<usize>,
    /// For handing one mail over, in seconds [30].
    #[arg(long)]
    timeout_s: Option<u64>,
    /// A file with certificates to trust besides the public web's.
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
}

/// It stands in callback addresses.
fn name(text: &str) -> Result<String, &'static str> {
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match fits && (1..=64).contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => Err("1 to 64 letters, digits, `-` and `_`"),
    }
}

impl Common {
    fn read(&self, what: &str) -> Result<Secrets, Failure> {
        Secrets::read(self.secrets.as_deref(), what)
    }

    async fn organization(&self, engine: &Engine) -> Result<engine::Id, Failure> {
        super::org::find(engine, &self.org).await
    }
}

impl Smpp {
    pub async fn add(self, engine: &Engine, settings: &Settings) -> Result<(), Failure> {
        let secrets = self.common.read("password")?;
        let source = self.source_ton.zip(self.source_npi).map(|(ton, npi)| json!({ "ton": ton, "npi": npi }));
        let new = NewCarrier {
            organization: self.common.organization(engine).await?,
            providers: vec!["smpp"],
            external_id: self.name,
            name: None,
            config: json!({
                "host": self.host,
                "port": self.port,
                "tls": self.tls,
                "system_id": self.system_id,
                "system_type": self.system_type,
                "window": self.window,
                "per_second": self.per_second,
                "enquire_link_s": self.enquire_link_s,
                "message_id": self.message_id,
                "default_alphabet": self.default_alphabet,
                "concatenation": self.concatenation,
                "source": source,
                "validity_s": self.validity_s,
            }),
            secrets: json!({ "password": secrets.line(0, "password")? }),
            from: self.from,
        };
        carriers::add(engine, settings, new).await
    }
}

impl Twilio {
    pub async fn add(self, engine: &Engine, settings: &Settings) -> Result<(), Failure> {
        let secrets = self.common.read("auth token")?;
        let new = NewCarrier {
            organization: self.common.organization(engine).await?,
            providers: vec!["twilio", "twilio-voice"],
            external_id: self.account_sid.clone(),
            name: None,
            config: json!({
                "account_sid": self.account_sid,
                "base_url": self.base_url,
                "voice_language": self.voice_language,
            }),
            secrets: json!({ "auth_token": secrets.line(0, "auth token")? }),
            from: Vec::new(),
        };
        carriers::add(engine, settings, new).await
    }
}

impl Telnyx {
    pub async fn add(self, engine: &Engine, settings: &Settings) -> Result<(), Failure> {
        let secrets = self.common.read("API key")?;
        let mut providers = vec!["telnyx"];
        providers.extend(self.connection_id.as_ref().map(|_| "telnyx-voice"));
        let new = NewCarrier {
            organization: self.common.organization(engine).await?,
            providers,
            external_id: self.name,
            name: None,
            config: json!({
                "base_url": self.base_url,
                "public_key": self.public_key,
                "messaging_profile_id": self.messaging_profile_id,
                "connection_id": self.connection_id,
            }),
            secrets: json!({ "api_key": secrets.line(0, "API key")? }),
            from: Vec::new(),
        };
        carriers::add(engine, settings, new).await
    }
}

impl Vonage {
    pub async fn add(self, engine: &Engine, settings: &Settings) -> Result<(), Failure> {
        let secrets = self.common.read("signature secret, then the private key")?;
        let new = NewCarrier {
            organization: self.common.organization(engine).await?,
            providers: vec!["vonage", "vonage-voice"],
            external_id: self.application_id.clone(),
            name: None,
            config: json!({ "application_id": self.application_id, "base_url": self.base_url }),
            secrets: carriers::vonage_secrets(&secrets)?,
            from: Vec::new(),
        };
        carriers::add(engine, settings, new).await
    }
}

impl Smtp {
    pub async fn add(self, engine: &Engine, settings: &Settings) -> Result<(), Failure> {
        let mut opened = json!({ "webhook_secret": carriers::webhook_secret(engine, &self.name).await? });
        if self.username.is_some() {
            opened["password"] = json!(self.common.read("password")?.line(0, "password")?);
        }
        let new = NewCarrier {
            organization: self.common.organization(engine).await?,
            providers: vec!["smtp"],
            external_id: self.name,
            name: None,
            config: json!({
                "host": self.host,
                "port": self.port,
                "security": self.security,
                "username": self.username,
                "return_path": self.return_path,
                "pool": self.pool,
                "timeout_s": self.timeout_s,
                "roots_pem": self.roots.map(std::fs::read_to_string).transpose()?,
            }),
            secrets: opened,
            from: self.from,
        };
        carriers::add(engine, settings, new).await
    }
}
