//! Reports on what became of a mail (RFC 3464), found in whatever mail came to a return path.
//!
//! Everything in one is a stranger's word. It is believed for the mail whose id it knows, and no further.

use engine::Id;
use engine::failure::Failure;
use mailparse::{MailHeader, MailHeaderMap, ParsedMail};

use crate::reply::{self, Enhanced};
use crate::return_path::ReturnPath;

/// The lines that say to whom a mail came.
const RECIPIENT: [&str; 5] = ["X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "To"];
/// What may quote the head of a mail that came back.
const QUOTING: [&str; 4] = ["text/rfc822-headers", "message/rfc822", "message/global-headers", "message/global"];
/// Bytes of a mail that are looked at.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What a mail server says about a mail of ours.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report {
    pub(crate) message: Id,
    pub(crate) outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Failed(Failure),
    Delivered,
    /// It is delayed, or went where nobody reports.
    Open,
}

impl Report {
    pub(crate) fn read(bytes: &[u8], path: Option<&ReturnPath>) -> Option<Self> {
        let mail = mailparse::parse_mail(bytes.get(..MOST_BYTES).unwrap_or(bytes)).ok()?;
        let status = mail.parts().find(|part| {
            matches!(part.ctype.mimetype.as_str(), "message/delivery-status" | "message/global-delivery-status")
        })?;
        let outcome = outcome(&status.get_body_raw().ok()?)?;
        let message = path.and_then(|path| by_recipient(&mail, path)).or_else(|| by_quote(&mail))?;
        Some(Self { message, outcome })
    }
}

/// From the first recipient's lines of which something is to be said; there is but one in our mails.
fn outcome(body: &[u8]) -> Option<Outcome> {
    let mut rest = body;
    let mut open = None;
    while !rest.is_empty() {
        let Ok((lines, read)) = mailparse::parse_headers(rest) else { break };
        rest = rest.get(read.max(1)..)?;
        match judged(&lines) {
            Some(Outcome::Open) => open = Some(Outcome::Open),
            Some(settled) => return Some(settled),
            None => {}
        }
    }
    open
}

fn judged(lines: &[MailHeader<'_>]) -> Option<Outcome> {
    let action = lines.get_first_value("Action")?.to_ascii_lowercase();
    match action.split_whitespace().next().unwrap_or_default() {
        "failed" => Some(Outcome::Failed(why(lines))),
        "delivered" => Some(Outcome::Delivered),
        _ => Some(Outcome::Open),
    }
}

fn why(lines: &[MailHeader<'_>]) -> Failure {
    let status = lines.get_first_value("Status").unwrap_or_default();
    let diagnosis = lines.get_first_value("Diagnostic-Code").unwrap_or_default();
    let words = diagnosis.split_once(';').map_or(diagnosis.as_str(), |(_, words)| words).trim();
    let code = words.split(|letter: char| !letter.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
    let words = if words.is_empty() { status.trim() } else { words };
    reply::reported(Enhanced::parse(&status), code.filter(|code| (400..600).contains(code)), words)
}

/// The return path it came to names the mail.
fn by_recipient(mail: &ParsedMail<'_>, path: &ReturnPath) -> Option<Id> {
    let lines = RECIPIENT.iter().flat_map(|name| mail.headers.get_all_values(name));
    lines.into_iter().find_map(|line| {
        let mut words = line.split(|letter: char| letter.is_whitespace() || matches!(letter, '<' | '>' | ',' | ';'));
        words.find_map(|word| path.read(word))
    })
}

/// The head that it quotes names the mail.
fn by_quote(mail: &ParsedMail<'_>) -> Option<Id> {
    let part = mail.parts().find(|part| QUOTING.contains(&part.ctype.mimetype.as_str()))?;
    let body = part.get_body_raw().ok()?;
    let (lines, _) = mailparse::parse_headers(&body).ok()?;
    let line = lines.get_first_value("Message-ID")?;
    let (id, _) = line.trim().strip_prefix('<')?.split_once('@')?;
    Id::parse_hex24(id)
}

#[cfg(test)]
mod tests;
