//! A mail as it goes over the wire: seven bits, short lines, the same bytes on every attempt.
//!
//! Names, subjects and texts are callers' words. None of them can end a line of the head or of the dialogue: what holds a
//! control character is refused, what is not plain ASCII is encoded, and bodies are always encoded, so that neither a bare
//! line end nor a boundary can stand in one.

mod head;
#[cfg(test)]
mod tests;

use engine::Id;
use engine::content::Email;
use engine::failure::{Code, SendError};
use engine::provider::Outgoing;
use engine::senders::Sender;
use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{MultiPart, SinglePart};

use crate::address;
use crate::return_path::ReturnPath;

/// Bytes of a text or HTML body.
const LARGEST_BODY: usize = 5 * 1024 * 1024;

/// One mail to one recipient, ready to go.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) from: Address,
    pub(crate) to: Address,
    /// Up to its last line's end, which is left out.
    pub(crate) bytes: Vec<u8>,
}

/// Why a mail cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("the recipient is no mail address")]
    Recipient,
    #[error("the sender is no mail address")]
    Sender,
    #[error("`{0}` has something that is no mail address")]
    Address(&'static str),
    #[error("`{0}` holds a line break or another control character")]
    Control(&'static str),
    #[error("`{0}` is too long")]
    TooLong(&'static str),
    #[error("a mail needs a text or HTML")]
    Empty,
}

impl From<Unfit> for SendError {
    fn from(unfit: Unfit) -> Self {
        let code = match unfit {
            Unfit::Recipient => Code::RecipientUnreachable,
            Unfit::Sender => Code::AccountProblem,
            _ => Code::Rejected,
        };
        Self::refused(code, unfit.to_string())
    }
}

impl Letter {
    pub(crate) fn write(
        path: Option<&ReturnPath>,
        sender: &Sender,
        outgoing: &Outgoing,
        email: &Email,
    ) -> Result<Self, Unfit> {
        let own = address::parse(&sender.address).map_err(|_| Unfit::Sender)?;
        let to = address::parse(&outgoing.to.value).map_err(|_| Unfit::Recipient)?;
        let from = path.map_or_else(|| own.clone(), |path| path.of(&outgoing.id));
        let mut bytes = head::write(&outgoing.id, &from, own, &to, email)?.into_bytes();
        bytes.extend(body(&outgoing.id, email)?);
        // The end mark brings this line end along.
        bytes.truncate(bytes.strip_suffix(b"\r\n").map_or(bytes.len(), <[u8]>::len));
        Ok(Self { from, to, bytes })
    }

    /// It can be carried only by relays that know internationalized addresses.
    pub(crate) fn international(&self) -> bool {
        let envelope = [&self.from, &self.to].into_iter().all(|address| address.to_string().is_ascii());
        !(envelope && self.bytes.is_ascii())
    }
}

fn body(id: &Id, email: &Email) -> Result<Vec<u8>, Unfit> {
    for (name, body) in [("text", &email.text), ("html", &email.html)] {
        if body.as_ref().is_some_and(|body| body.len() > LARGEST_BODY) {
            return Err(Unfit::TooLong(name));
        }
    }
    let text = email.text.as_deref().map(|text| part(ContentType::TEXT_PLAIN, text));
    let html = email.html.as_deref().map(|html| part(ContentType::TEXT_HTML, html));
    match (text, html) {
        (Some(text), Some(html)) => {
            // An equals sign is followed by other things in an encoded body.
            let both = MultiPart::alternative().boundary(format!("=_{}", id.hex24()));
            Ok(both.singlepart(text).singlepart(html).formatted())
        }
        (Some(one), None) | (None, Some(one)) => Ok(one.formatted()),
        (None, None) => Err(Unfit::Empty),
    }
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    let plain = text.bytes().filter(u8::is_ascii).count();
    let encoding = match plain * 2 > text.len() || text.is_empty() {
        true => ContentTransferEncoding::QuotedPrintable,
        false => ContentTransferEncoding::Base64,
    };
    SinglePart::builder().content_type(kind).header(encoding).body(with_whole_line_ends(text))
}

/// Every line end becomes CR LF.
fn with_whole_line_ends(text: &str) -> String {
    let mut whole = String::with_capacity(text.len() + text.len() / 32);
    let mut after_cr = false;
    for letter in text.chars() {
        match letter {
            '\n' if after_cr => {}
            '\r' | '\n' => whole.push_str("\r\n"),
            _ => whole.push(letter),
        }
        after_cr = letter == '\r';
    }
    whole
}
