//! Accounts of the DIGIGO API, each linked to a phone of the sandbox.

mod inbox;

use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt};
use reqwest::Method;
use serde_json::{Value, json};

pub use inbox::Inbox;

use super::Api;
use crate::Outcome;

/// What users are told of: enough to see messages, and links that were lost.
const EVENTS: [&str; 3] = ["Message", "QR", "LoggedOut"];
/// Accounts that are linked at the same time.
const AT_ONCE: usize = 8;
/// How long linking one account may take on a busy machine.
const LINKING: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A user whose account is linked.
#[derive(Clone)]
pub struct User {
    pub token: String,
    /// Digits of the account's number.
    pub phone: String,
}

impl User {
    fn new(number: u64) -> Self {
        Self { token: format!("token-of-{number}"), phone: format!("1555{:07}", 3_000_000 + number) }
    }
}

/// How one user's connection stands.
struct Stands {
    up: bool,
    /// The code to scan, while there is one.
    code: String,
}

/// The administrator of an organization that uses DIGIGO.
#[derive(Clone)]
pub struct Linked {
    pub api: Api,
}

impl Linked {
    /// Fails where the build has no WhatsApp Web server to link with.
    pub fn new(api: Api) -> Outcome<Self> {
        match api.facts.has_web {
            true => Ok(Self { api }),
            false => Err("linked accounts need a hermod built with --features web-sandbox".into()),
        }
    }

    /// Makes so many users, told of everything at `hook`, and links them.
    pub async fn link(&self, count: u64, hook: &str) -> Outcome<Vec<User>> {
        let linking = (0..count).map(|number| self.link_one(User::new(number), hook));
        futures_util::stream::iter(linking).buffered(AT_ONCE).try_collect().await
    }

    async fn link_one(&self, user: User, hook: &str) -> Outcome<User> {
        let (api, token, phone) = (&self.api, &user.token, &user.phone);
        let new = json!({ "name": phone, "token": token, "webhook": hook, "events": EVENTS.join(",") });
        let made = api.digigo(Method::POST, "/admin/users", None, Some(new)).await?;
        let id = made.pointer("/data/id").and_then(Value::as_str).ok_or("a user has no id")?;
        api.digigo(Method::POST, "/session/connect", Some(token), Some(json!({ "Immediate": true }))).await?;
        let code = self.wait(id, |seen| !seen.code.is_empty()).await?.code;
        api.sandbox(Method::POST, &format!("/phones/+{phone}/link"), Some(json!({ "qr": code }))).await?;
        self.wait(id, |seen| seen.up).await?;
        Ok(user)
    }

    async fn wait(&self, id: &str, until: impl Fn(&Stands) -> bool) -> Outcome<Stands> {
        let began = Instant::now();
        loop {
            let mut found = self.stand(&format!("ids={id}")).await?;
            let seen = found.pop().ok_or("a user is not listed")?;
            if until(&seen) {
                return Ok(seen);
            }
            if began.elapsed() > LINKING {
                return Err(format!("an account was not linked in {} s", LINKING.as_secs()).into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn stand(&self, query: &str) -> Outcome<Vec<Stands>> {
        let path = format!("/admin/instances/status?{query}");
        let page = self.api.digigo(Method::GET, &path, None, None).await?;
        let stands = |seen: &Value| Stands {
            up: seen["connected"] == true && seen["loggedIn"] == true,
            code: seen["qrcode_text"].as_str().unwrap_or_default().to_owned(),
        };
        Ok(page["data"].as_array().into_iter().flatten().map(stands).collect())
    }

    /// How many are connected, as the platform says. It lists a thousand.
    pub async fn up(&self) -> Outcome<u64> {
        Ok(self.stand("limit=1000").await?.iter().filter(|seen| seen.up).count() as u64)
    }

    /// Waits until so many are connected, by the sandbox's word and by the platform's.
    pub async fn wait_up(&self, count: u64, most: Duration) -> Outcome {
        let began = Instant::now();
        loop {
            let sockets = self.sockets().await?.sockets.len() as u64;
            if sockets >= count && self.up().await? >= count {
                return Ok(());
            }
            if began.elapsed() > most {
                return Err(format!("after {} s {sockets} of {count} accounts are connected", most.as_secs()).into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Who is connected to the sandbox.
    pub async fn sockets(&self) -> Outcome<Sockets> {
        let stats = self.api.sandbox(Method::GET, "/stats", None).await?;
        let web = stats.get("web").ok_or("the sandbox does not count connections")?;
        let sockets = web["sockets"].as_object().ok_or("the sandbox does not count connections")?;
        let count = |(phone, count): (&String, &Value)| (phone.clone(), count.as_u64().unwrap_or(u64::MAX));
        let counter = |name: &str| web[name].as_u64().ok_or_else(|| format!("the sandbox does not count {name}"));
        Ok(Sockets {
            sockets: sockets.iter().map(count).collect(),
            takeovers: counter("takeovers")?,
            connections: counter("connections")?,
        })
    }

    /// A user sends a text; WhatsApp has taken it when this returns.
    pub async fn send(&self, user: &User, to: &str, text: &str) -> Outcome {
        let body = json!({ "Phone": to, "Body": text });
        self.api.digigo(Method::POST, "/chat/send/text", Some(&user.token), Some(body)).await.map(drop)
    }

    /// A customer's phone writes to a linked account.
    pub async fn write(&self, phone: &str, user: &User, text: &str) -> Outcome {
        let message = json!({ "to": format!("+{}", user.phone), "type": "text", "text": { "body": text } });
        self.api.sandbox(Method::POST, &format!("/phones/+{phone}/messages"), Some(message)).await.map(drop)
    }
}

/// The sandbox's side of all connections.
pub struct Sockets {
    /// By number.
    pub sockets: Vec<(String, u64)>,
    /// How often a device came in while an older connection of it was alive.
    pub takeovers: u64,
    /// How often anybody came in.
    pub connections: u64,
}
