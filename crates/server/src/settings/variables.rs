//! One variable for each setting: `senders.outcome_wait` is `HERMOD_SENDERS_OUTCOME_WAIT`.

use std::collections::{BTreeMap, HashMap};

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::DEFAULTS;

/// Variables by their names.
pub type Environment = BTreeMap<String, String>;

const PREFIX: &str = "hermod_";

/// Those that are text.
pub fn of_this_process() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Sets what the variables name. Others that begin with `HERMOD_` are not settings, and left alone.
pub(super) fn merge(figment: Figment, environment: &Environment) -> Figment {
    let known = names();
    let set = environment.iter().filter_map(|(name, text)| {
        let lower = name.to_ascii_lowercase();
        let (key, default) = known.get(&lower.strip_prefix(PREFIX)?.replace("__", "_"))?;
        Some(Variable { name: name.clone(), key: key.clone(), value: read(text, default) })
    });
    set.fold(figment, Figment::merge)
}

/// One setting from one variable, named so in errors.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) value: Value,
}

impl Provider for Variable {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("the variable {}", self.name))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nested = figment::util::nest(&self.key, self.value.clone());
        Ok(Profile::Default.collect(nested.into_dict().unwrap_or_default()))
    }
}

/// What is text stays text, also where it looks like a number: a token may have only digits.
fn read(text: &str, default: &Value) -> Value {
    match default {
        Value::String(..) => Value::from(text),
        _ => text.parse().unwrap_or_else(|never: std::convert::Infallible| match never {}),
    }
}

/// All settings with their defaults, by the rest of their variable: nothing is guessed from underscores.
fn names() -> HashMap<String, (String, Value)> {
    let defaults: Dict =
        Figment::from(Toml::string(DEFAULTS)).extract().expect("the default settings are tables of values");
    let mut names = HashMap::new();
    collect("", &defaults, &mut names);
    names
}

fn collect(above: &str, table: &Dict, names: &mut HashMap<String, (String, Value)>) {
    for (name, value) in table {
        let key = format!("{above}{name}");
        match value {
            Value::Dict(_, table) => collect(&format!("{key}."), table, names),
            value => drop(names.insert(key.replace('.', "_"), (key, value.clone()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::super::{Envelope, Overrides, load_with};
    use super::*;

    #[test]
    fn every_setting_has_a_variable_of_its_own() {
        let (names, keys) = (names(), DEFAULTS.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')));
        assert_eq!(names.len(), keys.count());
        for key in ["senders.outcome_wait", "server.public_url", "webhooks.digigo.envelope"] {
            assert_eq!(names[&key.replace('.', "_")].0, key);
        }
    }

    #[test]
    fn variables_win_over_the_file_and_flags_over_them() {
        let set = [
            ("HERMOD_SENDERS_BURST", "7"),
            ("HERMOD_SENDERS__PAIR_LIMIT", "false"),
            ("HERMOD_WEBHOOKS_DIGIGO_ENVELOPE", "flat"),
            ("HERMOD_DIGIGO_ADMIN_TOKEN", "007"),
            ("HERMOD_OUTBOUND_ALLOWED_NETWORKS", "[10.0.0.0/8]"),
            ("HERMOD_SERVER_LISTEN", "127.0.0.1:1"),
            ("HERMOD_SECRET_KEY", "not a setting"),
        ];
        let environment = set.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let listen = Some("127.0.0.1:2".parse().unwrap());
        let settings = load_with(&Overrides { listen, ..Overrides::default() }, &environment).unwrap();
        assert_eq!((settings.senders.burst, settings.senders.pair_limit), (7, false));
        assert_eq!(settings.webhooks.digigo.envelope, Envelope::Flat);
        assert_eq!(settings.digigo.admin_token.expose_secret(), "007");
        assert_eq!(settings.outbound.allowed_networks.len(), 1);
        assert_eq!(Some(settings.server.listen), listen);

        let wrong = [("HERMOD_SENDERS_BURST".to_owned(), "many".to_owned())].into();
        let error = load_with(&Overrides::default(), &wrong).unwrap_err();
        assert!(error.to_string().contains("senders.burst"), "{error}");
    }
}
