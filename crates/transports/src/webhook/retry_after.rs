use std::time::Duration;

use chrono::DateTime;

/// Nobody can ask us to wait longer.
const MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Seconds or an HTTP date; a date that has passed means now.
pub(super) fn parse(value: &str, now_ms: i64) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        value.parse().map_or(MAX, Duration::from_secs)
    } else {
        let at = DateTime::parse_from_rfc2822(value).ok()?.timestamp_millis();
        Duration::from_millis(u64::try_from(at.saturating_sub(now_ms)).unwrap_or(0))
    };
    Some(wait.min(MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_dates_and_nonsense() {
        let now = 1_700_000_000_000; // Tue, 14 Nov 2023 22:13:20 GMT
        let rows = [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("99999999999999999999999", Some(MAX.as_secs())),
            ("Tue, 14 Nov 2023 22:15:20 GMT", Some(120)),
            ("Tue, 14 Nov 2023 22:13:19 GMT", Some(0)),
            ("Tue, 01 Jan 2199 00:00:00 GMT", Some(MAX.as_secs())),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ];
        for (value, expected) in rows {
            assert_eq!(parse(value, now), expected.map(Duration::from_secs), "{value}");
        }
    }
}
