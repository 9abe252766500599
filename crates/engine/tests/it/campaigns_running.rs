//! Campaigns on their way: paused, cut off, counted, and worked on by two processes.

use std::collections::{HashMap, HashSet};

use engine::campaigns::{self, Counts, Standing, State, Wish};
use engine::directory;
use engine::events::{CAMPAIGN_UPDATED, MESSAGE_CREATED, MESSAGE_FAILED};
use engine::facts::Fact;
use engine::failure::{Code, Failure, Retry, SendError};
use engine::messages::Status;
use engine::{facts, retention, workers};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use store::Id;
use testkit::{Gate, House, Reply, on_both};
use tokio_util::sync::CancellationToken;

use crate::campaigns::{campaign, customer, customers, draft, opt_out, run, standings, wish};
use crate::{DAY, HOOK, HOUR, die, millis, seconds, working};

/// Nobody was written to twice.
fn once(house: &House) -> usize {
    let calls = house.provider.calls();
    let people: HashSet<_> = calls.iter().map(|call| call.to.clone()).collect();
    assert_eq!(people.len(), calls.len());
    calls.len()
}

/// A receipt for a message, with the provider's name for it as it would be.
fn receipt(house: &House, message: Id, status: Status) -> Fact {
    let failure = (status == Status::Failed).then(|| Failure {
        code: Code::RecipientUnreachable,
        message: "not there".into(),
        provider_code: None,
        details: None,
    });
    Fact::Receipt(Box::new(facts::Receipt {
        sender: house.sender.external_id.clone(),
        provider_id: format!("theirs.{}", message.hex24()),
        message: Some(message),
        status,
        at: house.now(),
        failure,
        recipient: Vec::new(),
        document: None,
    }))
}

