use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::http::Uri;
use bytes::Bytes;
use engine::enrolment::Enrol;
use engine::failure::SendError;
use engine::provider::{self, Account, Pace, Provider, Sent};
use engine::senders::{CONNECTED, Sender};
use engine::{Clock, Parts, Settings, organizations, sessions, workers};
use futures_util::future::BoxFuture;
use serde_json::Value;
use store::{Db, Ids, Location, SecretKey, Tx, Work};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use web_wire::send as wire;

use super::*;
use crate::call::Handled;
use crate::files::tests::{House as Place, NOW};
use crate::guard::User;
use crate::send::{edit, tests::body};
use crate::service::Digigo;

/// What WhatsApp says next; nothing: it takes the message.
type Word = Option<SendError>;

/// A provider that takes everything unless told otherwise.
#[derive(Clone, Default)]
struct Carrier {
    words: Arc<Mutex<VecDeque<Word>>>,
    /// The ids that it was given.
    seen: Arc<Mutex<Vec<String>>>,
    /// Closed: it does not answer.
    closed: Arc<watch::Sender<bool>>,
}

impl Carrier {
    fn will(&self, word: Word, times: usize) {
        self.words.lock().unwrap().extend(std::iter::repeat_n(word, times));
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Provider for Carrier {
    fn name(&self) -> &'static str {
        crate::PROVIDER
    }

    fn channel(&self) -> &'static str {
        "whatsapp"
    }

    fn pace(&self) -> Pace {
        Pace { per_second: 1000, pair: None }
    }

    fn window(&self) -> Option<Duration> {
        None
    }

    fn send<'a>(
        &'a self,
        _: &'a Account,
        _: &'a Sender,
        message: &'a provider::Outgoing,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        let id = message.provider_id.clone().unwrap();
        self.seen.lock().unwrap().push(id.clone());
        let word = self.words.lock().unwrap().pop_front().flatten();
        Box::pin(async move {
            let _ = self.closed.subscribe().wait_for(|closed| !closed).await;
            word.map_or(Ok(Sent::one(id)), Err)
        })
    }
}

struct House {
    place: Place,
    digigo: Digigo,
    clock: Clock,
    carrier: Carrier,
    sender: Id,
    _directory: tempfile::TempDir,
}

