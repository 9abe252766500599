//! What all stand-ins share.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::ledger::{Call, Ledger, Mail, Sms};
use crate::outside::Outside;

pub(crate) struct World {
    pub(crate) outside: Arc<dyn Outside>,
    pub(crate) sms: Ledger<Sms>,
    pub(crate) voice: Ledger<Call>,
    pub(crate) emails: Ledger<Mail>,
    /// Ends every listener and connection.
    pub(crate) stop: CancellationToken,
}

impl World {
    pub(crate) fn new(outside: Arc<dyn Outside>) -> Self {
        let (sms, voice, emails) = (Ledger::default(), Ledger::default(), Ledger::default());
        Self { outside, sms, voice, emails, stop: CancellationToken::new() }
    }

    pub(crate) fn now(&self) -> i64 {
        self.outside.now()
    }

    /// Waits in real time, as a network or a slow carrier would; `false` when the carriers were stopped meanwhile.
    #[expect(clippy::disallowed_methods, reason = "this is where this crate's waiting comes from")]
    pub(crate) async fn pause(&self, length: Duration) -> bool {
        if length.is_zero() {
            return !self.stop.is_cancelled();
        }
        tokio::select! {
            () = tokio::time::sleep(length) => true,
            () = self.stop.cancelled() => false,
        }
    }
}