on_both! {
    async fn a_pause_is_felt_at_once(house: &mut House) {
        house.settings.senders.messages_per_second = Some(10);
        house.restart().await;
        let id = draft(house, customers(200)).await;
        wish(house, &id, Wish::Start).await.unwrap();
        house.pass(seconds(3), millis(250)).await;
        let sent = once(house);
        assert!(sent >= 30, "{sent}");
        assert_eq!(wish(house, &id, Wish::Pause).await.unwrap().state, State::Paused);
        house.pass(seconds(10), millis(250)).await;
        let paused = once(house);
        assert!(paused - sent <= 20, "two seconds' worth was on its way: {sent}, {paused}");
        house.pass(seconds(60), seconds(1)).await;
        assert_eq!(once(house), paused);
        let counts = campaign(house, &id).await.counts;
        assert_eq!((counts.queued, counts.pending, counts.sent), (0, 200 - paused as i64, paused as i64));

        assert_eq!(wish(house, &id, Wish::Resume).await.unwrap().state, State::Sending);
        house.pass(seconds(3), millis(250)).await;
        let cancelled = wish(house, &id, Wish::Cancel).await.unwrap();
        assert_eq!((cancelled.state, cancelled.completed_at), (State::Cancelled, Some(house.now())));
        let before = once(house);
        assert!(before > paused);
        house.pass(seconds(60), seconds(1)).await;
        assert!(once(house) - before <= 20);
        assert_eq!(campaign(house, &id).await.state, State::Cancelled);
        standings(house, &id).await;
    }

    /// The lane is never left without work, nor is it given more than it can do.
    async fn it_goes_at_the_senders_pace(house: &mut House) {
        for (rate, time) in [(80, 3), (500, 1)] {
            house.settings.senders.messages_per_second = Some(rate);
            house.settings.senders.burst = Some(rate / 10);
            house.restart().await;
            house.advance(seconds(60));
            let before = once(house);
            let id = draft(house, Vec::new()).await;
            for part in 0..2 {
                let all = customers(1000 * (part + 1) + before)[1000 * part + before..].to_vec();
                let add = campaigns::Add { engine: house.engine.clone(), whose: crate::campaigns::whose(house, &id), recipients: all };
                house.engine.perform(add).await.unwrap().unwrap();
            }
            wish(house, &id, Wish::Start).await.unwrap();
            house.settle().await;
            house.pass(seconds(time), millis(50)).await;
            let sent = once(house) - before;
            let wanted = (time * u64::from(rate)) as usize;
            assert!(sent <= wanted + rate as usize / 10 && sent * 100 >= wanted * 97, "{sent} of {wanted}");
            wish(house, &id, Wish::Cancel).await.unwrap();
            house.pass(seconds(3), millis(50)).await;
        }
    }

    /// Whatever is told of messages, in whichever order and however often, counts are what the rows are.
    async fn counts_are_exact_in_every_order(house: &mut House) {
        for seed in 0..6 {
            let mut random = StdRng::seed_from_u64(seed);
            let gate = Gate::new();
            let people: Vec<_> = customers(20 + 20 * seed as usize).split_off(20 * seed as usize);
            for person in &people {
                if random.random_bool(0.3) {
                    house.provider.will_to(&person.address.value, [Reply::Behind(gate.clone(), Box::new(Reply::Taken))]);
                }
            }
            let calls = house.provider.calls().len();
            let id = draft(house, people).await;
            wish(house, &id, Wish::Start).await.unwrap();
            let work = working(house);
            house.provider.called(calls + 20).await;
            let it = campaign(house, &id).await;
            let people = house.engine.campaign_recipients(&it, &[], 100, 0).await.unwrap();
            let mut told: Vec<_> = people
                .iter()
                .flat_map(|person| {
                    let statuses = [Status::Sent, Status::Failed, Status::Delivered, Status::Read];
                    statuses.map(|status| (person.message_id.unwrap(), status))
                })
                .filter(|_| random.random_bool(0.5))
                .collect();
            told.extend(told.clone());
            told.shuffle(&mut random);
            for (number, pushed) in told.chunks(7).enumerate() {
                house.receive(pushed.iter().map(|(message, status)| receipt(house, *message, *status)).collect()).await;
                if number == 5 {
                    gate.open();
                }
            }
            gate.open();
            work.await.unwrap();
            let done = run(house, &id).await;
            let standings = standings(house, &id).await;
            let best: HashMap<_, _> = people
                .iter()
                .map(|person| {
                    let seen = told.iter().filter(|(message, _)| Some(*message) == person.message_id);
                    let best = seen.map(|(_, status)| *status).max().unwrap_or(Status::Sent).max(Status::Sent);
                    (person.address.value.clone(), best.as_str())
                })
                .collect();
            let stand: HashMap<_, _> = standings.into_iter().map(|(to, standing)| (to, standing.as_str())).collect();
            assert_eq!(stand, best, "seed {seed}");
            assert_eq!((done.counts.waiting(), done.counts.total()), (0, 20));
        }
    }

    /// Real workers, no time passing but what the test lets pass.
    async fn two_processes_write_to_each_once(house: &mut House) {
        let (engines, stop) = ([house.engine.clone(), house.another().await], CancellationToken::new());
        let ids = [draft(house, customers(300)).await, draft(house, customers(600).split_off(300)).await];
        let tasks: Vec<_> = engines.iter().map(|it| tokio::spawn(workers::run(it.clone(), stop.clone()))).collect();
        for id in &ids {
            wish(house, id, Wish::Start).await.unwrap();
        }
        for id in &ids {
            while campaign(house, id).await.state == State::Sending {
                engines.iter().for_each(|engine| engine.wake.all());
                house.advance(millis(20));
                tokio::task::yield_now().await;
            }
        }
        stop.cancel();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(once(house), 600);
        for id in &ids {
            assert_eq!(campaign(house, id).await.counts, Counts { sent: 300, ..Counts::default() });
            standings(house, id).await;
        }
    }

    async fn progress_is_told_now_and_then(house: &mut House) {
        house.settings.senders.messages_per_second = Some(20);
        house.restart().await;
        let id = draft(house, customers(200)).await;
        house.subscribe(HOOK, &[CAMPAIGN_UPDATED]).await;
        wish(house, &id, Wish::Start).await.unwrap();
        let started = house.now();
        run(house, &id).await;
        let took = (house.now() - started) / 1000;
        let told = house.transport.posted(HOOK);
        let sent: Vec<_> = told.iter().map(|posted| posted.json()["data"]["counts"]["sent"].as_i64().unwrap()).collect();
        assert!(sent.is_sorted() && sent.last() == Some(&200), "{sent:?}");
        assert!(told.len() as i64 >= took - 2 && told.len() as i64 <= took + 3, "{} in {took} s", told.len());
        let last = told.last().unwrap().json();
        assert_eq!((&last["data"]["state"], &last["subject"]), (&"completed".into(), &id.hex24().into()));
    }

    /// Who is forgotten while his message waits is not waited for.
    async fn a_forgotten_contact_holds_nothing_up(house: &mut House) {
        house.settings.senders.messages_per_second = Some(1);
        house.settings.senders.burst = Some(1);
        house.restart().await;
        let id = draft(house, customers(3)).await;
        wish(house, &id, Wish::Start).await.unwrap();
        house.settle().await;
        let contact = house.engine.directory_id(&house.organization.id, &customer(2)).await.unwrap().unwrap();
        let (engine, organization) = (house.engine.clone(), house.organization.id);
        house.engine.perform(directory::Delete { engine, organization, id: contact }).await.unwrap().unwrap();
        let done = run(house, &id).await;
        assert_eq!((done.state, once(house)), (State::Completed, 2));
        assert_eq!(done.counts, Counts { sent: 2, failed: 1, ..Counts::default() });
    }

    /// Who says stop while his message waits for a token is not written to. What was sent to him alone goes all the same.
    async fn a_stop_overtakes_what_waits(house: &mut House) {
        house.settings.senders.messages_per_second = Some(1);
        house.settings.senders.burst = Some(1);
        house.restart().await;
        let dead = SendError { retry: Retry::Stop, ..SendError::refused(Code::AccountProblem, "the token is dead") };
        house.provider.will([Reply::Fails(dead)]);
        let alone = house.send(&customer(0), "yours").await;
        let id = draft(house, customers(3)).await;
        wish(house, &id, Wish::Start).await.unwrap();
        house.settle().await;
        let held = campaign(house, &id).await.counts;
        assert_eq!((house.provider.texts(), held), (vec!["yours".into()], Counts { queued: 3, ..Counts::default() }));

        for number in 0..2 {
            let stop = house.inbound(&customer(number), &format!("in.{number}"), "STOP");
            house.receive(vec![Fact::Message(Box::new(stop))]).await;
        }
        house.advance(seconds(60));
        house.give_new_token().await;
        let done = run(house, &id).await;
        let counts = Counts { sent: 1, failed: 2, ..Counts::default() };
        assert_eq!((done.state, done.counts), (State::Completed, counts));
        standings(house, &id).await;
        house.advance(HOUR);
        house.settle().await;
        let to: Vec<_> = house.provider.calls().into_iter().map(|call| call.to).collect();
        assert_eq!(to, [customer(0), customer(2), customer(0)]);
        assert_eq!(house.message(&alone.id).await.status, Status::Sent);
        let people = house.engine.campaign_recipients(&done, &[Standing::Failed], 10, 0).await.unwrap();
        for person in people {
            assert_eq!(campaigns::failure(&person).unwrap().code, Code::RecipientOptedOut);
            assert_eq!(house.story(&person.message_id.unwrap()).await, [MESSAGE_CREATED, MESSAGE_FAILED]);
        }
    }

    async fn old_ones_go_with_old_messages(house: &mut House) {
        house.settings.retention.messages = Some(DAY);
        house.restart().await;
        let old = draft(house, customers(700)).await;
        wish(house, &old, Wish::Start).await.unwrap();
        run(house, &old).await;
        let paused = draft(house, customers(1)).await;
        wish(house, &paused, Wish::Start).await.unwrap();
        wish(house, &paused, Wish::Pause).await.unwrap();
        house.advance(DAY + seconds(120));
        let new = draft(house, customers(1)).await;
        retention::round(&house.engine).await.unwrap();
        let left = house.engine.campaigns(&house.organization.id, &campaigns::Filter::default(), 10, 0).await.unwrap();
        assert_eq!(left.iter().map(|it| it.id).collect::<Vec<_>>(), [new, paused]);
    }
}

