//! Processes with engines and the provider, on one database, and the WhatsApp Web server that they talk to.
//!
//! Each process has a runtime of its own, so that it can be killed in the middle of anything.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use engine::cache::Cache;
use engine::content::{Content, Native};
use engine::enrolment::Enrol;
use engine::events::Event;
use engine::messages::{self, Message, New, Status};
use engine::senders::{self, Sender};
use engine::sessions::{self, CallError, Session, State};
use engine::subscriptions;
use engine::wake::Wake;
use engine::{Clock, Engine, Id, Parts, Settings, organizations, workers};
use media::Blobs;
use net::AddressPolicy;
use provider_whatsapp_web::transport::{self, Network, Version};
use provider_whatsapp_web::{NAME, Options, WhatsAppWeb};
use sandbox_web::{Arrival, Chat, Handle, Linked, Number, Tick, WebServer};
use serde_json::{Value, json};
use store::{Ids, SecretKey};
use testkit::{DIALECT, FakeTransport, Fixture, Kind, Scratch};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use waproto::whatsapp as wa;
use web_wire::ask::Ask;
use web_wire::jid::Jid;
use web_wire::send::{Body, Outgoing};

pub const ANA: &str = "+15550100001";
pub const BEN: &str = "+15550100002";
pub const CYD: &str = "+15550100003";

const HOOK: &str = "https://hooks.example.com/all";
/// Nothing here takes so long; it only ends a story that hangs.
pub const PATIENCE: Duration = Duration::from_secs(90);

pub struct House {
    pub server: WebServer,
    pub web: Handle,
    pub process: Process,
    pub clock: Clock,
    pub blobs: Blobs,
    pub settings: Settings,
    /// What the operator decided for processes that start from now on.
    pub history: bool,
    pub version: Version,
    /// Where processes that start from now on find the server, if not straight.
    pub through: Option<String>,
    hooks: FakeTransport,
    organization: Id,
    arrivals: UnboundedReceiver<Arrival>,
    kept: Vec<Arrival>,
    seen: HashSet<Id>,
    scratch: Scratch,
    processes: usize,
}

/// A process that works until it is stopped or killed.
pub struct Process {
    pub engine: Engine,
    stop: CancellationToken,
    working: JoinHandle<()>,
    runtime: Runtime,
}

/// A process that stands still.
pub struct Paused(#[expect(dead_code, reason = "to be dropped")] Vec<std::sync::mpsc::Sender<()>>);

/// What a process works with.
const THREADS: usize = 2;

impl Process {
    /// In the middle of whatever it does.
    pub fn kill(self) {
        self.runtime.shutdown_background();
    }

    /// Nothing of it goes on until what this gives is dropped.
    pub async fn pause(&self) -> Paused {
        let mut held = Vec::new();
        for _ in 0..THREADS {
            let (release, released) = std::sync::mpsc::channel::<()>();
            let (began, begun) = tokio::sync::oneshot::channel();
            self.runtime.spawn(async move {
                let _ = began.send(());
                let _ = released.recv();
            });
            begun.await.unwrap();
            held.push(release);
        }
        Paused(held)
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.working.await.unwrap();
        self.runtime.shutdown_background();
    }
}

impl Fixture for House {
    async fn set_up(kind: Kind) -> Self {
        net::install_crypto();
        let server = WebServer::start(sandbox_web::Options::default()).await.unwrap();
        let web = server.handle();
        for (number, name) in [(ANA, "Ana"), (BEN, "Ben"), (CYD, "Cyd")] {
            web.account(&phone(number), Some(name));
        }
        let (scratch, clock) = (Scratch::new(kind).await, Clock::system());
        store::migrate(&scratch.open().await).await.unwrap();
        let blobs = Blobs::directory(scratch.dir.path().join("blobs"), 256 << 20).unwrap();
        let hooks = FakeTransport::new(clock.clone());
        let (version, settings) = (Version::fixed((2, 3000, 0)), Settings::default());
        let around = Around { server: &server, url: server.url(), blobs: &blobs, version: &version, history: true };
        let process = around.start(&scratch, &clock, &hooks, named(&settings, 1)).await;
        let organization = process.engine.perform(organizations::create(&process.engine, "Acme")).await.unwrap().id;
        let house = Self {
            arrivals: web.subscribe(),
            server,
            web,
            process,
            clock,
            blobs,
            settings,
            history: true,
            version,
            through: None,
            hooks,
            organization,
            kept: Vec::new(),
            seen: HashSet::new(),
            scratch,
            processes: 1,
        };
        house.subscribe().await;
        house
    }

    async fn finish(self, told: bool) {
        if told {
            self.process.stop().await;
        } else {
            self.process.kill();
        }
        self.server.stop().await;
        self.scratch.drop().await;
    }
}

struct Around<'a> {
    server: &'a WebServer,
    url: String,
    blobs: &'a Blobs,
    version: &'a Version,
    history: bool,
}

