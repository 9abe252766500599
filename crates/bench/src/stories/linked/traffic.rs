//! Steady load on linked accounts from both sides. Callers give their messages ids: an answer that never came, or a
//! 503, is followed by the same request with the same id, which is refused when it was accepted before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::json;
use tokio::task::JoinSet;

use super::CUSTOMERS;
use crate::Outcome;
use crate::load::customer;
use crate::parts::{Linked, User};
use crate::stories::promises::Promises;

const WRITERS: u64 = 2;
const PAUSE: Duration = Duration::from_millis(40);
/// The platform answers within less, whatever happens.
const PATIENCE: Duration = Duration::from_secs(75);
/// How long callers go on trying once no new requests are made.
const LAST_TRIES: Duration = Duration::from_secs(90);

pub struct Traffic {
    tasks: JoinSet<Outcome>,
    stop: Arc<AtomicBool>,
}

impl Traffic {
    /// One caller for each user at each process, and customers.
    pub fn start(processes: &[Linked], users: &[User], promises: &Arc<Promises>) -> Outcome<Self> {
        let (mut tasks, stop) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        let client = Client::builder().no_proxy().timeout(PATIENCE).build()?;
        for linked in processes {
            for user in users {
                let url = format!("{}/chat/send/text", linked.api.facts.base_url);
                let (user, client, promises) = (user.clone(), client.clone(), promises.clone());
                tasks.spawn(Caller { url, user, client, promises }.work(stop.clone()));
            }
        }
        for _ in 0..WRITERS {
            // Any process's: they share the sandbox.
            let linked = processes.first().ok_or("nobody to write to")?.clone();
            tasks.spawn(write(linked, users.to_vec(), promises.clone(), stop.clone()));
        }
        Ok(Self { tasks, stop })
    }

    /// Begins nothing new and waits until every request begun is answered.
    pub async fn finish(mut self) -> Outcome {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(done) = self.tasks.join_next().await {
            done??;
        }
        Ok(())
    }
}

/// Customers write; what their phones have sent off must be told.
async fn write(linked: Linked, users: Vec<User>, promises: Arc<Promises>, stop: Arc<AtomicBool>) -> Outcome {
    while !stop.load(Ordering::Relaxed) {
        let number = promises.next();
        let (text, user) = (format!("in-{number}"), &users[number as usize % users.len()]);
        linked.write(&customer(number % CUSTOMERS), user, &text).await?;
        promises.book().writes.insert(text);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

struct Caller {
    url: String,
    user: User,
    client: Client,
    promises: Arc<Promises>,
}

impl Caller {
    async fn work(self, stop: Arc<AtomicBool>) -> Outcome {
        while !stop.load(Ordering::Relaxed) {
            let number = self.promises.next();
            let text = format!("out-{number}");
            self.promises.book().sends.insert(text.clone(), false);
            self.send(number, &text, &stop).await;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Until it is acknowledged or refused, or known to have been accepted by somebody who did not live to say so.
    async fn send(&self, number: u64, text: &str, stop: &AtomicBool) {
        let (mut in_doubt, mut stopped) = (false, None);
        loop {
            let (status, body) = self.call(number, text).await;
            *self.promises.book().answers.entry(status).or_default() += 1;
            match status {
                200 => {
                    self.promises.book().sends.insert(text.to_owned(), true);
                    return;
                }
                0 | 503 => in_doubt = true,
                409 if in_doubt => return,
                500 if body.contains("did not answer in time") => return,
                500 if body.contains("not connected") => {
                    self.promises.book().refused.insert(text.to_owned());
                    return;
                }
                other => return self.unclear(format!("{text} was answered {other} {body}")),
            }
            if stop.load(Ordering::Relaxed) && stopped.get_or_insert_with(Instant::now).elapsed() > LAST_TRIES {
                return self.unclear(format!("{text} was never answered"));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The answer's status, 0 where none came, and its body.
    async fn call(&self, number: u64, text: &str) -> (u16, String) {
        let body = json!({ "Phone": customer(number % CUSTOMERS), "Body": text, "Id": format!("BENCH{number:015}") });
        let request = self.client.post(&self.url).header("token", &self.user.token).json(&body);
        match request.send().await {
            Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap_or_default()),
            Err(_) => (0, String::new()),
        }
    }

    fn unclear(&self, what: String) {
        self.promises.book().unclear.push(what);
    }
}
