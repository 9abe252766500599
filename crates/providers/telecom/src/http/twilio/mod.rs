//! Twilio: forms over HTTP, `Messages.json` and `Calls.json`.

mod calls;
mod codes;
mod numbers;
mod push;
mod signature;

use engine::failure::SendError;
use engine::numbers::Shop;
use engine::provider::{Pushed, Reply};
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::account::{self, Unusable};
use super::api::{Api, Heard, Unreadable};
use super::errand::{Answer, Errand};
use super::facts::Hearing;
use super::failure::{Refusal, Row};
use super::incoming::Turn;
use super::{Carrier, Channel, spoken};

pub(crate) struct Twilio;

/// An account's config and secrets.
pub(crate) struct Access {
    config: Config,
    secrets: Secrets,
    root: Url,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(deserialize_with = "account::word")]
    account_sid: String,
    #[serde(default, deserialize_with = "account::address")]
    base_url: Option<Url>,
    /// BCP 47; for calls that say nothing of theirs.
    #[serde(default)]
    voice_language: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secrets {
    /// Opens the API and signs what is pushed.
    #[serde(deserialize_with = "account::secret")]
    auth_token: SecretString,
}

/// What is posted to us is tried again by Twilio as often as it can be asked to, whatever went wrong. This part of an
/// address is for Twilio alone: it neither comes along nor is signed.
const TRY_AGAIN: &str = "#rc=5&rp=all";

#[derive(Deserialize)]
struct Taken {
    sid: String,
}

#[derive(Deserialize)]
struct Problem {
    code: Option<i64>,
    message: Option<String>,
}

impl Api for Twilio {
    const NAMES: [&'static str; 2] = ["twilio", "twilio-voice"];
    /// Twilio has queues of its own; a new account may begin one call a second.
    const PER_SECOND: [u32; 2] = [100, 1];
    const CODES: &'static [Row] = codes::CODES;
    type Access = Access;

    fn read(config: &str, secrets: &SecretString) -> Result<Access, Unusable> {
        let config: Config = account::config(config)?;
        let secrets = account::secrets(secrets, r#"{"auth_token": "…"}"#)?;
        let root = account::root(config.base_url.as_ref(), "https://api.twilio.com");
        Ok(Access { config, secrets, root })
    }

    fn sms(access: &Access, errand: &Errand<'_>, text: &str) -> Result<RequestBuilder, SendError> {
        let from = if is_service(errand.from) { "MessagingServiceSid" } else { "From" };
        let callback = format!("{}{TRY_AGAIN}", errand.callback);
        let form = [("To", &*errand.to), (from, errand.from), ("Body", text), ("StatusCallback", &callback)];
        Ok(access.post(errand, "Messages.json").form(&form))
    }

    fn call(access: &Access, errand: &Errand<'_>, text: &str, language: &str) -> Result<RequestBuilder, SendError> {
        let language = Some(language).filter(|language| !language.is_empty());
        let language = spoken::voice(language.or(access.config.voice_language.as_deref()).unwrap_or_default());
        let callback = format!("{}{TRY_AGAIN}", errand.callback);
        let form = [
            ("To", &*errand.to),
            ("From", errand.from),
            ("Twiml", &twiml(&spoken::spelled(text), &language)),
            ("StatusCallback", &callback),
            ("StatusCallbackEvent", "initiated"),
            ("StatusCallbackEvent", "completed"),
        ];
        Ok(access.post(errand, "Calls.json").form(&form))
    }

    fn name(answer: &[u8]) -> Option<String> {
        serde_json::from_slice(answer).map(|taken: Taken| taken.sid).ok()
    }

    fn refusal(answer: &Answer) -> Refusal {
        let problem = serde_json::from_slice(&answer.body).unwrap_or(Problem { code: None, message: None });
        let Answer { status, retry_after, .. } = *answer;
        Refusal { status, retry_after, code: problem.code, details: problem.message }
    }

    fn shop(carrier: &Carrier<Self>) -> Option<&dyn Shop> {
        Some(carrier)
    }

    fn told(turn: Turn, url: &str) -> Option<Reply> {
        Some(calls::told(turn, url))
    }

    fn is_signed(access: &Access, push: &Pushed<'_>, _: i64) -> bool {
        signature::is_right(access.secrets.auth_token.expose_secret(), push)
    }

    fn heard(_: &Access, channel: Channel, hearing: &Hearing<'_>, push: &Pushed<'_>) -> Result<Heard, Unreadable> {
        push::heard(channel, hearing, push)
    }
}

impl Access {
    fn post(&self, errand: &Errand<'_>, what: &str) -> RequestBuilder {
        let path = ["2010-04-01", "Accounts", &self.config.account_sid, what];
        let token = self.secrets.auth_token.expose_secret();
        errand.post(&self.root, &path).basic_auth(&self.config.account_sid, Some(token))
    }
}

/// A pool of senders, called by its id.
fn is_service(from: &str) -> bool {
    from.len() == 34 && from.starts_with("MG")
}

fn twiml(text: &str, language: &str) -> String {
    let say = format!(r#"<Say language="{}">{}</Say>"#, escaped(language), escaped(text));
    let all = vec![say; spoken::TIMES as usize].join(r#"<Pause length="1"/>"#);
    format!("<Response>{all}</Response>")
}

/// For XML. What XML cannot hold is left out: nobody could say it.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\t' | '\n' | '\r' => xml.push(' '),
            letter if letter.is_control() || matches!(letter, '\u{FFFE}' | '\u{FFFF}') => {}
            letter => xml.push(letter),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_cannot_leave_its_place() {
        let said = twiml("</Say>\u{1}<Dial> & \"x\"", "en-US\"");
        let once = "<Say language=\"en-US&quot;\">&lt;/Say&gt;&lt;Dial&gt; &amp; &quot;x&quot;</Say>";
        assert_eq!(said.matches(once).count(), spoken::TIMES as usize);
        assert!(!said.contains("<Dial>"));
    }

    #[test]
    fn accounts_are_read_strictly_and_tell_no_secret() {
        let good = SecretString::from(r#"{"auth_token": " t0ken\n"}"#);
        let access = Twilio::read(r#"{"account_sid": "AC1"}"#, &good).unwrap();
        assert_eq!(
            (access.root.as_str(), access.secrets.auth_token.expose_secret()),
            ("https://api.twilio.com/", "t0ken")
        );
        assert!(!format!("{:?}", access.secrets).contains("t0ken"));
        for (config, secrets) in [
            (r#"{"account_sid": ""}"#, r#"{"auth_token": "t0ken"}"#),
            (r#"{"account_sid": "AC1", "acount": 1}"#, r#"{"auth_token": "t0ken"}"#),
            (r#"{"account_sid": "AC1", "base_url": "ftp://x"}"#, r#"{"auth_token": "t0ken"}"#),
            (r#"{"account_sid": "AC1"}"#, r#"{"auth_token": " "}"#),
            (r#"{"account_sid": "AC1"}"#, r#"{"auth_token": "t0ken", "more": "t0ken"}"#),
        ] {
            let error = Twilio::read(config, &secrets.into()).map(drop).unwrap_err().to_string();
            assert!(!error.contains("t0ken"), "{error}");
        }
    }
}
