//! The WhatsApp Web server as part of the world of phones.
//!
//! Its accounts are the world's phones: one number is one phone, whether a customer's, a linked account's or a Meta business number's.
//! `speaking` does what people do on their phones (control API), `following` takes down what phones hear, `crossing` carries
//! messages between Meta's numbers and linked accounts.
//!
//! Who acts: callers of the control API, and one task that follows what the server tells. Both write the phones' lists under the
//! world's lock; a phone's own message is put on its list under the same lock that sends it, so no tick comes before the message.
//! A restart keeps accounts, links and lists; which Meta message is which WhatsApp message across the bridge is forgotten, so
//! later ticks on older messages do not cross.

mod crossing;
mod following;
mod speaking;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use axum::Router;
use axum::routing::{get, post};
use sandbox_web::{Chat, Handle, Number, WebServer};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::control::{Answer, bad, refuse};
use crate::faults::{Fault, Kind};
use crate::phones::{Phone, digits};
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
            server: Mutex::new(Some(server)),
            crossing,
            leaving: Mutex::new(Some(leaving)),
        }))
    }

    /// What a platform has to know.
    pub(crate) fn urls(&self) -> Value {
        json!({"server_url": self.server_url, "admin_url": self.admin_url, "certificate": self.certificate})
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
        self.handle.set_business(&number, record.business.as_ref().and_then(|it| it["name"].as_str()));
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
        let status = || fault.status.ok_or_else(|| bad("`status` must be given"));
        let kind = match fault.kind {
            Kind::Status => sandbox_web::Kind::LogIn(status()?),
            Kind::Code => {
                let code = fault.code.and_then(|code| u16::try_from(code).ok());
                sandbox_web::Kind::Stream(code.ok_or_else(|| bad("`code` must be a stream error's, like 515"))?)
            }
            Kind::Conflict => sandbox_web::Kind::Conflict,
            Kind::Drop => sandbox_web::Kind::Drop,
            Kind::Duplicate => sandbox_web::Kind::Duplicate,
            Kind::Reorder => sandbox_web::Kind::Reorder,
            Kind::LostAck => sandbox_web::Kind::LostAck,
            Kind::Delay => sandbox_web::Kind::Delay(std::time::Duration::from_millis(fault.delay_ms)),
            Kind::Timeout => return Err(bad("this kind is not for web")),
        };
        let number = fault.phone.as_deref().map(person).transpose()?;
        let (times, percent) = (fault.times, fault.percent);
        self.handle.add_fault(sandbox_web::Fault { kind, number, times, percent });
        Ok(())
    }

    pub(crate) fn clear_faults(&self) {
        self.handle.clear_faults();
    }
}

/// The routes that only make sense with WhatsApp Web.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/phones/{phone}/link", post(speaking::link))
        .route("/phones/{phone}/passkey", post(speaking::passkey))
        .route("/phones/{phone}/calls", get(speaking::calls).post(speaking::call))
        .route("/groups", post(speaking::group))
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
