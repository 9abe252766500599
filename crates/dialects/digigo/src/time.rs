//! Times as this API prints them.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::options::Options;

impl Options {
    /// Whole seconds, in the operator's zone.
    pub(crate) fn rfc3339(&self, millis: i64) -> String {
        let time: DateTime<Utc> = DateTime::from_timestamp_millis(millis).unwrap_or_default();
        time.with_timezone(&self.zone.offset(time)).to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}
