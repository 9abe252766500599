//! Carriers for SMS, spoken codes and mail, and a till, as they stand in this world: its clock, its phones, its faults.
//!
//! Each organization of a platform has a contract with every carrier, made from the seed and the platform's id like all
//! else that it is given; the carriers themselves remember nothing over a restart, so contracts are opened anew then and
//! at each introduction. What carriers were given, and what they still had to tell, is forgotten at the end.
//!
//! A phone that is not on WhatsApp gets SMS, calls and mail all the same; one that is off gets them when it is on again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method};
use sandbox_carriers::http::{Account, Credentials};
use sandbox_carriers::smsc::System;
use sandbox_carriers::smtp::{Bounces, User};
use sandbox_carriers::{Fault, Handle, Outside, Phone, Target};
use serde_json::{Value, json};

use crate::accounts::Platform;
use crate::faults::{self, Kind};
use crate::ids::Seed;
use crate::outbound::Peer;
use crate::phones::digits;
use crate::state::State;
use crate::world::{Shared, World};

/// The senders of a platform's first and second organization. They differ where phones answer by them.
const SMS_FROM: [&str; 2] = ["HERMOD", "HERMOD2"];
const EMAIL_FROM: &str = "hello@sandbox.test";
const RETURN_PATH: &str = "bounces+{}@sandbox.test";

/// How far a carrier's numbers are from the organization's first business number.
const APART: u64 = 1_000_000;

/// Starts the carriers and opens the contracts of everybody who introduced themselves before.
pub(crate) async fn start(
    world: &Shared,
    options: sandbox_carriers::Options,
) -> Result<(), sandbox_carriers::StartError> {
    let handle = sandbox_carriers::start(options, Arc::new(Street(Arc::downgrade(world)))).await?;
    {
        let state = world.state();
        for platform in &state.platforms {
            contracts(&world.seed, &handle, &state, platform);
            handle.stripe().put(till_account(&world.seed, platform));
        }
    }
    let (stop, stopped) = (world.stop.clone(), handle.clone());
    world.tasks.spawn(async move {
        stop.cancelled().await;
        stopped.stop();
    });
    // Nobody else sets it.
    let _ = world.carriers.set(handle);
    Ok(())
}

/// The contracts of a platform's organizations, in their order: opened with the carriers, and told.
pub(crate) fn open(world: &World, state: &State, platform: &Platform) -> Vec<Value> {
    let handle = world.carriers.get();
    handle.map(|handle| contracts(&world.seed, handle, state, platform)).unwrap_or_default()
}

/// Opens the platform's account at the till, and tells of it.
pub(crate) fn open_till(world: &World, platform: &Platform) -> Option<Value> {
    let till = world.carriers.get()?.stripe();
    let account = till_account(&world.seed, platform);
    let told = json!({
        "base_url": till.url(),
        "secret_key": account.secret_key,
        "webhook_secret": account.webhook_secret,
        "webhook_url": account.webhook_url,
    });
    till.put(account);
    Some(told)
}

fn till_account(seed: &Seed, platform: &Platform) -> sandbox_carriers::stripe::Account {
    let secret = seed.secret(&format!("platform/{}/till", platform.id));
    sandbox_carriers::stripe::Account::derived(&secret, format!("{}/webhooks/stripe", platform.base_url))
}

fn contracts(seed: &Seed, handle: &Handle, state: &State, platform: &Platform) -> Vec<Value> {
    let wabas = platform.wabas.iter().zip(SMS_FROM).enumerate();
    let first = |waba| -> Option<u64> {
        let number = state.wabas.get(waba)?.numbers.first()?;
        state.numbers.get(number)?.phone.parse().ok()
    };
    let known = wabas.filter_map(|(place, (waba, name))| Some((place, name, first(waba)?)));
    known.map(|(place, name, first)| Contract::new(seed, platform, place, name, first).opened(handle)).collect()
}

/// What one organization has agreed on with the carriers.
struct Contract {
    /// Where its callbacks go.
    base_url: String,
    secret: String,
    sms_from: &'static str,
    /// One of each HTTP carrier.
    numbers: [String; 3],
}

impl Contract {
    fn new(seed: &Seed, platform: &Platform, place: usize, sms_from: &'static str, first: u64) -> Self {
        Self {
            base_url: platform.base_url.clone(),
            secret: seed.secret(&format!("platform/{}/carriers/{place}", platform.id)),
            sms_from,
            numbers: [1, 2, 3].map(|carrier| format!("+{}", first + carrier * APART)),
        }
    }

    fn opened(&self, handle: &Handle) -> Value {
        let mut accounts = vec![self.smpp(handle)];
        accounts.extend(self.http(handle));
        accounts.push(self.smtp(handle));
        json!({
            "sms_from": self.sms_from,
            "voice_from": self.numbers[0],
            "email_from": EMAIL_FROM,
            "accounts": accounts,
        })
    }

    fn smpp(&self, handle: &Handle) -> Value {
        // SMPP has no room for longer ones.
        let (system_id, password) = (format!("hermod{}", &self.secret[..8]), &self.secret[8..16]);
        let address = handle.smsc().address();
        handle.smsc().admit(System {
            system_id: system_id.clone(),
            password: password.to_owned(),
            addresses: vec![self.sms_from.to_owned()],
        });
        json!({
            "provider": "smpp",
            "external_id": system_id,
            "config": { "host": address.ip().to_string(), "port": address.port(), "system_id": system_id },
            "secrets": { "password": password },
            "from": [self.sms_from],
        })
    }

