//! Buying and giving back numbers: requests that somebody waits for, and what their refusals mean.

use engine::failure::Retry;
use engine::provider::{Account, CallError};
use http::Method;
use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;
use url::Url;

use super::api::Api;
use super::errand::{self, Answer, under};
use super::failure::Refusal;
use super::{Carrier, Options};

/// An account at a carrier while numbers are traded.
pub(super) struct Desk<'a, A: Api> {
    pub(super) access: A::Access,
    /// Where the carrier brings what people write.
    pub(super) inbound_url: String,
    options: &'a Options,
}

impl<A: Api> Carrier<A> {
    pub(super) fn desk(&self, account: &Account) -> Result<Desk<'_, A>, CallError> {
        let unusable = |error: super::Unusable| CallError::Unauthorized { message: error.to_string(), code: None };
        let access = A::read(&account.config, &account.secrets).map_err(unusable)?;
        let inbound_url = errand::inbound(&self.options.public_url, self.of(A::NAMES), &account.external_id);
        Ok(Desk { access, inbound_url, options: &self.options })
    }
}

impl<A: Api> Desk<'_, A> {
    pub(super) fn now(&self) -> i64 {
        self.options.clock.now()
    }

    pub(super) fn request(&self, method: Method, root: &Url, path: &[&str]) -> RequestBuilder {
        self.options.client.request(method, under(root, path)).timeout(self.options.timeout)
    }

    /// `None`: there is nothing of this name.
    pub(super) async fn find<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<Option<T>, CallError> {
        match self.ask(request).await {
            Ok(answer) => read(&answer).map(Some),
            Err(No { refusal, .. }) if refusal.status == 404 => Ok(None),
            Err(no) => Err(no.into()),
        }
    }

    /// A successful answer; else why there is none.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Answer, No> {
        let answer = errand::perform(request).await.map_err(No::of_silence)?;
        if answer.is_success() { Ok(answer) } else { Err(No { refusal: A::refusal(&answer), silent: false }) }
    }
}

pub(super) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, CallError> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        // The parser's own message may quote what it found.
        CallError::Unreadable(format!("unexpected JSON at line {} column {}", error.line(), error.column()))
    })
}

/// Why there is no answer, or none that helps.
pub(super) struct No {
    pub(super) refusal: Refusal,
    silent: bool,
}

impl No {
    fn of_silence(error: engine::failure::SendError) -> Self {
        debug_assert!(matches!(error.retry, Retry::BackOff | Retry::Unknown));
        Self { refusal: Refusal { details: Some(error.failure.message), ..Refusal::default() }, silent: true }
    }
}

impl From<No> for CallError {
    fn from(No { refusal, silent }: No) -> Self {
        let Refusal { status, code, details, .. } = refusal;
        let message = details.unwrap_or_else(|| format!("HTTP {status} without an explanation"));
        match status {
            _ if silent => Self::Unreachable(message.into()),
            401 | 402 => Self::Unauthorized { message, code },
            408 | 409 | 429 | 500.. | 300..=399 => Self::Unreachable(message.into()),
            _ => Self::Refused { message, code, details: None },
        }
    }
}
