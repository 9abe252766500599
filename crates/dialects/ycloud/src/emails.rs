//! `/emails`: one mail to up to a hundred people. Each of them gets a message of his own, so that each delivery is
//! tried, told and failed by itself; the first one's id is the mail's.

use std::collections::BTreeMap;

use api::At;
use engine::Id;
use engine::billing::{self, Bill};
use engine::clock::rfc3339;
use engine::contacts::{Address, EMAIL as KIND};
use engine::content::{Content, Email, Mailbox};
use engine::messages::{self, Echo, Message, New, Terms};
use serde::Serialize;

use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::carried::{self, EMAIL};
use crate::errors::{Code, Error};
use crate::format::names::EMAIL_UPDATED;
use crate::ids::Noun;
use crate::messages::shape::error_code;
use crate::messages::timeline::Timeline;

const MOST: usize = 100;
/// Of the content and all variables together, in bytes.
const LARGEST: usize = 150 * 1024;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    from: ShownMailbox,
    to: Vec<ShownMailbox>,
    cc: Vec<ShownMailbox>,
    bcc: Vec<ShownMailbox>,
    reply_to: Vec<ShownMailbox>,
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    content_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<String>,
    create_time: String,
    total_recipients: usize,
    total_price: f64,
    currency: String,
}

#[derive(Serialize)]
struct ShownMailbox {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    address: String,
}

fn shown(mailboxes: &[Mailbox]) -> Vec<ShownMailbox> {
    mailboxes.iter().map(|it| ShownMailbox { name: it.name.clone(), address: it.address.clone() }).collect()
}

/// What came of a mail for one of its recipients.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    email_id: String,
    recipient_address: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    biz_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_id: Option<String>,
}

pub(crate) fn delivery(message: &Message, timeline: &Timeline) -> Delivery {
    let echo = Echo::of(message);
    Delivery {
        email_id: echo.group.unwrap_or_else(|| Noun::Message.spell(&message.id)),
        recipient_address: message.address.clone(),
        status: match carried::status(timeline) {
            "accepted" => "sending",
            // What bounced has failed, for whoever waits for it.
            "undelivered" => "failed",
            other => other,
        },
        error_code: timeline.failure.as_ref().map(error_code),
        error_message: timeline.failure.as_ref().map(|failure| failure.message.clone()),
        external_id: echo.external_id,
        biz_type: if echo.verification.is_some() { "verify" } else { "email" },
        verification_id: echo.verification,
    }
}

/// `Name<addr>` or `addr`, separated by commas.
fn mailboxes(at: &At<'_>) -> Result<Vec<Mailbox>, Error> {
    let text = at.text(1..=20_000)?;
    let all = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let read: Result<Vec<_>, _> =
        all.map(|part| mailbox(part).ok_or_else(|| at.refuse(format!("{part:?} is not an email address")))).collect();
    let read = read?;
    match (1..=MOST).contains(&read.len()) {
        true => Ok(read),
        false => Err(at.refuse(format!("must have 1 to {MOST} items")).into()),
    }
}

pub(crate) fn mailbox(text: &str) -> Option<Mailbox> {
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => (Some(name.trim().trim_matches('"')), address.trim()),
        None => (None, text),
    };
    let (local, host) = address.rsplit_once('@')?;
    let clean = |text: &str| !text.chars().any(|c| c.is_control() || c.is_whitespace() || "<>,;:\"()[]\\".contains(c));
    let good = (1..=64).contains(&local.len()) && clean(local) && clean(host) && host.len() <= 255;
    let host_good = host.contains('.') && !host.starts_with('.') && !host.ends_with('.') && !host.contains("..");
    let named = name.is_none_or(|name| name.chars().count() <= 250 && !name.chars().any(char::is_control));
    (good && host_good && named)
        .then(|| Mailbox { address: address.to_owned(), name: name.filter(|name| !name.is_empty()).map(str::to_owned) })
}

