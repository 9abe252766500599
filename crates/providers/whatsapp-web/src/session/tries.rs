//! Connections that do not come to be, or do not hold.
//!
//! The library makes the connection, and makes it anew with pauses of its own; of an attempt that came to nothing it says
//! nothing. A [`Door`] stands in its way and tells the session of each. [`Tries`] counts them: when they are used up the
//! session ends, so that it shows as failed and is tried again with the growing pauses that all sessions have.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use wacore::net::{Transport, TransportEvent, TransportFactory};

use crate::transport::{Error, Socket, Stage};

/// Attempts in a row that may come to nothing.
const MOST_FAILED: u32 = 5;
/// How often a connection may break in [`LATELY_MS`].
const MOST_BROKEN: usize = 5;
const LATELY_MS: i64 = 10 * 60 * 1000;
/// Attempts that may wait to be heard of; the library makes them one after another.
const WAITING: usize = 16;

/// How an attempt went.
#[derive(Debug)]
pub(super) enum Attempt {
    /// The socket is open; whether the server speaks to us shows later.
    Opened,
    Failed(Trouble),
}

/// Why there is no connection, and what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub reason: String,
    pub next_step: &'static str,
}

/// Opens the library's connections and tells of it.
pub(super) struct Door {
    socket: Socket,
    tell: mpsc::Sender<Attempt>,
}

impl Door {
    pub(super) fn new(socket: Socket) -> (Self, mpsc::Receiver<Attempt>) {
        let (tell, attempts) = mpsc::channel(WAITING);
        (Self { socket, tell }, attempts)
    }
}

#[async_trait]
impl TransportFactory for Door {
    async fn create_transport(&self) -> anyhow::Result<(Arc<dyn Transport>, async_channel::Receiver<TransportEvent>)> {
        let made = self.socket.create_transport().await;
        let attempt = made.as_ref().map_or_else(|error| Attempt::Failed(Trouble::of(error)), |_| Attempt::Opened);
        // A session that has ended does not listen.
        let _ = self.tell.try_send(attempt);
        made
    }
}

impl Trouble {
    fn of(error: &anyhow::Error) -> Self {
        let next_step = error.downcast_ref().map_or(AGAIN, next_step);
        // Where an address was refused, what is behind it names the address.
        let told = match error.downcast_ref() {
            Some(Error::Address(..)) => error.to_string(),
            _ => error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "),
        };
        Self { reason: told, next_step }
    }

    /// The server opened a socket and then did not speak its protocol on it.
    fn mute() -> Self {
        Self { reason: "the server opens a socket and says nothing on it".into(), next_step: AGAIN }
    }

    /// Connections come to be and break.
    pub(super) fn broken() -> Self {
        Self { reason: "the connection breaks again and again".into(), next_step: AGAIN }
    }
}

const AGAIN: &str = "it is tried again";

fn next_step(error: &Error) -> &'static str {
    match error {
        Error::ProxyLogin => "set the proxy anew, with its user name and password; until then it is tried again",
        error if error.blames_proxy() => "check the proxy and its address; it is tried again",
        Error::Tls(_) => "check who answers in WhatsApp's place on this network; it is tried again",
        Error::Address(..) | Error::Unreachable(..) | Error::Timeout(Stage::Lookup(_) | Stage::Connect(_)) => {
            "check this machine's network and name servers; it is tried again"
        }
        _ => AGAIN,
    }
}

/// How connections went lately.
#[derive(Debug, Default)]
pub(super) struct Tries {
    failed: u32,
    /// A socket was opened and nothing was heard on it yet.
    mute: bool,
    /// The last thing that happened on a socket was that it turned us away.
    refused: bool,
    broken: VecDeque<i64>,
}

impl Tries {
    /// What an attempt means, if it means trouble.
    pub(super) fn take(&mut self, attempt: Attempt) -> Option<Trouble> {
        match attempt {
            Attempt::Failed(trouble) => {
                (self.failed, self.mute) = (self.failed + 1, false);
                Some(trouble)
            }
            Attempt::Opened => {
                let mute = std::mem::replace(&mut self.mute, true);
                self.refused = false;
                self.failed += u32::from(mute);
                mute.then(Trouble::mute)
            }
        }
    }

    /// The server spoke to us.
    pub(super) fn heard(&mut self) {
        self.mute = false;
    }

    /// It let us in, or offered a link.
    pub(super) fn came_up(&mut self) {
        (self.failed, self.mute) = (0, false);
    }

    /// It turned us away.
    pub(super) fn refused(&mut self) {
        (self.failed, self.mute, self.refused) = (self.failed + 1, false, true);
    }

    /// A connection ended; `false` if that only follows from its having turned us away.
    pub(super) fn broke(&mut self, now: i64) -> bool {
        self.mute = false;
        if self.refused {
            return false;
        }
        self.broken.push_back(now);
        while self.broken.front().is_some_and(|at| now - at >= LATELY_MS) {
            self.broken.pop_front();
        }
        true
    }

    /// It is not for this opening any more.
    pub(super) fn are_used_up(&self) -> bool {
        self.failed >= MOST_FAILED || self.breaks()
    }

    pub(super) fn breaks(&self) -> bool {
        self.broken.len() >= MOST_BROKEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Party;

    fn failed() -> Attempt {
        Attempt::Failed(Trouble { reason: "no".into(), next_step: AGAIN })
    }

    #[test]
    fn attempts_are_used_up_in_a_row_only() {
        let mut tries = Tries::default();
        for _ in 1..MOST_FAILED {
            assert!(tries.take(failed()).is_some() && !tries.are_used_up());
        }
        assert!(tries.take(Attempt::Opened).is_none());
        tries.came_up();
        (1..MOST_FAILED).for_each(|_| tries.refused());
        assert!(!tries.are_used_up());
        assert!(tries.take(Attempt::Opened).is_none());
        assert_eq!(tries.take(Attempt::Opened), Some(Trouble::mute()));
        assert!(tries.are_used_up());
    }

    #[test]
    fn a_socket_on_which_something_is_heard_is_not_mute() {
        let mut tries = Tries::default();
        for _ in 0..MOST_FAILED * 2 {
            assert!(tries.take(Attempt::Opened).is_none());
            tries.heard();
        }
        assert!(!tries.are_used_up());
    }

    #[test]
    fn a_connection_may_break_now_and_then() {
        let mut tries = Tries::default();
        let often = i64::try_from(MOST_BROKEN).unwrap();
        assert!((0..3 * often).all(|n| tries.broke(n * LATELY_MS / (often - 1))));
        assert!(!tries.are_used_up());
        assert!((0..often).all(|_| tries.broke(4 * often * LATELY_MS)));
        assert!(tries.are_used_up() && tries.breaks());
    }

    #[test]
    fn troubles_say_whose_they_are() {
        let of = |error: Error| Trouble::of(&anyhow::Error::from(error));
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let trouble = of(Error::Unreachable(Party::Proxy, refused));
        assert_eq!(trouble.reason, "the proxy cannot be reached: connection refused");
        assert!(trouble.next_step.contains("the proxy"), "{trouble:?}");
        assert!(of(Error::ProxyLogin).next_step.contains("password"));
        assert!(of(Error::Timeout(Stage::Connect(Party::Server))).next_step.contains("network"));
        assert_eq!(of(Error::Timeout(Stage::Upgrade)).next_step, AGAIN);
    }
}
