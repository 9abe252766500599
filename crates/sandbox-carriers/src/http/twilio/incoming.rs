//! Somebody calls a number that was bought here, and speaks. The number's `VoiceUrl` is asked what to do, and what its TwiML
//! says is done: the call is refused, ended, or listened to; then what was understood is posted to the action.

use url::Url;

use super::super::account::{Account, Credentials};
use super::super::desk::Desk;
use super::twiml::{self, Verb};
use super::{VERSION, owned, signature};
use crate::ledger::Call;

/// How often a caller says the same before he hangs up.
const TIMES: u32 = 3;

/// What became of a call, and how often it was listened to.
pub(in super::super) struct Ended {
    /// In Twilio's words.
    pub(in super::super) status: &'static str,
    pub(in super::super) listened: u32,
}

pub(in super::super) async fn ring(desk: &Desk, account: &Account, call: &Call, voice_url: &str) -> Ended {
    let (mut url, mut said, mut listened) = (voice_url.to_owned(), Vec::new(), 0);
    loop {
        let ended = |status| Ended { status, listened };
        let verb = ask(desk, account, call, &url, &said).await;
        match verb {
            None => return ended("failed"),
            Some(Verb::Reject) => return ended("busy"),
            Some(Verb::Gather { action, speech }) if listened < TIMES => {
                let Some(next) = joined(&url, &action) else { return ended("failed") };
                listened += 1;
                (url, said) = (next, understood(&call.text, speech));
            }
            Some(Verb::Gather { .. } | Verb::Hangup | Verb::Other) => return ended("completed"),
        }
    }
}

/// An action may be relative; without one the same address is asked again.
fn joined(url: &str, action: &str) -> Option<String> {
    Some(Url::parse(url).ok()?.join(action).ok()?.to_string())
}

/// Who listens to keys alone hears nothing of what is spoken.
fn understood(text: &str, speech: bool) -> Vec<(String, String)> {
    let words = text.replace(',', "");
    if speech { owned(&[("SpeechResult", &words), ("Confidence", "0.91"), ("Language", "en-US")]) } else { Vec::new() }
}

/// What the platform wants; `None` when it has no TwiML for us.
async fn ask(desk: &Desk, account: &Account, call: &Call, url: &str, said: &[(String, String)]) -> Option<Verb> {
    let Credentials::Twilio { auth_token, .. } = &account.credentials else { return None };
    let (own, status) = (account.credentials.name(), if said.is_empty() { "ringing" } else { "in-progress" });
    let mut fields = owned(&[
        ("AccountSid", &own),
        ("ApiVersion", VERSION),
        ("CallSid", &call.id),
        ("CallStatus", status),
        ("Called", &call.to),
        ("Caller", &call.from),
        ("Direction", "inbound"),
        ("From", &call.from),
        ("To", &call.to),
    ]);
    fields.extend_from_slice(said);
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    let headers = signature::headers(auth_token, url, &fields, &desk.uuid());
    match desk.world.outside.ask(url.to_owned(), headers, body.into()).await {
        Ok((200..=299, answer)) => twiml::first(&answer),
        refused => {
            tracing::debug!(?refused, "nobody says what to do with a call");
            None
        }
    }
}
