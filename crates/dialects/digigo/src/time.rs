//! Times as this API prints them.

use chrono::{DateTime, SecondsFormat, Utc};

/// Whole seconds, UTC.
pub(crate) fn rfc3339(millis: i64) -> String {
    let time: DateTime<Utc> = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
