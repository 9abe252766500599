//! The head of a mail.

use std::time::{Duration, SystemTime};

use email_encoding::headers::rfc2047;
use email_encoding::headers::writer::EmailWriter;
use engine::Id;
use engine::content::{self, Email};
use lettre::Address;
use lettre::message::header::{self, HeaderName, HeaderValue, Headers};
use lettre::message::{Mailbox, Mailboxes};

use super::Unfit;
use crate::address;

/// Bytes of a subject.
const LONGEST_SUBJECT: usize = 2000;
/// Bytes of a name.
const LONGEST_NAME: usize = 500;
/// Addresses in one line of the head.
const MOST_ADDRESSES: usize = 100;
/// Characters of a word that is not broken to be folded.
const LONGEST_WORD: usize = 60;

/// Ends with the last line of the head; that of the body follows.
pub(super) fn write(
    id: &Id,
    return_path: &Address,
    own: Address,
    to: &Address,
    email: &Email,
) -> Result<String, Unfit> {
    let mut head = Headers::new();
    head.set(header::Date::new(written_at(id)));
    head.set(header::From::from(Mailboxes::from(Mailbox::new(name("from_name", email.from_name.as_ref())?, own))));
    head.set(header::To::from(match email.to.is_empty() {
        true => Mailboxes::from(Mailbox::from(to.clone())),
        false => mailboxes("to", &email.to)?,
    }));
    if !email.cc.is_empty() {
        head.set(header::Cc::from(mailboxes("cc", &email.cc)?));
    }
    if !email.reply_to.is_empty() {
        head.set(header::ReplyTo::from(mailboxes("reply_to", &email.reply_to)?));
    }
    head.insert_raw(subject(&email.subject)?);
    head.set(header::MessageId::from(format!("<{}@{}>", id.hex24(), return_path.domain())));
    // Whoever writes through an API is a program, and absence notices would come to the return path.
    head.insert_raw(constant("Auto-Submitted", "auto-generated"));
    head.set(header::MIME_VERSION_1_0);
    Ok(head.to_string())
}

/// When the message was accepted: the same on every attempt.
fn written_at(id: &Id) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(id.millis().unsigned_abs())
}

fn constant(name: &'static str, value: &'static str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn mailboxes(field: &'static str, found: &[content::Mailbox]) -> Result<Mailboxes, Unfit> {
    if found.len() > MOST_ADDRESSES {
        return Err(Unfit::TooLong(field));
    }
    let mut read = Mailboxes::new();
    for mailbox in found {
        let address = address::parse(&mailbox.address).map_err(|_| Unfit::Address(field))?;
        read.push(Mailbox::new(name(field, mailbox.name.as_ref())?, address));
    }
    Ok(read)
}

fn name(field: &'static str, name: Option<&String>) -> Result<Option<String>, Unfit> {
    let Some(name) = name.map(|name| name.trim()).filter(|name| !name.is_empty()) else { return Ok(None) };
    checked(field, name, LONGEST_NAME)?;
    Ok(Some(name.to_owned()))
}

/// Plain where it can be; encoded where it is not ASCII, cannot be folded or looks as if it were encoded.
fn subject(text: &str) -> Result<HeaderValue, Unfit> {
    checked("subject", text, LONGEST_SUBJECT)?;
    let name = HeaderName::new_from_ascii_str("Subject");
    let plain = text.is_ascii()
        && text.trim() == text
        && !text.contains("=?")
        && text.split(' ').all(|word| (1..=LONGEST_WORD).contains(&word.len()));
    if plain || text.is_empty() {
        return Ok(HeaderValue::new(name, text.to_owned()));
    }
    let mut encoded = String::with_capacity(text.len() * 2);
    let mut line = EmailWriter::new(&mut encoded, "Subject: ".len(), 0, false);
    rfc2047::encode(text, &mut line).expect("a String takes everything");
    drop(line);
    Ok(HeaderValue::dangerous_new_pre_encoded(name, text.to_owned(), encoded))
}

fn checked(field: &'static str, text: &str, longest: usize) -> Result<(), Unfit> {
    if text.len() > longest {
        return Err(Unfit::TooLong(field));
    }
    match text.chars().any(char::is_control) {
        true => Err(Unfit::Control(field)),
        false => Ok(()),
    }
}
