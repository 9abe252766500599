//! Bringing a connection up to date by hand.

use std::time::Duration;

use serde_json::json;
use web_wire::ask::{Ask, Refresh, Refreshed};

use crate::answer::Answer;
use crate::asking::{ask_for, told};
use crate::call::{Call, Handled};
use crate::errors::Error;

/// It is slow by nature.
const PATIENCE: Duration = Duration::from_secs(55);

pub(crate) async fn refresh(call: Call) -> Handled {
    let wish = |names: &[&str]| Ok::<_, Error>(call.body.flag(names)?.unwrap_or(true));
    let wanted = Refresh {
        app_state: wish(&["sync_app_state"])?,
        prekeys: wish(&["refresh_prekeys"])?,
        privacy: wish(&["refresh_privacy"])?,
        recover: wish(&["auto_recovery"])?,
        reconnect: true,
    };
    let session = call.engine().session(&call.user.sender.id).await?.filter(|session| session.wanted);
    let session = session.ok_or_else(Error::no_session)?;
    let jid = session.identity.as_ref().and_then(|identity| identity["jid"].as_str()).unwrap_or_default().to_owned();
    if jid.is_empty() {
        return Err(Error::bad("no JID found, QR scan required for initial pairing"));
    }
    let done: Refreshed = ask_for(&call, Ask::Refresh(wanted), PATIENCE).await.map_err(told)?;
    if !done.logged_in {
        return Err(failed(&done));
    }
    Ok(Answer::of(answer(&jid, &wanted, &done)))
}

fn failed(done: &Refreshed) -> Error {
    Error::failed("Failed to refresh connection")
        .beside("refreshSuccess", false)
        .beside("wasConnected", done.was_connected)
        .beside("wasLoggedIn", done.was_logged_in)
        .beside("newConnected", done.connected)
        .beside("newLoggedIn", done.logged_in)
}

fn answer(jid: &str, wanted: &Refresh, done: &Refreshed) -> serde_json::Value {
    let seconds = |milliseconds: u64| format!("{}ms", milliseconds);
    let collections: Vec<_> = done
        .app_state
        .iter()
        .map(|synced| {
            let mut entry = json!({
                "name": synced.name, "success": synced.success, "duration": seconds(synced.milliseconds),
                "recovery_requested": synced.recovery_requested,
            });
            if let Some(error) = &synced.error {
                entry["error"] = json!(error);
            }
            entry
        })
        .collect();
    let succeeded = done.app_state.iter().all(|synced| synced.success);
    let prekeys = done.prekeys.as_ref().map(|prekeys| {
        let mut entry = json!({
            "checked": true, "server_count": prekeys.on_server, "upload_triggered": prekeys.uploaded,
        });
        if let Some(error) = &prekeys.error {
            entry["error"] = json!(error);
        }
        entry
    });
    let mut privacy = json!({ "fetched": done.privacy_fetched.unwrap_or(false) });
    if let Some(error) = &done.privacy_error {
        privacy["error"] = json!(error);
    }
    json!({
        "Details": "Connection refresh completed", "refreshSuccess": done.logged_in,
        "wasConnected": done.was_connected, "wasLoggedIn": done.was_logged_in,
        "newConnected": done.connected, "newLoggedIn": done.logged_in, "jid": jid,
        "sync_options": {
            "sync_app_state": wanted.app_state, "refresh_prekeys": wanted.prekeys,
            "refresh_privacy": wanted.privacy, "auto_recovery": wanted.recover,
        },
        "sync": {
            "app_state": collections, "app_state_success": succeeded,
            "prekeys": prekeys.unwrap_or_else(|| json!({ "checked": false })),
            "privacy_settings": privacy, "total_duration": seconds(done.milliseconds),
        },
    })
}
