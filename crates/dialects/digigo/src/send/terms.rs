//! To whom and on what terms a message is sent: what most operations have in common.

use web_wire::jid::{BROADCAST, CHANNEL, GROUP, HIDDEN, Jid, PEOPLE};
use web_wire::send::{self as wire, Context, Outgoing, Typing};

use super::{Draft, Told, context};
use crate::body::Body;
use crate::errors::Error;

/// Typing is not shown for longer than this, in milliseconds.
const LONGEST_TYPING: i64 = 25_000;
/// Seconds after which messages can disappear.
const EXPIRIES: [i64; 3] = [86_400, 604_800, 7_776_000];
const LONGEST_ID: usize = 128;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Terms {
    pub(super) to: Jid,
    id: Option<String>,
    context: Option<Context>,
    pub(super) expires_in: Option<u32>,
    typing: Option<Typing>,
    check_number: bool,
    echo: bool,
}

impl Terms {
    /// Of a body whose recipient is called `Phone`.
    pub(super) fn read(body: &Body) -> Result<Self, Error> {
        Self::to(recipient(body, &["Phone"])?, body)
    }

    /// Where an expiry that WhatsApp does not know is as good as none.
    pub(super) fn lenient(body: &mut Body) -> Result<Self, Error> {
        if expiry(body).is_err() {
            body.take(&["Duration"]);
        }
        Self::read(body)
    }

    pub(super) fn to(to: Jid, body: &Body) -> Result<Self, Error> {
        Ok(Self {
            to,
            id: id(body)?,
            context: context::read(body)?,
            expires_in: expiry(body)?,
            typing: typing(body)?,
            check_number: body.is(&["NumberCheck"])?,
            echo: body.is(&["EchoApi"])?,
        })
    }

    /// A recording is shown instead of typing.
    pub(super) fn recorded(self) -> Self {
        Self { typing: self.typing.map(|typing| Typing { recording: true, ..typing }), ..self }
    }

    pub(super) fn draft(self, message: wire::Body) -> Draft {
        let Self { to, id, context, expires_in, typing, check_number, echo } = self;
        let outgoing = Outgoing { body: message, context, expires_in, typing, check_number, echo };
        Draft { to, id, outgoing, told: Told::Sent }
    }
}

/// A phone number or an address that messages can be sent to.
pub(super) fn recipient(body: &Body, names: &[&str]) -> Result<Jid, Error> {
    let field = names.first().copied().unwrap_or_default();
    let text = body.needed(names, &format!("missing {field} in Payload"))?;
    let unknown = || Error::bad("could not parse phone number");
    let jid = Jid::of_text(&text).map_err(|_| unknown())?.bare();
    match jid.server.as_str() {
        PEOPLE | HIDDEN | GROUP | CHANNEL | BROADCAST => Ok(jid),
        // What people's addresses were called before.
        "c.us" => Ok(Jid::new(jid.user, PEOPLE)),
        _ => Err(unknown()),
    }
}

/// The id that the caller wants the message to have.
fn id(body: &Body) -> Result<Option<String>, Error> {
    let id = body.text(&["Id"])?.filter(|id| !id.is_empty());
    match id {
        Some(id) if id.len() > LONGEST_ID || !id.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(Error::bad(format!("Id must be 1 to {LONGEST_ID} characters without spaces")))
        }
        id => Ok(id),
    }
}

fn expiry(body: &Body) -> Result<Option<u32>, Error> {
    match body.integer(&["Duration"])? {
        None | Some(0) => Ok(None),
        Some(seconds) if EXPIRIES.contains(&seconds) => Ok(u32::try_from(seconds).ok()),
        Some(_) => Err(Error::bad("invalid Duration, must be: 86400, 604800, or 7776000")),
    }
}

fn typing(body: &Body) -> Result<Option<Typing>, Error> {
    let shown = body.integer(&["Presence"])?.unwrap_or(0).clamp(0, LONGEST_TYPING);
    let milliseconds = u32::try_from(shown).unwrap_or_default();
    Ok((milliseconds > 0).then_some(Typing { milliseconds, recording: false }))
}

/// A text of a body, of at most so many characters.
pub(super) fn short(body: &Body, names: &[&str], most: usize) -> Result<Option<String>, Error> {
    let text = body.text(names)?.filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() > most => {
            let field = names.first().copied().unwrap_or_default();
            Err(Error::bad(format!("{field} is longer than {most} characters")))
        }
        text => Ok(text),
    }
}

/// A text that must be there and say something.
pub(super) fn needed(body: &Body, names: &[&str], most: usize) -> Result<String, Error> {
    let field = names.first().copied().unwrap_or_default();
    let text = short(body, names, most)?.filter(|text| !text.trim().is_empty());
    text.ok_or_else(|| Error::bad(format!("missing {field} in Payload")))
}
