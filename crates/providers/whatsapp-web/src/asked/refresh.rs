//! Bringing a session up to date by hand.

use std::time::Duration;

use wacore::appstate::patch_decode::WAPatchName;
use web_wire::ask::{Prekeys, Refresh, Refreshed, Synced};
use whatsapp_rust::sync_task::MajorSyncTask;

use crate::live::Connection;

/// How long a connection that was closed for it may take to come back.
const RECONNECT: Duration = Duration::from_secs(20);

const COLLECTIONS: [(&str, WAPatchName); 5] = [
    ("critical_block", WAPatchName::CriticalBlock),
    ("critical_unblock_low", WAPatchName::CriticalUnblockLow),
    ("regular_low", WAPatchName::RegularLow),
    ("regular_high", WAPatchName::RegularHigh),
    ("regular", WAPatchName::Regular),
];

pub(super) async fn refresh(live: &Connection, wanted: Refresh) -> Refreshed {
    let (client, began) = (&live.client, live.clock.now());
    let mut done = Refreshed {
        was_connected: client.is_connected(),
        was_logged_in: client.is_logged_in(),
        ..Refreshed::default()
    };
    if wanted.reconnect {
        client.reconnect_immediately().await;
        let _ = client.wait_for_connected(RECONNECT).await;
    }
    if wanted.app_state {
        done.app_state = collections(live).await;
    }
    if wanted.prekeys {
        let uploaded = client.ensure_pre_keys().await;
        done.prekeys =
            Some(Prekeys { on_server: 0, uploaded: uploaded.is_ok(), error: uploaded.err().map(|e| e.to_string()) });
    }
    if wanted.privacy {
        let fetched = client.fetch_privacy_settings().await;
        (done.privacy_fetched, done.privacy_error) = (Some(fetched.is_ok()), fetched.err().map(|e| e.to_string()));
    }
    done.connected = client.is_connected();
    done.logged_in = client.is_logged_in();
    done.milliseconds = u64::try_from(live.clock.now() - began).unwrap_or_default();
    done
}

/// A collection that fails says so in an event of its own; `failed` gathers those.
async fn collections(live: &Connection) -> Vec<Synced> {
    let mut all = Vec::new();
    for (name, collection) in COLLECTIONS {
        let began = live.clock.now();
        live.sync_failures.forget(name);
        live.client.process_sync_task(MajorSyncTask::AppStateSync { name: collection, full_sync: false }).await;
        let error = live.sync_failures.of(name);
        all.push(Synced {
            name: name.to_owned(),
            success: error.is_none(),
            error,
            milliseconds: u64::try_from(live.clock.now() - began).unwrap_or_default(),
            recovery_requested: false,
        });
    }
    all
}
