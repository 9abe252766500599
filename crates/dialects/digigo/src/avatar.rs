//! The address of an account's own picture.
//!
//! WhatsApp is asked for it at most once a day, and not by lists: those show what is known. What this process knows is
//! lost with it, and asked for again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine::Id;
use engine::sessions;
use web_wire::ask::{Ask, Picture, PictureAsk};
use web_wire::jid::Jid;

use crate::admin::Shown;
use crate::service::Digigo;

/// A caller who asks how his account stands does not wait longer for its picture.
const PATIENCE: Duration = Duration::from_secs(3);
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// When somebody is asked again who did not answer.
const LATER_MS: i64 = 10 * 60 * 1000;

/// By account.
#[derive(Default)]
pub(crate) struct Avatars(Mutex<HashMap<Id, Known>>);

struct Known {
    /// Whose it is: an account may be linked to somebody else.
    jid: String,
    url: String,
    /// Milliseconds.
    until: i64,
}

impl Avatars {
    fn known(&self, sender: &Id, jid: &str, now: i64) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(sender).filter(|known| known.jid == jid && now < known.until).map(|known| known.url.clone())
    }

    fn keep(&self, sender: Id, known: Known) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(sender, known);
    }

    pub(crate) fn forget(&self, sender: &Id) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(sender);
    }
}

/// As far as it is known; empty: it is not, or there is none.
pub(crate) fn known(digigo: &Digigo, seen: &Shown) -> String {
    digigo.avatars.known(&seen.user.sender.id, &seen.jid(), digigo.engine.now()).unwrap_or_default()
}

/// The same, after asking where it is time to.
pub(crate) async fn look(digigo: &Digigo, seen: &Shown) -> String {
    let (jid, sender, now) = (seen.jid(), seen.user.sender.id, digigo.engine.now());
    let known = digigo.avatars.known(&sender, &jid, now);
    if known.is_some() || !seen.logged_in() {
        return known.unwrap_or_default();
    }
    let (url, good_for) = match ask(digigo, &sender, &jid).await {
        Some(picture) => (picture.map(|picture| picture.url).unwrap_or_default(), DAY_MS),
        None => (String::new(), LATER_MS),
    };
    digigo.avatars.keep(sender, Known { jid, url: url.clone(), until: now + good_for });
    url
}

/// `None`: nobody knows.
async fn ask(digigo: &Digigo, sender: &Id, jid: &str) -> Option<Option<Picture>> {
    let address = jid.parse::<Jid>().ok()?.bare();
    let wish = Ask::Picture(PictureAsk { address, preview: true, ..PictureAsk::default() });
    let (name, fields) = wish.into_parts();
    let answer = sessions::call(&digigo.engine, sender, &name, fields, PATIENCE).await.ok()?;
    serde_json::from_value(answer).ok()
}
