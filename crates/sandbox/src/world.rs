//! What all parts share: time, chance, state, the way out, and the background work that keeps them true.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::faults::{self, Fault, Kind, Target};
use crate::graph::messages::wanted::LINK_CACHE_MS;
use crate::ids::{Ids, Seed};
use crate::journal::{Journal, Line};
use crate::media::{Files, Stored};
use crate::outbound::{Outbound, Peer};
use crate::saved;
use crate::state::State;
use crate::web::Web;
use crate::webhooks::Pushes;

pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) seed: Seed,
    pub(crate) ids: Ids,
    pub(crate) outbound: Outbound,
    pub(crate) files: Files,
    pub(crate) journal: Journal,
    pub(crate) pushes: Pushes,
    /// WhatsApp Web, in a build that has it.
    pub(crate) web: Option<Web>,
    /// SMS, calls and mail; there from the start on.
    pub(crate) carriers: OnceLock<sandbox_carriers::Handle>,
    pub(crate) control_url: String,
    pub(crate) graph_url: String,
    /// Guards control API and page where they are exposed.
    pub(crate) token: Option<String>,
    /// What pages are told: the phone whose screen changed.
    pub(crate) screens: broadcast::Sender<String>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) dir: Option<PathBuf>,
    changed: Notify,
    /// Held while the snapshot is written: the newest comes last.
    saving: Mutex<()>,
    state: Mutex<State>,
    links: Mutex<HashMap<String, (i64, Stored, String)>>,
}

/// What `World::new` is made of, besides the state.
pub(crate) struct Parts {
    pub(crate) clock: Clock,
    pub(crate) seed: Seed,
    pub(crate) outbound: Outbound,
    pub(crate) files: Files,
    pub(crate) journal: Journal,
    pub(crate) web: Option<Web>,
    pub(crate) control_url: String,
    pub(crate) graph_url: String,
    pub(crate) token: Option<String>,
    pub(crate) dir: Option<PathBuf>,
}

pub(crate) type Shared = Arc<World>;

impl World {
    pub(crate) fn new(parts: Parts, state: State) -> Shared {
        Arc::new(Self {
            ids: Ids::new(&parts.seed, state.run),
            clock: parts.clock,
            seed: parts.seed,
            outbound: parts.outbound,
            files: parts.files,
            journal: parts.journal,
            pushes: Pushes::default(),
            web: parts.web,
            carriers: OnceLock::new(),
            control_url: parts.control_url,
            graph_url: parts.graph_url,
            token: parts.token,
            screens: broadcast::Sender::new(256),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            dir: parts.dir,
            changed: Notify::new(),
            saving: Mutex::default(),
            state: Mutex::new(state),
            links: Mutex::default(),
        })
    }

    /// The state, locked. Never hold it across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something in the snapshot changed; it is saved soon.
    pub(crate) fn touch(&self) {
        self.changed.notify_one();
    }

    pub(crate) fn take_fault(&self, target: Target, path: &str) -> Option<Fault> {
        let mut state = self.state();
        if state.faults.is_empty() {
            return None;
        }
        faults::take(&mut state.faults, target, path, || self.ids.below(100))
    }

    /// The same, of some kinds only.
    pub(crate) fn take_fault_of(&self, target: Target, kinds: &[Kind]) -> Option<Fault> {
        let mut state = self.state();
        faults::take_kind(&mut state.faults, target, kinds, || self.ids.below(100))
    }

    /// Runs `work` until it is done or the sandbox stops.
    pub(crate) fn spawn(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let _ = stop.run_until_cancelled(work).await;
        });
    }

    /// Writes the snapshot now.
    pub(crate) fn save(&self) -> Result<(), saved::Error> {
        let Some(dir) = &self.dir else { return Ok(()) };
        let _alone = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = {
            let mut state = self.state();
            state.offset_ms = self.clock.offset_ms();
            serde_json::to_vec(&*state)
        };
        let snapshot = snapshot.map_err(|source| saved::Error::Format { path: dir.clone(), source })?;
        saved::save(dir, &snapshot)
    }

    /// Sets the clock forward and tells every platform, in the background.
    pub(crate) fn move_clock(self: &Arc<Self>, offset_ms: i64) -> bool {
        let moved = self.clock.move_to(offset_ms);
        if moved {
            self.touch();
            let peers: Vec<Peer> = self
                .state()
                .platforms
                .iter()
                .map(|platform| Peer::Platform(format!("{}/sandbox/clock", platform.base_url)))
                .collect();
            for peer in peers {
                let world = Arc::clone(self);
                self.spawn(async move { world.tell_clock(&peer).await });
            }
        }
        moved
    }

    async fn tell_clock(&self, peer: &Peer) {
        let body = format!(r#"{{"offset_ms":{}}}"#, self.clock.offset_ms()).into_bytes();
        let mut headers = crate::outbound::json_headers();
        headers.extend(self.token.as_deref().and_then(crate::outbound::bearer));
        let told = self.outbound.call(http::Method::PUT, peer, headers, body).await;
        match told {
            Ok(answer) if answer.status < 300 => {}
            Ok(answer) => tracing::warn!(status = answer.status, "a platform would not be told the time"),
            Err(error) => tracing::debug!(%error, "a platform could not be told the time"),
        }
    }
}

/// Keeps the snapshot and the journal in shape until the sandbox stops.
pub(crate) fn keep(world: &Shared) {
    let saver = Arc::clone(world);
    world.spawn(async move {
        loop {
            saver.changed.notified().await;
            crate::clock::pause(Duration::from_millis(500)).await;
            let world = Arc::clone(&saver);
            let saved = tokio::task::spawn_blocking(move || world.save()).await;
            if let Ok(Err(error)) = saved {
                tracing::error!(%error, "the sandbox could not save its state");
            }
        }
    });
    let keeper = Arc::clone(world);
    world.spawn(async move {
        loop {
            crate::clock::pause(Duration::from_secs(5)).await;
            if keeper.journal.wants_rewrite() {
                rewrite(&keeper);
            }
        }
    });
}

fn rewrite(world: &World) {
    let state = world.state();
    let mut lines: Vec<Line> = state.messages.iter().cloned().map(Line::Message).collect();
    lines.extend(state.chats.iter().cloned().map(Line::Seen));
    lines.extend(world.pushes.owed().into_iter().map(|(number, (lane, item))| Line::Owed(number, lane, item)));
    world.journal.rewrite(lines);
}

impl World {
    /// Where a page or a test finds stored media.
    pub(crate) fn media_link(&self, sha256: &str, mime: &str) -> String {
        let mime = percent_encoding::utf8_percent_encode(mime, percent_encoding::NON_ALPHANUMERIC);
        format!("{}/media/{sha256}?type={mime}", self.control_url)
    }

    /// What a link led to in the last ten minutes.
    pub(crate) fn cached_link(&self, link: &str) -> Option<(Stored, String)> {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, file, mime) = links.get(link)?;
        (*until > self.clock.now()).then(|| (file.clone(), mime.clone()))
    }

    pub(crate) fn cache_link(&self, link: &str, file: &Stored, mime: &str) {
        let now = self.clock.now();
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if links.len() >= 1000 {
            links.retain(|_, (until, ..)| *until > now);
        }
        links.insert(link.to_owned(), (now + LINK_CACHE_MS, file.clone(), mime.to_owned()));
    }
}
