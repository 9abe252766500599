//! A user as this API shows it.

use base64::Engine as _;
use engine::Id;
use engine::sessions::{Session, State};
use engine::subscriptions::Status;
use serde_json::{Map, Value, json};

use super::device;
use crate::errors::Error;
use crate::guard::User;
use crate::qr;
use crate::service::Digigo;

/// Everything known of a user now.
pub(crate) struct Shown {
    pub(crate) user: User,
    pub(crate) session: Option<Session>,
    pub(crate) webhook: String,
    pub(crate) events: Vec<String>,
}

/// Looks a user up, with his token opened.
pub(crate) async fn shown(digigo: &Digigo, user: User) -> Result<Shown, Error> {
    let engine = &digigo.engine;
    let session = engine.session(&user.sender.id).await?;
    let subscription = engine.subscriptions_of(&user.sender.id, crate::NAME).await?.into_iter().next();
    let (webhook, events) = match subscription {
        Some(subscription) if subscription.status != Status::Disabled => (subscription.url, subscription.events),
        Some(subscription) => (String::new(), subscription.events),
        None => (String::new(), user.settings.events.clone().unwrap_or_default()),
    };
    Ok(Shown { user, session, webhook, events })
}

/// A user's token, which must be shown again.
pub(crate) async fn token(digigo: &Digigo, sender: &Id) -> Result<String, Error> {
    let keys = digigo.engine.keys_of(sender).await?;
    let Some(key) = keys.first() else { return Ok(String::new()) };
    Ok(digigo.engine.token(key)?.unwrap_or_default())
}

impl Shown {
    pub(crate) fn state(&self) -> State {
        self.session.as_ref().map_or(State::Off, |session| session.state)
    }

    /// The socket is open.
    pub(crate) fn connected(&self) -> bool {
        matches!(
            self.state(),
            State::Connected | State::AwaitingLink | State::AwaitingProof | State::AwaitingConfirmation | State::Deaf
        )
    }

    pub(crate) fn logged_in(&self) -> bool {
        self.state() == State::Connected
    }

    /// A process keeps it up, or is about to.
    pub(crate) fn has_client(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.wanted)
    }

    pub(crate) fn health(&self) -> &'static str {
        match (self.has_client(), self.connected(), self.logged_in()) {
            (_, _, true) => "connected",
            (_, true, false) => "connected_not_logged",
            (true, false, false) => "disconnected",
            (false, false, false) => "no_client",
        }
    }

    /// With its device; empty before it was ever linked.
    pub(crate) fn jid(&self) -> String {
        self.session.as_ref().map(crate::session::jid).unwrap_or_default().to_owned()
    }

    /// What is to be scanned now, as text.
    pub(crate) fn qr_text(&self) -> Option<&str> {
        let offer = self.session.as_ref()?.offer.as_ref()?;
        offer["qr"].as_str().filter(|_| !self.logged_in())
    }

    /// The same as a picture in a data URL; empty when there is nothing to scan.
    pub(crate) fn qr_picture(&self) -> String {
        self.qr_text().and_then(qr::data_url).unwrap_or_default()
    }

    /// Unix seconds; 0: never.
    pub(crate) fn last_connect(&self) -> i64 {
        self.session.as_ref().and_then(|session| session.connected_at).unwrap_or_default() / 1000
    }

    pub(crate) fn failures(&self) -> i64 {
        self.session.as_ref().map_or(0, |session| session.failures)
    }

    /// As subscribed: names separated by commas.
    pub(crate) fn events(&self) -> String {
        self.events.join(",")
    }

    /// The part that users and status share.
    pub(crate) fn settings(&self, digigo: &Digigo) -> Map<String, Value> {
        let settings = &self.user.settings;
        let proxy = self.proxy(digigo);
        let mut all = Map::new();
        let mut put = |name: &str, value: Value| all.insert(name.to_owned(), value);
        put("skip_media_download", json!(settings.skips.media));
        put("skip_groups", json!(settings.skips.groups));
        put("skip_newsletters", json!(settings.skips.newsletters));
        put("skip_broadcasts", json!(settings.skips.broadcasts));
        put("skip_own_messages", json!(settings.skips.own_messages));
        put("skip_calls", json!(settings.skips.calls));
        put("echo_api_messages", json!(settings.echo));
        put("isFromAPI", json!(settings.echo));
        put("call_reject_message", json!(settings.call_reject_message));
        put("call_reject_type", json!(settings.call_reject_type));
        put("globalTransportSkips", json!(settings.global));
        put("proxy_config", json!({ "enabled": proxy.is_some(), "proxy_url": proxy.unwrap_or_default() }));
        put("s3_config", json!({ "enabled": false }));
        put("rabbitmq_config", json!({ "enabled": false }));
        all
    }

    /// The address of its proxy, if it goes through one.
    pub(crate) fn proxy(&self, digigo: &Digigo) -> Option<String> {
        let config: web_wire::config::Config = serde_json::from_str(&self.user.sender.config).ok()?;
        let sealed = base64::engine::general_purpose::STANDARD.decode(config.proxy?).ok()?;
        let opened = digigo.engine.key.open(&web_wire::config::proxy_purpose(self.user.sender.id), &sealed).ok()?;
        String::from_utf8(opened).ok()
    }

    /// The whole user, as administrators see it.
    pub(crate) fn user(&self, digigo: &Digigo, avatar_url: &str) -> Value {
        let mut all = Map::new();
        let mut put = |name: &str, value: Value| all.insert(name.to_owned(), value);
        put("id", json!(self.user.id()));
        put("name", json!(self.user.sender.name));
        put("avatar_url", json!(avatar_url));
        put("token", json!(self.user.token));
        put("webhook", json!(self.webhook));
        put("jid", json!(self.jid()));
        put("qrcode", json!(self.qr_picture()));
        put("connected", json!(self.connected()));
        put("loggedIn", json!(self.logged_in()));
        put("expiration", json!(0));
        put("events", json!(self.events()));
        all.extend(self.settings(digigo));
        all.insert("whatsapp_config".into(), self.device());
        Value::Object(all)
    }

    /// What was set of the device that WhatsApp is shown.
    fn device(&self) -> Value {
        let config = web_wire::config::Config::read(&self.user.sender.config);
        let set = device::NAMES.iter().map(|names| (names.snake, (names.of)(&config.device)));
        set.filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), json!(value))).collect()
    }
}