impl Around<'_> {
    fn provider(&self) -> WhatsAppWeb {
        let settings = transport::Settings {
            endpoint: self.url.parse().unwrap(),
            policy: AddressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()]),
            extra_roots: vec![self.server.certificate_der().to_vec().into()],
            ..transport::Settings::default()
        };
        WhatsAppWeb::new(Options {
            network: Network::new(settings).unwrap(),
            version: self.version.clone(),
            blobs: self.blobs.clone(),
            largest_file: 64 << 20,
            device_name: "hermod".into(),
            prekeys: 10,
            history: self.history,
            secret: [9; 32],
        })
    }

    async fn start(&self, scratch: &Scratch, clock: &Clock, hooks: &FakeTransport, settings: Settings) -> Process {
        let parts = Parts {
            db: scratch.open().await,
            clock: clock.clone(),
            ids: Arc::new(Ids::new()),
            key: SecretKey::new([7; 32]),
            settings,
            providers: vec![Arc::new(self.provider())],
            dialects: vec![testkit::dialect()],
            transports: vec![Arc::new(hooks.clone())],
            wake: Wake::default(),
            cache: Cache::default(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build().unwrap();
        let (engine, stop) = (Engine::new(parts), CancellationToken::new());
        let working = runtime.spawn(workers::run(engine.clone(), stop.clone()));
        Process { engine, stop, working, runtime }
    }
}

fn named(settings: &Settings, number: usize) -> Settings {
    Settings { process: format!("process-{number}"), ..settings.clone() }
}

impl House {
    /// A process beside those that run.
    pub async fn another(&mut self) -> Process {
        self.processes += 1;
        let around = Around {
            server: &self.server,
            url: self.through.clone().unwrap_or_else(|| self.server.url()),
            blobs: &self.blobs,
            version: &self.version,
            history: self.history,
        };
        around.start(&self.scratch, &self.clock, &self.hooks, named(&self.settings, self.processes)).await
    }

    /// The process ends in good order, and a new one comes up on the same database.
    pub async fn restart(&mut self) {
        let next = self.another().await;
        std::mem::replace(&mut self.process, next).stop().await;
    }

    pub fn engine(&self) -> &Engine {
        &self.process.engine
    }

    async fn subscribe(&self) {
        let names = [
            engine::events::MESSAGE_SUBMITTED,
            engine::events::MESSAGE_DELIVERED,
            engine::events::MESSAGE_READ,
            engine::events::MESSAGE_PLAYED,
            engine::events::MESSAGE_FAILED,
            engine::events::MESSAGE_RECEIVED,
            engine::events::MESSAGE_ECHOED,
            engine::events::SESSION_CHANGED,
            engine::events::SESSION_NOTICE,
        ];
        let new = subscriptions::New {
            organization: self.organization,
            sender: None,
            dialect: DIALECT,
            transport: subscriptions::WEBHOOK,
            url: HOOK.into(),
            description: None,
            events: names.map(str::to_owned).to_vec(),
            ordered: false,
            options: json!({}),
            secret: Some("secret".into()),
            headers: Vec::new(),
            most: None,
        };
        let create = subscriptions::create(self.engine(), new).unwrap();
        self.engine().perform(create).await.unwrap().unwrap();
    }

    /// A sender that is to be linked.
    pub async fn enrol(&self, name: &str) -> Sender {
        self.enrol_with(name, json!({})).await
    }

    /// The same, with a configuration (`web_wire::config`).
    pub async fn enrol_with(&self, name: &str, config: Value) -> Sender {
        let enrol = Enrol {
            engine: self.engine().clone(),
            organization: self.organization,
            provider: NAME,
            dialect: DIALECT,
            name: name.into(),
            token: format!("token-of-{name}"),
            config: config.to_string(),
            settings: json!({}),
            subscription: None,
        };
        self.engine().perform(enrol).await.unwrap().unwrap()
    }

    /// A sender that is linked to the phone of `owner`, and up.
    pub async fn linked(&mut self, owner: &str) -> Sender {
        self.linked_with(owner, json!({})).await
    }

    pub async fn linked_with(&mut self, owner: &str, config: Value) -> Sender {
        let sender = self.enrol_with(owner, config).await;
        self.open(&sender).await;
        self.link(&sender, owner).await;
        sender
    }

    /// From its next opening on, everything of an account goes through a proxy.
    pub async fn set_proxy(&self, sender: &Sender, address: &str) {
        use base64::Engine as _;
        let purpose = web_wire::config::proxy_purpose(sender.id);
        let sealed = self.engine().key.seal(&purpose, address.as_bytes()).unwrap();
        let proxy = base64::engine::general_purpose::STANDARD.encode(sealed);
        let config = Some(json!({ "proxy": proxy }).to_string());
        let update = senders::Update { config, ..senders::Update::new(self.engine(), sender.id) };
        self.engine().perform(update).await.unwrap().unwrap();
    }

    pub async fn open(&self, sender: &Sender) {
        sessions::open(self.engine(), sender).await.unwrap();
    }

    /// The phone scans the code that the session shows now.
    pub async fn link(&self, sender: &Sender, owner: &str) {
        let session = self.stands(sender, State::AwaitingLink).await;
        let code = session.offer.unwrap()["qr"].as_str().unwrap().to_owned();
        let linked = self.web.link_by_qr(&phone(owner), &code).await.unwrap();
        assert!(matches!(linked, Linked::Device(device) if device >= 33));
        self.stands(sender, State::Connected).await;
    }

    /// Waits until a session stands so.
    pub async fn stands(&self, sender: &Sender, state: State) -> Session {
        self.stands_in(self.engine(), sender, |session| session.state == state).await
    }

    pub async fn stands_in(&self, engine: &Engine, sender: &Sender, is_so: impl Fn(&Session) -> bool) -> Session {
        let waiting = sessions::wait_until(engine, &sender.id, Duration::from_secs(86_400), is_so);
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(session) => session.unwrap(),
            Err(_) => panic!("the session stands otherwise: {:?}", engine.session(&sender.id).await),
        }
    }

    /// Waits until no process holds a session any more.
    pub async fn lets_go(&self, sender: &Sender) {
        self.stands_in(self.engine(), sender, |session| !session.held).await;
    }

    /// Waits until the process has taken a session itself.
    pub async fn takes_over(&self) {
        let taken = async {
            while self.engine().session_counts().await.unwrap().held == 0 {
                self.commit().await;
            }
        };
        tokio::time::timeout(PATIENCE, taken).await.expect("it is taken over");
    }

    /// The number that grows with every taking.
    pub async fn fence(&self, sender: &Sender) -> i64 {
        let mut reader = self.engine().db.reader().await.unwrap();
        store::sessions::get(&mut reader, &sender.id).await.unwrap().unwrap().fence
    }

    /// Whether anything is kept for any account's link.
    pub async fn keeps_something(&self) -> bool {
        let mut reader = self.engine().db.reader().await.unwrap();
        reader.query_opt("SELECT 1 FROM session_state LIMIT 1", &[]).await.unwrap().is_some()
    }

    /// Waits as long as a commit takes.
    pub async fn commit(&self) {
        self.engine().perform(organizations::create(self.engine(), "a commit")).await.unwrap();
    }

    /// Lets half a second pass, and waits until this process is sure of its sessions for some seconds more.
    pub async fn pass(&self) {
        self.clock.advance(Duration::from_millis(500));
        let engine = self.engine();
        let in_doubt = |row: &store::sessions::Session| {
            row.holder.as_ref() == Some(&engine.settings.process) && row.lease_until < engine.now() + 7_000
        };
        loop {
            self.commit().await;
            let mut reader = engine.db.reader().await.unwrap();
            let rows = store::sessions::list(&mut reader, &self.organization, None, 100, 0).await.unwrap();
            if !rows.iter().any(in_doubt) {
                return;
            }
        }
    }

    pub async fn ask(&self, sender: &Sender, ask: Ask) -> Result<Value, CallError> {
        let (name, fields) = ask.into_parts();
        sessions::call(self.engine(), &sender.id, &name, fields, Duration::from_secs(30)).await
    }

    /// Accepts a message under an id of its own.
    pub async fn accept(&self, sender: &Sender, to: &Jid, id: &str, outgoing: &Outgoing) -> Message {
        // As it stands now.
        let sender = self.engine().sender_by_id(&sender.id).await.unwrap().unwrap();
        let (kind, value) = to.to_neutral();
        let native = Native {
            format: web_wire::FORMAT.into(),
            name: outgoing.body.kind().into(),
            json: serde_json::to_value(outgoing).unwrap(),
            text: None,
        };
        let new = New {
            sender,
            to: engine::contacts::Address { kind: kind.into(), value },
            content: Content::Native(native),
            reply_to: None,
            provider_id: Some(id.to_owned()),
            origin: DIALECT,
            request_id: "request".into(),
            terms: messages::Terms::default(),
        };
        self.engine().perform(messages::send(self.engine(), new)).await.unwrap().unwrap()
    }

    /// Sends and waits for what WhatsApp says.
    pub async fn send(&self, sender: &Sender, to: &str, id: &str, body: Body) -> Message {
        self.send_as(sender, &jid(to), id, Outgoing::new(body)).await
    }

    pub async fn send_as(&self, sender: &Sender, to: &Jid, id: &str, outgoing: Outgoing) -> Message {
        let accepted = self.accept(sender, to, id, &outgoing).await;
        self.settled(&accepted).await
    }

    pub async fn settled(&self, message: &Message) -> Message {
        messages::settled(self.engine(), &message.id, PATIENCE).await.unwrap()
    }

    /// The same; it must have been taken.
    pub async fn sent(&self, sender: &Sender, to: &str, id: &str, body: Body) -> Message {
        let message = self.send(sender, to, id, body).await;
        assert!(message.status >= Status::Sent && message.status != Status::Failed, "{message:?}");
        assert_eq!(message.provider_id.as_deref(), Some(id));
        message
    }

    /// Lets time pass until a message was taken, no faster than leases are renewed.
    pub async fn carried(&self, message: &Message) {
        let taken = async {
            while self.now(message).await.status == Status::Pending {
                self.pass().await;
            }
        };
        tokio::time::timeout(PATIENCE, taken).await.expect("it is taken");
        assert_ne!(self.now(message).await.status, Status::Failed);
    }

    async fn now(&self, message: &Message) -> Message {
        store::messages::find(&mut self.engine().db.reader().await.unwrap(), &message.id).await.unwrap().unwrap()
    }

    /// The conversation that a message stands in.
    pub async fn conversation(&self, message: &Id) -> Id {
        let mut reader = self.engine().db.reader().await.unwrap();
        store::messages::find(&mut reader, message).await.unwrap().unwrap().conversation_id
    }

    /// How the file of a message stands.
    pub async fn file(&self, message: &Id) -> engine::media::Media {
        self.engine().media(&self.organization, message).await.unwrap().unwrap()
    }

    /// Lets time pass, no faster than leases are renewed, until something is so.
    pub async fn passes_until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let waiting = async {
            while !is_so().await {
                self.pass().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect(what);
    }

    /// From now on it is written down in which transaction each event came; `false` where the database cannot tell.
    pub async fn notes_transactions(&self) -> bool {
        if self.scratch.kind != Kind::Postgres {
            return false;
        }
        for sql in [
            "CREATE TABLE noted (id BYTEA, tx BIGINT)",
            "CREATE FUNCTION note() RETURNS trigger AS $$ BEGIN INSERT INTO noted VALUES (NEW.id, txid_current()); RETURN NEW; END $$ LANGUAGE plpgsql",
            "CREATE TRIGGER note AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION note()",
        ] {
            self.engine().perform(Sql(sql)).await.unwrap();
        }
        true
    }

    /// In how many transactions these events came.
    pub async fn transactions(&self, events: &[Id]) -> usize {
        let mut reader = self.engine().db.reader().await.unwrap();
        let mut found = HashSet::new();
        for event in events {
            let sql = "SELECT tx FROM noted WHERE id = ?1";
            let mut row = reader.query_opt(sql, store::params![event]).await.unwrap().unwrap();
            found.insert(row.take::<i64>().unwrap());
        }
        found.len()
    }

    /// The link's keys for all other devices are gone; nothing that was sealed with them can be read.
    pub async fn forgets_keys(&self) {
        self.engine().perform(Sql("DELETE FROM session_state WHERE kind = 'session'")).await.unwrap();
    }

    /// From now on what the library has opened is neither kept for a second try nor committed, as if the process died
    /// in between each time; how often that was is [`Self::forgotten`].
    pub async fn forgets_what_it_opens(&self) {
        for sql in self.of_kind(
            &[
                "CREATE TABLE opened (id INTEGER PRIMARY KEY)",
                "CREATE TRIGGER no_second_try BEFORE INSERT ON session_state WHEN NEW.kind = 'pending'
                 BEGIN INSERT INTO opened (id) VALUES (NULL); SELECT RAISE(IGNORE); END",
                "CREATE TRIGGER no_commit BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'killed'); END",
            ],
            &[
                "CREATE TABLE opened (id SERIAL)",
                "CREATE FUNCTION no_second_try() RETURNS trigger AS $$ BEGIN INSERT INTO opened DEFAULT VALUES; RETURN NULL; END $$ LANGUAGE plpgsql",
                "CREATE FUNCTION no_commit() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'killed'; END $$ LANGUAGE plpgsql",
                "CREATE TRIGGER no_second_try BEFORE INSERT ON session_state FOR EACH ROW WHEN (NEW.kind = 'pending') EXECUTE FUNCTION no_second_try()",
                "CREATE TRIGGER no_commit BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION no_commit()",
            ],
        ) {
            self.engine().perform(Sql(sql)).await.unwrap();
        }
    }

    /// It works again.
    pub async fn remembers(&self) {
        for sql in self.of_kind(
            &["DROP TRIGGER no_second_try", "DROP TRIGGER no_commit", "DROP TABLE opened"],
            &["DROP FUNCTION no_second_try CASCADE", "DROP FUNCTION no_commit CASCADE", "DROP TABLE opened"],
        ) {
            self.engine().perform(Sql(sql)).await.unwrap();
        }
    }

    fn of_kind(&self, sqlite: &'static [&'static str], postgres: &'static [&'static str]) -> &'static [&'static str] {
        if self.scratch.kind == Kind::Postgres { postgres } else { sqlite }
    }

    pub async fn forgotten(&self) -> i64 {
        self.count("SELECT COUNT(*) FROM opened").await
    }

    /// How many messages the phone is still to be asked for.
    pub async fn wanted(&self) -> i64 {
        self.count("SELECT COUNT(*) FROM session_state WHERE kind = 'wanted'").await
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let mut reader = self.engine().db.reader().await.unwrap();
        reader.query_opt(sql, &[]).await.unwrap().unwrap().take().unwrap()
    }

    /// How many messages were told of.
    pub async fn received(&self) -> usize {
        self.events().await.iter().filter(|event| event.kind == engine::events::MESSAGE_RECEIVED).count()
    }

    /// What happened so far, oldest first.
    pub async fn events(&self) -> Vec<Event> {
        let mut reader = self.engine().db.reader().await.unwrap();
        let (first, last) = (Id::from_parts(0, 0), Id::from_parts(i64::MAX >> 20, 0));
        store::events::between(&mut reader, &self.organization, &first, &last, 100_000).await.unwrap()
    }

    /// Waits for an event that was not waited for before.
    pub async fn event<T>(&mut self, kind: &str, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let hooks = self.hooks.clone();
        let waiting = async {
            loop {
                let told = hooks.posted(HOOK).len();
                for event in self.events().await.iter().filter(|event| event.kind == kind) {
                    if !self.seen.contains(&event.id)
                        && let Some(found) = pick(event)
                    {
                        self.seen.insert(event.id);
                        return found;
                    }
                }
                hooks.reached(told + 1).await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(found) => found,
            Err(_) => panic!("no {kind}; what there was: {:#?}", self.told().await),
        }
    }

    async fn told(&self) -> Vec<String> {
        self.events().await.iter().map(|event| format!("{} {} {}", event.kind, event.data, document(event))).collect()
    }

    /// Waits for the document of the next event of a kind.
    pub async fn document(&mut self, kind: &str) -> Value {
        self.event(kind, |event| Some(document(event))).await
    }

    /// Waits for the next notice of that name, and shows its document.
    pub async fn notice(&mut self, name: &str) -> Value {
        self.event(engine::events::SESSION_NOTICE, |event| {
            let data: Value = serde_json::from_str(&event.data).unwrap();
            (data["name"] == name).then(|| document(event))
        })
        .await
    }

    /// Whether what happened to a message was handed to those who want to know.
    pub fn posted(&self, message: &Id) -> impl Fn() -> bool + use<> {
        let (hooks, message) = (self.hooks.clone(), json!(message));
        move || hooks.posted(HOOK).iter().any(|posted| posted.json()["subject"] == message)
    }

    /// Waits until what happened to a message was handed to those who want to know.
    pub async fn delivered(&self, message: &Id) {
        let (hooks, is_posted) = (self.hooks.clone(), self.posted(message));
        let waiting = async {
            loop {
                let posted = hooks.posted(HOOK).len();
                if is_posted() {
                    return;
                }
                hooks.reached(posted + 1).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("it is told");
    }

    /// Keeps a file that is to be sent; gives its name in the store.
    pub async fn keep(&self, number: u64, bytes: &[u8]) -> String {
        let meta = media::Meta { mime: "application/octet-stream".into(), filename: None };
        let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::copy_from_slice(bytes))]);
        self.blobs.put(&blob(number), meta, stream, u64::MAX).await.unwrap();
        blob(number)
    }

    /// What lies in the store under this name.
    pub async fn blob_of(&self, name: &str) -> Vec<u8> {
        use futures_util::TryStreamExt;
        let opened = self.blobs.open(name).await.unwrap();
        let size = opened.size;
        let chunks: Vec<bytes::Bytes> = opened.read(0..size).await.unwrap().try_collect().await.unwrap();
        chunks.concat()
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

    /// The next message from somebody else that a phone shows.
    pub async fn shown(&mut self, owner: &str) -> (String, wa::Message) {
        let owner = phone(owner);
        self.arrival("a message", |arrival| match arrival {
            Arrival::Message { phone, from, id, message, .. } if *phone == owner && *from != owner => {
                Some((id.clone(), (**message).clone()))
            }
            _ => None,
        })
        .await
    }

    /// The same, in the words of the control API.
    pub async fn content(&mut self, owner: &str) -> Value {
        sandbox_web::phone::show::content(&self.shown(owner).await.1)
    }

    /// Waits until a phone's owner sees this tick at a message of theirs.
    pub async fn ticked(&mut self, owner: &str, id: &str, wanted: Tick) {
        let owner = phone(owner);
        self.arrival("a tick", |arrival| match arrival {
            Arrival::Receipt { phone, ids, tick, .. } => {
                (*phone == owner && *tick == wanted && ids.iter().any(|it| it == id)).then_some(())
            }
            _ => None,
        })
        .await;
    }

    /// A phone writes; gives the message's id.
    pub fn says(&self, from: &str, to: &str, body: Value) -> String {
        self.web.speak(&phone(from), &Chat::With(phone(to)), &body, None).unwrap()
    }

    pub fn says_text(&self, from: &str, to: &str, text: &str) -> String {
        self.says(from, to, json!({ "type": "text", "text": { "body": text } }))
    }
}

/// One statement.
struct Sql(&'static str);

impl store::Work for Sql {
    type Output = ();
    async fn run(&self, tx: &mut store::Tx) -> store::Result<()> {
        tx.execute(self.0, &[]).await.map(drop)
    }
}

impl engine::UseCase for Sql {}

pub fn document(event: &Event) -> Value {
    event.document.as_ref().map(|document| serde_json::from_slice(&document.bytes).unwrap()).unwrap_or_default()
}

pub fn blob(number: u64) -> String {
    format!("out-{}", Id::from_parts(1, number).hex24())
}

pub fn phone(number: &str) -> Number {
    number.parse().unwrap()
}

pub fn jid(number: &str) -> Jid {
    Jid::of_text(number).unwrap()
}

pub fn text(text: &str) -> Body {
    Body::Text { text: text.into(), preview: None }
}
