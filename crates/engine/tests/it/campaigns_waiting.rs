//! Campaigns that wait: for their time, for a limit to open, for a sender or a template to come back.

use engine::campaigns::{Campaign, Counts, Refusal, State, Wish};
use engine::facts::{Fact, SenderChange};
use engine::senders::{self, CONNECTED, DISCONNECTED};
use engine::{Id, templates, workers};
use store::{Result, Tx, Work};
use testkit::{House, on_both};

use crate::campaigns::{MONTH, approve, campaign, customers, draft, run, standings, wish};
use crate::{DAY, HOUR, MINUTE, millis, seconds};

fn at(house: &House, after: std::time::Duration) -> Wish {
    Wish::Schedule { at: house.now() + after.as_millis() as i64, within: MONTH }
}

fn calls(house: &House) -> usize {
    house.provider.calls().len()
}

/// Puts other content into a campaign; returns what was there.
struct Write(Id, String);

impl Work for Write {
    type Output = String;
    async fn run(&self, tx: &mut Tx) -> Result<String> {
        let it = store::campaigns::get_for_update(tx, &self.0).await?.unwrap();
        store::campaigns::update(tx, &Campaign { content: self.1.clone(), ..it.clone() }).await?;
        Ok(it.content)
    }
}

async fn stand(house: &House, status: &str) {
    let change = SenderChange {
        account: "account".into(),
        sender: house.sender.external_id.clone(),
        status: Some(status.into()),
        reason: None,
        what: "status".into(),
        document: None,
    };
    house.receive(vec![Fact::Sender(change)]).await;
}

