//! What an account of this provider keeps in its two JSON texts.

use engine::provider::Account;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use url::Url;

/// `config`: what an operator may see.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    /// The Meta app that the token belongs to.
    pub app_id: String,
    /// Instead of the provider's own.
    #[serde(default, deserialize_with = "address")]
    pub graph_url: Option<Url>,
}

/// `secrets`: what nobody may see.
#[derive(Clone, Debug, Deserialize)]
pub struct Secrets {
    #[serde(deserialize_with = "secret")]
    pub access_token: SecretString,
    /// Signs pushes.
    #[serde(deserialize_with = "secret")]
    pub app_secret: SecretString,
    /// Shows Meta that the address is ours.
    #[serde(deserialize_with = "secret")]
    pub verify_token: SecretString,
}

/// An account's JSON is not what this provider needs. Quotes nothing of it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the account's {0} cannot be read")]
pub struct Unusable(&'static str);

impl Config {
    pub fn of(account: &Account) -> Result<Self, Unusable> {
        serde_json::from_str(&account.config).map_err(|_| Unusable("config"))
    }
}

impl Secrets {
    pub fn of(account: &Account) -> Result<Self, Unusable> {
        serde_json::from_str(account.secrets.expose_secret()).map_err(|_| Unusable("secrets"))
    }
}

/// Without the blanks that come along when secrets are pasted.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(text.trim().into())
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let url = text.map(|text| Url::parse(&text)).transpose();
    url.map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_and_never_shown() {
        let json = r#"{"access_token":" EAAtoken\n","app_secret":"s3cr3t","verify_token":"v3rify"}"#;
        let secrets: Secrets = serde_json::from_str(json).unwrap();
        assert_eq!(secrets.access_token.expose_secret(), "EAAtoken");
        let shown = format!("{secrets:?}");
        for secret in ["EAAtoken", "s3cr3t", "v3rify"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
