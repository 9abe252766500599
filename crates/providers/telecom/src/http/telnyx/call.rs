//! A call's life: it is taken, it is told what to say, it has said it, it is ended.
//!
//! `client_state` goes along with every command and comes back in every event, so that nothing has to be remembered here:
//! first the words that are to be said, then that they were.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use engine::Id;
use engine::facts::Fact;
use engine::failure::{Code, Failure};
use engine::messages::Status;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Access;
use super::push::Event;
use crate::http::api::{Heard, Next, Unreadable};
use crate::http::errand::under;
use crate::http::facts::{Hearing, Outcome};
use crate::http::{failure, spoken};

/// What Telnyx keeps for us while a call goes on.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    /// Our message.
    m: String,
    /// Still to be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    say: Option<Words>,
}

#[derive(Serialize, Deserialize)]
struct Words {
    text: String,
    language: String,
}

impl State {
    pub(super) fn waiting(message: Id, text: String, language: String) -> Self {
        Self { m: message.hex24(), say: Some(Words { text, language }) }
    }

    pub(super) fn packed(&self) -> String {
        BASE64_STANDARD.encode(json!(self).to_string())
    }

    fn unpacked(text: &str) -> Option<Self> {
        serde_json::from_slice(&BASE64_STANDARD.decode(text).ok()?).ok()
    }
}

#[derive(Deserialize)]
struct Call {
    call_control_id: String,
    client_state: Option<String>,
    hangup_cause: Option<String>,
    /// How an action ended.
    status: Option<String>,
}

/// One event of a call that we made.
struct Moment<'a> {
    hearing: &'a Hearing<'a>,
    access: &'a Access,
    call: Call,
    message: Option<Id>,
    at: i64,
}

pub(super) fn heard(access: &Access, hearing: &Hearing<'_>) -> Result<Heard, Unreadable> {
    let Event { data } = serde_json::from_slice::<Event<serde_json::Value>>(hearing.body)?;
    let kind = data.event_type.as_str();
    let Ok(call) = serde_json::from_value::<Call>(data.payload) else {
        return Ok(hearing.notice(if kind.is_empty() { "unreadable" } else { kind }).into());
    };
    let Some(state) = call.client_state.as_deref().and_then(State::unpacked) else {
        // Somebody else's call: he called us, or it was made by hand.
        return Ok(hearing.notice(kind).into());
    };
    let (message, at) = (Id::parse_hex24(&state.m), hearing.time(data.occurred_at.as_deref()));
    let moment = Moment { hearing, access, call, message, at };
    Ok(match kind {
        "call.initiated" => moment.told(Status::Sent, None).into(),
        "call.answered" => moment.answered(state),
        "call.speak.started" | "call.bridged" => Heard::default(),
        "call.speak.ended" => moment.said(),
        "call.hangup" => moment.ended(&state),
        _ => hearing.notice(kind).into(),
    })
}

impl Moment<'_> {
    fn told(&self, status: Status, failure: Option<Failure>) -> Fact {
        let (provider_id, message, at) = (self.call.call_control_id.clone(), self.message, self.at);
        self.hearing.outcome(Outcome { provider_id, message, status, at, failure })
    }

    fn failed(&self, code: Code, message: &str) -> Fact {
        self.told(Status::Failed, Some(failure::plain(code, message)))
    }

    fn answered(&self, state: State) -> Heard {
        let Some(words) = state.say else { return Heard::default() };
        let said = State { m: state.m, say: None };
        let body = json!({
            "payload": words.text,
            "payload_type": "text",
            "service_level": "premium",
            "voice": "female",
            "language": words.language,
            "loop": spoken::TIMES,
            "client_state": said.packed(),
            "command_id": format!("{}:say", said.m),
        });
        let otherwise = self
            .failed(Code::ProviderUnavailable, "The call was taken, but the carrier could not be told what to say.");
        let next = Some(Next { request: self.action("speak", &body), otherwise: Some(otherwise) });
        Heard { facts: vec![self.told(Status::Sent, None)], next, call: None }
    }

    /// Whoever hangs up while it is said has heard the beginning.
    fn said(&self) -> Heard {
        let fact = match self.call.status.as_deref() {
            Some("completed" | "call_hangup") | None => self.told(Status::Delivered, None),
            Some(_) => self.failed(Code::RecipientUnreachable, "A machine took the call."),
        };
        // A call that cannot be ended so ends by its own limit.
        let command =
            json!({ "command_id": format!("{}:end", self.message.map_or_else(String::new, |id| id.hex24())) });
        let next = Next { request: self.action("hangup", &command), otherwise: None };
        Heard { facts: vec![fact], next: Some(next), call: None }
    }

    fn ended(&self, state: &State) -> Heard {
        let cause = self.call.hangup_cause.as_deref().unwrap_or("unspecified");
        if cause == "normal_clearing" && state.say.is_none() {
            return Heard::default();
        }
        let unreachable = Code::RecipientUnreachable;
        let fact = match cause {
            "normal_clearing" => self.failed(unreachable, "The recipient hung up before anything was said."),
            "user_busy" => self.failed(unreachable, "The recipient's line was busy."),
            "no_answer" | "timeout" => self.failed(unreachable, "Nobody took the call."),
            "call_rejected" => self.failed(unreachable, "The recipient declined the call."),
            "not_found" => self.failed(unreachable, "The number is not in service."),
            "originator_cancel" => self.failed(Code::Withdrawn, "The call was canceled at the carrier."),
            "time_limit" if state.say.is_none() => return Heard::default(),
            other => self.told(Status::Failed, Some(failure::of_code(&[], None, Some(other.to_owned())))),
        };
        fact.into()
    }

    fn action(&self, name: &str, body: &serde_json::Value) -> reqwest::RequestBuilder {
        let url = under(&self.access.root, &["calls", &self.call.call_control_id, "actions", name]);
        let options = self.hearing.options;
        // Telnyx waits two seconds for the answer to its event.
        let timeout = options.timeout.min(std::time::Duration::from_secs(2));
        self.access.opened(options.client.post(url).timeout(timeout)).json(body)
    }
}
