//! Bringing a connection up to date by hand.

use std::time::Duration;

use serde_json::{Value, json};
use web_wire::ask::{Ask, Prekeys, Refresh, Refreshed, Synced};

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
    let jid = super::jid(&session).to_owned();
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

fn answer(jid: &str, wanted: &Refresh, done: &Refreshed) -> Value {
    json!({
        "Details": "Connection refresh completed", "refreshSuccess": done.logged_in,
        "wasConnected": done.was_connected, "wasLoggedIn": done.was_logged_in,
        "newConnected": done.connected, "newLoggedIn": done.logged_in, "jid": jid,
        "sync_options": {
            "sync_app_state": wanted.app_state, "refresh_prekeys": wanted.prekeys,
            "refresh_privacy": wanted.privacy, "auto_recovery": wanted.recover,
        },
        "sync": {
            "app_state": done.app_state.iter().map(collection).collect::<Vec<_>>(),
            "app_state_success": done.app_state.iter().all(|synced| synced.success),
            "prekeys": done.prekeys.as_ref().map_or_else(|| json!({ "checked": false }), prekeys),
            "privacy_settings": with_error(json!({ "fetched": done.privacy_fetched.unwrap_or(false) }), &done.privacy_error),
            "total_duration": duration(done.milliseconds),
        },
    })
}

fn collection(synced: &Synced) -> Value {
    let entry = json!({
        "name": synced.name, "success": synced.success, "duration": duration(synced.milliseconds),
        "recovery_requested": synced.recovery_requested,
    });
    with_error(entry, &synced.error)
}

fn prekeys(prekeys: &Prekeys) -> Value {
    let entry = json!({ "checked": true, "server_count": prekeys.on_server, "upload_triggered": prekeys.uploaded });
    with_error(entry, &prekeys.error)
}

/// Only what failed has one.
fn with_error(mut entry: Value, error: &Option<String>) -> Value {
    if let Some(error) = error {
        entry["error"] = json!(error);
    }
    entry
}

/// As Go writes it.
fn duration(milliseconds: u64) -> String {
    format!("{milliseconds}ms")
}
