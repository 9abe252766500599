//! Reports on mails (RFC 3464), and bringing them to the platform.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use super::users::Bounces;
use crate::world::World;

/// Pauses between tries; after the last it is given up.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
];

/// What is to be said about a mail.
pub(super) struct Report<'a> {
    pub(super) id: String,
    /// Milliseconds since 1970.
    pub(super) at: i64,
    pub(super) return_path: &'a str,
    pub(super) to: &'a str,
    /// `5.1.1`
    pub(super) status: &'a str,
}

impl Report<'_> {
    /// A mail that quotes the head of the one it is about.
    pub(super) fn write(&self, mail: &[u8]) -> String {
        let Self { id, at, return_path, to, status } = self;
        let date = DateTime::from_timestamp_millis(*at).unwrap_or_default().to_rfc2822();
        let (action, words) = (action(status), words(status));
        let head = String::from_utf8_lossy(head_of(mail));
        let edge = format!("=_{:032x}", rand::random::<u128>());
        format!(
            "Return-Path: <>\r\nDate: {date}\r\nFrom: Mail Delivery System <mailer-daemon@localhost>\r\n\
             To: <{return_path}>\r\nSubject: Delivery report\r\nMessage-ID: <{id}.report@localhost>\r\n\
             Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"{edge}\"\r\n\r\n\
             --{edge}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nYour mail to <{to}>: {words}.\r\n\r\n\
             --{edge}\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; localhost\r\n\r\n\
             Final-Recipient: rfc822; {to}\r\nAction: {action}\r\nStatus: {status}\r\n\
             Diagnostic-Code: smtp; {reply} {status} {words}\r\n\r\n\
             --{edge}\r\nContent-Type: text/rfc822-headers\r\n\r\n{head}\r\n--{edge}--\r\n",
            reply = reply(status),
        )
    }
}

/// An enhanced status, or what stands for any failure.
pub(super) fn enhanced(code: &str) -> &str {
    let numbers: Vec<&str> = code.split('.').collect();
    let number = |text: &&str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    match numbers.as_slice() {
        ["2" | "4" | "5", rest @ ..] if rest.len() == 2 && rest.iter().all(number) => code,
        _ => "5.0.0",
    }
}

/// How a mail stands of which this is reported.
pub(super) fn word(status: Option<&str>) -> &'static str {
    match status.map(action) {
        Some("failed") => "bounced",
        _ => "delivered",
    }
}

fn action(status: &str) -> &'static str {
    if status.starts_with('2') { "delivered" } else { "failed" }
}

fn reply(status: &str) -> u16 {
    match status.as_bytes().first() {
        Some(b'2') => 250,
        Some(b'4') => 451,
        _ => 550,
    }
}

fn words(status: &str) -> &'static str {
    match status {
        "5.1.1" => "there is no such mailbox",
        "5.2.2" => "the mailbox is full",
        "4.4.7" => "nobody took it in time",
        _ if status.starts_with('2') => "it arrived",
        _ => "it cannot be delivered",
    }
}

fn head_of(mail: &[u8]) -> &[u8] {
    let end = mail.windows(4).position(|window| window == b"\r\n\r\n");
    end.map_or(mail, |end| &mail[..end + 2])
}

/// Posts a report until the platform takes or refuses it.
pub(super) async fn bring(world: Arc<World>, target: Bounces, report: String) {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("message/rfc822"));
    if let Ok(mut shown) = HeaderValue::from_str(&format!("Bearer {}", target.secret)) {
        shown.set_sensitive(true);
        headers.insert(AUTHORIZATION, shown);
    }
    let body = Bytes::from(report);
    for pause in PAUSES {
        match world.outside.push(target.url.clone(), headers.clone(), body.clone()).await {
            Ok(200..300) => return,
            Ok(status @ 400..500) if status != 429 => {
                return tracing::warn!(status, "the platform refused a mail's report");
            }
            told => tracing::debug!(?told, "a mail's report was not taken"),
        }
        if !world.pause(pause).await {
            return;
        }
    }
    tracing::warn!("a mail's report was given up");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_statuses() {
        for (code, status) in [
            ("5.2.2", "5.2.2"),
            ("2.0.0", "2.0.0"),
            ("4.4.700", "4.4.700"),
            ("UNDELIV", "5.0.0"),
            ("5.1", "5.0.0"),
            ("5.1.1\r\n", "5.0.0"),
        ] {
            assert_eq!(enhanced(code), status);
        }
        assert_eq!((word(None), word(Some("2.0.0")), word(Some("4.4.7"))), ("delivered", "delivered", "bounced"));
    }
}
