use std::time::Duration;

use reqwest::redirect::Policy;

use crate::Error;
use crate::tls::{self, Certificate};

/// How to reach hosts that the operator configured.
#[derive(Clone, Debug)]
pub struct PlainSettings {
    /// For the connection and the TLS handshake.
    pub connect_timeout: Duration,
    /// For the whole request, its answer included.
    pub timeout: Duration,
    /// Trusted besides the public web's roots.
    pub extra_roots: Vec<Certificate>,
}

impl Default for PlainSettings {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(5), timeout: Duration::from_secs(30), extra_roots: Vec::new() }
    }
}

/// A client for hosts that the operator configured: any address, but no redirects and no proxies from the environment.
pub fn plain_client(settings: &PlainSettings) -> Result<reqwest::Client, Error> {
    let builder = closed(&settings.extra_roots)?.connect_timeout(settings.connect_timeout).timeout(settings.timeout);
    Ok(builder.build()?)
}

/// The ground of every client: our TLS, no redirects, no proxies, no `Referer`.
#[expect(clippy::disallowed_methods, reason = "the one place where clients are made")]
pub(crate) fn closed(extra_roots: &[Certificate]) -> Result<reqwest::ClientBuilder, Error> {
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls::tls_config(extra_roots)?)
        .user_agent(concat!("hermod/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .referer(false)
        .redirect(Policy::none()))
}
