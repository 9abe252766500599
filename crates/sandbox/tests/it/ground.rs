//! A sandbox, a platform that records what it is told, and a clock that stands still until it is moved.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, put};
use sandbox::{Handle, Options, Source};
use serde_json::{Value, json};
use tokio::sync::Notify;

pub(crate) const NOW: i64 = 1_795_000_000_000;
pub(crate) const CUSTOMER: &str = "+15550199001";

/// The platform's side: records webhooks, answers as it is told to.
#[derive(Clone, Default)]
pub(crate) struct Platform(Arc<Inner>);

#[derive(Default)]
struct Inner {
    posts: Mutex<Vec<(HeaderMap, Bytes)>>,
    answers: Mutex<VecDeque<u16>>,
    clocks: Mutex<Vec<Value>>,
    /// What they were told the time with: the header `Authorization`.
    tellers: Mutex<Vec<Option<String>>>,
    challenges: Mutex<Vec<String>>,
    news: Notify,
}

impl Platform {
    async fn start(&self) -> String {
        let app = Router::new()
            .route("/webhooks/meta", get(challenge).post(webhook))
            .route("/sandbox/clock", put(clock))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        url
    }

    /// The next webhooks are answered so, then 200 again.
    pub(crate) fn will_answer(&self, statuses: &[u16]) {
        self.0.answers.lock().unwrap().extend(statuses);
    }

    pub(crate) fn posts(&self) -> Vec<(HeaderMap, Bytes)> {
        self.0.posts.lock().unwrap().clone()
    }

    pub(crate) fn challenges(&self) -> Vec<String> {
        self.0.challenges.lock().unwrap().clone()
    }

    pub(crate) fn tellers(&self) -> Vec<Option<String>> {
        self.0.tellers.lock().unwrap().clone()
    }

    /// All (field, value) pairs that came, in order.
    pub(crate) fn changes(&self) -> Vec<(String, Value)> {
        let mut all = Vec::new();
        for (_, body) in self.posts() {
            let body: Value = serde_json::from_slice(&body).unwrap();
            for entry in body["entry"].as_array().unwrap() {
                for change in entry["changes"].as_array().unwrap() {
                    all.push((change["field"].as_str().unwrap().to_owned(), change["value"].clone()));
                }
            }
        }
        all
    }

    pub(crate) fn statuses(&self) -> Vec<Value> {
        self.changes().into_iter().filter_map(|(_, value)| value["statuses"].get(0).cloned()).collect()
    }

    /// `sent`, `delivered`, … of one message, in order of arrival.
    pub(crate) fn story(&self, id: &str) -> Vec<String> {
        let own = self.statuses().into_iter().filter(|status| status["id"] == id);
        own.map(|status| status["status"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until what the platform was told answers the question.
    pub(crate) async fn until<T>(&self, question: impl Fn(&Self) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let news = self.0.news.notified();
                if let Some(answer) = question(self) {
                    return answer;
                }
                news.await;
            }
        };
        match tokio::time::timeout(std::time::Duration::from_secs(90), waiting).await {
            Ok(answer) => answer,
            Err(_) => panic!("it never came; told so far: {:#?}", self.changes()),
        }
    }

    pub(crate) async fn until_status(&self, id: &str, status: &str) -> Value {
        self.until(|platform| platform.statuses().into_iter().find(|s| s["id"] == id && s["status"] == status)).await
    }

    pub(crate) async fn until_posts(&self, count: usize) {
        self.until(|platform| (platform.posts().len() >= count).then_some(())).await;
    }

    pub(crate) async fn until_clock(&self) -> Value {
        self.until(|platform| platform.0.clocks.lock().unwrap().last().cloned()).await
    }
}

async fn challenge(State(platform): State<Platform>, Query(query): Query<Value>) -> String {
    platform.0.challenges.lock().unwrap().push(query["hub.verify_token"].as_str().unwrap().to_owned());
    query["hub.challenge"].as_str().unwrap().to_owned()
}

async fn webhook(State(platform): State<Platform>, headers: HeaderMap, body: Bytes) -> StatusCode {
    platform.0.posts.lock().unwrap().push((headers, body));
    let status = platform.0.answers.lock().unwrap().pop_front().unwrap_or(200);
    platform.0.news.notify_waiters();
    StatusCode::from_u16(status).unwrap()
}

async fn clock(State(platform): State<Platform>, headers: HeaderMap, body: Bytes) {
    let teller = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    platform.0.tellers.lock().unwrap().push(teller);
    platform.0.clocks.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    platform.0.news.notify_waiters();
}

pub(crate) struct Ground {
    pub(crate) handle: Handle,
    pub(crate) platform: Platform,
    pub(crate) platform_url: String,
    pub(crate) http: reqwest::Client,
    /// What the introduction answered under `meta`.
    pub(crate) meta: Value,
    pub(crate) number: String,
    pub(crate) waba: String,
}

pub(crate) fn options(data_dir: Option<PathBuf>) -> Options {
    Options { data_dir, seed: Some(7), time: Source::Fixed(Arc::new(AtomicI64::new(NOW))), ..Options::default() }
}

impl Ground {
    pub(crate) async fn new() -> Self {
        Self::with(options(None)).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        net::install_crypto();
        let platform = Platform::default();
        let url = platform.start().await;
        let handle = sandbox::start(options).await.unwrap();
        Self::introduced(handle, platform, url).await
    }

