//! What becomes of a message, and how it is told.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Centre;
use super::intake::Taken;
use super::outbox::Parcel;
use super::parcel::{self, Report};
use crate::outside::Fault;

/// How often a phone that is off is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long an answer waits for a receipt that is to overtake it.
const HEAD_START: Duration = Duration::from_secs(2);

impl Centre {
    /// Decides and tells, in its own time.
    pub(super) fn settle_later(self: &Arc<Self>, taken: Taken, fault: Option<Fault>) {
        let centre = Arc::clone(self);
        tokio::spawn(async move {
            if centre.world.pause(centre.options.receipt_delay).await {
                centre.settle(&taken, fault.as_ref()).await;
            }
        });
    }

    /// The same at once, before the message is answered: its receipt has a head start.
    pub(super) async fn settle_first(&self, taken: &Taken) {
        let Some(state) = self.state(taken, None).await else { return };
        let (told, acknowledged) = oneshot::channel();
        self.tell(taken, &state, Some(told));
        tokio::select! {
            _ = acknowledged => {}
            _ = self.world.pause(HEAD_START) => {}
        }
    }

    async fn settle(&self, taken: &Taken, fault: Option<&Fault>) {
        let Some(state) = self.state(taken, fault).await else { return };
        let times = if fault == Some(&Fault::Duplicate) { 2 } else { 1 };
        for _ in 0..times {
            self.tell(taken, &state, None);
        }
    }

    /// The final state; `None` when the carriers were stopped before it came.
    async fn state(&self, taken: &Taken, fault: Option<&Fault>) -> Option<String> {
        if let Some(Fault::Code(state)) = fault {
            return Some(state.clone());
        }
        loop {
            let phone = self.world.outside.phone(&taken.to);
            if !phone.registered {
                return Some("UNDELIV".to_owned());
            }
            if phone.online {
                return Some("DELIVRD".to_owned());
            }
            if !self.world.pause(LOOK_EVERY).await {
                return None;
            }
        }
    }

    fn tell(&self, taken: &Taken, state: &str, told: Option<oneshot::Sender<()>>) {
        if let Some(entry) = &taken.entry {
            self.world.sms.change(entry, |sms| state.clone_into(&mut sms.status));
        }
        if !taken.wants_receipt {
            return;
        }
        let report = Report {
            id: self.later_name(taken.id),
            from: taken.from.clone(),
            to: taken.to.clone(),
            state: state.to_owned(),
            submitted: taken.at,
            done: self.world.now(),
            text: taken.text.clone(),
        };
        if let Some(pdu) = parcel::receipt(&report, self.options.receipts) {
            taken.owner.put(Parcel { pdu, taken: told });
        }
    }
}
