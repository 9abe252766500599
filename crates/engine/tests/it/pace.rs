//! How fast a sender writes, whatever happens to the processes.

use std::collections::HashSet;

use engine::provider::{Pace, PairPace};
use engine::workers;
use testkit::{House, on_both};

use crate::{ANN, BOB, millis, seconds};

async fn accept(house: &House, count: usize) {
    for number in 0..count {
        house.send(&format!("+1555030{number:04}"), "hello").await;
    }
}

fn calls(house: &House) -> usize {
    house.provider.calls().len()
}

on_both! {
    async fn a_burst_and_then_the_rate(house: &mut House) {
        house.provider.set_pace(Pace { per_second: 80, pair: None });
        accept(house, 200).await;
        house.settle().await;
        assert_eq!(calls(house), 80, "one second's worth at once");
        for step in 1..=12 {
            house.advance(millis(125));
            house.settle().await;
            assert_eq!(calls(house), (80 + 10 * step).min(200));
        }
        // What was not used while idle is one burst, not more.
        house.advance(seconds(60));
        accept(house, 100).await;
        house.settle().await;
        assert_eq!(calls(house), 280);
        house.pass(seconds(1), millis(100)).await;
        assert_eq!(calls(house), 300);
    }

    async fn a_restart_makes_no_burst(house: &mut House) {
        house.settings.senders.messages_per_second = Some(1);
        house.settings.senders.burst = Some(40);
        house.restart().await;
        accept(house, 80).await;
        house.settle().await;
        assert_eq!(calls(house), 40);
        house.restart().await;
        house.settle().await;
        assert_eq!(calls(house), 40, "the lane is still the dead process's");
        house.advance(millis(15_001));
        house.settle().await;
        assert_eq!(calls(house), 55);
        house.leave_work();
    }

    async fn two_processes_are_not_faster_than_one(house: &mut House) {
        house.provider.set_pace(Pace { per_second: 40, pair: None });
        let other = house.another().await;
        accept(house, 150).await;
        for step in 0..=40 {
            let (one, two) = tokio::join!(workers::drain(&house.engine), workers::drain(&other));
            one.unwrap();
            two.unwrap();
            assert_eq!(calls(house), (40 + step * 4).min(150), "after {step} steps of 100 ms");
            house.advance(millis(100));
        }
        let once: HashSet<_> = house.provider.calls().into_iter().map(|call| call.id).collect();
        assert_eq!(once.len(), 150);
    }

    async fn a_lane_is_one_processs_until_its_lease_ends(house: &mut House) {
        let other = house.another().await;
        accept(house, 1).await;
        house.settle().await;
        accept(house, 1).await;
        workers::drain(&other).await.unwrap();
        assert_eq!(calls(house), 1);
        house.advance(millis(15_001));
        workers::drain(&other).await.unwrap();
        assert_eq!(calls(house), 2);
        accept(house, 1).await;
        house.settle().await;
        assert_eq!(calls(house), 2, "now it is the other's");
        workers::drain(&other).await.unwrap();
        assert_eq!(calls(house), 3);
    }

    async fn one_recipient_is_not_flooded(house: &mut House) {
        house.provider.set_pace(Pace { per_second: 80, pair: Some(PairPace { interval: seconds(6), burst: 3 }) });
        for number in 1..=6 {
            house.send(ANN, &format!("a{number}")).await;
        }
        house.send(BOB, "b1").await;
        house.settle().await;
        let to_ann = || house.provider.calls().into_iter().filter(|call| call.to == ANN).map(|call| call.text).collect::<Vec<_>>();
        assert_eq!(to_ann(), ["a1", "a2", "a3"]);
        assert_eq!(calls(house), 4);
        house.advance(millis(5999));
        house.settle().await;
        assert_eq!(calls(house), 4);
        for expected in ["a4", "a5", "a6"] {
            house.advance(millis(if expected == "a4" { 1 } else { 6000 }));
            house.settle().await;
            assert_eq!(to_ann().last().unwrap(), expected);
        }
        assert_eq!(to_ann().len(), 6);
    }
}
