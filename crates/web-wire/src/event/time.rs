use chrono::{DateTime, FixedOffset, SecondsFormat, TimeZone, Timelike, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// How Go prints the time that was never set.
const ZERO: &str = "0001-01-01T00:00:00Z";
/// The fields of Go structs that are times.
const FIELDS: [&str; 13] = [
    "EditSenderTimestampMS",
    "EditTS",
    "Expiration",
    "GroupCreated",
    "LastSeen",
    "LastSuccess",
    "NameSetAt",
    "OriginalTS",
    "PrivacyModeTS",
    "Time",
    "Timestamp",
    "TopicSetAt",
    "expires",
];

/// A moment, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Time(Option<DateTime<Utc>>);

impl Time {
    /// Go's zero time.
    pub const ZERO: Self = Self(None);

    /// Zero stands for no time, as on WhatsApp's wire.
    pub fn from_secs(seconds: i64) -> Self {
        Self(DateTime::from_timestamp(seconds, 0).filter(|_| seconds != 0))
    }

    /// Zero stands for no time, as on WhatsApp's wire.
    pub fn from_millis(millis: i64) -> Self {
        Self(DateTime::from_timestamp_millis(millis).filter(|_| millis != 0))
    }
}

impl From<DateTime<Utc>> for Time {
    fn from(time: DateTime<Utc>) -> Self {
        Self(Some(time))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(time) => serializer.serialize_str(&print(time)),
            None => serializer.serialize_str(ZERO),
        }
    }
}

/// RFC 3339 with no more of a fraction than there is; UTC prints `Z`.
fn print<Z: TimeZone>(time: DateTime<Z>) -> String
where
    Z::Offset: std::fmt::Display,
{
    if time.nanosecond() == 0 {
        return time.to_rfc3339_opts(SecondsFormat::Secs, true);
    }
    let text = time.to_rfc3339_opts(SecondsFormat::Nanos, true);
    // The fraction is nine digits from the twentieth letter on.
    let (head, tail) = text.split_at(29);
    format!("{}{tail}", head.trim_end_matches('0'))
}

/// Prints an event's times in a zone, which tells how far it is from UTC at a time, as Go does. Protobuf messages inside
/// it have none.
pub fn in_zone(event: &mut Value, zone: &dyn Fn(DateTime<Utc>) -> FixedOffset) {
    match event {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if FIELDS.contains(&name.as_str()) => respell(text, zone),
                    // A name in lower case belongs to a protobuf message: no such times in there.
                    Value::Object(_) | Value::Array(_) if name.starts_with(capital) => in_zone(value, zone),
                    _ => {}
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| in_zone(item, zone)),
        _ => {}
    }
}

fn capital(letter: char) -> bool {
    letter.is_ascii_uppercase()
}

fn respell(text: &mut String, zone: &dyn Fn(DateTime<Utc>) -> FixedOffset) {
    if text == ZERO {
        return;
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        *text = print(time.with_timezone(&zone(time.to_utc())));
    }
}
