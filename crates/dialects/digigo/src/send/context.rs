//! `ContextInfo`: what a message answers, whom it names, whether it is passed on.

use web_wire::jid::Jid;
use web_wire::proto;
use web_wire::send::{Context, Quoted};

use crate::body::Body;
use crate::errors::Error;

const MOST_MENTIONS: usize = 1024;

/// `None` where there is nothing to say. Everybody in a group can also be named by `MentionInfo`.
pub(super) fn read(body: &Body) -> Result<Option<Context>, Error> {
    let info = body.object(&["ContextInfo"])?.unwrap_or_default();
    let beside = body.object(&["MentionInfo"])?.unwrap_or_default();
    let mut mentions = mentions(&info)?;
    mentions.extend(self::mentions(&beside)?);
    let context = Context {
        reply_to: reply(&info)?,
        forwarded: info.is(&["IsForwarded"])?,
        mentions,
        mention_all: info.is(&["MentionAll"])? || beside.is(&["MentionAll"])?,
    };
    Ok((context != Context::default()).then_some(context))
}

/// A reply names the message and who wrote it.
fn reply(info: &Body) -> Result<Option<Quoted>, Error> {
    let said = |names: &[&str]| Ok::<_, Error>(info.text(names)?.filter(|text| !text.is_empty()));
    match (said(&["StanzaId"])?, said(&["Participant"])?) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(Error::bad("missing Participant in ContextInfo")),
        (None, Some(_)) => Err(Error::bad("missing StanzaId in ContextInfo")),
        (Some(id), Some(author)) => {
            let author = Some(person(&author)?);
            Ok(Some(Quoted { id, author, message: quoted(info)? }))
        }
    }
}

fn quoted(info: &Body) -> Result<Option<serde_json::Value>, Error> {
    let Some(message) = info.get(&["QuotedMessage"]) else { return Ok(None) };
    if !message.is_object() {
        return Err(Error::undecodable());
    }
    let wrong = |error| Error::bad(format!("invalid quotedMessage in ContextInfo: {error}"));
    proto::write(message, "Message").map_err(wrong)?;
    Ok(Some(message.clone()))
}

fn mentions(info: &Body) -> Result<Vec<Jid>, Error> {
    let texts = info.texts(&["MentionedJID", "Mentions"])?.unwrap_or_default();
    if texts.len() > MOST_MENTIONS {
        return Err(Error::bad(format!("more than {MOST_MENTIONS} mentions")));
    }
    texts.iter().map(|text| person(text)).collect()
}

fn person(text: &str) -> Result<Jid, Error> {
    Jid::of_text(text).map_err(|_| Error::bad(format!("invalid JID: {}", text.chars().take(128).collect::<String>())))
}
