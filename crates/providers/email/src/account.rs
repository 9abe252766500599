//! What an account of this provider keeps in its two JSON texts.

use engine::provider::Account;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

use crate::address;
use crate::return_path::ReturnPath;

/// The most connections to one relay.
const MOST_CONNECTIONS: usize = 64;
/// Shorter than a claim lasts, after which somebody else might send the mail again.
const LONGEST_TIMEOUT_S: u64 = 75;

/// `config`: what an operator may see.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A name or an address.
    pub host: String,
    /// Usually 587 for STARTTLS, 465 for TLS.
    pub port: u16,
    pub security: Security,
    #[serde(default)]
    pub username: Option<String>,
    /// Connections at once.
    #[serde(default = "four")]
    pub pool: usize,
    /// For the whole of handing a mail over, in seconds.
    #[serde(default = "half_a_minute")]
    pub timeout_s: u64,
    /// Where bounces go, instead of to the sender; our id is put in the place of `{}`.
    #[serde(default)]
    pub return_path: Option<String>,
    /// Certificates to trust besides the public web's.
    #[serde(default)]
    pub roots_pem: Option<String>,
    /// What we call ourselves to the relay; the connection's own address otherwise.
    #[serde(default)]
    pub hello: Option<String>,
    /// Mailboxes to send from, which become senders when the account is connected.
    #[serde(default)]
    pub from: Vec<String>,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// It begins without TLS and sends nothing before it has it.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None, to loopback and listed networks only.
    None,
}

/// `secrets`: what nobody may see.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    #[serde(default, deserialize_with = "secret")]
    pub password: Option<SecretString>,
    /// Shown by whoever brings us bounces; without one nobody may.
    #[serde(default, deserialize_with = "secret")]
    pub webhook_secret: Option<SecretString>,
}

/// An account's JSON is not what this provider needs.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unusable {
    #[error("the account's config cannot be used: {0}")]
    Config(String),
    /// Quotes nothing of them.
    #[error("the account's secrets cannot be read")]
    Secrets,
    #[error("the account has a user name and no password")]
    NoPassword,
}

impl Config {
    pub fn of(account: &Account) -> Result<Self, Unusable> {
        let config: Self =
            serde_json::from_str(&account.config).map_err(|error| Unusable::Config(error.to_string()))?;
        match config.fault() {
            Some(fault) => Err(Unusable::Config(fault)),
            None => Ok(config),
        }
    }

    fn fault(&self) -> Option<String> {
        if !(1..=MOST_CONNECTIONS).contains(&self.pool) {
            return Some(format!("`pool` must be from 1 to {MOST_CONNECTIONS}"));
        }
        if !(1..=LONGEST_TIMEOUT_S).contains(&self.timeout_s) {
            return Some(format!("`timeout_s` must be from 1 to {LONGEST_TIMEOUT_S}"));
        }
        if self.port == 0 {
            return Some("`port` must not be 0".to_owned());
        }
        if self.hello.as_deref().is_some_and(|hello| !hello.is_ascii() || address::domain(hello).is_none()) {
            return Some("`hello` must be a host name".to_owned());
        }
        self.return_path.as_deref().and_then(|text| ReturnPath::parse(text).err()).map(|error| error.to_string())
    }
}

impl Secrets {
    pub fn of(account: &Account) -> Result<Self, Unusable> {
        serde_json::from_str(account.secrets.expose_secret()).map_err(|_| Unusable::Secrets)
    }
}

fn four() -> usize {
    4
}

fn half_a_minute() -> u64 {
    30
}

/// Without the blanks that come along when secrets are pasted; an empty one is none.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).map(Into::into))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(change: Value) -> Result<Config, String> {
        let mut json = json!({"host": "mail.example", "port": 587, "security": "starttls"});
        json.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let account = Account {
            id: engine::Id::from_parts(0, 1),
            organization_id: engine::Id::from_parts(0, 2),
            provider: "smtp".to_owned(),
            external_id: "mail".to_owned(),
            name: "Mail".to_owned(),
            config: json.to_string(),
            secrets: "{}".into(),
            status: String::new(),
        };
        Config::of(&account).map_err(|error| error.to_string())
    }

    #[test]
    fn a_config_is_checked_and_says_what_is_wrong_with_it() {
        let whole = config(json!({})).unwrap();
        assert_eq!((whole.pool, whole.timeout_s, whole.security), (4, 30, Security::Starttls));
        for (change, word) in [
            (json!({"pool": 0}), "pool"),
            (json!({"pool": 65}), "pool"),
            (json!({"timeout_s": 76}), "timeout_s"),
            (json!({"port": 0}), "port"),
            (json!({"port": "smtp"}), "u16"),
            (json!({"security": "ssl"}), "ssl"),
            (json!({"hello": "a\r\nb"}), "hello"),
            (json!({"return_path": "nobody"}), "return_path"),
            (json!({"user": "u"}), "user"),
        ] {
            let error = config(change.clone()).unwrap_err();
            assert!(error.contains(word), "{change}: {error}");
        }
    }

    #[test]
    fn secrets_are_read_and_never_shown() {
        let secrets: Secrets = serde_json::from_str(r#"{"password":" p4ss\n","webhook_secret":""}"#).unwrap();
        assert_eq!(secrets.password.as_ref().map(ExposeSecret::expose_secret), Some("p4ss"));
        assert!(secrets.webhook_secret.is_none());
        assert!(!format!("{secrets:?}").contains("p4ss"));
    }
}
