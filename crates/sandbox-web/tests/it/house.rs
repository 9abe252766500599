//! A server and clients for one story.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sandbox_web::{Arrival, Handle, Linked, Number, Options, WebServer};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wacore::store::InMemoryBackend;
use whatsapp_rust::anyhow;
use whatsapp_rust::async_channel::Receiver;
use whatsapp_rust::bot::{Bot, BotHandle};
use whatsapp_rust::http::{HttpClient, HttpRequest, HttpResponse};
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::transport::{Connector, TokioWebSocketTransportFactory};
use whatsapp_rust::types::events::{ChannelEventHandler, Event, InboundMessage};
use whatsapp_rust::types::message::{MessageCategory, MessageInfo};
use whatsapp_rust::waproto::whatsapp as wa;
use whatsapp_rust::{Client, InboundDurabilityHook, TokioRuntime};

/// Nothing here takes so long; it only ends a story that hangs.
const PATIENCE: Duration = Duration::from_secs(90);

pub const ANA: &str = "+15550100001";
pub const BEN: &str = "+15550100002";

pub fn number(text: &str) -> Number {
    text.parse().unwrap()
}

/// A server and what reaches its phones.
pub struct House {
    pub server: WebServer,
    pub handle: Handle,
    arrivals: UnboundedReceiver<Arrival>,
    kept: Vec<Arrival>,
}

impl House {
    pub async fn open() -> Self {
        Self::open_with(Options::default()).await
    }

    pub async fn open_with(options: Options) -> Self {
        net::install_crypto();
        let server = WebServer::start(options).await.unwrap();
        let handle = server.handle();
        let arrivals = handle.subscribe();
        Self { server, handle, arrivals, kept: Vec::new() }
    }

    /// A client linked to the phone of `owner`, ready for messages.
    pub async fn linked(&self, owner: &str) -> Guest {
        self.handle.account(&number(owner), Some(owner));
        let mut guest = Guest::new(self).await;
        let qr = guest.qr().await;
        let linked = self.handle.link_by_qr(&number(owner), &qr).await.unwrap();
        assert!(matches!(linked, Linked::Device(device) if device >= 33));
        guest.ready().await;
        guest
    }

    /// Waits for something to reach a phone.
    pub async fn arrival<T>(&mut self, what: &str, mut pick: impl FnMut(&Arrival) -> Option<T>) -> T {
        if let Some(place) = self.kept.iter().position(|it| pick(it).is_some()) {
            return pick(&self.kept.remove(place)).unwrap();
        }
        let found = async {
            loop {
                let arrival = self.arrivals.recv().await.unwrap();
                if let Some(found) = pick(&arrival) {
                    return found;
                }
                self.kept.push(arrival);
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => panic!("{what} did not reach the phone; what did: {:?}", self.kept),
        }
    }

    /// The next message that a phone shows: its text and the message.
    pub async fn message_at(&mut self, phone: &str) -> (String, wa::Message, Arrival) {
        let phone = number(phone);
        self.arrival("a message", |arrival| match arrival {
            Arrival::Message { phone: at, message, .. } if *at == phone => {
                Some((text(message), (**message).clone(), arrival.clone()))
            }
            _ => None,
        })
        .await
    }
}

/// A client and what happened to it.
pub struct Guest {
    pub client: Arc<Client>,
    pub backend: Arc<InMemoryBackend>,
    running: BotHandle,
    events: Receiver<Arc<Event>>,
    kept: Vec<Arc<Event>>,
    written: UnboundedReceiver<String>,
}

impl Guest {
    pub async fn new(house: &House) -> Self {
        Self::with(house, Arc::new(InMemoryBackend::new()), None, "").await
    }

    pub async fn named(house: &House, name: &str) -> Self {
        Self::with(house, Arc::new(InMemoryBackend::new()), None, name).await
    }

    pub async fn with_code(house: &House, owner: &str) -> Self {
        let options = PairCodeOptions { phone_number: owner.trim_start_matches('+').to_owned(), ..Default::default() };
        Self::with(house, Arc::new(InMemoryBackend::new()), Some(options), "").await
    }

    /// The same device again, after its process ended.
    pub async fn again(house: &House, backend: Arc<InMemoryBackend>) -> Self {
        Self::with(house, backend, None, "").await
    }

    /// A client of a server that runs elsewhere in this process.
    pub async fn at(url: &str, certificate: &[u8], backend: Arc<InMemoryBackend>) -> Self {
        Self::open(url, certificate, backend, None, "").await
    }

    async fn with(house: &House, backend: Arc<InMemoryBackend>, code: Option<PairCodeOptions>, name: &str) -> Self {
        Self::open(&house.server.url(), house.server.certificate_der(), backend, code, name).await
    }

    async fn open(
        url: &str,
        certificate: &[u8],
        backend: Arc<InMemoryBackend>,
        code: Option<PairCodeOptions>,
        name: &str,
    ) -> Self {
        let (handler, events) = ChannelEventHandler::new();
        let (diary, written) = Diary::new();
        let mut builder = Bot::builder()
            .with_backend_arc(backend.clone())
            .with_transport_factory(factory(url, certificate))
            .with_http_client(Web::new(certificate))
            .with_runtime(TokioRuntime)
            .with_version((2, 3000, 0))
            .with_wanted_pre_key_count(10)
            .with_inbound_durability_hook(diary)
            .with_event_handler(Forward(handler));
        if let Some(code) = code {
            builder = builder.with_pair_code(code);
        }
        if !name.is_empty() {
            builder = builder.with_push_name(name);
        }
        let running = builder.build().await.unwrap().spawn();
        Self { client: running.client(), backend, running, events, kept: Vec::new(), written }
    }

