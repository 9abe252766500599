//! What the library says, and what it means for how the session stands.

use engine::senders::Update;
use engine::sessions::{Change, State};
use serde_json::{Value, json};
use wacore::types::events::{ConnectFailure, Event, LoggedOut, TemporaryBan};

use super::Session;
use super::tries::{Attempt, Trouble};
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
        let (change, next) = match self.linking(event) {
            Some(meaning) => meaning,
            None => self.meaning(event).await,
        };
        let mut notices = receive::notices(self, event).await;
        if let Some(mut change) = change {
            change.notices.append(&mut notices);
            self.tell(change).await;
        }
        receive::facts(self, event, notices).await;
        match event {
            Event::HistorySync(history) => receive::history(self, history),
            Event::UndecryptableMessage(lost) => receive::unread(self, lost).await,
            _ => {}
        }
        next
    }

    /// What others in this process wait for.
    fn note(&mut self, event: &Event) {
        if !matches!(event, Event::Disconnected(_)) {
            self.tries.heard();
        }
        match event {
            Event::ServerAck(ack) if ack.class.as_deref().is_none_or(|class| class == "message") => {
                let told = Ack { at: ack.timestamp.map(|at| at.timestamp_millis()), error: ack.error.clone() };
                self.live.acks.tell(&ack.id, told);
            }
            Event::Connected(_) => self.live.set_online(true),
            Event::Disconnected(_) | Event::LoggedOut(_) | Event::StreamReplaced(_) => self.live.set_online(false),
            _ => {}
        }
    }

    async fn meaning(&mut self, event: &Event) -> (Option<Change>, Next) {
        match event {
            Event::Connected(_) => {
                self.tries.came_up();
                self.was_up = true;
                self.wanted.came_up();
                self.ask_phone();
                self.learn_address().await;
                self.unavailable_at = self.wants_away().then(|| self.engine.now() + AWAY_AFTER_MS);
                let change = state(State::Connected, None, None);
                (Some(Change { identity: self.who(), offer: Some(None), ..change }), Next::GoOn)
            }
            Event::SelfPushNameUpdated(_) if self.live.is_online() => {
                (Some(Change { identity: self.who(), ..Change::default() }), Next::GoOn)
            }
            Event::Disconnected(_) if self.live.client.pn().is_some() => self.broke(),
            Event::ConnectFailure(failure) => self.turned_away(failure),
            Event::StreamReplaced(_) => {
                let reason = "another program uses the same link".to_owned();
                (Some(state(State::Replaced, Some(reason), Some("connect again to take it back"))), Next::End)
            }
            Event::TemporaryBan(ban) => (Some(self.banned(ban)), Next::End),
            Event::ClientOutdated(_) => {
                let reason = "WhatsApp wants a newer client version".to_owned();
                (Some(state(State::Outdated, Some(reason), Some("update hermod, or set a newer version"))), Next::End)
            }
            _ => (None, Next::GoOn),
        }
    }

    fn broke(&mut self) -> (Option<Change>, Next) {
        if !self.tries.broke(self.engine.now()) {
            return (None, Next::GoOn);
        }
        if self.tries.breaks() {
            return (Some(self.trouble(Trouble::broken())), Next::End);
        }
        let reason = "the connection to WhatsApp ended".to_owned();
        (Some(state(State::Reconnecting, Some(reason), Some("it is being made anew"))), Next::GoOn)
    }

    /// The library tries again where that may help, and ends where it cannot.
    fn turned_away(&mut self, failure: &ConnectFailure) -> (Option<Change>, Next) {
        self.tries.refused();
        let code = failure.reason.code();
        let reason = match &failure.message {
            Some(message) => format!("WhatsApp refused the connection ({code}): {message}"),
            None => format!("WhatsApp refused the connection ({code})"),
        };
        (Some(self.trouble(Trouble { reason, next_step: "it is tried again" })), self.unless_used_up())
    }

    /// An attempt to connect; of one that came to nothing the library says nothing.
    pub(super) async fn tried(&mut self, attempt: Attempt) -> Next {
        if let Some(trouble) = self.tries.take(attempt) {
            tracing::info!(sender = %self.opened.sender.id, reason = trouble.reason, "no connection to WhatsApp");
            self.tell(self.trouble(trouble)).await;
        }
        self.unless_used_up()
    }

    fn unless_used_up(&self) -> Next {
        if self.tries.are_used_up() { Next::End } else { Next::GoOn }
    }

    /// As long as it never came up it is still connecting.
    fn trouble(&self, trouble: Trouble) -> Change {
        let stands = if self.was_up { State::Reconnecting } else { State::Connecting };
        state(stands, Some(trouble.reason), Some(trouble.next_step))
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

/// A state with its reason and the next step.
pub(super) fn state(state: State, reason: Option<String>, next_step: Option<&str>) -> Change {
    Change { state: Some(state), reason, next_step: next_step.map(str::to_owned), ..Change::default() }
}
