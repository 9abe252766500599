//! Prometheus metrics: counters and histograms as they come; queues, providers and files when they are asked for.

use std::sync::OnceLock;
use std::time::Duration;

use engine::metrics::Standing;
use engine::{Clock, Engine};
use media::Blobs;
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
pub async fn render(engine: &Engine, blobs: &Blobs) -> store::Result<String> {
    for backlog in engine.backlogs().await? {
        gauge!("hermod_queue_depth", "queue" => backlog.queue).set(backlog.depth as f64);
        gauge!("hermod_queue_age_seconds", "queue" => backlog.queue).set(backlog.age_ms as f64 / 1000.0);
    }
    engine.standings().await?.iter().for_each(stands);
    gauge!("hermod_media_bytes").set(blobs.usage() as f64);
    gauge!("hermod_media_quota_bytes").set(blobs.quota() as f64);
    let handle = HANDLE.get().and_then(Option::as_ref);
    Ok(handle
        .map(|handle| {
            handle.run_upkeep();
            handle.render()
        })
        .unwrap_or_default())
}

/// How a provider stands.
fn stands(standing: &Standing) {
    let provider = standing.provider;
    for (status, count) in standing.accounts {
        gauge!("hermod_accounts", "provider" => provider, "status" => status).set(count as f64);
    }
    gauge!("hermod_senders_held", "provider" => provider).set(standing.senders_held as f64);
    if let Some(silent_ms) = standing.silent_ms {
        gauge!("hermod_provider_silent_seconds", "provider" => provider).set(silent_ms as f64 / 1000.0);
    }
}

#[cfg(test)]
mod tests {
    use engine::accounts::{self, NewAccount};
    use engine::organizations;
    use engine::receive::Received;

    use super::*;
    use crate::opening::{Purpose, open};
    use crate::settings::{Environment, Overrides, load_with};
    use crate::wiring::{Surroundings, wire};

    #[tokio::test]
    async fn providers_and_files_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let overrides = Overrides { data_dir: Some(dir.path().to_owned()), ..Overrides::default() };
        let settings = load_with(&overrides, &Environment::new()).unwrap();
        let opened = open(&settings, Purpose::Serve { sandbox: false }).await.unwrap();
        let wired = wire(&settings, &opened, Surroundings::of_a_command(&settings)).unwrap();
        let engine = &wired.engine;
        let organization = engine.perform(organizations::create(engine, "Acme")).await.unwrap().id;
        let account = NewAccount {
            organization,
            provider: "meta-cloud".to_owned(),
            external_id: "1".to_owned(),
            name: "One".to_owned(),
            config: "{}".to_owned(),
            secrets: "{}".to_owned().into(),
        };
        engine.perform(accounts::put(engine, account)).await.unwrap();
        install();
        let silent = "hermod_provider_silent_seconds{provider=\"meta-cloud\"} ";
        assert!(!render(engine, &wired.blobs).await.unwrap().contains(silent));
        engine.receive("meta-cloud", Received { facts: Vec::new(), accounts: vec!["1".to_owned()] }).await.unwrap();
        let text = render(engine, &wired.blobs).await.unwrap();
        for line in [
            "hermod_accounts{provider=\"meta-cloud\",status=\"active\"} 1\n",
            "hermod_accounts{provider=\"meta-cloud\",status=\"blocked\"} 0\n",
            "hermod_senders_held{provider=\"meta-cloud\"} 0\n",
            silent,
            "hermod_media_bytes 0\n",
            "hermod_media_quota_bytes 10737418240\n",
            "hermod_queue_depth{queue=\"media\"} 0\n",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
