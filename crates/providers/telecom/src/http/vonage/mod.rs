//! Vonage: JSON over HTTP, Messages API and Voice API, opened by tokens that an application's own key signs.

mod codes;
mod push;
mod signature;
mod token;

use engine::failure::SendError;
use engine::provider::Pushed;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::account::{self, Unusable};
use super::api::{Api, Heard, Unreadable};
use super::errand::{Answer, Errand};
use super::facts::Hearing;
use super::failure::{Refusal, Row};
use super::{Channel, numbers, spoken};

pub(crate) struct Vonage;

/// An account's config and secrets.
pub(crate) struct Access {
    config: Config,
    secrets: Secrets,
    root: Url,
    key: token::Key,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(deserialize_with = "account::word")]
    application_id: String,
    #[serde(default, deserialize_with = "account::address")]
    base_url: Option<Url>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secrets {
    /// The application's, PEM; opens the API.
    #[serde(deserialize_with = "account::secret")]
    private_key: SecretString,
    /// Signs what is pushed.
    #[serde(deserialize_with = "account::secret")]
    signature_secret: SecretString,
}

const SHAPE: &str = r#"{"private_key": an RSA key in PEM, "signature_secret": "…"}"#;

#[derive(Deserialize)]
struct Taken {
    #[serde(alias = "message_uuid")]
    uuid: String,
}

/// Why something was refused or did not arrive.
#[derive(Clone, Debug, Default, Deserialize)]
struct Problem {
    /// An address that ends in `#` and a number or a word.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// A number or a sentence.
    #[serde(default)]
    title: Value,
    detail: Option<String>,
}

impl Problem {
    fn number(&self) -> Option<i64> {
        let title = self.title.as_i64().or_else(|| self.title.as_str()?.trim().parse().ok());
        title.or_else(|| self.kind.as_deref()?.rsplit_once('#')?.1.parse().ok())
    }

    fn words(&self) -> Option<String> {
        self.detail.clone().or_else(|| self.title.as_str().map(str::to_owned))
    }
}

impl Api for Vonage {
    const NAMES: [&'static str; 2] = ["vonage", "vonage-voice"];
    const PER_SECOND: [u32; 2] = [30, 3];
    const CODES: &'static [Row] = codes::CODES;
    type Access = Access;

    fn read(config: &str, secrets: &SecretString) -> Result<Access, Unusable> {
        let config: Config = account::config(config)?;
        let secrets: Secrets = account::secrets(secrets, SHAPE)?;
        let root = account::root(config.base_url.as_ref(), "https://api.nexmo.com");
        let key = token::Key::read(secrets.private_key.expose_secret()).ok_or(Unusable::Secrets(SHAPE))?;
        Ok(Access { config, secrets, root, key })
    }

    fn sms(access: &Access, errand: &Errand<'_>, text: &str) -> Result<RequestBuilder, SendError> {
        let body = json!({
            "message_type": "text",
            "channel": "sms",
            "from": numbers::bare(errand.from),
            "to": numbers::bare(&errand.to),
            "text": text,
            "client_ref": errand.id.hex24(),
            "webhook_url": errand.callback,
            "webhook_version": "v1",
        });
        Ok(access.opened(errand, errand.post(&access.root, &["v1", "messages"]))?.json(&body))
    }

    fn call(access: &Access, errand: &Errand<'_>, text: &str, language: &str) -> Result<RequestBuilder, SendError> {
        let talk = json!({
            "action": "talk",
            "text": spoken::spelled(text),
            "language": spoken::voice(language),
            "loop": spoken::TIMES,
        });
        let phone = |number| json!({ "type": "phone", "number": numbers::bare(number) });
        let body = json!({
            "to": [phone(&errand.to)],
            "from": phone(errand.from),
            "ncco": [talk],
            "event_url": [errand.callback],
            "event_method": "POST",
        });
        Ok(access.opened(errand, errand.post(&access.root, &["v1", "calls"]))?.json(&body))
    }

    fn name(answer: &[u8]) -> Option<String> {
        serde_json::from_slice(answer).map(|taken: Taken| taken.uuid).ok()
    }

    fn refusal(answer: &Answer) -> Refusal {
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
        let Answer { status, retry_after, .. } = *answer;
        Refusal { status, retry_after, code: problem.number(), details: problem.words() }
    }

    fn is_signed(access: &Access, push: &Pushed<'_>, now: i64) -> bool {
        signature::is_right(access.secrets.signature_secret.expose_secret(), push, now)
    }

    fn heard(_: &Access, channel: Channel, hearing: &Hearing<'_>, push: &Pushed<'_>) -> Result<Heard, Unreadable> {
        match channel {
            Channel::Sms => push::message(hearing),
            Channel::Voice => push::call(hearing, push.url),
        }
    }
}

impl Access {
    fn opened(&self, errand: &Errand<'_>, request: RequestBuilder) -> Result<RequestBuilder, SendError> {
        let token = self.key.token(&self.config.application_id, errand.id, errand.now);
        let token = token.ok_or_else(|| SendError::unreached("No token could be signed."))?;
        Ok(request.bearer_auth(token))
    }
}
