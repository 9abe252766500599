//! Telnyx: JSON over HTTP. A call is told what to say once it is taken ([`push`]); until then Telnyx keeps the words for
//! us, in `client_state`.

mod call;
mod codes;
mod numbers;
mod push;
mod signature;

use engine::failure::{Code, SendError};
use engine::numbers::Shop;
use engine::provider::Pushed;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::account::{self, Unusable};
use super::api::{Api, Heard, Unreadable};
use super::errand::{Answer, Errand};
use super::facts::Hearing;
use super::failure::{Refusal, Row};
use super::{Carrier, Channel, spoken};

pub(crate) struct Telnyx;

/// An account's config and secrets.
pub(crate) struct Access {
    config: Config,
    secrets: Secrets,
    root: Url,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default, deserialize_with = "account::address")]
    base_url: Option<Url>,
    /// Signs what is pushed; base64 of 32 bytes.
    #[serde(deserialize_with = "signature::key")]
    public_key: signature::Key,
    /// Wanted by Telnyx where the sender is a name.
    #[serde(default)]
    messaging_profile_id: Option<String>,
    /// The call control application; needed for calls.
    #[serde(default)]
    connection_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secrets {
    #[serde(deserialize_with = "account::secret")]
    api_key: SecretString,
}

#[derive(Deserialize)]
struct Taken {
    data: Named,
}

#[derive(Deserialize)]
struct Named {
    #[serde(alias = "call_control_id")]
    id: String,
}

#[derive(Default, Deserialize)]
struct Problems {
    #[serde(default)]
    errors: Vec<Problem>,
}

/// Why something was refused or did not arrive.
#[derive(Clone, Debug, Default, Deserialize)]
struct Problem {
    /// Digits, mostly as a text.
    #[serde(default)]
    code: serde_json::Value,
    title: Option<String>,
    detail: Option<String>,
}

impl Problem {
    fn number(&self) -> Option<i64> {
        self.code.as_i64().or_else(|| self.code.as_str()?.parse().ok())
    }

    fn words(&self) -> Option<String> {
        self.detail.clone().or_else(|| self.title.clone())
    }
}

impl Api for Telnyx {
    const NAMES: [&'static str; 2] = ["telnyx", "telnyx-voice"];
    const PER_SECOND: [u32; 2] = [50, 5];
    const CODES: &'static [Row] = codes::CODES;
    type Access = Access;

    fn read(config: &str, secrets: &SecretString) -> Result<Access, Unusable> {
        let config: Config = account::config(config)?;
        let secrets = account::secrets(secrets, r#"{"api_key": "…"}"#)?;
        let root = account::root(config.base_url.as_ref(), "https://api.telnyx.com/v2");
        Ok(Access { config, secrets, root })
    }

    fn sms(access: &Access, errand: &Errand<'_>, text: &str) -> Result<RequestBuilder, SendError> {
        let mut body = json!({
            "from": errand.from,
            "to": errand.to,
            "text": text,
            "webhook_url": errand.callback,
            "use_profile_webhooks": false,
        });
        if let Some(profile) = &access.config.messaging_profile_id {
            body["messaging_profile_id"] = json!(profile);
        }
        // Within a day, the same key is the same message, however often it comes.
        let request = errand.post(&access.root, &["messages"]).header("idempotency-key", errand.id.hex24());
        Ok(access.opened(request).json(&body))
    }

    fn call(access: &Access, errand: &Errand<'_>, text: &str, language: &str) -> Result<RequestBuilder, SendError> {
        let Some(connection) = &access.config.connection_id else {
            let message = "The account has no connection_id, which Telnyx needs for calls.";
            return Err(SendError {
                retry: engine::failure::Retry::Stop,
                ..SendError::refused(Code::AccountProblem, message)
            });
        };
        let state = call::State::waiting(errand.id, spoken::spelled(text), spoken::voice(language));
        let body = json!({
            "connection_id": connection,
            "from": errand.from,
            "to": errand.to,
            "webhook_url": errand.callback,
            "webhook_url_method": "POST",
            "client_state": state.packed(),
            "command_id": errand.id.hex24(),
            "timeout_secs": RINGS_S,
            "time_limit_secs": LASTS_S,
        });
        Ok(access.opened(errand.post(&access.root, &["calls"])).json(&body))
    }

    fn name(answer: &[u8]) -> Option<String> {
        serde_json::from_slice(answer).map(|taken: Taken| taken.data.id).ok()
    }

    fn refusal(answer: &Answer) -> Refusal {
        let problems: Problems = serde_json::from_slice(&answer.body).unwrap_or_default();
        let problem = problems.errors.into_iter().next().unwrap_or_default();
        let Answer { status, retry_after, .. } = *answer;
        Refusal { status, retry_after, code: problem.number(), details: problem.words() }
    }

    fn shop(carrier: &Carrier<Self>) -> Option<&dyn Shop> {
        Some(carrier)
    }

    fn is_signed(access: &Access, push: &Pushed<'_>, now: i64) -> bool {
        access.config.public_key.has_signed(push, now)
    }

    fn heard(access: &Access, channel: Channel, hearing: &Hearing<'_>, _: &Pushed<'_>) -> Result<Heard, Unreadable> {
        match channel {
            Channel::Sms => push::heard(hearing),
            Channel::Voice => call::heard(access, hearing),
        }
    }
}

/// How long a phone rings.
const RINGS_S: u32 = 30;
/// A call that nobody ends, because its end could not be asked for.
const LASTS_S: u32 = 180;

impl Access {
    fn opened(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.secrets.api_key.expose_secret())
    }
}
