//! What the webhooks of linked accounts told, written down as it came.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::Outcome;
use crate::load::{Post, Receiver, Reply};

/// Everybody's webhook.
pub struct Inbox {
    told: Arc<Mutex<Told>>,
    receiver: Receiver,
}

#[derive(Default)]
pub struct Told {
    /// The ids of the events that told of a text. The same event may come more than once; two are two messages.
    pub texts: HashMap<String, HashSet<String>>,
    /// Events that say that somebody has to link his account, or lost his link.
    pub links: HashSet<String>,
}

impl Inbox {
    pub async fn open() -> Outcome<Self> {
        let told = Arc::new(Mutex::new(Told::default()));
        let book = told.clone();
        let receiver = Receiver::open(move |post| {
            lock(&book).hear(post);
            Reply::OK
        })
        .await?;
        Ok(Self { told, receiver })
    }

    pub fn url(&self) -> String {
        self.receiver.url()
    }

    pub fn told(&self) -> MutexGuard<'_, Told> {
        lock(&self.told)
    }
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Told {
    fn hear(&mut self, post: &Post<'_>) {
        let body: Value = serde_json::from_slice(post.body).unwrap_or_default();
        let event = post.header("x-event-id").unwrap_or_default().to_owned();
        match body["eventType"].as_str() {
            Some("Message") => {
                let message = &body["data"]["event"]["Message"];
                let text = message["conversation"].as_str().or_else(|| message["extendedTextMessage"]["text"].as_str());
                self.texts.entry(text.unwrap_or_default().to_owned()).or_default().insert(event);
            }
            Some("QR" | "LoggedOut") => _ = self.links.insert(event),
            _ => {}
        }
    }
}
