//! Prometheus metrics: counters and histograms as they come, queues when they are asked for.

use std::sync::OnceLock;
use std::time::Duration;

use engine::{Clock, Engine};
use metrics::gauge;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Installs the recorder of this process, once.
pub fn install() {
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_size".into()), SIZES));
        builder.and_then(PrometheusBuilder::install_recorder).ok()
    });
}

/// How often what was observed is put into its buckets.
const SORT_EVERY: Duration = Duration::from_secs(1);

/// Puts what was observed into its buckets, for ever: until then each observation takes 16 bytes, whether or not anybody asks.
pub async fn sort(clock: Clock) {
    loop {
        clock.sleep(SORT_EVERY).await;
        if let Some(handle) = HANDLE.get().and_then(Option::as_ref) {
            handle.run_upkeep();
        }
    }
}

/// The text that Prometheus reads.
pub async fn render(engine: &Engine) -> store::Result<String> {
    for backlog in engine.backlogs().await? {
        gauge!("hermod_queue_depth", "queue" => backlog.queue).set(backlog.depth as f64);
        gauge!("hermod_queue_age_seconds", "queue" => backlog.queue).set(backlog.age_ms as f64 / 1000.0);
    }
    let handle = HANDLE.get().and_then(Option::as_ref);
    Ok(handle
        .map(|handle| {
            handle.run_upkeep();
            handle.render()
        })
        .unwrap_or_default())
}
