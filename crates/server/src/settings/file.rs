//! A settings file, in which some settings go by another name as well.

use std::path::Path;

use figment::providers::{Data, Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

/// Section, the other name, and the setting's own.
const OTHER_NAMES: &[(&str, &str, &str)] = &[("verify", "validity", "expiry")];

pub(super) struct SettingsFile(Data<Toml>);

impl SettingsFile {
    pub(super) fn at(path: &Path) -> Self {
        Self(Toml::file_exact(path))
    }
}

impl Provider for SettingsFile {
    fn metadata(&self) -> Metadata {
        self.0.metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut data = self.0.data()?;
        data.values_mut().for_each(rename);
        Ok(data)
    }
}

/// Where both names are given the other one stays, and is refused as unknown.
fn rename(settings: &mut Dict) {
    for (section, other, own) in OTHER_NAMES {
        if let Some(Value::Dict(_, section)) = settings.get_mut(*section)
            && !section.contains_key(*own)
            && let Some(value) = section.remove(*other)
        {
            section.insert((*own).to_owned(), value);
        }
    }
}