/// Variables of one recipient.
type Filling = BTreeMap<String, String>;

fn fillings(at: &At<'_>, recipients: usize) -> Result<Vec<Filling>, Error> {
    let items = at.items(0..=MOST)?;
    if !items.is_empty() && items.len() != recipients {
        return Err(at.refuse("must have as many items as `to`").into());
    }
    items.iter().map(filling).collect()
}

fn filling(at: &At<'_>) -> Result<Filling, Error> {
    let mut filling = Filling::new();
    for name in at.object()?.keys() {
        let good = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !good || name.is_empty() {
            return Err(at.refuse("may have names of letters, digits and underscores only").into());
        }
        filling.insert(name.clone(), at.need(name)?.string(0..=LARGEST)?);
    }
    Ok(filling)
}

/// Puts values in the places of `#name#`; what has no value stays.
fn fill(content: &str, filling: &Filling) -> String {
    let (mut filled, mut rest) = (String::with_capacity(content.len()), content);
    while let Some(start) = rest.find('#') {
        let after = &rest[start + 1..];
        let value = after.find('#').and_then(|end| Some((end, filling.get(&after[..end])?)));
        filled.push_str(&rest[..start]);
        match value {
            Some((end, value)) => {
                filled.push_str(value);
                rest = &after[end + 1..];
            }
            None => {
                filled.push('#');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// A mail as it was asked for.
struct Wanted {
    from: Mailbox,
    to: Vec<Mailbox>,
    cc: Vec<Mailbox>,
    bcc: Vec<Mailbox>,
    reply_to: Vec<Mailbox>,
    subject: String,
    summary: Option<String>,
    content: String,
    html: bool,
    fillings: Vec<Filling>,
}

fn wanted(at: &At<'_>) -> Result<Wanted, Error> {
    let list = |name: &str| -> Result<Vec<Mailbox>, Error> {
        match at.maybe(name)?.and_then(At::or_null).filter(|at| at.value().as_str() != Some("")) {
            Some(at) => mailboxes(&at),
            None => Ok(Vec::new()),
        }
    };
    let place = at.need("from")?;
    let from = mailbox(place.text(1..=600)?.trim()).ok_or_else(|| place.refuse("must be an email address"))?;
    let to = mailboxes(&at.need("to")?)?;
    let place = at.need("subject")?;
    let subject = place.string(1..=255)?;
    if subject.chars().any(char::is_control) {
        return Err(place.refuse("must not hold line breaks or other controls").into());
    }
    let place = at.need("content")?;
    let content = place.string(1..=LARGEST)?;
    let words = [("text/html", true), ("text/plain", false)];
    let fillings = at.read_nullable("variables", |at| fillings(&at, to.len()))?.flatten().unwrap_or_default();
    let variables: usize = fillings.iter().flatten().map(|(name, value)| name.len() + value.len()).sum();
    if content.len() + variables > LARGEST {
        return Err(place.refuse("must have at most 150 KB of characters, its variables included").into());
    }
    Ok(Wanted {
        from,
        cc: list("cc")?,
        bcc: list("bcc")?,
        reply_to: list("replyTo")?,
        subject,
        summary: at.read_nullable("summary", |at| at.string(0..=70))?.flatten(),
        content,
        html: at.read_nullable("contentType", |at| at.word(&words))?.flatten().unwrap_or(true),
        to,
        fillings,
    })
}

impl Wanted {
    /// Who gets a mail, and with which content. Where there are variables, nobody gets a copy.
    fn envelopes(&self) -> Vec<(&Mailbox, String)> {
        if self.fillings.is_empty() {
            let all = self.to.iter().chain(&self.cc).chain(&self.bcc);
            return all.map(|mailbox| (mailbox, self.content.clone())).collect();
        }
        self.to.iter().zip(&self.fillings).map(|(mailbox, filling)| (mailbox, fill(&self.content, filling))).collect()
    }

    fn email(&self, to: &Mailbox, content: String) -> Email {
        let alone = !self.fillings.is_empty();
        let (text, html) = if self.html { (None, Some(content)) } else { (Some(content), None) };
        Email {
            from_name: self.from.name.clone(),
            to: if alone { vec![to.clone()] } else { self.to.clone() },
            cc: if alone { Vec::new() } else { self.cc.clone() },
            reply_to: self.reply_to.clone(),
            subject: self.subject.clone(),
            text,
            html,
        }
    }
}

pub(crate) async fn send(call: Call) -> Handled {
    let body = call.body()?;
    let wanted = wanted(&body.at())?;
    let sender = carried::sender(&call, EMAIL, Some(&wanted.from.address)).await.map_err(|_| {
        Error::new(Code::EmailDomainUnverified, format!("{} is not an address of this account", wanted.from.address))
            .at("from")
    })?;
    let echo = carried::echo(&call, &body.at(), EMAIL_UPDATED).await?;
    let group = call.engine().new_id();
    let echo = Echo { group: Some(Noun::Message.spell(&group)), ..echo };
    let news = wanted.envelopes().into_iter().map(|(to, content)| New {
        sender: sender.clone(),
        to: Address { kind: KIND.into(), value: to.address.clone() },
        content: Content::Email(Box::new(wanted.email(to, content))),
        reply_to: None,
        provider_id: None,
        origin: crate::NAME,
        request_id: call.request_id().to_owned(),
        terms: Terms { echo: echo.clone(), ..Terms::default() },
    });
    let messages = call.perform(messages::send_all(call.engine(), news.collect())).await?;
    Ok(Answer::of(&show(&wanted, &group, &echo, &messages)))
}

fn show(wanted: &Wanted, id: &Id, echo: &Echo, messages: &[Message]) -> Shown {
    let now = messages.first().map_or(0, |message| message.created_at);
    let bills: Vec<Bill> = messages.iter().filter_map(Bill::of).collect();
    let currency = bills.first().map_or_else(|| billing::CURRENCY.to_owned(), |bill| bill.currency.clone());
    Shown {
        id: Noun::Message.spell(id),
        from: ShownMailbox { name: wanted.from.name.clone(), address: wanted.from.address.clone() },
        to: shown(&wanted.to),
        cc: shown(&wanted.cc),
        bcc: shown(&wanted.bcc),
        reply_to: shown(&wanted.reply_to),
        subject: wanted.subject.clone(),
        summary: wanted.summary.clone(),
        content_type: if wanted.html { "text/html" } else { "text/plain" },
        external_id: echo.external_id.clone(),
        callback_url: echo.callback_url.clone(),
        create_time: rfc3339(now),
        total_recipients: messages.len(),
        total_price: billing::in_units(bills.iter().map(|bill| bill.amount).sum()),
        currency,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_read_and_tricks_refused() {
        let read = |text: &str| mailbox(text).map(|it| (it.name.unwrap_or_default(), it.address));
        assert_eq!(read("a@example.com"), Some((String::new(), "a@example.com".into())));
        assert_eq!(read("Nick<to@example.com>"), Some(("Nick".into(), "to@example.com".into())));
        assert_eq!(read("\"N\" <to@example.com>"), Some(("N".into(), "to@example.com".into())));
        for wrong in [
            "",
            "nobody",
            "@example.com",
            "a@b",
            "a@.com",
            "a@example..com",
            "a b@example.com",
            "N\r\nBcc: x<a@example.com>",
            "a@example.com\nBcc:b@example.com",
            "a@exam\rple.com",
            "<a@example.com",
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn variables_are_filled_where_they_are_known() {
        let filling = Filling::from([("nick".into(), "Ayu".into()), ("n".into(), "#nick#".into())]);
        assert_eq!(fill("Hi #nick#, #other# #n# 1#2", &filling), "Hi Ayu, #other# #nick# 1#2");
        assert_eq!(fill("##nick##", &filling), "#Ayu#");
    }
}
