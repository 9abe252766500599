//! The platform and the sandbox, each a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Bench, Process, free_port, log};
use crate::Outcome;
use crate::load::{Connection, address_of};

const START_TIMEOUT: Duration = Duration::from_secs(60);

/// The outside world.
pub struct Sandbox {
    pub process: Process,
    pub url: String,
}

impl Sandbox {
    pub fn start(bench: &Bench, dir: &Path) -> Outcome<Self> {
        let mut command = Command::new(&bench.hermod);
        command
            .args(["sandbox", "--listen", "127.0.0.1:0"])
            .env("HERMOD_LOG_FILTER", "warn")
            // Without a data directory it keeps files in a temporary one, which outlives a kill.
            .env("TMPDIR", dir)
            .stderr(log(&dir.join("sandbox.log"))?);
        let (process, line) = Process::start_and_listen(&mut command)?;
        let url = line.split_whitespace().nth(1).ok_or_else(|| format!("the sandbox said {line:?}"))?.to_owned();
        Ok(Self { process, url })
    }
}

/// Which outside world a platform is started with.
pub enum World<'a> {
    Sandbox(&'a Sandbox),
    /// The real one, of which nothing is reached.
    Real,
}

/// How a platform is started, and started again.
pub struct Platform {
    hermod: PathBuf,
    pub data_dir: PathBuf,
    log: PathBuf,
    address: SocketAddr,
    settings: Vec<(String, String)>,
    database: Option<String>,
    running: Option<Process>,
}

impl Platform {
    /// Not started yet; its port stays the same over restarts.
    pub fn new(bench: &Bench, dir: &Path) -> Outcome<Self> {
        Ok(Self {
            hermod: bench.hermod.clone(),
            data_dir: dir.join("data"),
            log: dir.join("platform.log"),
            address: SocketAddr::from(([127, 0, 0, 1], free_port()?)),
            settings: Vec::new(),
            database: None,
            running: None,
        })
    }

