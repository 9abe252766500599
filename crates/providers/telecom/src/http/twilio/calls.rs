//! Calls to numbers that were bought here. Twilio posts each to us and does what the TwiML in our answer says: it listens, writes
//! down what it hears, and posts that to where it was told.
//!
//! Nothing is kept between the posts of a call: how often it was listened to stands in the address, which Twilio signs.

use engine::provider::{Pushed, Reply};

use super::escaped;
use super::push::Form;
use crate::http::api::Heard;
use crate::http::facts::Hearing;
use crate::http::incoming::{Incoming, Turn};
use crate::http::numbers::plus;

/// In the address: how often a call was listened to.
const LISTENED: &str = "listened";
/// What is to be recognized: codes are spoken in the language that we ask for, which is English.
const HINTS: &str = "your WhatsApp code is, zero, one, two, three, four, five, six, seven, eight, nine";
/// Seconds until somebody must have begun to speak, and of silence after which he has finished: codes are spoken slowly.
const BEGINS_S: u32 = 10;
const PAUSES_S: u32 = 3;

pub(super) fn heard(hearing: &Hearing<'_>, push: &Pushed<'_>, form: &Form) -> Heard {
    let Some(to) = form.get("To").or_else(|| form.get("Called")) else { return hearing.notice("unreadable").into() };
    let words = form.get("SpeechResult").or_else(|| form.get("Digits")).unwrap_or_default().to_owned();
    let call = Incoming { to: plus(to), listened: listened(push.url), words };
    Heard { call: Some(call), ..Heard::default() }
}

fn listened(url: &str) -> u32 {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == LISTENED);
    found.and_then(|(_, count)| count.parse().ok()).unwrap_or(0)
}

pub(super) fn told(turn: Turn, url: &str) -> Reply {
    let verb = match turn {
        Turn::Decline => r#"<Reject reason="busy"/>"#.to_owned(),
        Turn::HangUp => "<Hangup/>".to_owned(),
        Turn::Listen(time) => gather(&escaped(&format!("{url}?{LISTENED}={time}"))),
    };
    Reply { mime: "text/xml", body: format!(r#"<?xml version="1.0" encoding="UTF-8"?><Response>{verb}</Response>"#) }
}

/// What was said is posted to `url`, also where that is nothing.
fn gather(url: &str) -> String {
    format!(
        r#"<Gather input="dtmf speech" action="{url}" method="POST" actionOnEmptyResult="true" language="en-US" profanityFilter="false" hints="{HINTS}" timeout="{BEGINS_S}" speechTimeout="{PAUSES_S}" numDigits="6"/>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_told_what_becomes_of_it() {
        let told = |turn| told(turn, "https://h.example/webhooks/twilio/AC1").body;
        assert!(told(Turn::Decline).contains(r#"<Response><Reject reason="busy"/></Response>"#));
        assert!(told(Turn::HangUp).contains("<Response><Hangup/></Response>"));
        let listen = told(Turn::Listen(2));
        let action = r#"action="https://h.example/webhooks/twilio/AC1?listened=2""#;
        assert!(listen.contains(action) && listen.contains(r#"input="dtmf speech""#), "{listen}");
        for (url, count) in [("https://h.example/w?listened=2", 2), ("https://h.example/w", 0), ("w?listened=-1", 0)] {
            assert_eq!(listened(url), count, "{url}");
        }
    }
}
