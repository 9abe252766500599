//! `/webhooks`: who is told what, and how it went.
//!
//! A webhook is a subscription of the engine's; its attempts are the engine's too. What is written here is what this
//! dialect decides about them: the ladder, when a webhook is switched off, and how long its log is shown.

mod fires;
mod logs;
mod settings;

use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use engine::policy::{DeliveryPolicy, Disabling, Retried};
use engine::subscriptions::Target;

use crate::call::Call;
use crate::errors::Error;
use crate::ids;
use crate::service::Late;

/// What an operator decides about webhooks.
#[derive(Clone, Copy, Debug)]
pub struct Webhooks {
    /// How long attempts are shown, and what they sent can be sent again.
    pub log: Duration,
    pub switch_off: SwitchOff,
}

/// When a webhook that gives nothing is switched off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SwitchOff {
    /// When nothing succeeded for three days, and 20 events in a row were given up or every attempt failed for as long.
    #[default]
    Silent,
    /// When ten events in a row were given up.
    Ten,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { log: Duration::from_secs(7 * DAY), switch_off: SwitchOff::default() }
    }
}

const DAY: u64 = 24 * 60 * 60;
/// Tens to powers, and a day at most.
const LADDER: [Duration; 7] = [
    Duration::ZERO,
    Duration::from_secs(10),
    Duration::from_secs(100),
    Duration::from_secs(1_000),
    Duration::from_secs(10_000),
    Duration::from_secs(DAY),
    Duration::from_secs(DAY),
];

impl Webhooks {
    /// Seven attempts over about 51 hours. Any answer but 2xx is tried again.
    pub(crate) fn delivery(&self) -> DeliveryPolicy {
        DeliveryPolicy {
            timeout: Duration::from_secs(5),
            ladder: &LADDER,
            jitter_percent: 0,
            retried_client_errors: Retried::All,
            honours_retry_after: &[],
            disabling: match self.switch_off {
                SwitchOff::Silent => Disabling::Silent { time: Duration::from_secs(3 * DAY), given_up: 20 },
                SwitchOff::Ten => Disabling::GivenUp(10),
            },
            shows_attempts: true,
            answer_bytes: 10 << 10,
            suspension: None,
        }
    }
}

/// Relative to `/v1`.
pub(crate) fn routes() -> Router<Late> {
    Router::new()
        .route(
            "/webhooks/settings",
            get(settings::list).post(settings::create).put(settings::update).delete(settings::delete),
        )
        .route("/webhooks/test", post(fires::test))
        .route("/webhooks/logs", get(logs::list))
        .route("/webhooks/logs/redeliver", post(fires::redeliver))
}

fn target(call: &Call, id: &str) -> Result<Target, Error> {
    Ok(Target { organization: call.organization(), dialect: crate::NAME, id: ids::parse(id)? })
}
