//! Steady load from both sides. Callers do what good clients do: an answer that never came, a 503 or a 409 is
//! followed by the same request with the same idempotency key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use super::promises::Promises;
use crate::Outcome;
use crate::load::{Connection, Sends, customer};
use crate::parts::Api;

pub const CUSTOMERS: u64 = 40;
const CALLERS: usize = 16;
const WRITERS: usize = 4;
const PAUSE: Duration = Duration::from_millis(20);
/// No answer for longer than this is as bad as a broken connection.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long callers go on trying once no new requests are made.
const LAST_TRIES: Duration = Duration::from_secs(60);

/// Whether connections may break and go unanswered: only when the platform itself is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    MayBreak,
    MustHold,
}

pub struct Traffic {
    tasks: JoinSet<Outcome>,
    stop: Arc<AtomicBool>,
}

impl Traffic {
    pub fn start(api: &Api, promises: &Arc<Promises>, lines: Lines) -> Self {
        let (mut tasks, stop) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        let sends = Arc::new(Sends::new(&api.facts, CUSTOMERS, 0));
        for _ in 0..CALLERS {
            let caller =
                Caller { api: api.clone(), sends: sends.clone(), promises: promises.clone(), lines, line: None };
            tasks.spawn(caller.work(stop.clone()));
        }
        for _ in 0..WRITERS {
            tasks.spawn(write(api.clone(), promises.clone(), stop.clone()));
        }
        Self { tasks, stop }
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

/// Customers write; what their phones have sent off must arrive.
async fn write(api: Api, promises: Arc<Promises>, stop: Arc<AtomicBool>) -> Outcome {
    while !stop.load(Ordering::Relaxed) {
        let number = promises.next();
        let text = format!("in-{number}");
        let message = json!({ "to": api.facts.number_id, "type": "text", "text": { "body": text } });
        api.sandbox(Method::POST, &format!("/phones/+{}/messages", customer(number % CUSTOMERS)), Some(message))
            .await?;
        promises.book().writes.insert(text);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

struct Caller {
    api: Api,
    sends: Arc<Sends>,
    promises: Arc<Promises>,
    lines: Lines,
    line: Option<Connection>,
}

impl Caller {
    async fn work(mut self, stop: Arc<AtomicBool>) -> Outcome {
        while !stop.load(Ordering::Relaxed) {
            let number = self.promises.next();
            let text = format!("out-{number}");
            let mut request = Vec::new();
            self.sends.write_to(number, &customer(number % CUSTOMERS), &text, &mut request);
            self.promises.book().sends.insert(text.clone(), false);
            self.send(&text, &request, &stop).await;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Until it is acknowledged, or refused for good.
    async fn send(&mut self, text: &str, request: &[u8], stop: &AtomicBool) {
        let mut stopped = None;
        loop {
            let status = self.call(request).await;
            *self.promises.book().answers.entry(status).or_default() += 1;
            match status {
                200..300 => {
                    self.promises.book().sends.insert(text.to_owned(), true);
                    return;
                }
                409 | 503 => {}
                0 if self.lines == Lines::MayBreak => {}
                0 => self.unclear(format!("{text} was not answered in time")),
                other => return self.unclear(format!("{text} was answered {other}")),
            }
            if stop.load(Ordering::Relaxed) && stopped.get_or_insert_with(Instant::now).elapsed() > LAST_TRIES {
                return self.unclear(format!("{text} was never acknowledged"));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn unclear(&self, what: String) {
        self.promises.book().unclear.push(what);
    }

    /// The answer's status, 0 where none came.
    async fn call(&mut self, request: &[u8]) -> u16 {
        let status = tokio::time::timeout(PATIENCE, self.try_call(request)).await;
        match status {
            Ok(Ok(status)) => status,
            Ok(Err(_)) | Err(_) => {
                self.line = None;
                0
            }
        }
    }

    async fn try_call(&mut self, request: &[u8]) -> std::io::Result<u16> {
        let line = match &mut self.line {
            Some(line) => line,
            None => self.line.insert(Connection::open(self.api.facts.address).await?),
        };
        line.call(request).await.map(|(status, _)| status)
    }
}
