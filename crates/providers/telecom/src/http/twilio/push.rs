//! Status callbacks of messages and calls, messages that somebody wrote, calls that somebody makes: all of them forms.

use engine::failure::{Code, Failure};
use engine::messages::Status;
use engine::provider::Pushed;

use super::calls;
use super::codes::CODES;
use crate::http::Channel;
use crate::http::api::{Heard, Unreadable};
use crate::http::errand::message_of;
use crate::http::facts::{Hearing, Outcome, Written};
use crate::http::failure;

/// A form's fields; the first of a name counts.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

pub(super) fn heard(channel: Channel, hearing: &Hearing<'_>, push: &Pushed<'_>) -> Result<Heard, Unreadable> {
    let form = Form(url::form_urlencoded::parse(&push.body).into_owned().collect());
    match channel {
        // Numbers are bought by the account for texts, and called by people.
        Channel::Sms if form.get("CallSid").is_some() => Ok(calls::heard(hearing, push, &form)),
        Channel::Sms => message(hearing, push, &form),
        Channel::Voice => call(hearing, push, &form),
    }
}

fn message(hearing: &Hearing<'_>, push: &Pushed<'_>, form: &Form) -> Result<Heard, Unreadable> {
    let Some(sid) = form.get("MessageSid").or_else(|| form.get("SmsSid")) else {
        return Ok(hearing.notice("unreadable").into());
    };
    let word = form.get("MessageStatus").or_else(|| form.get("SmsStatus")).unwrap_or("received");
    let status = match word {
        "received" | "receiving" => return written(hearing, form, sid),
        "accepted" | "scheduled" | "queued" | "sending" => return Ok(Heard::default()),
        "sent" => Status::Sent,
        "delivered" | "read" => Status::Delivered,
        "undelivered" | "failed" | "canceled" => Status::Failed,
        unknown => return Ok(hearing.notice(unknown).into()),
    };
    let why = match word {
        "canceled" => failure::plain(Code::Withdrawn, "The message was canceled at the carrier."),
        _ => why(form, "ErrorCode"),
    };
    Ok(outcome(hearing, push, sid, status, why))
}

fn call(hearing: &Hearing<'_>, push: &Pushed<'_>, form: &Form) -> Result<Heard, Unreadable> {
    let (Some(sid), Some(word)) = (form.get("CallSid"), form.get("CallStatus")) else {
        return Ok(hearing.notice("unreadable").into());
    };
    let unheard = |message| failure::plain(Code::RecipientUnreachable, message);
    let (status, why) = match word {
        "queued" | "initiated" | "ringing" | "in-progress" => (Status::Sent, why(form, "")),
        "completed" => (Status::Delivered, why(form, "")),
        "busy" => (Status::Failed, unheard("The recipient's line was busy.")),
        "no-answer" => (Status::Failed, unheard("Nobody took the call.")),
        "canceled" => (Status::Failed, failure::plain(Code::Withdrawn, "The call was canceled at the carrier.")),
        "failed" => (Status::Failed, why(form, "SipResponseCode")),
        unknown => return Ok(hearing.notice(unknown).into()),
    };
    Ok(outcome(hearing, push, sid, status, why))
}

/// The address is signed, so our id in it may be believed.
fn outcome(hearing: &Hearing<'_>, push: &Pushed<'_>, sid: &str, status: Status, why: Failure) -> Heard {
    let (provider_id, message) = (sid.to_owned(), message_of(push.url));
    hearing.outcome(Outcome { provider_id, message, status, at: hearing.now, failure: Some(why) }).into()
}

fn why(form: &Form, field: &str) -> Failure {
    let code = form.get(field).and_then(|code| code.parse().ok());
    failure::of_code(CODES, code, form.get("ErrorMessage").map(str::to_owned))
}

fn written(hearing: &Hearing<'_>, form: &Form, sid: &str) -> Result<Heard, Unreadable> {
    let (Some(from), Some(to)) = (form.get("From"), form.get("To")) else {
        return Ok(hearing.notice("unreadable").into());
    };
    let count: usize = form.get("NumMedia").and_then(|count| count.parse().ok()).unwrap_or(0);
    let files = (0..count.min(MOST_FILES)).filter_map(|number| form.get(&format!("MediaUrl{number}")));
    Ok(hearing
        .written(Written {
            provider_id: sid.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            at: hearing.now,
            text: form.get("Body").unwrap_or_default().to_owned(),
            files: files.map(str::to_owned).collect(),
        })
        .into())
}

/// Of one message.
const MOST_FILES: usize = 10;
