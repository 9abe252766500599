//! Finding out that nothing is heard on an open socket.

use std::time::Duration;

use wacore::iq::keepalive::KeepaliveSpec;

use crate::live::Connection;

/// How often we look.
const LOOK_EVERY_MS: i64 = 60_000;
/// How long a server may take to answer a probe.
const PROBE: Duration = Duration::from_secs(15);

/// Remembers what was heard.
pub(super) struct Ear {
    look_at: i64,
    frames: u64,
}

impl Ear {
    pub(super) fn new(now: i64) -> Self {
        Self { look_at: now + LOOK_EVERY_MS, frames: 0 }
    }

    /// When to look next, in milliseconds.
    pub(super) fn look_at(&self) -> i64 {
        self.look_at
    }

    /// Nothing came since the last look, and a probe goes unanswered.
    pub(super) async fn is_deaf(&mut self, live: &Connection, now: i64) -> bool {
        self.look_at = now + LOOK_EVERY_MS;
        let heard = live.client.stats().frames_received;
        let silent = std::mem::replace(&mut self.frames, heard) == heard;
        if !silent || !live.client.is_logged_in() {
            return false;
        }
        tokio::select! {
            answer = live.client.execute(KeepaliveSpec::new()) => answer.is_err(),
            () = live.clock.sleep(PROBE) => true,
        }
    }
}
