//! What must hold for linked accounts when the platform is killed, or paused: what callers were promised is on the
//! phones, what phones sent is told, nothing twice, and nobody has to link anything again.

mod crash;
mod fail_over;
mod traffic;
mod verify;
mod watch;

use std::sync::Arc;

pub use crash::LinkedCrash;
pub use fail_over::{FailOver, Takeovers};

use super::promises::Promises;
use crate::Outcome;
use crate::parts::{Inbox, Linked, User};

const ACCOUNTS: u64 = 6;
const CUSTOMERS: u64 = 24;

/// Who takes part, and what is known of them.
struct Cast {
    users: Vec<User>,
    inbox: Inbox,
    promises: Arc<Promises>,
    /// Webhooks about links before anything went wrong.
    links: usize,
}

impl Cast {
    /// Links accounts with this process.
    async fn gather(linked: &Linked) -> Outcome<Self> {
        let inbox = Inbox::open().await?;
        let users = linked.link(ACCOUNTS, &inbox.url()).await?;
        verify::deliver(linked).await?;
        let links = inbox.told().links.len();
        Ok(Self { users, inbox, promises: Arc::new(Promises::default()), links })
    }
}
