//! What all connections share, and what becomes of a mail that came over one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_rustls::TlsAcceptor;

use super::bounce::{self, Report};
use super::users::{User, Users};
use super::{Options, mail};
use crate::outside::Fault;
use crate::world::World;

/// The domain of recipients that do not exist (RFC 2606).
const NOWHERE: &str = ".invalid";
/// There is no such mailbox.
const UNKNOWN: &str = "5.1.1";

pub(super) struct Post {
    pub(super) world: Arc<World>,
    pub(super) users: Users,
    pub(super) tls: Option<TlsAcceptor>,
    /// Bytes of a mail.
    pub(super) largest: usize,
    taken: AtomicU64,
}

/// Who sends a mail, and to whom.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) user: Option<User>,
    pub(super) secured: bool,
}

impl Post {
    pub(super) fn new(world: Arc<World>, tls: Option<TlsAcceptor>, options: &Options) -> Self {
        let users = Users::default();
        options.users.iter().cloned().for_each(|user| users.admit(user));
        Self { world, users, tls, largest: options.largest, taken: AtomicU64::new(0) }
    }

    /// Keeps a mail for each recipient and has reports brought; answers with its id.
    pub(super) async fn take(self: &Arc<Self>, envelope: &Envelope, bytes: &[u8], fault: Option<&Fault>) -> String {
        let number = self.taken.fetch_add(1, Ordering::Relaxed) + 1;
        let id = format!("{number:08X}");
        for (place, to) in envelope.to.iter().enumerate() {
            let id = if place == 0 { id.clone() } else { format!("{id}-{place}") };
            let status = self.reported_status(to, fault);
            let mut kept = mail::read(&id, self.world.now(), envelope, to, bytes);
            kept.status = bounce::word(status.as_deref()).to_owned();
            let known = kept.more.get("message_id").and_then(|id| id.as_str()).map(str::to_owned);
            match known {
                Some(message_id) => self.world.emails.take(kept, (message_id, to)),
                None => self.world.emails.take(kept, (bytes, to)),
            }
            if let Some(status) = status {
                let report = Report { id, at: self.world.now(), return_path: &envelope.from, to, status: &status };
                self.bring(envelope, report.write(bytes), fault).await;
            }
        }
        id
    }

    /// What will be reported about it, if anything.
    fn reported_status(&self, to: &str, fault: Option<&Fault>) -> Option<String> {
        match fault {
            Some(Fault::Code(code)) => Some(bounce::enhanced(code).to_owned()),
            _ if to.to_ascii_lowercase().ends_with(NOWHERE) => Some(UNKNOWN.to_owned()),
            _ => (!self.world.outside.phone(to).registered).then(|| UNKNOWN.to_owned()),
        }
    }

    /// A mail without a sender is itself a report: nothing is reported about it.
    async fn bring(self: &Arc<Self>, envelope: &Envelope, report: String, fault: Option<&Fault>) {
        let target = envelope.user.as_ref().and_then(|user| user.bounces.clone());
        let Some(target) = target.filter(|_| !envelope.from.is_empty()) else { return };
        let times = if fault == Some(&Fault::Duplicate) { 2 } else { 1 };
        for _ in 0..times {
            let bringing = bounce::bring(self.world.clone(), target.clone(), report.clone());
            match fault {
                Some(Fault::Reorder) => bringing.await,
                _ => drop(tokio::spawn(bringing)),
            }
        }
    }
}
