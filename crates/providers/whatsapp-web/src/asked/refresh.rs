//! Bringing a session up to date by hand.

use std::time::Duration;

use wacore::appstate::patch_decode::WAPatchName;
use wacore_binary::NodeContent;
use wacore_binary::builder::NodeBuilder;
use web_wire::ask::{Prekeys, Refresh, Refreshed, Synced};
use whatsapp_rust::Client;
use whatsapp_rust::request::InfoQuery;
use whatsapp_rust::sync_task::MajorSyncTask;

use crate::live::Connection;

/// How long a connection that was closed for it may take to come back.
const RECONNECT: Duration = Duration::from_secs(20);

/// What questions about collections are asked under.
const NAMESPACE: &str = "w:sync:app:state";

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
        // Asked whether it is connected, the library may still mean the connection that it is closing.
        let mut up = live.next_up();
        client.reconnect_immediately().await;
        tokio::select! {
            _ = up.changed() => {}
            () = live.clock.sleep(RECONNECT) => {}
        }
    }
    if wanted.app_state {
        done.app_state = collections(live, wanted.recover).await;
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

async fn collections(live: &Connection, recover: bool) -> Vec<Synced> {
    let mut all = Vec::new();
    for (name, collection) in COLLECTIONS {
        let began = live.clock.now();
        let mut error = sync(live, collection, false).await;
        // What cannot be brought up to date is fetched anew as a whole.
        let recovered = recover && error.is_some() && live.client.is_logged_in();
        if recovered {
            error = sync(live, collection, true).await;
        }
        all.push(Synced {
            name: name.to_owned(),
            success: error.is_none(),
            error,
            milliseconds: u64::try_from(live.clock.now() - began).unwrap_or_default(),
            recovery_requested: recovered,
        });
    }
    all
}

/// Why a collection is not up to date after it was synced: the library does not say how that went, so WhatsApp is asked
/// for what is newer than what is held.
async fn sync(live: &Connection, collection: WAPatchName, full_sync: bool) -> Option<String> {
    live.client.process_sync_task(MajorSyncTask::AppStateSync { name: collection, full_sync }).await;
    newer(&live.client, collection).await.err().map(|error| error.to_string())
}

async fn newer(client: &Client, collection: WAPatchName) -> anyhow::Result<()> {
    let held = client.persistence_manager().backend().get_version(collection.as_str()).await?.version;
    let wanted = NodeBuilder::new("collection")
        .attr("name", collection.as_str())
        .attr("version", held)
        .attr("return_snapshot", "false")
        .build();
    let sync = NodeBuilder::new("sync").children([wanted]).build();
    let server = wacore_binary::Jid::new("", wacore_binary::Server::Pn);
    let answer = client.send_iq(InfoQuery::set(NAMESPACE, server, Some(NodeContent::Nodes(vec![sync])))).await?;
    let answer = answer.get();
    let told = |names: &[&'static str]| answer.get_optional_child_by_tag(names);
    if let Some(error) = told(&["sync", "collection", "error"]) {
        anyhow::bail!("WhatsApp refused it ({})", error.attrs().optional_string("code").unwrap_or_default());
    }
    anyhow::ensure!(told(&["sync", "collection", "patches", "patch"]).is_none(), "there is more than could be read");
    Ok(())
}
