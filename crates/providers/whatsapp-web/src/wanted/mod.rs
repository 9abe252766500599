//! Messages that were lost between WhatsApp and us, had again from the owner's phone.
//!
//! **Who acts.** The library's storage notes what it finds to be lost (`backend::wanted`), the session what cannot be
//! read (`receive`). The session asks the phone for it at once and after every connect ([`ask`]). The phone's answer is
//! a message between devices like any other: what it holds is committed by the hook together with everything else
//! ([`Answers`]), and only then is the note deleted.
//!
//! **What is promised.** A message is asked for until it is here or the phone has answered, be it that it has nothing,
//! for fourteen days at most. It is taken in under the names that its stanza had, so that it is here once, whichever way
//! it came first.
//!
//! **Killed.** The note is on the disk before WhatsApp hears that we have the message. After a start everything that is
//! noted is asked for; what has come meanwhile is not, and its note goes.

mod answer;
mod request;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use answer::Answers;

use crate::backend::{Backend, Wanted};
use crate::live::Connection;

/// What the phone was asked for since the connection came up, by the id of the request.
#[derive(Debug, Default)]
pub(crate) struct Asked(Mutex<HashMap<String, Wanted>>);

impl Asked {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Wanted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was on its way may have been lost with the connection.
    pub(crate) fn came_up(&self) {
        self.lock().clear();
    }

    /// `false` when it was asked for already.
    fn begin(&self, request: &str, wanted: &Wanted) -> bool {
        let mut asked = self.lock();
        let fresh = !asked.values().any(|other| other == wanted);
        if fresh {
            asked.insert(request.to_owned(), wanted.clone());
        }
        fresh
    }

    /// What a request was for.
    fn of(&self, request: &str) -> Option<Wanted> {
        self.lock().get(request).cloned()
    }

    fn failed(&self, request: &str) {
        self.lock().remove(request);
    }
}

/// Asks the phone for everything that is wanted, once for each connection.
pub(crate) async fn ask(live: &Connection, backend: &Backend, asked: &Asked) -> anyhow::Result<()> {
    let mut here = Vec::new();
    for wanted in backend.wanted().await? {
        if backend.is_here(&wanted).await? {
            here.push(wanted);
            continue;
        }
        let request = live.client.generate_message_id();
        if asked.begin(&request, &wanted)
            && let Err(error) = request::send(&live.client, &request, &wanted).await
        {
            asked.failed(&request);
            return Err(error);
        }
    }
    Ok(backend.no_longer_wanted(&here).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_asked_for_once_for_each_connection_unless_that_failed() {
        let wanted = |id: &str| Wanted { chat: "1@lid".into(), sender: "1@lid".into(), id: id.into(), late: true };
        let asked = Asked::default();
        assert!(asked.begin("r1", &wanted("a")) && asked.begin("r2", &wanted("b")));
        assert!(!asked.begin("r3", &wanted("a")));
        assert_eq!((asked.of("r1"), asked.of("r3")), (Some(wanted("a")), None));
        asked.failed("r2");
        assert!(asked.begin("r4", &wanted("b")) && !asked.begin("r5", &wanted("a")));
        asked.came_up();
        assert!(asked.begin("r6", &wanted("a")));
    }
}