    /// They may all send in the name of the organization, and speak from its voice number.
    fn http<'a>(&'a self, handle: &'a Handle) -> impl Iterator<Item = Value> + 'a {
        let all = [Credentials::twilio, Credentials::telnyx, Credentials::vonage].map(|of| of(&self.secret));
        all.into_iter().zip(&self.numbers).map(|(credentials, number)| {
            let mut numbers = vec![number.clone(), self.sms_from.to_owned()];
            numbers.extend((number != &self.numbers[0]).then(|| self.numbers[0].clone()));
            let inbound = format!("{}/webhooks/{}/{}", self.base_url, credentials.carrier(), credentials.name());
            let account = Account { credentials, numbers, inbound_url: Some(inbound) };
            let mut told = handle.http().introduction(&account);
            told["from"] = json!([number]);
            handle.http().put(account);
            told
        })
    }

    fn smtp(&self, handle: &Handle) -> Value {
        let (name, password) = (format!("relay-{}", &self.secret[..8]), &self.secret[16..]);
        let (webhook_secret, address) = (format!("bounces-{}", &self.secret[8..24]), handle.smtp().address());
        let url = format!("{}/webhooks/smtp/{name}", self.base_url);
        handle.smtp().admit(User {
            name: name.clone(),
            password: password.to_owned(),
            bounces: Some(Bounces { url, secret: webhook_secret.clone() }),
        });
        json!({
            "provider": "smtp",
            "external_id": name,
            "config": {
                "host": address.ip().to_string(),
                "port": address.port(),
                "security": "none",
                "username": name,
                "return_path": RETURN_PATH,
            },
            "secrets": { "password": password, "webhook_secret": webhook_secret },
            "from": [EMAIL_FROM],
        })
    }
}

/// What goes wrong with the purchase of a number; anything else is for the codes that come to it.
const ORDERS: [Kind; 4] = [Kind::Status, Kind::Timeout, Kind::LostAck, Kind::Code];
/// What goes wrong with a call to the till.
const CALLS: [Kind; 6] = [Kind::Status, Kind::Timeout, Kind::Drop, Kind::LostAck, Kind::Conflict, Kind::Delay];

/// The world as carriers see it. It does not keep the world alive: the world keeps them.
struct Street(Weak<World>);

impl Outside for Street {
    fn now(&self) -> i64 {
        self.0.upgrade().map_or(0, |world| world.clock.now())
    }

    fn fault(&self, target: Target) -> Option<Fault> {
        let world = self.0.upgrade()?;
        let fault = match target {
            Target::Sms => world.take_fault(faults::Target::Sms, ""),
            Target::Voice => world.take_fault(faults::Target::Voice, ""),
            Target::Smtp => world.take_fault(faults::Target::Smtp, ""),
            Target::Numbers => world.take_fault_of(faults::Target::Numbers, &ORDERS),
            Target::Till => world.take_fault_of(faults::Target::Payments, &CALLS),
            Target::Buyer => world.take_fault_of(faults::Target::Payments, &[Kind::Code, Kind::Duplicate]),
        };
        fault.map(|fault| befalls(&fault))
    }

    fn phone(&self, number: &str) -> Phone {
        let world = self.0.upgrade();
        let known = world.as_ref().zip(digits(number));
        let online = known
            .is_none_or(|(world, digits)| world.state().phones.get(digits.as_str()).is_none_or(|phone| phone.online));
        Phone { registered: true, online }
    }

    fn push(&self, url: String, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Result<u16, String>> {
        let asked = self.ask(url, headers, body);
        Box::pin(async move { asked.await.map(|(status, _)| status) })
    }

    fn ask(&self, url: String, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Result<(u16, String), String>> {
        let world = self.0.upgrade();
        Box::pin(async move {
            let world = world.ok_or("the sandbox has stopped")?;
            let introduced =
                world.state().platforms.iter().any(|platform| {
                    url.strip_prefix(platform.base_url.as_str()).is_some_and(|path| path.starts_with('/'))
                });
            let peer = if introduced { Peer::Platform(url) } else { Peer::Named(url) };
            world
                .outbound
                .call(Method::POST, &peer, headers, body.to_vec())
                .await
                .map(|answer| (answer.status, answer.body))
        })
    }
}

/// What a fault means to carriers.
fn befalls(fault: &faults::Fault) -> Fault {
    match fault.kind {
        Kind::Status => Fault::Status(u32::from(fault.status.unwrap_or(500))),
        Kind::Code => Fault::Code(fault.code.as_ref().map(ToString::to_string).unwrap_or_default()),
        Kind::Timeout => Fault::Timeout,
        Kind::Duplicate => Fault::Duplicate,
        Kind::Reorder => Fault::Reorder,
        Kind::Delay => Fault::Delay(Duration::from_millis(fault.delay_ms)),
        Kind::Drop | Kind::LostAck | Kind::Conflict => Fault::Drop,
    }
}
