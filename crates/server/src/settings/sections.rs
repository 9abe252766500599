//! The sections of a settings file; `config/default.toml` says what each line means.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use dialect_digigo::NewUsers;
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Span;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub server: Server,
    pub database: Database,
    pub log: Log,
    pub senders: Senders,
    pub outbound: Outbound,
    pub deliveries: Deliveries,
    pub sessions: Sessions,
    pub retention: Retention,
    pub media: Media,
    pub meta: Meta,
    pub web: Web,
    pub carriers: Carriers,
    pub consent: Consent,
    pub verify: Verify,
    pub billing: Billing,
    pub numbers: Numbers,
    pub stripe: Stripe,
    pub kirim: Kirim,
    pub ycloud: YCloud,
    pub late: Late,
    pub digigo: Digigo,
    pub webhooks: Webhooks,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    pub public_url: String,
    pub data_dir: PathBuf,
    pub connections_per_peer: usize,
    pub stop_timeout: Span,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: String,
    pub max_connections: usize,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may hold a password.
        f.debug_struct("Database").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    pub filter: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Auto,
    Human,
    Json,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Senders {
    pub messages_per_second: u32,
    pub burst: u32,
    pub pair_limit: bool,
    pub outcome_wait: Span,
    pub in_flight: usize,
    pub give_up_after: Span,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    pub allowed_networks: Vec<IpNet>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliveries {
    pub per_subscription: usize,
    pub in_flight: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    pub opens_per_second: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub messages: Span,
    pub events: Span,
    pub deliveries: Span,
    pub idempotency_keys: Span,
    pub verifications: Span,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    pub quota: u64,
    pub max_size: u64,
    pub fetch_timeout: Span,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    pub graph_url: String,
    pub version: String,
    pub timeout: Span,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carriers {
    pub timeout: Span,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kirim {
    pub host: String,
    pub tier: String,
    pub write_per_minute: u32,
    pub read_per_minute: u32,
    pub context_block: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Billing {
    pub metering: bool,
}

/// Phone numbers that are bought.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    pub payment: engine::numbers::Payment,
    pub price: Cents,
    pub currency: String,
    pub payment_wait: Span,
    pub purchase_guard: Span,
    pub code_wait: Span,
    pub code_tries: u32,
}

impl Numbers {
    pub(super) fn engine(&self) -> engine::settings::Numbers {
        // A till keeps a session open for half an hour at least, and for a day at most.
        let (least, most) = (Duration::from_secs(31 * 60), Duration::from_secs(24 * 60 * 60 - 60));
        engine::settings::Numbers {
            payment: self.payment,
            price: self.price.0,
            currency: self.currency.to_uppercase(),
            payment_wait: self.payment_wait.0.clamp(least, most),
            purchase_guard: self.purchase_guard.0,
            code_wait: self.code_wait.0.max(Duration::from_secs(30)),
            code_tries: self.code_tries.max(1),
        }
    }
}

/// Hundredths of a unit in a file, millionths in the engine.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(from = "u32")]
pub struct Cents(pub i64);

impl From<u32> for Cents {
    fn from(cents: u32) -> Self {
        Self(i64::from(cents) * 10_000)
    }
}

/// Stripe Checkout. Without a key there is no till.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stripe {
    pub base_url: String,
    pub secret_key: SecretString,
    pub webhook_secret: SecretString,
    pub return_url: String,
}

/// Words of customers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    pub opt_out_words: Vec<String>,
    pub opt_in_words: Vec<String>,
}

/// Codes that prove that an address is somebody's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    pub code_length: CodeLength,
    pub expiry: Span,
    pub tries: u32,
    pub recipient_starts: u32,
    pub recipient_within: Span,
    pub series_starts: u32,
    pub series_within: Span,
    pub sms_fallback: bool,
    pub brand: String,
    pub whatsapp_template: String,
    pub texts: Texts,
}

impl Verify {
    pub(super) fn engine(&self) -> engine::settings::Verify {
        use engine::settings::Pace;
        engine::settings::Verify {
            code_length: self.code_length.0,
            expiry: self.expiry.0.clamp(Duration::from_secs(60), Duration::from_secs(60 * 60)),
            tries: i64::from(self.tries.max(1)),
            per_recipient: Pace { most: self.recipient_starts, within: self.recipient_within.0 },
            per_prefix: Pace { most: self.series_starts, within: self.series_within.0 },
            sms_fallback: self.sms_fallback,
            brand: self.brand.clone(),
            whatsapp_template: self.whatsapp_template.clone(),
            texts: self.texts.0.clone(),
        }
    }
}

/// What is sent with a code, by language.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct Texts(pub BTreeMap<String, String>);

impl TryFrom<BTreeMap<String, String>> for Texts {
    type Error = String;

    fn try_from(texts: BTreeMap<String, String>) -> Result<Self, String> {
        for (language, text) in &texts {
            if language.chars().any(char::is_uppercase) {
                return Err(format!("{language} must be written in small letters"));
            }
            if !text.contains("{code}") {
                return Err(format!("the text in {language} has no {{code}}"));
            }
        }
        Ok(Self(texts))
    }
}

/// As many digits as callers may give themselves.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "usize")]
pub struct CodeLength(pub usize);

impl TryFrom<usize> for CodeLength {
    type Error = &'static str;

    fn try_from(length: usize) -> Result<Self, &'static str> {
        if (4..=8).contains(&length) { Ok(Self(length)) } else { Err("codes have 4 to 8 digits") }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YCloud {
    pub host: String,
    pub send_per_second: u32,
    pub other_per_second: u32,
    pub other_per_hour: u32,
}

/// The Late API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Late {
    pub host: String,
    pub requests_per_minute: u32,
    pub preverified: bool,
}

/// WhatsApp Web.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    pub server_url: String,
    pub device_name: String,
    pub version: String,
    pub prekeys: usize,
    pub history: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digigo {
    pub host: String,
    pub organization: String,
    pub admin_token: SecretString,
    pub echo: bool,
    pub skip_media: bool,
    pub time_zone: dialect_digigo::Zone,
    pub environment: String,
    pub region: String,
    pub users: NewUsers,
}

/// How each dialect tells events, where it leaves a choice.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    pub digigo: DigigoWebhooks,
    pub late: LateWebhooks,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateWebhooks {
    pub log: Span,
    pub switch_off: SwitchOff,
}

/// When a webhook that takes nothing is switched off.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum SwitchOff {
    Silent,
    Ten,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigigoWebhooks {
    pub envelope: Envelope,
    pub encoding: Encoding,
    pub timeout: Span,
    pub hmac_key: HmacKey,
    pub identity_headers: bool,
    pub global_url: String,
    pub global_events: String,
}

/// Empty: nothing is signed.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "SecretString")]
pub struct HmacKey(SecretString);

impl HmacKey {
    /// As short as receivers of this family allow it to be.
    const SHORTEST: usize = 32;

    #[must_use]
    pub fn get(&self) -> Option<SecretString> {
        Some(self.0.clone()).filter(|key| !key.expose_secret().is_empty())
    }
}

impl TryFrom<SecretString> for HmacKey {
    type Error = String;

    fn try_from(key: SecretString) -> Result<Self, String> {
        match key.expose_secret().len() {
            0 | Self::SHORTEST.. => Ok(Self(key)),
            _ => Err(format!("a key has {} characters or more", Self::SHORTEST)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Envelope {
    Nested,
    Flat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    Json,
    Form,
}