on_both! {
    async fn it_begins_to_the_millisecond(house: &mut House) {
        let id = draft(house, customers(2)).await;
        for (after, refusal) in [
            (millis(0), Refusal::NotInFuture),
            (MONTH + millis(1), Refusal::TooFar),
        ] {
            assert_eq!(wish(house, &id, at(house, after)).await.unwrap_err(), refusal);
        }
        wish(house, &id, at(house, HOUR)).await.unwrap();
        let moved = wish(house, &id, at(house, MONTH)).await.unwrap();
        assert_eq!((moved.state, moved.scheduled_at), (State::Scheduled, Some(house.now() + MONTH.as_millis() as i64)));
        house.advance(MONTH - millis(1));
        house.settle().await;
        assert_eq!((calls(house), campaign(house, &id).await.state), (0, State::Scheduled));
        house.advance(millis(1));
        house.settle().await;
        assert_eq!(calls(house), 2);
        let done = run(house, &id).await;
        assert_eq!((done.state, done.started_at, done.counts.sent), (State::Completed, moved.scheduled_at, 2));
    }

    async fn what_was_taken_back_does_not_begin(house: &mut House) {
        let (back, cancelled, sooner) =
            (draft(house, customers(1)).await, draft(house, customers(1)).await, draft(house, customers(1)).await);
        for id in [&back, &cancelled, &sooner] {
            wish(house, id, at(house, HOUR)).await.unwrap();
        }
        let unscheduled = wish(house, &back, Wish::Unschedule).await.unwrap();
        assert_eq!((unscheduled.state, unscheduled.scheduled_at), (State::Draft, None));
        wish(house, &cancelled, Wish::Cancel).await.unwrap();
        wish(house, &sooner, at(house, MINUTE)).await.unwrap();
        house.advance(MINUTE);
        house.settle().await;
        assert_eq!(calls(house), 1);
        house.pass(2 * HOUR, MINUTE).await;
        assert_eq!(calls(house), 1);
        let states = [campaign(house, &back).await.state, campaign(house, &cancelled).await.state];
        assert_eq!(states, [State::Draft, State::Cancelled]);
    }

    /// Up: a clock that jumps makes nothing late. Down: an hour is allowed.
    async fn being_late_is_judged_by_who_could_have_acted(house: &mut House) {
        let up = draft(house, customers(1)).await;
        wish(house, &up, at(house, HOUR)).await.unwrap();
        house.advance(DAY);
        assert_eq!(run(house, &up).await.state, State::Completed);

        let [soon, late] = [draft(house, customers(1)).await, draft(house, customers(1)).await];
        wish(house, &soon, at(house, 2 * HOUR)).await.unwrap();
        wish(house, &late, at(house, 2 * HOUR - millis(1))).await.unwrap();
        house.advance(3 * HOUR - millis(1));
        house.restart().await;
        house.advance(DAY);
        assert_eq!(run(house, &soon).await.state, State::Completed);
        let failed = campaign(house, &late).await;
        assert_eq!(failed.state, State::Failed);
        assert!(failed.reason.unwrap().contains("nothing ran"));
        assert_eq!((failed.started_at, failed.completed_at.is_some()), (None, true));
        assert_eq!((failed.counts, calls(house)), (Counts { pending: 1, ..Counts::default() }, 2));
        assert!(house.job(&late).await.is_none());
    }

    async fn it_begins_once_however_many_processes_there_are(house: &mut House) {
        let id = draft(house, customers(100)).await;
        wish(house, &id, at(house, HOUR)).await.unwrap();
        let other = house.another().await;
        house.advance(HOUR);
        let (one, two) = tokio::join!(workers::drain(&house.engine), workers::drain(&other));
        one.unwrap();
        two.unwrap();
        let done = run(house, &id).await;
        assert_eq!((calls(house), done.counts.sent), (100, 100));
        assert_eq!(house.story(&id).await.len(), 4, "drafted, scheduled, begun, completed");
    }

    async fn a_limit_of_people_stops_it_until_it_opens(house: &mut House) {
        house.provider.set_people_per_day(Some(3));
        let id = draft(house, customers(8)).await;
        wish(house, &id, Wish::Start).await.unwrap();
        let began = house.now();
        house.pass(MINUTE, millis(250)).await;
        let held = campaign(house, &id).await;
        assert_eq!((calls(house), held.state), (3, State::Sending));
        assert!(held.reason.unwrap().contains("written to 3 people"));
        let opens = held.resumes_at.unwrap();
        assert!((opens - began - 24 * 3_600_000 - 10_000).abs() < 2_000, "{}", opens - began);
        house.pass(DAY - HOUR, 10 * MINUTE).await;
        assert_eq!(calls(house), 3);
        house.pass(HOUR + MINUTE, MINUTE).await;
        assert_eq!(calls(house), 6);
        // Lifted: that is noticed in time.
        house.provider.set_people_per_day(None);
        house.pass(11 * MINUTE, MINUTE).await;
        let done = run(house, &id).await;
        assert_eq!((done.state, done.reason, done.resumes_at, calls(house)), (State::Completed, None, None, 8));
    }

    /// People to whom others of the account's senders wrote count as well; two campaigns share what is left.
    async fn a_limit_is_the_accounts(house: &mut House) {
        house.provider.set_people_per_day(Some(100));
        let ids = [draft(house, customers(90)).await, draft(house, customers(180).split_off(90)).await];
        for id in &ids {
            wish(house, id, Wish::Start).await.unwrap();
        }
        house.pass(10 * MINUTE, seconds(1)).await;
        assert_eq!(calls(house), 100);
        for id in &ids {
            wish(house, id, Wish::Cancel).await.unwrap();
            standings(house, id).await;
        }
    }

    /// Turns that are under way at once have none of it twice.
    async fn what_is_left_is_shared_out(house: &mut House) {
        house.provider.set_people_per_day(Some(60));
        let ids = [draft(house, customers(90)).await, draft(house, customers(180).split_off(90)).await];
        for id in &ids {
            wish(house, id, Wish::Start).await.unwrap();
        }
        house.pass(2 * MINUTE, seconds(1)).await;
        assert_eq!(calls(house), 60);
        let mut counts = Counts::default();
        for id in &ids {
            let held = campaign(house, id).await;
            assert!(held.reason.unwrap().contains("written to 60 people") && held.resumes_at.is_some());
            counts = counts.and(held.counts);
            standings(house, id).await;
        }
        assert_eq!(counts, Counts { sent: 60, pending: 120, ..Counts::default() });
    }

    /// Nor does a turn that fails cost the others what they had taken.
    async fn what_a_failed_turn_had_is_there_again(house: &mut House) {
        house.provider.set_people_per_day(Some(60));
        let broken = draft(house, customers(90)).await;
        let ids = [draft(house, customers(180).split_off(90)).await, draft(house, customers(270).split_off(180)).await];
        let content = house.engine.db.write(Write(broken, "broken".into())).await.unwrap();
        for id in ids.iter().chain([&broken]) {
            wish(house, id, Wish::Start).await.unwrap();
        }
        for _ in 0..10 {
            workers::drain(&house.engine).await.unwrap_err();
            house.advance(seconds(1));
        }
        house.engine.db.write(Write(broken, content)).await.unwrap();
        house.pass(2 * MINUTE, seconds(1)).await;
        assert_eq!(calls(house), 60);
        for id in ids.iter().chain([&broken]) {
            assert!(campaign(house, id).await.reason.unwrap().contains("written to 60 people"));
            standings(house, id).await;
        }
    }

    async fn it_waits_for_its_sender_and_its_template(house: &mut House) {
        let id = draft(house, customers(2)).await;
        stand(house, DISCONNECTED).await;
        wish(house, &id, Wish::Start).await.unwrap();
        house.settle().await;
        assert_eq!(campaign(house, &id).await.reason.unwrap(), "the sender is disconnected");
        stand(house, CONNECTED).await;
        approve(house, Some("PAUSED")).await;
        house.advance(seconds(10));
        house.settle().await;
        let held = campaign(house, &id).await;
        assert_eq!((held.state, held.reason.unwrap().as_str()), (State::Sending, "the template is paused"));
        approve(house, Some(templates::APPROVED)).await;
        house.advance(seconds(10));
        let done = run(house, &id).await;
        assert_eq!((done.state, done.reason, calls(house)), (State::Completed, None, 2));
    }

    async fn what_can_never_be_sent_fails(house: &mut House) {
        let id = draft(house, customers(70)).await;
        approve(house, None).await;
        wish(house, &id, Wish::Start).await.unwrap();
        let failed = run(house, &id).await;
        assert_eq!((failed.state, failed.counts), (State::Failed, Counts { failed: 70, ..Counts::default() }));
        assert_eq!(failed.reason.unwrap(), "nobody could be written to");

        // Lost midway: whoever was not written to is told why.
        for status in ["REJECTED", "DISABLED"] {
            let id = draft(house, customers(2)).await;
            approve(house, Some("PENDING")).await;
            wish(house, &id, Wish::Start).await.unwrap();
            house.settle().await;
            let held = campaign(house, &id).await;
            assert_eq!((held.state, held.reason.as_deref()), (State::Sending, Some("the template is pending")));
            approve(house, Some(status)).await;
            house.advance(seconds(10));
            let failed = run(house, &id).await;
            assert_eq!((failed.state, failed.counts.failed), (State::Failed, 2), "{status}");
            let told = house.engine.campaign_recipients(&failed, &[], 1, 0).await.unwrap();
            let why = engine::campaigns::failure(&told[0]).unwrap();
            assert_eq!(why.message, format!("The template is {}.", status.to_lowercase()));
        }

        let id = draft(house, customers(70)).await;
        wish(house, &id, Wish::Start).await.unwrap();
        assert!(house.engine.perform(senders::Remove(house.sender.id)).await.unwrap());
        let failed = run(house, &id).await;
        assert_eq!((failed.state, failed.counts.failed, calls(house)), (State::Failed, 70, 0));
    }
}
