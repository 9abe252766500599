//! The WhatsApp Web server as part of the world of phones.
//!
//! Its accounts are the world's phones: one number is one phone, whether a customer's, a linked account's or a Meta business number's.
//! `speaking` and `calling` do what people do on their phones (control API), `following` takes down what phones hear, `crossing` carries
//! messages between Meta's numbers and linked accounts.
//!
//! Who acts: callers of the control API, and one task that follows what the server tells. Both write the phones' lists under the
//! world's lock; a phone's own message is put on its list under the same lock that sends it, so no tick comes before the message.
//! A restart keeps accounts, links and lists; which Meta message is which WhatsApp message across the bridge is forgotten, so
//! later ticks on older messages do not cross.

mod calling;
mod crossing;
mod following;
mod speaking;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use axum::Router;
use axum::routing::{delete, get, post};
use sandbox_web::{Business, Chat, Handle, Number, WebServer};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::control::{Answer, bad, refuse};
use crate::faults::{APP_STATE, Fault, Kind, MEDIA, MESSAGES};
use crate::phones::{Phone, digits};
use crate::state::State;
use crate::world::Shared;

pub(crate) use crossing::{carry, read_by_business};
pub(crate) use speaking::{change, read, typing, write};

/// The running server, and what only this process knows about it.
pub(crate) struct Web {
    handle: Handle,
    server: Mutex<Option<WebServer>>,
    server_url: String,
    admin_url: String,
    /// PEM; its own root, so whoever trusts it trusts this server alone.
    certificate: String,
    /// What the server's Noise certificates are signed with, in hex.
    noise_root: String,
    crossing: crossing::Crossing,
    leaving: Mutex<Option<mpsc::UnboundedReceiver<crossing::Leaving>>>,
}

impl Web {
    pub(crate) async fn start(
        listen: SocketAddr,
        data_dir: Option<PathBuf>,
        clock: Clock,
    ) -> Result<Option<Self>, crate::Error> {
        let options = sandbox_web::Options {
            listen,
            data_dir,
            clock: sandbox_web::Clock::new(move || clock.now()),
            ..sandbox_web::Options::default()
        };
        let server = WebServer::start(options).await?;
        let (crossing, leaving) = crossing::Crossing::new();
        Ok(Some(Self {
            handle: server.handle(),
            server_url: server.url(),
            admin_url: server.admin_url(),
            certificate: pem(server.certificate_der()),
            noise_root: hex::encode(server.root_key()),
            server: Mutex::new(Some(server)),
            crossing,
            leaving: Mutex::new(Some(leaving)),
        }))
    }

    /// What a platform has to know.
    pub(crate) fn urls(&self) -> Value {
        json!({
            "server_url": self.server_url,
            "admin_url": self.admin_url,
            "certificate": self.certificate,
            "noise_root": self.noise_root,
        })
    }

    pub(crate) fn stats(&self) -> Value {
        json!(self.handle.stats())
    }

    pub(crate) async fn stop(&self) {
        let server = self.server.lock().map(|mut server| server.take());
        if let Ok(Some(server)) = server {
            server.stop().await;
        }
    }

    /// The phone's owner changed how it behaves.
    pub(crate) fn behave(&self, phone: &str, record: &Phone) {
        let Ok(number) = phone.parse::<Number>() else { return };
        self.handle.account(&number, record.name.as_deref());
        self.handle.set_registered(&number, record.registered);
        let business = record.business.clone().and_then(|given| serde_json::from_value::<Business>(given).ok());
        self.handle.set_business(&number, business.filter(|it| !it.name.is_empty()));
        self.handle.set_online(&number, record.online);
        if let Err(error) = self.handle.demand_passkey(&number, record.passkey) {
            tracing::warn!(%error, phone, "this phone cannot have a passkey");
        }
    }

    /// One phone blocks exactly these others.
    pub(crate) fn block(&self, phone: &str, before: &[String], now: &[String]) {
        let Ok(number) = phone.parse::<Number>() else { return };
        for (others, block) in [(before, false), (now, true)] {
            for other in others.iter().filter(|other| block || !now.contains(other)) {
                if let Ok(other) = other.parse() {
                    self.handle.block(&number, &other, block);
                }
            }
        }
    }