    /// A setting by its variable, for every start from now on.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn database(mut self, url: Option<&str>) -> Self {
        self.database = url.map(str::to_owned);
        self
    }

    /// Starts it and returns how long it took from then until it was ready.
    pub async fn start(&mut self, world: World<'_>) -> Outcome<Duration> {
        let mut command = Command::new(&self.hermod);
        command.arg("serve").arg("--listen").arg(self.address.to_string()).arg("--data-dir").arg(&self.data_dir);
        match world {
            World::Sandbox(sandbox) => _ = command.arg("--sandbox-url").arg(&sandbox.url),
            // Port 9 discards: nothing leaves this machine.
            World::Real => _ = command.env("HERMOD_META_GRAPH_URL", "http://127.0.0.1:9"),
        }
        if let Some(url) = &self.database {
            command.arg("--database").arg(url);
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.stdout(log(&self.log)?).stderr(log(&self.log)?);
        let began = Instant::now();
        self.running = Some(Process::start(&mut command)?);
        self.ready(began).await?;
        Ok(began.elapsed())
    }

    async fn ready(&mut self, began: Instant) -> Outcome {
        while !self.is_ready().await {
            if began.elapsed() > START_TIMEOUT || self.running.as_mut().is_none_or(Process::has_ended) {
                return Err(format!("the platform does not start; see {}", self.tail()).into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    pub async fn is_ready(&self) -> bool {
        let ask = async {
            let mut connection = Connection::open(self.address).await?;
            connection.call(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.map(|(status, _)| status)
        };
        matches!(tokio::time::timeout(Duration::from_secs(10), ask).await, Ok(Ok(200)))
    }

    /// The end of its log, for an error: its directory will be gone.
    fn tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    pub fn pid(&self) -> Outcome<u32> {
        Ok(self.running.as_ref().ok_or("the platform does not run")?.id())
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// `kill -STOP`, and `kill -CONT`.
    pub fn freeze(&self, frozen: bool) -> Outcome {
        self.running.as_ref().ok_or("the platform does not run")?.freeze(frozen)
    }

    pub async fn stop(&mut self) -> Outcome {
        match self.running.take() {
            Some(process) => process.stop().await,
            None => Ok(()),
        }
    }

    /// What `sandbox.json` says, and a client that uses it.
    pub fn api(&self) -> Outcome<Api> {
        let text = std::fs::read_to_string(self.data_dir.join("sandbox.json"))?;
        Api::new(&serde_json::from_str(&text)?)
    }
}

/// What the load needs to know of a platform in sandbox mode.
#[derive(Clone)]
pub struct Facts {
    pub address: SocketAddr,
    pub base_url: String,
    pub sandbox_url: String,
    pub api_key: String,
    pub number_id: String,
    /// Digits of our number.
    pub display: String,
    pub waba_id: String,
    pub app_secret: String,
    pub ycloud: Ycloud,
    pub late: Late,
    /// DIGIGO's administrator.
    pub admin_token: String,
    /// The sandbox has a WhatsApp Web server.
    pub has_web: bool,
}

/// What the load through YCloud needs.
#[derive(Clone)]
pub struct Ycloud {
    pub api_key: String,
    /// Our number, with `+`.
    pub number: String,
    /// What texts are sent from.
    pub sms_from: String,
}

/// What the load through Late needs.
#[derive(Clone)]
pub struct Late {
    pub api_key: String,
    /// Its name for our number.
    pub account_id: String,
}

/// Calls that set things up and look at the outcome.
#[derive(Clone)]
pub struct Api {
    pub facts: Facts,
    client: Client,
}

impl Api {
    fn new(all: &Value) -> Outcome<Self> {
        let text = |path: &str| {
            let found = all.pointer(path).and_then(Value::as_str).map(str::to_owned);
            found.ok_or_else(|| format!("sandbox.json has no {path}"))
        };
        let base_url = text("/base_url")?;
        let facts = Facts {
            address: address_of(&base_url)?,
            base_url,
            sandbox_url: text("/sandbox_url")?,
            api_key: text("/kirim/api_key")?,
            number_id: text("/kirim/phone_number_id")?,
            display: text("/meta/phone_numbers/0/display_phone_number")?.trim_start_matches('+').to_owned(),
            waba_id: text("/meta/waba_id")?,
            app_secret: text("/meta/app_secret")?,
            ycloud: Ycloud {
                api_key: text("/ycloud/api_key")?,
                number: text("/ycloud/from")?,
                sms_from: text("/ycloud/sms_from")?,
            },
            late: Late { api_key: text("/late/api_key")?, account_id: text("/late/account_id")? },
            admin_token: text("/digigo/admin_token")?,
            has_web: all.get("web").is_some(),
        };
        let client = net::plain_client(&net::PlainSettings::default())?;
        Ok(Self { facts, client })
    }

    async fn call(&self, method: Method, url: String, body: Option<Value>) -> Outcome<Value> {
        let request = self.client.request(method, &url).bearer_auth(&self.facts.api_key);
        Self::ask(request, url, body).await
    }

    /// DIGIGO's API, as the user of a token or as the administrator.
    pub async fn digigo(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Outcome<Value> {
        let url = format!("{}{path}", self.facts.base_url);
        let request = self.client.request(method, &url);
        let request = match token {
            Some(token) => request.header("token", token),
            None => request.header("authorization", &self.facts.admin_token),
        };
        Self::ask(request, url, body).await
    }

    async fn ask(mut request: RequestBuilder, url: String, body: Option<Value>) -> Outcome<Value> {
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("{url} answered {status}: {text}").into());
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Makes an active subscription and returns its id.
    pub async fn subscribe(&self, url: &str, events: &[&str]) -> Outcome<String> {
        let body = json!({ "url": url, "events": events });
        let made =
            self.call(Method::POST, format!("{}/v1/webhook_subscriptions", self.facts.base_url), Some(body)).await?;
        made.pointer("/data/id")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| "a subscription has no id".into())
    }

    /// Makes an endpoint of YCloud's.
    pub async fn endpoint(&self, url: &str, events: &[&str]) -> Outcome {
        let made = format!("{}/v2/webhookEndpoints", self.facts.base_url);
        let request = self.client.post(&made).header("x-api-key", &self.facts.ycloud.api_key);
        Self::ask(request, made, Some(json!({ "url": url, "enabledEvents": events }))).await.map(drop)
    }

    /// Late's broadcasts; `path` is what comes after them.
    pub async fn late(&self, method: Method, path: &str, body: Option<Value>) -> Outcome<Value> {
        let url = format!("{}/v1/whatsapp/broadcasts{path}", self.facts.base_url);
        let request = self.client.request(method, &url).bearer_auth(&self.facts.late.api_key);
        Self::ask(request, url, body).await
    }

    /// `active` or `paused`.
    pub async fn set_status(&self, subscription: &str, status: &str) -> Outcome {
        let url = format!("{}/v1/webhook_subscriptions/{subscription}", self.facts.base_url);
        self.call(Method::PATCH, url, Some(json!({ "status": status }))).await.map(drop)
    }

    /// One page of our number's messages.
    pub async fn messages(&self, direction: &str, cursor: Option<&str>) -> Outcome<Value> {
        let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let (base, number) = (&self.facts.base_url, &self.facts.number_id);
        self.call(Method::GET, format!("{base}/v1/{number}/messages?direction={direction}&limit=100{cursor}"), None)
            .await
    }

    /// How much waits in a queue.
    pub async fn depth(&self, queue: &str) -> Outcome<u64> {
        self.gauge(&format!("hermod_queue_depth{{queue=\"{queue}\"}}")).await
    }

    /// One of the platform's own figures.
    pub async fn gauge(&self, name: &str) -> Outcome<u64> {
        let text = self.call(Method::GET, format!("{}/metrics", self.facts.base_url), None).await?;
        let lines = text.as_str().unwrap_or_default().lines();
        let value = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).next();
        Ok(value.ok_or_else(|| format!("the metrics do not tell of {name}"))?.parse::<f64>()? as u64)
    }

    /// Waits until a queue holds at least (`true`) or at most (`false`) so much.
    pub async fn wait_depth(&self, queue: &str, at_least: bool, wanted: u64, most: Duration) -> Outcome {
        let began = Instant::now();
        loop {
            let depth = self.depth(queue).await?;
            if if at_least { depth >= wanted } else { depth <= wanted } {
                return Ok(());
            }
            if began.elapsed() > most {
                return Err(format!("after {} s the queue {queue} holds {depth}, not {wanted}", most.as_secs()).into());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The sandbox's control API.
    pub async fn sandbox(&self, method: Method, path: &str, body: Option<Value>) -> Outcome<Value> {
        self.call(method, format!("{}{path}", self.facts.sandbox_url), body).await
    }

    /// Moves the clock of both.
    pub async fn advance(&self, span: &str) -> Outcome {
        self.call(Method::POST, format!("{}/sandbox/clock", self.facts.base_url), Some(json!({ "advance": span })))
            .await
            .map(drop)
    }

    /// Customers write first, so that they may be written to.
    pub async fn open_windows(&self, customers: u64) -> Outcome {
        for number in 0..customers {
            let path = format!("/phones/+{}/messages", crate::load::customer(number));
            self.sandbox(
                Method::POST,
                &path,
                Some(json!({ "to": self.facts.number_id, "type": "text", "text": { "body": "hello" } })),
            )
            .await?;
        }
        Ok(())
    }
}