    pub(crate) async fn introduced(handle: Handle, platform: Platform, platform_url: String) -> Self {
        let http = net::plain_client(&net::PlainSettings::default()).unwrap();
        let mut ground = Self {
            handle,
            platform,
            platform_url,
            http,
            meta: Value::Null,
            number: String::new(),
            waba: String::new(),
        };
        ground.meta = ground.introduce("first").await["meta"].clone();
        let organization = &ground.meta["organizations"][0];
        ground.number = organization["phone_numbers"][0]["id"].as_str().unwrap().to_owned();
        ground.waba = organization["waba_id"].as_str().unwrap().to_owned();
        ground
    }

    pub(crate) async fn introduce(&self, id: &str) -> Value {
        let url = &self.platform_url;
        let body = json!({"id": id, "base_url": url, "webhook_url": format!("{url}/webhooks/meta")});
        let (status, answer) = self.control("POST", "/platforms", body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.handle.control_url()));
        if !body.is_null() {
            request = request.json(&body);
        }
        if let Some(token) = self.handle.token() {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) fn token(&self) -> &str {
        self.meta["access_token"].as_str().unwrap()
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/v23.0{path}", self.handle.graph_url());
        self.http.request(method.parse().unwrap(), url).bearer_auth(self.token())
    }

    pub(crate) async fn graph(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.request(method, path);
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Sends from the first number to the customer.
    pub(crate) async fn send(&self, mut body: Value) -> (u16, Value) {
        let defaults = json!({"messaging_product": "whatsapp", "to": CUSTOMER});
        for (key, value) in defaults.as_object().unwrap() {
            body.as_object_mut().unwrap().entry(key).or_insert(value.clone());
        }
        self.graph("POST", &format!("/{}/messages", self.number), body).await
    }

    /// Sends something that is accepted; returns its id.
    pub(crate) async fn sent(&self, body: Value) -> String {
        let (status, answer) = self.send(body).await;
        assert_eq!(status, 200, "{answer}");
        answer["messages"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The customer writes, which opens the window; returns the message's id.
    pub(crate) async fn write(&self, mut body: Value) -> String {
        body["to"] = json!("+15550100001");
        let (status, answer) = self.control("POST", &format!("/phones/{CUSTOMER}/messages"), body).await;
        assert_eq!(status, 200, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn open_window(&self) {
        self.write(json!({"type": "text", "text": {"body": "hello"}})).await;
    }

    /// What the customer's phone shows.
    pub(crate) async fn screen(&self) -> Vec<Value> {
        let (_, answer) = self.control("GET", &format!("/phones/{CUSTOMER}/messages"), Value::Null).await;
        answer["data"].as_array().unwrap().clone()
    }

    pub(crate) async fn advance(&self, by: &str) {
        let (status, answer) = self.control("POST", "/clock", json!({"advance": by})).await;
        assert_eq!(status, 200, "{answer}");
    }
}

pub(crate) fn text(body: &str) -> Value {
    json!({"type": "text", "text": {"body": body}})
}

pub(crate) fn template(name: &str, language: &str, components: Value) -> Value {
    json!({"type": "template", "template": {"name": name, "language": {"code": language}, "components": components}})
}

pub(crate) fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error code in {answer}"))
}