    pub(crate) fn add_fault(&self, fault: &Fault) -> Answer<()> {
        let number = fault.phone.as_deref().map(person).transpose()?;
        let (kind, times, percent) = (kind(fault)?, fault.times, fault.percent);
        self.handle.add_fault(sandbox_web::Fault { kind, number, times, percent });
        Ok(())
    }

    /// Gives how many there still were.
    pub(crate) fn clear_faults(&self) -> usize {
        self.handle.clear_faults()
    }
}

/// What a fault means to a socket.
fn kind(fault: &Fault) -> Answer<sandbox_web::Kind> {
    let status = || fault.status.ok_or_else(|| bad("`status` must be given"));
    let code = || fault.number().and_then(|code| u16::try_from(code).ok()).ok_or_else(|| bad("`code` must be given"));
    Ok(match (fault.kind, fault.path.as_deref()) {
        (Kind::Status, Some(MEDIA)) => sandbox_web::Kind::Media(status()?),
        (Kind::Status, _) => sandbox_web::Kind::LogIn(status()?),
        (Kind::Code, Some(MESSAGES)) => sandbox_web::Kind::Refuse(code()?),
        (Kind::Code, Some(APP_STATE)) => sandbox_web::Kind::AppState(code()?),
        (Kind::Code, _) => sandbox_web::Kind::Stream(code()?),
        (Kind::Conflict, _) => sandbox_web::Kind::Conflict,
        (Kind::Drop, _) => sandbox_web::Kind::Drop,
        (Kind::Timeout, _) => sandbox_web::Kind::Silence,
        (Kind::Duplicate, _) => sandbox_web::Kind::Duplicate,
        (Kind::Reorder, _) => sandbox_web::Kind::Reorder,
        (Kind::LostAck, _) => sandbox_web::Kind::LostAck,
        (Kind::Delay, _) => sandbox_web::Kind::Delay(std::time::Duration::from_millis(fault.delay_ms)),
    })
}

/// The routes that only make sense with WhatsApp Web.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/phones/{phone}/link", post(speaking::link))
        .route("/phones/{phone}/link/{device}", delete(speaking::unlink))
        .route("/phones/{phone}/passkey", post(speaking::passkey))
        .route("/phones/{phone}/calls", get(calling::calls).post(calling::call))
        .route("/phones/{phone}/calls/{id}", delete(calling::hang_up))
        .route("/groups", post(calling::group))
}

/// What a phone shows besides messages: its linked devices, its groups, and the calls it made.
pub(crate) fn about(world: &Shared, state: &State, phone: &str) -> Value {
    let (Some(web), Ok(number)) = (&world.web, person(phone)) else { return Value::Null };
    let groups = web.handle.groups(&number).into_iter().map(|group| {
        let members: Vec<String> = group.members.iter().map(ToString::to_string).collect();
        json!({"id": group.id, "name": group.name, "members": members})
    });
    json!({
        "linked": web.handle.devices(&number),
        "groups": groups.collect::<Vec<_>>(),
        "calls": state.chats.calls(phone),
    })
}

/// Follows the server until the sandbox stops.
pub(crate) fn follow(world: &Shared) {
    let Some(web) = &world.web else { return };
    following::follow(world, web.handle.subscribe());
    let leaving = web.leaving.lock().ok().and_then(|mut leaving| leaving.take());
    if let Some(leaving) = leaving {
        crossing::follow(world, leaving);
    }
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn web(world: &Shared) -> Answer<&Web> {
    world.web.as_ref().ok_or_else(|| refuse(http::StatusCode::NOT_IMPLEMENTED, "there is no WhatsApp Web here"))
}

fn person(text: &str) -> Answer<Number> {
    let number = digits(text).and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| bad(format!("{text} is not a phone number")))
}

/// Whom `to` names: a number or a group.
fn chat(to: &str) -> Answer<Chat> {
    if to.ends_with("@g.us") { Ok(Chat::Group(to.to_owned())) } else { person(to).map(Chat::With) }
}

/// How a phone's list names a chat.
fn name(chat: &Chat) -> String {
    match chat {
        Chat::With(number) => number.to_string(),
        Chat::Group(id) => id.clone(),
        Chat::Status => "status@broadcast".to_owned(),
    }
}
