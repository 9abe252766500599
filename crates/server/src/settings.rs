//! Settings: `config/default.toml`, then the sandbox's defaults, then `--config`, then `HERMOD_*`, then flags.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

const DEFAULTS: &str = include_str!("../../../config/default.toml");
const SANDBOX: &str = include_str!("../../../config/sandbox.toml");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub server: Server,
    pub database: Database,
    pub log: Log,
    pub senders: Senders,
    pub outbound: Outbound,
    pub deliveries: Deliveries,
    pub retention: Retention,
    pub media: Media,
    pub meta: Meta,
    pub kirim: Kirim,
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

/// A length of time as people write it: `90s`, `10m`, `25h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl Span {
    /// `None` for nothing at all.
    #[must_use]
    pub fn some(self) -> Option<Duration> {
        (!self.0.is_zero()).then_some(self.0)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// What the command line says of settings.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub config: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub data_dir: Option<PathBuf>,
    pub database: Option<String>,
    pub sandbox: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the settings cannot be used: {0}")]
pub struct Error(#[from] Box<figment::Error>);

/// Reads the settings in their order.
pub fn load(overrides: &Overrides) -> Result<Settings, Error> {
    let mut figment = Figment::from(Toml::string(DEFAULTS));
    if overrides.sandbox {
        figment = figment.merge(Toml::string(SANDBOX));
    }
    if let Some(config) = &overrides.config {
        figment = figment.merge(Toml::file_exact(config));
    }
    figment = figment.merge(variables());
    figment = flag(figment, "server.listen", overrides.listen.map(|listen| listen.to_string()));
    figment = flag(figment, "server.data_dir", overrides.data_dir.as_deref().map(Path::to_string_lossy));
    figment = flag(figment, "database.url", overrides.database.as_ref());
    Ok(figment.extract().map_err(Box::new)?)
}

fn flag(figment: Figment, key: &str, value: Option<impl serde::Serialize>) -> Figment {
    match value {
        Some(value) => figment.merge(Serialized::default(key, value)),
        None => figment,
    }
}

/// `HERMOD_SENDERS_OUTCOME_WAIT` and the like: one for each known setting, so that nothing has to be guessed
/// from the underscores.
fn variables() -> Env {
    let names: HashMap<String, String> = keys().into_iter().map(|key| (key.replace('.', "_"), key)).collect();
    let dotted = move |name: &str| {
        let name = name.to_ascii_lowercase().replace("__", "_");
        names.get(&name).cloned()
    };
    let known = dotted.clone();
    Env::prefixed("HERMOD_")
        .filter(move |name| known(name.as_str()).is_some())
        .map(move |name| dotted(name.as_str()).unwrap_or_default().into())
}

/// All settings by their dotted names.
fn keys() -> Vec<String> {
    let table: HashMap<String, HashMap<String, figment::value::Value>> =
        Figment::from(Toml::string(DEFAULTS)).extract().expect("the default settings are tables of values");
    let name = |(section, values): (&String, &HashMap<_, _>)| {
        values.keys().map(|key: &String| format!("{section}.{key}")).collect::<Vec<_>>()
    };
    table.iter().flat_map(name).collect()
}

impl Settings {
    /// Where the rows live.
    #[must_use]
    pub fn location(&self) -> store::Location {
        match self.database.url.as_str() {
            "" => store::Location::Sqlite(self.server.data_dir.join("hermod.db")),
            url => store::Location::Postgres { url: url.to_owned(), max_connections: self.database.max_connections },
        }
    }

    /// What the engine needs to know.
    #[must_use]
    pub fn engine(&self, process: String, public_url: String, sandbox: bool) -> engine::Settings {
        let senders = engine::settings::Senders {
            messages_per_second: Some(self.senders.messages_per_second).filter(|rate| *rate > 0),
            burst: Some(self.senders.burst).filter(|burst| *burst > 0),
            pair_limit: self.senders.pair_limit,
            outcome_wait: self.senders.outcome_wait.0,
            in_flight: self.senders.in_flight.max(1),
            give_up_after: self.senders.give_up_after.0,
        };
        let retention = engine::settings::Retention {
            messages: self.retention.messages.some(),
            events: self.retention.events.some(),
            deliveries: self.retention.deliveries.some(),
            idempotency_keys: self.retention.idempotency_keys.some(),
        };
        let deliveries = engine::settings::Deliveries {
            per_subscription: self.deliveries.per_subscription.max(1),
            in_flight: self.deliveries.in_flight.max(1),
        };
        engine::Settings { process, public_url, senders, deliveries, retention, sandbox }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_complete_and_the_sandbox_changes_what_it_says() {
        let plain = load(&Overrides::default()).unwrap();
        assert_eq!(plain.senders.outcome_wait, Span(Duration::from_secs(600)));
        assert!(plain.outbound.allowed_networks.is_empty() && plain.senders.pair_limit);
        let sandbox = load(&Overrides { sandbox: true, ..Overrides::default() }).unwrap();
        assert_eq!(sandbox.outbound.allowed_networks.len(), 2);
        assert!(!sandbox.senders.pair_limit);
    }

    #[test]
    fn a_file_changes_what_it_names_and_a_misspelt_name_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("hermod.toml");
        let load_file = |text: &str| {
            std::fs::write(&config, text).unwrap();
            load(&Overrides { config: Some(config.clone()), sandbox: true, ..Overrides::default() })
        };
        let settings = load_file("[senders]\nburst = 5\n[outbound]\nallowed_networks = []").unwrap();
        assert_eq!((settings.senders.burst, settings.outbound.allowed_networks.len()), (5, 0));
        let error = load_file("[senders]\nbrust = 5").unwrap_err();
        assert!(error.to_string().contains("brust"), "{error}");
    }

    #[test]
    fn every_setting_has_a_variable() {
        let keys = keys();
        assert!(keys.contains(&"senders.outcome_wait".to_owned()) && keys.contains(&"server.public_url".to_owned()));
    }
}
