//! Telling a platform, and telling it again when it did not listen.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use crate::world::World;

/// One try: address, headers and body. Made anew for each, as some signatures hold the time.
pub(crate) struct Post {
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// How a carrier tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// As often as the address asks for (`#rc=`), once if it asks for nothing; at an answer other than 2xx only with
    /// `rp=all`.
    Twilio { times: u32, always: bool },
    /// Three tries for an address, then three for the one that stands in.
    Telnyx,
    /// For a day, with growing pauses.
    Vonage,
    /// For three days, with growing pauses.
    Stripe,
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Policy {
    /// Reads what an address asks for.
    pub(super) fn twilio(url: &str) -> Self {
        let asked = url.split_once('#').map_or("", |(_, asked)| asked);
        let get = |name: &str| url::form_urlencoded::parse(asked.as_bytes()).find(|(key, _)| key == name);
        let times = get("rc").and_then(|(_, count)| count.parse().ok()).unwrap_or(1).min(5);
        Self::Twilio { times, always: get("rp").is_some_and(|(_, which)| which == "all") }
    }

    /// The pause before the next try, `tried` having failed; `None`: give up.
    fn pause(self, tried: u32, outcome: &Result<u16, String>, age_ms: i64) -> Option<Duration> {
        let wait = Duration::from_millis;
        match self {
            Self::Twilio { times, always } => (tried <= times && (always || outcome.is_err())).then(|| wait(100)),
            Self::Telnyx => (tried < 6).then(|| wait(250)),
            Self::Stripe => (age_ms < 3 * DAY_MS).then(|| wait(100 << tried.min(9))),
            Self::Vonage => (age_ms < DAY_MS).then(|| wait(100 << tried.min(9))),
        }
    }
}

/// Which try it is, from 1, and the time: milliseconds since 1970.
pub(crate) struct Try {
    pub(crate) number: u32,
    pub(crate) now: i64,
}

/// Tells, and returns after the first try; the others follow by themselves.
pub(crate) async fn tell<F>(world: &Arc<World>, policy: Policy, post: F)
where
    F: Fn(&Try) -> Post + Send + Sync + 'static,
{
    let began = world.now();
    let outcome = once(world, 1, &post).await;
    if !is_taken(&outcome) {
        let world = Arc::clone(world);
        tokio::spawn(async move { again(&world, policy, began, outcome, post).await });
    }
}

async fn again<F>(world: &World, policy: Policy, began: i64, mut outcome: Result<u16, String>, post: F)
where
    F: Fn(&Try) -> Post + Send + Sync,
{
    let mut tried = 1;
    while !is_taken(&outcome) {
        let Some(pause) = policy.pause(tried, &outcome, world.now() - began) else {
            tracing::warn!(?outcome, tried, "a carrier gives up telling the platform");
            return;
        };
        if !world.pause(pause).await {
            return;
        }
        tried += 1;
        outcome = once(world, tried, &post).await;
    }
}

async fn once<F: Fn(&Try) -> Post>(world: &World, number: u32, post: &F) -> Result<u16, String> {
    let Post { url, headers, body } = post(&Try { number, now: world.now() });
    // What stands behind `#` is for whoever calls.
    let url = url.split('#').next().unwrap_or_default().to_owned();
    world.outside.push(url, headers, body).await
}

fn is_taken(outcome: &Result<u16, String>) -> bool {
    matches!(outcome, Ok(200..=299))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_carrier_tries_again_in_its_own_way() {
        let (lost, refused) = (Err("gone".to_owned()), Ok(503));
        let bare = Policy::twilio("https://h.example/w?m=1");
        assert!(bare.pause(1, &lost, 0).is_some() && bare.pause(1, &refused, 0).is_none());
        assert!(bare.pause(2, &lost, 0).is_none());
        let asked = Policy::twilio("https://h.example/w#rc=9&rp=all");
        assert_eq!(asked, Policy::Twilio { times: 5, always: true });
        assert!(asked.pause(5, &refused, 0).is_some() && asked.pause(6, &refused, 0).is_none());
        assert!(Policy::Telnyx.pause(5, &refused, 0).is_some() && Policy::Telnyx.pause(6, &refused, 0).is_none());
        assert!(Policy::Vonage.pause(1000, &refused, DAY_MS - 1).is_some());
        assert!(Policy::Vonage.pause(3, &refused, DAY_MS).is_none());
    }
}
