//! `/session/status`.

use serde_json::{Value, json};

use crate::admin::shown;
use crate::answer::Answer;
use crate::avatar;
use crate::call::{Call, Handled};
use crate::guard::User;

pub(crate) async fn status(call: Call) -> Handled {
    let user = User::of(call.user.sender.clone(), call.user.token.clone());
    let seen = shown(&call.digigo, user).await?;
    let now = call.engine().now();
    let mut all = json!({
        "id": seen.user.id(), "name": seen.user.sender.name,
        "avatar_url": avatar::look(&call.digigo, &seen).await,
        "connected": seen.connected(), "loggedIn": seen.logged_in(), "hasClient": seen.has_client(),
        "connectionHealth": seen.health(), "lastSuccessfulConnect": seen.last_connect(),
        "autoReconnectErrors": seen.failures(), "enableAutoReconnect": true, "expiration": 0,
        "token": seen.user.token, "jid": seen.jid(), "webhook": seen.webhook, "events": seen.events(),
        "proxy_url": seen.proxy(&call.digigo).unwrap_or_default(), "qrcode": seen.qr_picture(),
        "timestamp": now / 1000,
    });
    if let (Some(all), Some(session)) = (all.as_object_mut(), &seen.session) {
        all.insert("state".into(), json!(session.state.as_str()));
        all.insert("stateReason".into(), json!(session.reason));
        all.insert("nextStep".into(), json!(session.next_step));
    }
    if let Value::Object(all) = &mut all {
        all.extend(seen.settings(&call.digigo));
    }
    Ok(Answer::of(all))
}