struct SetStatus(Id, &'static str);

impl Work for SetStatus {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> store::Result<()> {
        store::senders::set_status(tx, &self.0, self.1, None, NOW).await
    }
}

impl engine::UseCase for SetStatus {
    fn committed(&self, engine: &Engine, _: &()) {
        engine.cache.clear();
    }
}

impl House {
    async fn new() -> Self {
        let (place, directory) = (Place::new().await, tempfile::tempdir().unwrap());
        let db = Db::open(&Location::Sqlite(directory.path().join("test.db"))).await.unwrap();
        store::migrate(&db).await.unwrap();
        let (carrier, clock) = (Carrier::default(), Clock::manual(NOW));
        let engine = Engine::new(Parts {
            db,
            clock: clock.clone(),
            ids: Arc::new(Ids::seeded(7)),
            key: SecretKey::new([7; 32]),
            settings: Settings::default(),
            providers: vec![Arc::new(carrier.clone())],
            dialects: Vec::new(),
            transports: Vec::new(),
            wake: engine::wake::Wake::default(),
            cache: engine::cache::Cache::default(),
        });
        let organization = engine.perform(organizations::create(&engine, "Acme")).await.unwrap().id;
        let enrol = Enrol {
            engine: engine.clone(),
            organization,
            provider: crate::PROVIDER,
            dialect: crate::NAME,
            name: "user".into(),
            token: "token-of-the-user".into(),
            config: "{}".into(),
            settings: json!({}),
            subscription: None,
        };
        let sender = engine.perform(enrol).await.unwrap().unwrap().id;
        let digigo = Digigo::new(engine, place.options.clone());
        let house = Self { place, digigo, clock, carrier, sender, _directory: directory };
        house.status(CONNECTED).await;
        house
    }

    /// One whose session was opened.
    async fn opened() -> Self {
        let house = Self::new().await;
        sessions::open(&house.digigo.engine, &house.call(json!({})).await.user.sender).await.unwrap();
        house.status(CONNECTED).await;
        house
    }

    async fn status(&self, status: &'static str) {
        self.digigo.engine.perform(SetStatus(self.sender, status)).await.unwrap();
    }

    async fn call(&self, given: Value) -> Call {
        let sender = self.digigo.engine.sender_by_id(&self.sender).await.unwrap().unwrap();
        let query = api::query::Query::of(&Uri::from_static("/")).unwrap();
        let (digigo, user) = (self.digigo.clone(), Arc::new(User::of(sender, "token".into())));
        Call { digigo, user, body: body(given), raw: None, query, request_id: "r".into() }
    }

    async fn deliver(&self, outgoing: Outgoing, id: Option<&str>) -> Result<Delivered, Error> {
        let task = self.delivery(outgoing, id).await;
        self.work_until(&task, Duration::ZERO).await;
        task.await.unwrap()
    }

    async fn delivery(&self, outgoing: Outgoing, id: Option<&str>) -> JoinHandle<Result<Delivered, Error>> {
        let (call, id) = (self.call(json!({})).await, id.map(str::to_owned));
        let to = "5521971532700@s.whatsapp.net".parse().unwrap();
        tokio::spawn(async move { deliver(&call, to, outgoing, id).await })
    }

    async fn edit(&self, given: Value) -> Handled {
        let task = tokio::spawn(edit::edit(self.call(given).await));
        self.work_until(&task, Duration::ZERO).await;
        task.await.unwrap()
    }

    /// Works off what is due until something is done; each time so much time passes.
    async fn work_until<T>(&self, task: &JoinHandle<T>, step: Duration) {
        while !task.is_finished() {
            workers::drain(&self.digigo.engine).await.unwrap();
            self.clock.advance(step);
            tokio::task::yield_now().await;
        }
    }

    async fn picture(&self) -> (Outgoing, String) {
        let blob = self.place.files().keep(Bytes::from_static(b"jpeg"), "image/jpeg").await.unwrap();
        let media = json!({ "kind": "media", "media": "image", "blob": blob, "mime": "image/jpeg" });
        (Outgoing::new(serde_json::from_value(media).unwrap()), blob)
    }

    async fn has(&self, blob: &str) -> bool {
        self.place.blob(blob).await.is_some()
    }
}

fn text(text: &str) -> Outgoing {
    Outgoing::new(wire::Body::Text { text: text.into(), preview: None })
}

#[tokio::test]
async fn what_was_taken_is_told_with_its_id() {
    let house = House::opened().await;
    let sent = house.deliver(text("hi"), Some("MINE")).await.unwrap();
    assert_eq!((sent.id.as_str(), house.carrier.seen()), ("MINE", vec!["MINE".to_owned()]));
    assert!(sent.at >= NOW);
    let again = house.deliver(text("hi"), Some("MINE")).await.unwrap_err();
    assert_eq!((again.status.as_u16(), again.text.as_str()), (409, "there is already a message with this Id"));
    let fresh = house.deliver(text("hi"), None).await.unwrap();
    assert!(fresh.id.starts_with("3EB0") && fresh.id.len() == 22, "{}", fresh.id);
    assert_eq!(house.carrier.seen().len(), 2);

    let (plain, blob) = house.picture().await;
    house.deliver(plain, None).await.unwrap();
    let (echoed, kept) = house.picture().await;
    house.deliver(Outgoing { echo: true, ..echoed }, None).await.unwrap();
    assert_eq!((house.has(&blob).await, house.has(&kept).await), (false, true));
}

#[tokio::test]
async fn without_a_session_nothing_is_begun() {
    let house = House::new().await;
    let (outgoing, blob) = house.picture().await;
    assert_eq!(wanted(&house.call(json!({})).await).await, Err(Error::no_session()));
    assert_eq!(house.deliver(outgoing, None).await, Err(Error::no_session()));
    assert_eq!(house.edit(json!({})).await, Err(Error::no_session()));
    assert!(!house.has(&blob).await);

    sessions::open(&house.digigo.engine, &house.call(json!({})).await.user.sender).await.unwrap();
    house.status("disconnected").await;
    let (outgoing, blob) = house.picture().await;
    assert_eq!(house.deliver(outgoing, None).await, Err(not_connected()));
    assert!(!house.has(&blob).await);
    assert!(house.carrier.seen().is_empty());
}

#[tokio::test]
async fn refusals_say_whose_fault_it_was() {
    let house = House::opened().await;
    for (code, status) in [(Code::RecipientUnreachable, 400), (Code::Rejected, 400), (Code::AccountProblem, 500)] {
        let (outgoing, blob) = house.picture().await;
        house.carrier.will(Some(SendError::refused(code, "the number is not on WhatsApp")), 1);
        let error = house.deliver(outgoing, None).await.unwrap_err();
        assert_eq!((error.status.as_u16(), error.text.as_str()), (status, "the number is not on WhatsApp"));
        assert!(!house.has(&blob).await);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_in_time_is_never_sent() {
    let house = House::opened().await;
    house.carrier.will(Some(SendError::unreached("no connection")), 100);
    let (outgoing, blob) = house.picture().await;
    let task = house.delivery(outgoing, None).await;
    house.work_until(&task, Duration::from_millis(500)).await;
    assert_eq!(task.await.unwrap(), Err(not_connected()));
    let tried = house.carrier.seen().len();
    assert!(tried > 0 && !house.has(&blob).await);
    house.clock.advance(Duration::from_secs(24 * 60 * 60));
    workers::drain(&house.digigo.engine).await.unwrap();
    assert_eq!(house.carrier.seen().len(), tried);
}

#[tokio::test]
async fn what_is_on_its_way_is_not_called_lost() {
    let house = House::opened().await;
    house.carrier.closed.send_replace(true);
    let (outgoing, blob) = house.picture().await;
    let task = house.delivery(outgoing, None).await;
    let engine = house.digigo.engine.clone();
    let working = tokio::spawn(async move {
        loop {
            workers::drain(&engine).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    while house.carrier.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    while !task.is_finished() {
        house.clock.advance(Duration::from_millis(500));
        tokio::task::yield_now().await;
    }
    working.abort();
    let error = task.await.unwrap().unwrap_err();
    assert_eq!((error.status.as_u16(), error.text.as_str()), (500, "WhatsApp did not answer in time"));
    assert!(house.has(&blob).await);
}

#[tokio::test]
async fn edits_are_for_recent_texts_of_ours() {
    let house = House::opened().await;
    let edit = |id: &str| json!({ "Phone": "5521971532700", "Id": id, "Body": "new" });
    house.deliver(text("old"), Some("TEXT")).await.unwrap();
    let answer = house.edit(edit("TEXT")).await.unwrap();
    assert_eq!(answer.body, json!({ "Details": "Message edited successfully", "Id": "TEXT" }));
    assert_eq!(house.carrier.seen().len(), 2);
    assert!(house.edit(edit("OF-A-PHONE")).await.is_ok());

    let (picture, _) = house.picture().await;
    house.deliver(picture, Some("PICTURE")).await.unwrap();
    assert_eq!(house.edit(edit("PICTURE")).await, Err(Error::bad("only text messages can be edited")));
    house.clock.advance(Duration::from_secs(16 * 60));
    let late = Error::bad("messages can be edited within 15 minutes of sending");
    assert_eq!(house.edit(edit("TEXT")).await, Err(late));
    assert_eq!(house.carrier.seen().len(), 4);
}

#[test]
fn ids_look_like_those_of_other_clients() {
    let random: crate::Random = Arc::new(|bytes: &mut [u8]| bytes.fill(0xab));
    assert_eq!(fresh_id(&random), "3EB0ABABABABABABABABAB");
}

#[test]
fn the_engine_gets_words_for_people_and_the_rest_unopened() {
    let outgoing = Outgoing::new(wire::Body::Poll { question: "?".into(), options: vec![], choices: 1 });
    let Content::Native(native) = content(&outgoing).unwrap() else { panic!("native") };
    assert_eq!((native.format.as_str(), native.name.as_str(), native.text.as_deref()), ("web", "poll", Some("?")));
    assert_eq!(serde_json::from_value::<Outgoing>(native.json).unwrap(), outgoing);
    let to = address(&"5511999990000:3@s.whatsapp.net".parse().unwrap());
    assert_eq!((to.kind.as_str(), to.value.as_str()), ("phone", "+5511999990000"));
}

#[tokio::test]
async fn sent_is_told_with_id_and_time() {
    let mut options = Place::new().await.options;
    let delivered = Delivered { id: "A1".into(), at: 1_650_469_748_000 };
    for (zone, time) in [("UTC", "2022-04-20T15:49:08Z"), ("America/Sao_Paulo", "2022-04-20T12:49:08-03:00")] {
        options.zone = zone.parse().unwrap();
        let told = json!({ "Details": "Sent", "Id": "A1", "Timestamp": time });
        assert_eq!(delivered.answer(&options).body, told);
    }
}
