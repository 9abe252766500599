//! The operator's time zone.

use std::str::FromStr;

use chrono::{DateTime, FixedOffset, Offset, Utc};
use jiff::{Timestamp, tz};
use serde::{Deserialize, Deserializer};

/// A zone by its name in the IANA database: `America/Sao_Paulo`. The database is the system's, or else the one built in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(tz::TimeZone);

#[derive(Debug, thiserror::Error)]
#[error("there is no time zone of this name")]
pub struct NoSuchZone(#[source] jiff::Error);

impl Zone {
    /// Without summer time and history.
    pub const UTC: Self = Self(tz::TimeZone::UTC);

    /// How far it is from UTC at that time.
    pub(crate) fn offset(&self, time: DateTime<Utc>) -> FixedOffset {
        let at = Timestamp::from_second(time.timestamp()).unwrap_or_default();
        FixedOffset::east_opt(self.0.to_offset(at).seconds()).unwrap_or_else(|| Utc.fix())
    }
}

impl FromStr for Zone {
    type Err = NoSuchZone;

    fn from_str(name: &str) -> Result<Self, NoSuchZone> {
        tz::TimeZone::get(name).map(Self).map_err(NoSuchZone)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
