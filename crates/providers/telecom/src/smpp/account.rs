//! What an account of this provider keeps in its two JSON texts.

use engine::provider::Account;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sms_text::{Alphabet, Reference};

use super::ids::Naming;

/// `config`: what an operator may see.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(super) host: String,
    pub(super) port: u16,
    #[serde(default)]
    pub(super) tls: bool,
    pub(super) system_id: String,
    #[serde(default)]
    pub(super) system_type: String,
    /// Requests that may be unanswered at a time.
    #[serde(default = "window")]
    pub(super) window: u16,
    /// Seconds of silence before we ask whether the carrier is there.
    #[serde(default = "enquire_link_s")]
    pub(super) enquire_link_s: u16,
    /// Messages, counted by parts; 0: as fast as the window allows.
    #[serde(default)]
    pub(super) per_second: u32,
    /// Instead of what the sender's address looks like.
    #[serde(default)]
    pub(super) source: Option<Source>,
    #[serde(default)]
    pub(super) message_id: Naming,
    #[serde(default)]
    pub(super) default_alphabet: DefaultAlphabet,
    #[serde(default)]
    pub(super) concatenation: Concatenation,
    /// For how long the carrier may try; its own time otherwise.
    #[serde(default)]
    pub(super) validity_s: Option<u32>,
}

/// Type of number and numbering plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) ton: u8,
    pub(super) npi: u8,
}

/// What the carrier understands by `data_coding` 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DefaultAlphabet {
    #[default]
    Gsm7,
    Latin1,
    Ia5,
}

/// How the parts of a long text say where they belong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Concatenation {
    /// A header with a reference of 8 bits.
    #[default]
    Udh8,
    /// A header with a reference of 16 bits.
    Udh16,
    /// Parameters; the carrier makes the header.
    Sar,
}

/// `secrets`: what nobody may see.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Secrets {
    pub(super) password: SecretString,
}

/// An account's JSON is not what this provider needs. Quotes nothing of its secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the account's {0}")]
pub struct Unusable(String);

const fn window() -> u16 {
    10
}

const fn enquire_link_s() -> u16 {
    30
}

impl Config {
    /// How many messages may wait for the carrier's answers.
    pub(super) fn at_once(&self) -> usize {
        usize::from(self.window.max(1))
    }

    pub(crate) fn of(account: &Account) -> Result<Self, Unusable> {
        let config: Self = serde_json::from_str(&account.config)
            .map_err(|error| Unusable(format!("config cannot be read: {error}")))?;
        match config.wrong() {
            Some(what) => Err(Unusable(format!("config is wrong: {what}"))),
            None => Ok(config),
        }
    }

    fn wrong(&self) -> Option<&'static str> {
        let fits = |text: &str, most: usize| text.len() <= most && text.bytes().all(|octet| octet.is_ascii_graphic());
        let rules = [
            (!self.host.is_empty() && self.host.len() <= 255, "`host` must be a name or an address"),
            (self.port != 0, "`port` must not be 0"),
            (!self.system_id.is_empty() && fits(&self.system_id, 15), "`system_id` must have 1 to 15 ASCII characters"),
            (fits(&self.system_type, 12), "`system_type` must have at most 12 ASCII characters"),
            ((1..=1000).contains(&self.window), "`window` must be from 1 to 1000"),
            ((5..=3600).contains(&self.enquire_link_s), "`enquire_link_s` must be from 5 to 3600"),
            (self.per_second <= 100_000, "`per_second` must be at most 100000"),
            (self.validity_s.is_none_or(|s| (1..=5_184_000).contains(&s)), "`validity_s` must be from 1 to 5184000"),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
    }
}

impl Secrets {
    pub(crate) fn of(account: &Account) -> Result<Self, Unusable> {
        let unusable = |what: &str| Unusable(what.to_owned());
        let secrets: Self = serde_json::from_str(account.secrets.expose_secret())
            .map_err(|_| unusable("secrets must have a `password` and nothing else"))?;
        let password = secrets.password.expose_secret();
        match password.len() <= 8 && password.bytes().all(|octet| octet.is_ascii() && octet != 0) {
            true => Ok(secrets),
            false => Err(unusable("password must have at most 8 ASCII characters: SMPP has no room for more")),
        }
    }
}

impl DefaultAlphabet {
    /// The characters that need not go as UCS-2.
    pub(super) fn alphabet(self) -> Alphabet {
        match self {
            Self::Gsm7 => Alphabet::Gsm7,
            Self::Latin1 => Alphabet::Latin1,
            Self::Ia5 => Alphabet::Ascii,
        }
    }
}

impl Concatenation {
    /// Carriers turn parameters into a header of their own choice; the shorter one is the usual.
    pub(super) fn reference(self) -> Reference {
        match self {
            Self::Udh8 | Self::Sar => Reference::Short,
            Self::Udh16 => Reference::Long,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use engine::Id;

    use super::*;

    pub(crate) fn account(config: &str, secrets: &str) -> Account {
        Account {
            id: Id::from_parts(1, 1),
            organization_id: Id::from_parts(1, 2),
            provider: "smpp".to_owned(),
            external_id: "carrier".to_owned(),
            name: "A carrier".to_owned(),
            config: config.to_owned(),
            secrets: secrets.into(),
            status: "active".to_owned(),
        }
    }

    const SMALLEST: &str = r#"{"host":"smsc.example","port":2775,"system_id":"hermod"}"#;

    #[test]
    fn what_is_left_out_has_a_default_and_what_is_wrong_is_named() {
        let config = Config::of(&account(SMALLEST, "")).unwrap();
        assert_eq!((config.window, config.enquire_link_s, config.per_second, config.tls), (10, 30, 0, false));
        assert_eq!((config.message_id, config.default_alphabet), (Naming::AsIs, DefaultAlphabet::Gsm7));
        assert_eq!((config.concatenation, config.validity_s), (Concatenation::Udh8, None));
        let with = |more: &str| {
            let json = SMALLEST.replace('}', &format!(",{more}}}"));
            Config::of(&account(&json, "")).map_err(|error| error.to_string())
        };
        assert_eq!(with(r#""concatenation":"sar""#).unwrap().concatenation, Concatenation::Sar);
        for (more, part) in [
            (r#""windw":10"#, "unknown field `windw`"),
            (r#""window":0"#, "`window` must be from 1 to 1000"),
            (r#""enquire_link_s":1"#, "`enquire_link_s`"),
            (r#""system_type":"0123456789abc""#, "`system_type`"),
            (r#""message_id":"hex""#, "unknown variant `hex`"),
            (r#""source":{"ton":5}"#, "missing field `npi`"),
        ] {
            let error = with(more).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn passwords_are_short_and_never_shown() {
        let read = |secrets: &str| Secrets::of(&account(SMALLEST, secrets));
        let shown = format!("{:?}", read(r#"{"password":"s3cr3t"}"#).unwrap());
        assert!(!shown.contains("s3cr3t"), "{shown}");
        for secrets in [r#"{"password":"123456789"}"#, r#"{"password":"é"}"#, r#"{"pass":"s3cr3t"}"#, "s3cr3t"] {
            let error = read(secrets).unwrap_err().to_string();
            assert!(error.contains("password") && !error.contains("s3cr3t") && !error.contains("12345"), "{error}");
        }
    }
}
