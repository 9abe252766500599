//! What operators read: one line for what ended badly, none for what went well, and nobody's words or names.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use engine::events::MESSAGE_RECEIVED;
use engine::facts::Fact;
use engine::failure::{Code, Retry, SendError};
use engine::routes;
use testkit::{Echo, House, Reply, on_both};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata};

use crate::{ANN, BOB, HOOK, HOUR};

/// Takes down what the engine says from `info` on, in this thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl tracing::Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("engine") && *metadata.level() <= Level::INFO
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

fn failing(retry: Retry, code: Code) -> SendError {
    SendError { retry, ..SendError::refused(code, format!("no {ANN} with token s3cret")) }
}

fn tells(line: &str, parts: &[&str]) {
    assert!(parts.iter().all(|part| line.contains(part)), "{line} does not tell {parts:?}");
    assert!(!line.contains(ANN) && !line.contains("s3cret"), "{line}");
}

on_both! {
    async fn a_message_that_is_given_up_and_each_stop_are_told_once(house: &mut House) {
        let lines = Lines::default();
        let _guard = tracing::subscriber::set_default(lines.clone());
        let organization = house.organization.id.to_string();
        house.send(ANN, "goes well").await;
        house.settle().await;
        for code in [Code::Other, Code::ProviderUnavailable] {
            house.provider.will([Reply::Fails(failing(Retry::BackOff, code))]);
            house.send(ANN, "is tried again").await;
            house.settle().await;
        }
        assert_eq!(lines.take(), Vec::<String>::new());

        house.provider.will([Reply::Fails(failing(Retry::Never, Code::Rejected))]);
        let refused = house.send(BOB, "refused").await;
        house.settle().await;
        let told = lines.take();
        assert_eq!(told.len(), 1, "{told:?}");
        tells(&told[0], &["INFO", "given up", &organization, &refused.id.to_string(), "Rejected"]);

        let stop = |retry| Reply::Fails(failing(retry, Code::AccountProblem));
        house.provider.will([stop(Retry::StopSender), stop(Retry::StopSender), stop(Retry::Stop), stop(Retry::Stop)]);
        let stopped = house.sender.id.to_string();
        for (what, id) in [("what=\"sender\"", stopped), ("what=\"account\"", house.account.to_string())] {
            house.send("+15550200003", "one").await;
            house.send("+15550200004", "two").await;
            house.settle().await;
            let told = lines.take();
            assert_eq!(told.len(), 1, "{told:?}");
            tells(&told[0], &["WARN", "stopped", what, &id, &organization, "AccountProblem"]);
            house.give_new_token().await;
        }
        house.leave_work();
    }

    async fn a_carrier_that_another_takes_the_place_of_is_told_by_its_code(house: &mut House) {
        let lines = Lines::default();
        let _guard = tracing::subscriber::set_default(lines.clone());
        let (sender, accounts) = house.open_carriers().await;
        let set = routes::Set {
            engine: house.engine.clone(),
            organization: house.organization.id,
            sender: sender.id,
            region: String::new(),
            accounts: accounts.to_vec(),
        };
        house.engine.perform(set).await.unwrap().unwrap();
        let down = || Err(failing(Retry::BackOff, Code::ProviderUnavailable));
        house.carriers[0].will([down(), down()]);
        house.try_send(&sender, ANN, "hello").await.unwrap();
        house.try_send(&sender, BOB, "hello").await.unwrap();
        house.settle().await;
        let told = lines.take();
        assert_eq!(told.len(), 1, "{told:?}");
        tells(&told[0], &["WARN", "did not carry", &accounts[0].to_string(), "ProviderUnavailable"]);
    }

    async fn a_message_of_which_nothing_is_heard_is_told_once_it_is_given_up(house: &mut House) {
        let lines = Lines::default();
        let _guard = tracing::subscriber::set_default(lines.clone());
        house.provider.will([Reply::Fails(SendError::unknown("no answer")), Reply::Fails(SendError::unknown("no answer"))]);
        let message = house.send(ANN, "hello").await;
        house.pass(3 * HOUR, HOUR / 12).await;
        let told = lines.take();
        assert_eq!(told.len(), 1, "{told:?}");
        tells(&told[0], &["INFO", "given up", &message.id.to_string(), "OutcomeUnknown"]);
    }

    async fn a_delivery_that_is_given_up_is_told_once(house: &mut House) {
        let lines = Lines::default();
        let _guard = tracing::subscriber::set_default(lines.clone());
        let subscription = house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        house.transport.will(HOOK, [Echo::Status(200), Echo::Status(500), Echo::Status(400)]);
        for (provider_id, told) in [("1", 0), ("2", 0), ("3", 1)] {
            house.receive(vec![Fact::Message(Box::new(house.inbound(ANN, provider_id, "hello")))]).await;
            house.settle().await;
            let lines = lines.take();
            assert_eq!(lines.len(), told, "{lines:?}");
            if let Some(line) = lines.first() {
                let (organization, id) = (house.organization.id.to_string(), subscription.id.to_string());
                tells(line, &["WARN", "delivery was given up", &organization, &id, "the receiver answered 400"]);
                assert!(line.contains("delivery=") && !line.contains(HOOK), "{line}");
            }
        }
        house.leave_work();
    }
}