on_both! {
    /// A process dies at every tenth call, in the middle of commits and between them; nobody is written to twice.
    async fn killed_again_and_again_it_goes_on(house: &mut House) {
        let id = draft(house, customers(150)).await;
        for number in (3..150).step_by(10) {
            opt_out(house, &customer(number)).await;
        }
        wish(house, &id, Wish::Start).await.unwrap();
        for life in 0..8 {
            let before = house.provider.calls().len();
            house.provider.will((0..10).map(|_| Reply::Taken).chain([Reply::Hangs]));
            let mut work = working(house);
            tokio::select! {
                () = house.provider.called((before + 11).min(135)) => die(house, work).await,
                // The last one died in the middle of a claim: there is nothing to call.
                done = &mut work => { done.unwrap(); house.restart().await },
            }
            workers::recover(&house.engine).await.unwrap();
            house.provider.will([]);
            if life % 2 == 0 {
                house.advance(millis(250));
            }
        }
        house.provider.forget_replies();
        workers::recover(&house.engine).await.unwrap();
        house.settle().await;
        house.pass(seconds(20), seconds(1)).await;
        // What was cut off is settled by receipts that carry our id.
        let it = campaign(house, &id).await;
        let queued = house.engine.campaign_recipients(&it, &[Standing::Queued], 1000, 0).await.unwrap();
        let facts = queued.iter().map(|person| receipt(house, person.message_id.unwrap(), Status::Sent)).collect();
        house.receive(facts).await;
        let done = run(house, &id).await;
        assert_eq!(once(house), 135);
        assert_eq!((done.state, done.counts), (State::Completed, Counts { sent: 135, failed: 15, ..Counts::default() }));
        standings(house, &id).await;
    }
}
