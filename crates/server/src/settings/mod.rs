//! Settings: `config/default.toml`, then the sandbox's defaults, then `--config`, then DIGIGO's own variables, then
//! `HERMOD_*`, then flags.

mod aliases;
mod file;
mod sections;
mod span;
mod variables;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};

pub use sections::{Digigo, DigigoWebhooks, Encoding, Envelope, Log, LogFormat, Settings, SwitchOff, Web};
pub use span::Span;
pub use variables::Environment;

const DEFAULTS: &str = include_str!("../../../../config/default.toml");
const SANDBOX: &str = include_str!("../../../../config/sandbox.toml");

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
pub enum Error {
    #[error("the settings cannot be used: {0}")]
    Unusable(#[from] Box<figment::Error>),
    #[error("the variable {name} cannot be used: {why}")]
    Variable { name: &'static str, why: &'static str },
}

/// Reads the settings in their order, with this process's environment.
pub fn load(overrides: &Overrides) -> Result<Settings, Error> {
    load_with(overrides, &variables::of_this_process())
}

/// Reads the settings in their order.
pub fn load_with(overrides: &Overrides, environment: &Environment) -> Result<Settings, Error> {
    let mut figment = Figment::from(Toml::string(DEFAULTS));
    if overrides.sandbox {
        figment = figment.merge(Toml::string(SANDBOX));
    }
    if let Some(config) = &overrides.config {
        figment = figment.merge(file::SettingsFile::at(config));
    }
    figment = aliases::merge(figment, environment)?;
    figment = variables::merge(figment, environment);
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
            verifications: self.retention.verifications.some(),
        };
        let deliveries = engine::settings::Deliveries {
            per_subscription: self.deliveries.per_subscription.max(1),
            in_flight: self.deliveries.in_flight.max(1),
        };
        let sessions = engine::settings::Sessions { opens_per_second: self.sessions.opens_per_second.clamp(1, 50) };
        let consent = engine::settings::Consent {
            opt_out_words: self.consent.opt_out_words.clone(),
            opt_in_words: self.consent.opt_in_words.clone(),
        };
        let billing = engine::settings::Billing { metering: self.billing.metering };
        let (verify, numbers) = (self.verify.engine(), self.numbers.engine());
        engine::Settings {
            process,
            public_url,
            senders,
            deliveries,
            sessions,
            consent,
            verify,
            retention,
            billing,
            numbers,
            sandbox,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn load(overrides: &Overrides) -> Result<Settings, Error> {
        load_with(overrides, &Environment::new())
    }

    #[test]
    fn the_defaults_are_complete_and_the_sandbox_changes_what_it_says() {
        let plain = load(&Overrides::default()).unwrap();
        assert_eq!(plain.senders.outcome_wait, Span(Duration::from_secs(600)));
        assert!(plain.outbound.allowed_networks.is_empty() && plain.senders.pair_limit);
        assert_eq!(plain.webhooks.digigo.envelope, Envelope::Nested);
        let sandbox = load(&Overrides { sandbox: true, ..Overrides::default() }).unwrap();
        assert_eq!(sandbox.outbound.allowed_networks.len(), 2);
        assert!(!sandbox.senders.pair_limit && sandbox.web.prekeys < plain.web.prekeys);
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
        let texts = load_file("[verify.texts]\nde = \"{code}!\"").unwrap().verify.texts.0;
        assert_eq!((texts.len(), texts["de"].as_str()), (13, "{code}!"));
        for either in ["expiry", "validity"] {
            let verify = load_file(&format!("[verify]\n{either} = \"3m\"")).unwrap().verify;
            assert_eq!(verify.expiry, Span(Duration::from_secs(180)), "{either}");
        }
        for wrong in [
            "[verify]\nexpiry = \"3m\"\nvalidity = \"4m\"",
            "[verify]\ncode_length = 3",
            "[verify.texts]\nde = \"no\"",
            "[verify.texts]\npt_BR = \"{code}\"",
        ] {
            assert!(load_file(wrong).is_err(), "{wrong}");
        }
    }
}
