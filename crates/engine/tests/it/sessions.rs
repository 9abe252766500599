//! Live connections: opened, told of, kept by one process, taken over by another.

use std::time::Duration;

use engine::events::{Document, SESSION_CHANGED, SESSION_NOTICE};
use engine::messages::Status;
use engine::organizations;
use engine::senders::{self, CONNECTED, DISCONNECTED, Sender};
use engine::sessions::{self, CallError, Change, Notice, Session, State, TellError};
use engine::{Engine, Id};
use serde_json::{Value, json};
use testkit::{DIALECT, House, Kind, Manner, PROVIDER, Reply, Run, on_both, tell};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::settle::send_as;
use crate::{ANN, DAY, HOOK, HOUR, MINUTE, millis, seconds};

/// A process that keeps sessions up.
struct Keeper {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn keep(engine: &Engine) -> Keeper {
    let stop = CancellationToken::new();
    Keeper { stop: stop.clone(), task: tokio::spawn(sessions::run(engine.clone(), stop)) }
}

impl Keeper {
    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

async fn open(house: &House) -> Session {
    sessions::open(&house.engine, &house.sender).await.unwrap()
}

async fn session(house: &House) -> Session {
    house.engine.session(&house.sender.id).await.unwrap().unwrap()
}

/// Waits for a state that nothing but work leads to.
async fn stands(house: &House, state: State) -> Session {
    let sender = &house.sender.id;
    sessions::wait_until(&house.engine, sender, DAY, |session| session.state == state).await.unwrap()
}

/// What was told of a session: its states with their reasons, oldest first.
async fn told(house: &House) -> Vec<(String, String)> {
    let events = house.events(&house.sender.id).await.into_iter().filter(|event| event.kind == SESSION_CHANGED);
    let word = |data: &Value, name: &str| data[name].as_str().unwrap_or_default().to_owned();
    let data = events.map(|event| serde_json::from_str::<Value>(&event.data).unwrap());
    data.map(|data| (word(&data, "state"), word(&data, "reason"))).collect()
}

async fn states(house: &House) -> Vec<String> {
    told(house).await.into_iter().map(|(state, _)| state).collect()
}

async fn make_sender(house: &House, number: usize) -> Sender {
    let new = senders::New {
        organization: house.organization.id,
        account: house.account,
        provider: PROVIDER,
        external_id: format!("made-{number}"),
        address: String::new(),
        name: None,
        config: "{}".into(),
        settings: json!({}),
    };
    house.engine.perform(senders::create(&house.engine, new)).await.unwrap().unwrap()
}

fn offer(state: State, offer: Value) -> Change {
    Change { state: Some(state), offer: Some(Some(offer)), ..Change::default() }
}

/// Lets time pass in small steps until something is done, no faster than the database commits.
async fn pass_until<T>(house: &House, task: JoinHandle<T>) -> T {
    while !task.is_finished() {
        house.engine.wake.sessions.ring();
        house.advance(millis(100));
        let commit = organizations::create(&house.engine, "a commit");
        house.engine.perform(commit).await.unwrap();
    }
    task.await.unwrap()
}

on_both! {
    async fn a_session_is_opened_told_of_and_closed(house: &mut House) {
        house.provider.sessions_are(Manner::Silent);
        let sender = house.sender.clone();
        assert!(house.engine.session(&sender.id).await.unwrap().is_none());
        let keeper = keep(&house.engine);
        let opened = open(house).await;
        assert_eq!((opened.state, opened.wanted, opened.held), (State::Connecting, true, false));
        let run = house.provider.ran(1).await;
        assert!(session(house).await.held);

        run.teller.tell(offer(State::AwaitingLink, json!({ "code": "1" }))).await.unwrap();
        run.teller.tell(Change { offer: Some(Some(json!({ "code": "2" }))), ..Change::default() }).await.unwrap();
        let waiting = stands(house, State::AwaitingLink).await;
        assert_eq!((waiting.offer, waiting.connected_at), (Some(json!({ "code": "2" })), None));

        house.advance(seconds(3));
        let identity = Some(json!({ "name": "Acme" }));
        let change = Change { state: Some(State::Connected), identity: identity.clone(), ..Change::default() };
        run.teller.tell(change).await.unwrap();
        let up = session(house).await;
        assert_eq!((up.state, up.offer, up.identity), (State::Connected, None, identity));
        assert_eq!(up.connected_at, Some(house.now()));
        run.teller.state(State::Connected, None, None).await.unwrap();
        assert_eq!(open(house).await.state, State::Connected, "what is up stays so");

        let closed = sessions::close(&house.engine, &sender, "enough").await.unwrap();
        assert_eq!((closed.state, closed.wanted), (State::Off, false));
        run.stop.cancelled().await;
        // It says how it ended, and what it said before it heard: neither is how it stands.
        run.teller.state(State::Reconnecting, "too late".to_owned(), None).await.ok();
        assert_eq!(session(house).await.state, State::Off);
        assert_eq!(states(house).await, ["connecting", "connecting", "awaiting_link", "connected", "off"]);
        let lines = engine::explain::explain(&house.engine, &sender.id.hex24()).await.unwrap();
        let text = lines.iter().map(ToString::to_string).collect::<String>();
        assert!(text.contains("now off, before connected, enough"), "{text}");
        keeper.end().await;
    }

    /// The next opening begins when the one before has ended, also for who opens again at once.
    async fn closed_and_opened_again_it_is_begun_anew(house: &mut House) {
        house.provider.sessions_are(Manner::Ready);
        let keeper = keep(&house.engine);
        open(house).await;
        let first = house.provider.ran(1).await;
        sessions::close(&house.engine, &house.sender, "again").await.unwrap();
        open(house).await;
        house.advance(seconds(1));
        let second = house.provider.ran(2).await;
        assert!(first.stop.is_cancelled() && second.fence > first.fence);
        assert_eq!(stands(house, State::Connected).await.failures, 0);
        assert_eq!(house.provider.overlaps(), 0);
        keeper.end().await;
        assert_eq!(session(house).await.state, State::Reconnecting, "nobody keeps it up");
    }

    async fn a_sender_may_send_as_its_session_stands(house: &mut House) {
        house.provider.sessions_are(Manner::Silent);
        let keeper = keep(&house.engine);
        open(house).await;
        let run = house.provider.ran(1).await;
        let status = async || {
            let sender = house.engine.sender(&house.organization.id, &house.sender.external_id).await.unwrap().unwrap();
            (sender.status.clone(), sender.status_reason.clone())
        };
        run.teller.state(State::Unlinked, "the phone removed it".to_owned(), None).await.unwrap();
        assert_eq!(status().await, (DISCONNECTED.into(), Some("the phone removed it".into())));
        assert!(house.try_send(&house.sender, ANN, "hello").await.is_err());
        run.teller.state(State::Connected, None, None).await.unwrap();
        assert_eq!(status().await, (CONNECTED.into(), None));
        run.teller.state(State::Deaf, None, None).await.unwrap();
        assert_eq!(status().await, (CONNECTED.into(), None), "it waits");
        keeper.end().await;
    }

    async fn its_messages_go_where_it_is_connected(house: &mut House) {
        house.provider.sessions_are(Manner::Ready);
        let other = house.another().await;
        house.send(ANN, "hello").await;
        house.settle().await;
        engine::workers::drain(&other).await.unwrap();
        assert_eq!(house.provider.calls().len(), 0);
        let keeper = keep(&other);
        sessions::open(&other, &house.sender).await.unwrap();
        house.provider.ran(1).await;
        house.settle().await;
        assert_eq!(house.provider.calls().len(), 0, "not here");
        engine::workers::drain(&other).await.unwrap();
        assert_eq!(house.provider.calls().len(), 1);
        keeper.end().await;
    }

    async fn what_is_told_goes_to_those_who_asked_for_this_sender(house: &mut House) {
        house.provider.sessions_are(Manner::Silent);
        let keeper = keep(&house.engine);
        let new = engine::subscriptions::New {
            organization: house.organization.id,
            sender: Some(house.second_sender.id),
            dialect: DIALECT,
            transport: engine::subscriptions::WEBHOOK,
            url: HOOK.into(),
            description: None,
            events: vec![SESSION_CHANGED.into(), SESSION_NOTICE.into()],
            ordered: false,
            options: json!({ "flat": true }),
            secret: Some("s".into()),
            headers: Vec::new(),
            most: None,
        };
        let wish = engine::subscriptions::create(&house.engine, new).unwrap();
        let subscription = house.engine.perform(wish).await.unwrap().unwrap().0;
        let own = house.engine.subscriptions_of(&house.second_sender.id, DIALECT).await.unwrap();
        assert_eq!((own.len(), own[0].id, own[0].options.as_str()), (1, subscription.id, r#"{"flat":true}"#));
        let notice = |name: &str| Change {
            notices: vec![Notice {
                name: name.into(),
                document: Document { format: "own".into(), bytes: b"{}".to_vec() },
            }],
            ..Change::default()
        };
        for sender in [&house.sender, &house.second_sender] {
            sessions::open(&house.engine, sender).await.unwrap();
            house.advance(seconds(1));
        }
        house.provider.ran(2).await;
        for run in house.provider.runs() {
            run.teller.tell(notice("Picture")).await.unwrap();
        }
        house.settle().await;
        let kinds = house.transport.posted(HOOK).into_iter().map(|posted| posted.header("x-event").to_owned());
        let mut kinds: Vec<_> = kinds.collect();
        kinds.sort();
        assert_eq!(kinds, [SESSION_CHANGED, SESSION_CHANGED, SESSION_NOTICE]);
        let kept = async |sender: &Id| house.story(sender).await.iter().filter(|kind| *kind == SESSION_NOTICE).count();
        assert_eq!((kept(&house.sender.id).await, kept(&house.second_sender.id).await), (0, 1), "nobody wanted the first");
        keeper.end().await;
    }

    async fn another_process_takes_over_when_one_dies(house: &mut House) {
        house.provider.sessions_are(Manner::Ready);
        let doomed = house.another().await;
        let process = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        process.spawn(sessions::run(doomed.clone(), CancellationToken::new()));
        sessions::open(&doomed, &house.sender).await.unwrap();
        let first = house.provider.ran(1).await;
        stands(house, State::Connected).await;
        let keeper = keep(&house.engine);
        let gone = tokio::task::spawn_blocking(move || process.shutdown_timeout(MINUTE));
        gone.await.unwrap();
        assert_eq!(session(house).await.state, State::Connected, "its lease is not over");
        house.advance(seconds(16));
        let second = house.provider.ran(2).await;
        assert_eq!((second.fence, second.at - first.at), (first.fence + 1, 16_000));
        assert_ne!(second.process, first.process);
        assert!(stands(house, State::Connected).await.held);
        let told = told(house).await;
        let last = told.iter().rev().nth(1).unwrap();
        assert_eq!((last.0.as_str(), last.1.as_str()), ("connecting", "the process that kept it up is gone"));
        keeper.end().await;
        drop(doomed);
    }

    /// It does not know that time has passed.
    async fn a_paused_owner_has_no_say_any_more(house: &mut House) {
        house.provider.sessions_are(Manner::Ready);
        let paused = house.another().await;
        let away = keep(&paused);
        sessions::open(&paused, &house.sender).await.unwrap();
        let old = house.provider.ran(1).await;
        stands(house, State::Connected).await;
        away.task.abort();
        assert!(old.lease.is_sure());
        house.advance(seconds(16));
        assert!(!old.lease.is_sure(), "it sends nothing any more");
        let keeper = keep(&house.engine);
        house.engine.wake.sessions.ring();
        let new = house.provider.ran(2).await;
        assert!(new.lease.is_sure());
        let lost = old.teller.state(State::Unlinked, None, None).await.unwrap_err();
        assert!(matches!(lost, TellError::Lost) && old.stop.is_cancelled());
        assert!(stands(house, State::Connected).await.held);
        new.teller.state(State::Deaf, None, None).await.unwrap();
        keeper.end().await;
    }

    /// Long before the claim on it is over.
    async fn what_the_last_holder_had_begun_to_send_goes_with_the_next(house: &mut House) {
        house.provider.sessions_are(Manner::Ready);
        house.provider.will([Reply::Hangs]);
        let doomed = house.another().await;
        let away = keep(&doomed);
        sessions::open(&doomed, &house.sender).await.unwrap();
        house.provider.ran(1).await;
        stands(house, State::Connected).await;
        let message = send_as(house, "ours").await;
        let work = tokio::spawn(async move { engine::workers::drain(&doomed).await });
        house.provider.called(1).await;
        away.task.abort();
        work.abort();
        house.advance(seconds(16));
        let keeper = keep(&house.engine);
        house.provider.ran(2).await;
        stands(house, State::Connected).await;
        house.settle().await;
        assert_eq!(house.message(&message.id).await.status, Status::Sent);
        let ids: Vec<_> = house.provider.calls().into_iter().map(|call| call.provider_id.unwrap()).collect();
        assert_eq!(ids, ["ours", "ours"]);
        keeper.end().await;
    }

    /// Its first renewal tells it.
    async fn a_process_that_comes_back_finds_out_what_it_has_lost(house: &mut House) {
        house.provider.sessions_are(Manner::Ready);
        let other = house.another().await;
        let keeper = keep(&house.engine);
        open(house).await;
        let old = house.provider.ran(1).await;
        stands(house, State::Connected).await;
        other.db.write(Steal(house.now() + 16_000)).await.unwrap();
        assert!(!old.stop.is_cancelled());
        house.advance(seconds(5));
        old.stop.cancelled().await;
        assert!(!old.lease.is_sure());
        keeper.end().await;
    }

    async fn a_session_that_ends_by_itself_is_tried_again_later_and_later(house: &mut House) {
        house.provider.sessions_are(Manner::Ready);
        let keeper = keep(&house.engine);
        open(house).await;
        for (number, least) in [(1, 500), (2, 1000), (3, 2000)] {
            let run = house.provider.ran(number).await;
            assert_eq!(stands(house, State::Connected).await.failures, number as i64 - 1);
            run.end();
            let failed = stands(house, State::Failed).await;
            let pause = failed.retry_at - house.now();
            assert!((least..=least * 3).contains(&pause), "{pause}");
            assert_eq!(failed.failures, number as i64);
            house.advance(millis(pause));
        }
        let run = house.provider.ran(4).await;
        stands(house, State::Connected).await;
        house.advance(MINUTE);
        run.end();
        assert_eq!(stands(house, State::Failed).await.failures, 1, "it was up for long");
        assert_eq!(house.provider.overlaps(), 0);
        keeper.end().await;
    }

    async fn what_rests_waits_for_its_owner(house: &mut House) {
        house.provider.sessions_are(Manner::Silent);
        let keeper = keep(&house.engine);
        open(house).await;
        let run = house.provider.ran(1).await;
        run.teller.state(State::Replaced, "somebody else".to_owned(), None).await.unwrap();
        run.end();
        let over = sessions::wait_until(&house.engine, &run.sender, DAY, |session| !session.held).await.unwrap();
        assert_eq!((over.state, over.failures), (State::Replaced, 0));
        house.advance(DAY);
        // Whoever looks takes both, or one.
        sessions::open(&house.engine, &house.second_sender).await.unwrap();
        assert_eq!(house.provider.ran(2).await.sender, house.second_sender.id);
        assert_eq!(open(house).await.state, State::Connecting);
        house.advance(seconds(1));
        let run = house.provider.ran(3).await;

        let again = Some(house.now() + 3_600_000);
        run.teller.tell(Change { state: Some(State::Banned), again_at: again, ..Change::default() }).await.unwrap();
        run.end();
        sessions::wait_until(&house.engine, &run.sender, DAY, |session| !session.held).await.unwrap();
        house.advance(HOUR);
        assert_eq!(house.provider.ran(4).await.session.reason.as_deref(), Some("it is worth another try"));
        keeper.end().await;
    }

    async fn sessions_come_up_at_a_pace_the_last_used_first(house: &mut House) {
        house.provider.sessions_are(Manner::Ready);
        let mut last = None;
        for number in 0..30 {
            let sender = make_sender(house, number).await;
            house.advance(millis(1));
            sessions::open(&house.engine, &sender).await.unwrap();
            last = Some(sender.id);
        }
        let keeper = keep(&house.engine);
        assert_eq!(Some(house.provider.ran(1).await.sender), last);
        house.advance(seconds(1));
        house.provider.ran(21).await;
        assert_eq!(house.provider.runs().len(), 21);
        house.advance(seconds(1));
        house.provider.ran(30).await;
        let counts = house.engine.session_counts().await.unwrap();
        assert_eq!((counts.wanted, counts.held), (30, 30));
        let found = house.engine.sessions_of(&house.organization.id, None, 10, 25).await.unwrap();
        let two = [found[0].sender_id, found[4].sender_id];
        let named = house.engine.sessions_of(&house.organization.id, Some(&two), 10, 0).await.unwrap();
        assert_eq!((found.len(), named.len()), (5, 2));
        assert_eq!(house.engine.count_sessions(&house.organization.id).await.unwrap(), 30);
        keeper.end().await;
    }

    async fn a_session_that_does_not_stop_is_dropped(house: &mut House) {
        house.provider.sessions_are(Manner::Stubborn);
        let keeper = keep(&house.engine);
        open(house).await;
        let run = house.provider.ran(1).await;
        sessions::close(&house.engine, &house.sender, "enough").await.unwrap();
        run.stop.cancelled().await;
        assert!(session(house).await.held, "the stop comes first, the lease later");
        // From whenever it began to wait.
        let sender = run.sender;
        let engine = house.engine.clone();
        let over = tokio::spawn(async move { sessions::wait_until(&engine, &sender, DAY, |session| !session.held).await });
        assert_eq!(pass_until(house, over).await.unwrap().state, State::Off);
        assert_eq!(house.provider.overlaps(), 0);
        keeper.end().await;
    }

    async fn a_session_that_falls_over_is_a_failure(house: &mut House) {
        house.provider.sessions_are(Manner::Panicking);
        let keeper = keep(&house.engine);
        open(house).await;
        assert_eq!(stands(house, State::Failed).await.failures, 1);
        keeper.end().await;
    }

    async fn a_session_is_asked_from_any_process(house: &mut House) {
        house.provider.sessions_are(Manner::Ready);
        let other = house.another().await;
        let sender = house.sender.id;
        let call = |engine: &Engine, name: &'static str, timeout: Duration| {
            let engine = engine.clone();
            tokio::spawn(async move { sessions::call(&engine, &sender, name, json!([1]), timeout).await })
        };
        let answer = pass_until(house, call(&other, "echo", MINUTE)).await;
        assert!(matches!(answer, Err(CallError::NoSession)), "{answer:?}");
        open(house).await;
        let answer = pass_until(house, call(&other, "echo", MINUTE)).await;
        assert!(matches!(answer, Err(CallError::NotConnected)), "{answer:?}");
        let keeper = keep(&house.engine);
        house.provider.ran(1).await;
        for engine in [house.engine.clone(), other.clone()] {
            assert_eq!(pass_until(house, call(&engine, "echo", DAY)).await.unwrap(), json!({ "echo": [1] }));
            let answer = pass_until(house, call(&engine, "refuse", DAY)).await;
            assert!(matches!(answer, Err(CallError::Refused { code: Some(463), .. })), "{answer:?}");
            let answer = pass_until(house, call(&engine, "nothing", seconds(30))).await;
            assert!(matches!(answer, Err(CallError::TimedOut)), "{answer:?}");
        }
        keeper.end().await;
        sessions::close(&house.engine, &house.sender, "enough").await.unwrap();
        let answer = pass_until(house, call(&other, "echo", MINUTE)).await;
        assert!(matches!(answer, Err(CallError::NoSession)), "{answer:?}");
    }

    async fn a_sender_is_made_changed_and_removed(house: &mut House) {
        let sender = make_sender(house, 1).await;
        let update = |dialect: &'static str, settings: Value| senders::Update {
            settings: Some((dialect, settings)),
            name: Some(Some("Shop".into())),
            ..senders::Update::new(&house.engine, sender.id)
        };
        house.engine.perform(update("one", json!({ "a": 1 }))).await.unwrap().unwrap();
        house.engine.perform(update("two", json!([2]))).await.unwrap().unwrap();
        let found = house.engine.sender_by_id(&sender.id).await.unwrap().unwrap();
        assert_eq!((senders::settings_of(&found, "one"), found.name.as_deref()), (json!({ "a": 1 }), Some("Shop")));
        assert_eq!((senders::settings_of(&found, "two"), senders::settings_of(&found, "three")), (json!([2]), Value::Null));

        let key = engine::keys::create(&house.engine, house.organization.id, DIALECT, "", "token", true, None);
        let key = key.for_sender(sender.id).shown_again("token").unwrap();
        house.engine.perform(key).await.unwrap();
        let keys = house.engine.keys_of(&sender.id).await.unwrap();
        assert_eq!((keys.len(), keys[0].sender_id), (1, Some(sender.id)));
        assert_eq!(house.engine.token(&keys[0]).unwrap().as_deref(), Some("token"));

        sessions::open(&house.engine, &sender).await.unwrap();
        assert!(house.engine.perform(senders::Remove(sender.id)).await.unwrap());
        assert!(house.engine.sender_by_id(&sender.id).await.unwrap().is_none());
        assert!(house.engine.session(&sender.id).await.unwrap().is_none());
        let check = house.engine.check_key(DIALECT, "token").await.unwrap();
        assert!(matches!(check, engine::keys::Check::Unknown), "{check:?}");
        assert!(!house.engine.perform(senders::Remove(sender.id)).await.unwrap());
    }
}

/// What another process does once the leases are over.
struct Steal(i64);

impl store::Work for Steal {
    type Output = usize;
    async fn run(&self, tx: &mut store::Tx) -> store::Result<usize> {
        Ok(store::sessions::take(tx, PROVIDER, "thief", self.0, self.0 + 15_000, 10).await?.len())
    }
}

/// Keeps a session's row to itself until it is let go.
struct Hog {
    sender: Id,
    has: CancellationToken,
    let_go: CancellationToken,
}

impl store::Work for Hog {
    type Output = ();
    async fn run(&self, tx: &mut store::Tx) -> store::Result<()> {
        store::sessions::get_for_update(tx, &self.sender).await?;
        self.has.cancel();
        self.let_go.cancelled().await;
        Ok(())
    }
}

/// The database does not answer: before anybody else can take them, its sessions stop.
#[test]
fn a_process_that_cannot_renew_stops_its_sessions() {
    tell(Kind::Postgres, async |house: &mut House| {
        house.provider.sessions_are(Manner::Ready);
        let keeper = keep(&house.engine);
        open(house).await;
        let run: Run = house.provider.ran(1).await;
        stands(house, State::Connected).await;
        let (has, let_go) = (CancellationToken::new(), CancellationToken::new());
        let hog = Hog { sender: run.sender, has: has.clone(), let_go: let_go.clone() };
        let db = house.another().await.db.clone();
        let hogging = tokio::spawn(async move { db.write(hog).await });
        has.cancelled().await;
        house.advance(seconds(6));
        tokio::task::yield_now().await;
        let stopped = tokio::spawn(async move { run.stop.cancelled().await });
        pass_until(house, stopped).await;
        assert_eq!(house.provider.runs().len(), 1);
        let_go.cancel();
        hogging.await.unwrap().unwrap();
        keeper.end().await;
    });
}
