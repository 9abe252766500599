//! The sections of a settings file; `config/default.toml` says what each line means.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use secrecy::SecretString;
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
    pub kirim: Kirim,
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
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    pub quota: u64,
    pub max_size: u64,
    pub link_life: Span,
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
pub struct Kirim {
    pub host: String,
    pub tier: String,
    pub write_per_minute: u32,
    pub read_per_minute: u32,
    pub context_block: bool,
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
}

/// How each dialect tells events, where it leaves a choice.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    pub digigo: DigigoWebhooks,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigigoWebhooks {
    pub envelope: Envelope,
    pub encoding: Encoding,
    pub global_url: String,
    pub global_events: String,
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
