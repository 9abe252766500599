//! Carriers: SMS and spoken codes over SMPP and HTTP, mail over SMTP.

use std::sync::Arc;
use std::time::Duration;

use engine::provider::Provider;
use provider_telecom::{http, smpp};

use super::{Error, Surroundings, policy};
use crate::settings::Settings;

pub(super) fn wire(settings: &Settings, around: &Surroundings) -> Result<Vec<Arc<dyn Provider>>, Error> {
    let timeout = settings.carriers.timeout.0;
    let client = net::plain_client(&net::PlainSettings {
        connect_timeout: Duration::from_secs(10),
        timeout,
        extra_roots: Vec::new(),
    })?;
    let public_url = around.public_url.trim_end_matches('/').to_owned();
    let options = http::Options { client, public_url, clock: around.clock.clone(), timeout };
    let mut providers = http::providers(&options);
    providers.push(Arc::new(smpp::Smpp::new(smpp::Options::new()?)));
    providers.push(Arc::new(provider_email::Smtp::new(provider_email::Options { plain: policy(settings) })));
    Ok(providers)
}
