//! Linking an account: what waits for its owner, and until when.

use engine::sessions::{Change, State};
use serde_json::{Value, json};
use wacore::types::events::{Event, PairSuccess, PairingQrCode};
use web_wire::event::{Happening, PairingCodeRefresh};

use super::heard::{Next, state};
use super::{Session, hyphened};
use crate::jids::ours;
use crate::receive;

impl Session<'_> {
    /// What an event means for the link; `None`: it is about something else.
    pub(super) fn linking(&mut self, event: &Event) -> Option<(Option<Change>, Next)> {
        let change = match event {
            Event::PairingQrCode(code) => Some(self.picture(code)),
            Event::PairingCode(code) => {
                self.shown.code(&hyphened(&code.code), self.until(code.timeout));
                Some(self.awaits_link("type the code on the phone"))
            }
            // The code to type is still good.
            Event::PairingQrCodesExhausted(end) if !end.disconnected => None,
            Event::PairingQrCodesExhausted(_) => return Some((Some(nobody_came()), Next::End)),
            Event::PairingCodeRefresh(wish) => {
                self.shown.drop_code();
                Some(self.wants_another(PairingCodeRefresh { force_manual: wish.force_manual, expired: false }))
            }
            Event::PairingCodeError(error) => self.refused(&error.error),
            Event::PairPasskeyRequest(asked) => {
                let (challenge, expires) = receive::challenge(&asked.request_options_json, self.engine.now());
                let offer = json!({ "challenge": challenge, "expires_at": expires });
                Some(awaits(State::AwaitingProof, "sign the challenge with the owner's passkey", offer))
            }
            Event::PairPasskeyConfirmation(asked) => {
                let offer = json!({ "code": asked.code, "expires_at": self.engine.now() + receive::PASSKEY_MS });
                Some(awaits(State::AwaitingConfirmation, "compare the code and confirm", offer))
            }
            Event::PairPasskeyError(error) => {
                Some(state(State::Failed, Some(format!("the passkey: {}", error.error)), Some("connect again")))
            }
            Event::PairSuccess(paired) => Some(self.linked(paired)),
            _ => return None,
        };
        Some((change, Next::GoOn))
    }

    fn picture(&mut self, code: &PairingQrCode) -> Change {
        self.tries.came_up();
        self.shown.qr(&code.code, self.until(code.timeout));
        self.awaits_link("scan the code with the phone")
    }

    fn linked(&mut self, paired: &PairSuccess) -> Change {
        self.shown.clear();
        let identity = json!({
            "jid": ours(&paired.id), "lid": ours(&paired.lid), "platform": paired.platform,
            "business_name": paired.business_name,
        });
        self.identity = Some(identity.clone());
        let change = state(State::Connecting, Some("the phone linked this account".into()), Some("it logs in"));
        Change { identity: Some(identity), offer: Some(None), ..change }
    }

    /// WhatsApp did not want a code that was shown; one that never was is its asker's affair.
    fn refused(&mut self, why: &str) -> Option<Change> {
        self.shown.drop_code().then(|| {
            let change = self.wants_another(PairingCodeRefresh { force_manual: true, expired: false });
            Change { reason: Some(format!("the code was refused: {why}")), ..change }
        })
    }

    /// The time of the code to type is over. With nothing else to link with, so is the session's.
    pub(super) async fn code_expired(&mut self) -> Next {
        let now = self.engine.now();
        self.shown.drop_code();
        let notice = notice(PairingCodeRefresh { force_manual: false, expired: true });
        if self.shown.is_over(now) {
            self.tell(Change { notices: vec![notice], ..nobody_came() }).await;
            return Next::End;
        }
        let change = self.awaits_link("scan the code with the phone, or ask for another to type");
        self.tell(Change { notices: vec![notice], ..change }).await;
        Next::GoOn
    }

    fn wants_another(&self, told: PairingCodeRefresh) -> Change {
        let change = self.awaits_link("ask for another code to type, or scan one with the phone");
        Change { notices: vec![notice(told)], ..change }
    }

    fn awaits_link(&self, next_step: &str) -> Change {
        awaits(State::AwaitingLink, next_step, self.shown.offer(self.engine.now()))
    }

    fn until(&self, timeout: std::time::Duration) -> i64 {
        self.engine.now() + i64::try_from(timeout.as_millis()).unwrap_or_default()
    }
}

fn notice(told: PairingCodeRefresh) -> engine::sessions::Notice {
    receive::notice(&Happening::from(told))
}

fn awaits(state: State, next_step: &str, offer: Value) -> Change {
    Change { state: Some(state), next_step: Some(next_step.into()), offer: Some(Some(offer)), ..Change::default() }
}

fn nobody_came() -> Change {
    let reason = "nobody linked the account in time".to_owned();
    state(State::Off, Some(reason), Some("connect again for new codes"))
}
