//! A mail as people and tests want to see it.

use mailparse::{MailAddr, MailHeaderMap, ParsedMail};
use serde_json::{Map, Value, json};

use super::post::Envelope;
use crate::ledger::Mail;

/// Reads what came for one recipient. What cannot be read as a mail is kept with empty fields.
pub(super) fn read(id: &str, at: i64, envelope: &Envelope, to: &str, bytes: &[u8]) -> Mail {
    let parsed = mailparse::parse_mail(bytes).ok();
    let head = |name: &str| parsed.as_ref().and_then(|mail| mail.headers.get_first_value(name));
    let people = |name: &str| parsed.as_ref().map(|mail| people(mail, name)).unwrap_or_default();
    let from = people("From");
    let first = from.first().and_then(|person| person["address"].as_str()).map(str::to_owned);
    Mail {
        id: id.to_owned(),
        from: first.unwrap_or_else(|| envelope.from.clone()),
        to: to.to_owned(),
        subject: head("Subject").unwrap_or_default(),
        text: parsed.as_ref().and_then(|mail| body(mail, "text/plain")),
        html: parsed.as_ref().and_then(|mail| body(mail, "text/html")),
        status: String::new(),
        at,
        more: more(json!({
            "from_name": from.first().map(|person| &person["name"]),
            "head_to": people("To"),
            "cc": people("Cc"),
            "reply_to": people("Reply-To"),
            "message_id": head("Message-ID").map(|id| id.trim().trim_matches(['<', '>']).to_owned()),
            "date": head("Date"),
            "auto_submitted": head("Auto-Submitted"),
            "envelope": {"from": envelope.from, "to": envelope.to},
            "user": envelope.user.as_ref().map(|user| &user.name),
            "secured": envelope.secured,
            "size": bytes.len(),
        })),
    }
}

fn more(json: Value) -> Map<String, Value> {
    match json {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// The mailboxes of a line of the head.
fn people(mail: &ParsedMail<'_>, name: &str) -> Vec<Value> {
    let found = mail.headers.get_first_header(name).and_then(|line| mailparse::addrparse_header(line).ok());
    let singles = found.into_iter().flat_map(|list| list.into_inner()).flat_map(|address| match address {
        MailAddr::Single(one) => vec![one],
        MailAddr::Group(group) => group.addrs,
    });
    singles.map(|one| json!({"name": one.display_name, "address": one.addr})).collect()
}

/// The first part of this kind that is not an attachment.
fn body(mail: &ParsedMail<'_>, kind: &str) -> Option<String> {
    let part = mail.parts().find(|part| {
        let shown = part.get_content_disposition().disposition != mailparse::DispositionType::Attachment;
        part.ctype.mimetype == kind && part.subparts.is_empty() && shown
    })?;
    Some(part.get_body().ok()?.replace("\r\n", "\n"))
}
