//! Meta's Graph API, call by call: one file per noun, each call typed, nothing remembered.
//!
//! All calls go out through [`Graph::call`] or [`Graph::open`], which put the token into a header that is never
//! printed, give the call its time and sort what comes back into [`Error`]. Retrying is the caller's business.

mod answer;
mod apps;
mod blocks;
mod commerce;
mod error;
mod media;
mod messages;
mod pages;
mod phones;
mod preverified;
mod profile;
mod registration;
mod settings;
mod templates;
mod uploads;
mod wabas;

use std::time::Duration;

use http::Method;
pub use media::{Download, Upload};
use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

pub use error::Error;

/// What a call has to tell.
pub type Result<T> = std::result::Result<T, Error>;

/// The API as one token sees it.
#[derive(Clone, Debug)]
pub struct Graph {
    client: reqwest::Client,
    root: Url,
    version: String,
    token: SecretString,
    timeout: Duration,
}

/// Moving files takes longer than calls.
const TRANSFER: u32 = 10;

impl Graph {
    /// `version` may be empty: then the app's default version answers.
    #[must_use]
    pub fn new(client: reqwest::Client, root: Url, version: String, token: SecretString, timeout: Duration) -> Self {
        Self { client, root, version, token, timeout }
    }

    /// The same API under another token.
    #[must_use]
    pub fn with_token(&self, token: SecretString) -> Self {
        Self { token, ..self.clone() }
    }

    pub(crate) fn root(&self) -> &Url {
        &self.root
    }

    fn get(&self, path: &[&str]) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    fn post(&self, path: &[&str]) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    fn delete(&self, path: &[&str]) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.root.clone();
        // An id cannot leave its place in the path: segments are escaped, and dots alone are dropped.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty();
            segments.extend(Some(&self.version).filter(|version| !version.is_empty()));
            segments.extend(path);
        }
        self.client.request(method, url).timeout(self.timeout)
    }

    /// Sends, and reads the whole answer as JSON.
    async fn call<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        answer::read(self.open(request).await?).await
    }

    /// Sends; the answer's body is still to be read.
    async fn open(&self, request: RequestBuilder) -> Result<Response> {
        Self::answered(request.bearer_auth(self.token.expose_secret())).await
    }

    /// Sends what has its token already.
    async fn answered(request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(Error::of_transport)?;
        if response.status().is_success() { Ok(response) } else { Err(answer::refusal(response).await) }
    }
}