    /// Waits for something to happen to the client; what is not waited for is kept for later.
    pub async fn event<T>(&mut self, what: &str, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        if let Some(place) = self.kept.iter().position(|it| pick(it).is_some()) {
            return pick(&self.kept.remove(place)).unwrap();
        }
        let found = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if let Some(found) = pick(&event) {
                    return found;
                }
                self.kept.push(event);
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => panic!("{what} did not happen; what did: {}", told(&self.kept)),
        }
    }

    /// The next text that the client wrote down before it confirmed it.
    pub async fn written(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.written.recv()).await.expect("a text was written down").unwrap()
    }

    pub async fn qr(&mut self) -> String {
        self.event("a QR code", |event| match event {
            Event::PairingQrCode(shown) => Some(shown.code.clone()),
            _ => None,
        })
        .await
    }

    pub async fn connected(&mut self) {
        self.event("a connection", |event| matches!(event, Event::Connected(_)).then_some(())).await;
    }

    /// Connected, and done with all that follows.
    pub async fn ready(&mut self) {
        self.connected().await;
        self.client.wait_for_startup_sync(PATIENCE).await.unwrap();
    }

    pub async fn message(&mut self) -> (wa::Message, MessageInfo) {
        self.event("a message", |event| {
            let mut shown = event.messages().filter(|it| it.info.category != MessageCategory::Peer);
            shown.next().map(|it| ((*it.message).clone(), (*it.info).clone()))
        })
        .await
    }

    pub async fn text(&mut self) -> String {
        text(&self.message().await.0)
    }

    pub async fn stop(self) -> Arc<InMemoryBackend> {
        self.running.shutdown().await;
        self.backend
    }
}

fn told(events: &[Arc<Event>]) -> String {
    let lines = events.iter().map(|event| format!("{event:?} {}", serde_json::to_string(event).unwrap_or_default()));
    lines.collect::<Vec<_>>().join("\n")
}

struct Forward(Arc<ChannelEventHandler>);

impl whatsapp_rust::types::events::EventHandler for Forward {
    fn handle_event(&self, event: Arc<Event>) {
        self.0.handle_event(event);
    }
}

pub fn text(message: &wa::Message) -> String {
    message
        .conversation
        .clone()
        .or_else(|| message.extended_text_message.as_option().and_then(|it| it.text.clone()))
        .unwrap_or_default()
}

pub fn words(text: &str) -> wa::Message {
    wa::Message { conversation: Some(text.to_owned()), ..Default::default() }
}

fn factory(url: &str, certificate: &[u8]) -> TokioWebSocketTransportFactory {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.to_vec().into()).unwrap();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = Connector::Rustls(tokio_rustls::TlsConnector::from(Arc::new(config)));
    TokioWebSocketTransportFactory::new().with_url(url).with_connector(connector)
}

/// Media over HTTPS with the server's certificate.
#[derive(Clone)]
pub struct Web(reqwest::Client);

impl Web {
    #[expect(clippy::disallowed_methods, reason = "the client under test trusts one certificate and vets nothing")]
    pub fn new(certificate: &[u8]) -> Self {
        let root = reqwest::Certificate::from_der(certificate).unwrap();
        Self(reqwest::Client::builder().tls_certs_only([root]).no_proxy().build().unwrap())
    }

    pub async fn post(&self, url: String, body: String) -> (u16, String) {
        let answer = self.0.post(url).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

#[whatsapp_rust::async_trait]
impl HttpClient for Web {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let mut asked = self.0.request(request.method.parse()?, request.url);
        for (name, value) in request.headers {
            asked = asked.header(name, value);
        }
        if let Some(body) = request.body {
            asked = asked.body(body);
        }
        let answer = asked.send().await?;
        Ok(HttpResponse { status_code: answer.status().as_u16(), body: answer.bytes().await?.to_vec() })
    }
}

/// Writes down each message once, and only then lets it be confirmed. Its events may tell of a message again, and a client
/// without it may have lost what it was reading when its connection broke.
struct Diary {
    known: Mutex<HashSet<(String, String, String)>>,
    texts: UnboundedSender<String>,
}

impl Diary {
    fn new() -> (Self, UnboundedReceiver<String>) {
        let (texts, written) = unbounded_channel();
        (Self { known: Mutex::default(), texts }, written)
    }
}

#[async_trait::async_trait]
impl InboundDurabilityHook for Diary {
    async fn on_messages(&self, _: Arc<Client>, batch: &[InboundMessage]) -> anyhow::Result<()> {
        for InboundMessage { message, info, .. } in batch {
            let key = (info.source.chat.to_string(), info.source.sender.to_string(), info.id.clone());
            if !text(message).is_empty() && self.known.lock().unwrap().insert(key) {
                let _ = self.texts.send(text(message));
            }
        }
        Ok(())
    }
}
