//! What the library says, and what it means for how the session stands.

use engine::senders::Update;
use engine::sessions::{Change, State};
use serde_json::{Value, json};
use wacore::types::events::{Event, LoggedOut, TemporaryBan};

use super::Session;
use crate::asked::hyphened;
use crate::jids::ours;
use crate::receive;
use crate::send::Ack;

/// Whether a session goes on after what was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    GoOn,
    /// The socket is closed for good.
    End,
}

/// How long after a connect the owner is shown as away again, where he wants that.
const AWAY_AFTER_MS: i64 = 3_000;

impl Session<'_> {
    /// Takes in one event: who waits for it, how the session stands, what is told.
    pub(super) async fn hear(&mut self, event: &Event) -> Next {
        self.note(event);
        if let Event::LoggedOut(out) = event {
            self.unlinked(out).await;
            return Next::End;
        }
        let (change, next) = self.meaning(event).await;
        let mut change = change.unwrap_or_default();
        change.notices.extend(receive::notices(self, event).await);
        if change.state.is_some() || change.offer.is_some() || change.identity.is_some() || !change.notices.is_empty() {
            self.tell(change).await;
        }
        receive::facts(self, event).await;
        if let Event::HistorySync(history) = event {
            receive::history(self, history);
        }
        next
    }

    /// What others in this process wait for.
    fn note(&mut self, event: &Event) {
        match event {
            Event::ServerAck(ack) if ack.class.as_deref().is_none_or(|class| class == "message") => {
                let told = Ack { at: ack.timestamp.map(|at| at.timestamp_millis()), error: ack.error.clone() };
                self.live.acks.tell(&ack.id, told);
            }
            Event::AppStateSyncFailed(failed) => {
                self.live.sync_failures.note(&failed.fatal, "WhatsApp refused it");
                self.live.sync_failures.note(&failed.retryable, "it could not be synced now");
            }
            Event::Connected(_) => self.live.set_online(true),
            Event::Disconnected(_) | Event::LoggedOut(_) | Event::StreamReplaced(_) => self.live.set_online(false),
            _ => {}
        }
    }

    async fn meaning(&mut self, event: &Event) -> (Option<Change>, Next) {
        let state = |state, reason: Option<String>, next_step: Option<&str>| Change {
            state: Some(state),
            reason,
            next_step: next_step.map(str::to_owned),
            ..Change::default()
        };
        match event {
            Event::PairingQrCode(code) => {
                self.shown.qr(&code.code, self.until(code.timeout));
                (Some(self.awaits_link("scan the code with the phone")), Next::GoOn)
            }
            Event::PairingCode(code) => {
                self.shown.code(&hyphened(&code.code), self.until(code.timeout));
                (Some(self.awaits_link("type the code on the phone")), Next::GoOn)
            }
            // The code to type is still good.
            Event::PairingQrCodesExhausted(end) if !end.disconnected => (None, Next::GoOn),
            Event::PairingQrCodesExhausted(_) => {
                let reason = "nobody scanned the code in time".to_owned();
                (Some(state(State::Off, Some(reason), Some("connect again for new codes"))), Next::End)
            }
            Event::PairPasskeyRequest(asked) => {
                let challenge: Value = serde_json::from_str(&asked.request_options_json).unwrap_or_default();
                let lasts = challenge["timeout"].as_i64().unwrap_or(PASSKEY_MS);
                let offer = json!({ "challenge": challenge, "expires_at": self.engine.now() + lasts });
                (
                    Some(self.awaits(State::AwaitingProof, "sign the challenge with the owner's passkey", offer)),
                    Next::GoOn,
                )
            }
            Event::PairPasskeyConfirmation(asked) => {
                let offer = json!({ "code": asked.code, "expires_at": self.engine.now() + PASSKEY_MS });
                (Some(self.awaits(State::AwaitingConfirmation, "compare the code and confirm", offer)), Next::GoOn)
            }
            Event::PairPasskeyError(error) => {
                let change = state(State::Failed, Some(format!("the passkey: {}", error.error)), Some("connect again"));
                (Some(change), Next::GoOn)
            }
            Event::PairSuccess(paired) => {
                self.shown.clear();
                let identity = json!({
                    "jid": ours(&paired.id), "lid": ours(&paired.lid), "platform": paired.platform,
                    "business_name": paired.business_name,
                });
                self.identity = Some(identity.clone());
                let change = state(State::Connecting, Some("the phone linked this account".into()), Some("it logs in"));
                (Some(Change { identity: Some(identity), offer: Some(None), ..change }), Next::GoOn)
            }
            Event::Connected(_) => {
                self.learn_address().await;
                self.unavailable_at = self.wants_away().then(|| self.engine.now() + AWAY_AFTER_MS);
                let change = state(State::Connected, None, None);
                (Some(Change { identity: self.who(), offer: Some(None), ..change }), Next::GoOn)
            }
            Event::Disconnected(_) if self.live.client.pn().is_some() => {
                let reason = "the connection to WhatsApp ended".to_owned();
                (Some(state(State::Reconnecting, Some(reason), Some("it is being made anew"))), Next::GoOn)
            }
            Event::StreamReplaced(_) => {
                let reason = "another program uses the same link".to_owned();
                (Some(state(State::Replaced, Some(reason), Some("connect again to take it back"))), Next::End)
            }
            Event::TemporaryBan(ban) => (Some(self.banned(ban)), Next::End),
            Event::ClientOutdated(_) => {
                let reason = "WhatsApp wants a newer client version".to_owned();
                (Some(state(State::Outdated, Some(reason), Some("update hermod, or set a newer version"))), Next::End)
            }
            Event::SelfPushNameUpdated(_) if self.live.is_online() => {
                (Some(Change { identity: self.who(), ..Change::default() }), Next::GoOn)
            }
            // The library tries again where that may help, and ends where it cannot.
            Event::ConnectFailure(failure) => {
                let reason = match &failure.message {
                    Some(message) => format!("WhatsApp refused the connection ({}): {message}", failure.reason.code()),
                    None => format!("WhatsApp refused the connection ({})", failure.reason.code()),
                };
                (Some(state(State::Reconnecting, Some(reason), Some("it is tried again"))), Next::GoOn)
            }
            _ => (None, Next::GoOn),
        }
    }

    fn until(&self, timeout: std::time::Duration) -> i64 {
        self.engine.now() + i64::try_from(timeout.as_millis()).unwrap_or_default()
    }

    fn awaits_link(&self, next_step: &str) -> Change {
        self.awaits(State::AwaitingLink, next_step, self.shown.offer(self.engine.now()))
    }

    fn awaits(&self, state: State, next_step: &str, offer: Value) -> Change {
        Change { state: Some(state), next_step: Some(next_step.into()), offer: Some(Some(offer)), ..Change::default() }
    }

    /// The link is gone at WhatsApp: nothing of it is of use any more.
    async fn unlinked(&self, out: &LoggedOut) {
        let reason = match out.on_connect {
            true => format!("WhatsApp does not know this link any more ({})", out.reason.code()),
            false => "the account was unlinked".to_owned(),
        };
        let change = Change {
            state: Some(State::Unlinked),
            reason: Some(reason),
            next_step: Some("link the account anew".into()),
            identity: Some(Value::Null),
            notices: receive::notices(self, &Event::LoggedOut(out.clone())).await,
            ..Change::default()
        };
        // Told first: wiping ends the session here.
        self.tell(change).await;
        if let Err(error) = self.backend.wipe().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "an unlinked session could not be wiped");
        }
    }

    fn banned(&self, ban: &TemporaryBan) -> Change {
        let lasts = ban.expire.num_milliseconds();
        Change {
            state: Some(State::Banned),
            reason: Some(format!("WhatsApp has banned the account for a time: {}", ban.code)),
            next_step: Some("it is tried again when the ban is over".into()),
            again_at: Some(self.engine.now().saturating_add(lasts.max(0))),
            ..Change::default()
        }
    }

    /// The number is known only once the account is linked.
    async fn learn_address(&self) {
        let Some(me) = self.live.client.pn() else { return };
        let (_, address) = ours(&me).to_neutral();
        if self.opened.sender.address == address {
            return;
        }
        let update = Update { address: Some(address), ..Update::new(self.engine, self.opened.sender.id) };
        if let Err(error) = self.engine.perform(update).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "an account's number could not be kept");
        }
    }

    /// Who it is, as far as it is known now.
    fn who(&mut self) -> Option<Value> {
        let client = &self.live.client;
        let (jid, lid) = (ours(&client.pn()?), client.lid().map(|lid| ours(&lid)));
        let push_name = client.push_name();
        let identity = self.identity.get_or_insert_with(|| json!({}));
        if let Some(members) = identity.as_object_mut() {
            members.insert("jid".into(), json!(jid));
            members.insert("lid".into(), json!(lid));
            members.insert("push_name".into(), json!(push_name));
        }
        Some(identity.clone())
    }

    fn wants_away(&self) -> bool {
        let config = web_wire::config::Config::read(&self.opened.sender.config);
        config.auto_unavailable
    }
}

/// How long a passkey's challenge is good where it does not say.
const PASSKEY_MS: i64 = 120_000;
