//! How fast messages are taken through YCloud, in turns with the floor, and held back as Kirim's are.

use super::Plan;
use super::rates::{CUSTOMERS, TEXT, accept, floor};
use crate::Outcome;
use crate::load::ThroughYcloud;
use crate::parts::Facts;
use crate::report::{Figure, Target, median};

pub async fn measure(plan: &Plan) -> Outcome<Vec<Figure>> {
    let (mut floors, mut accepts, mut cpu, mut slowest) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.count(3, 1) {
        floors.push(floor(plan).await?.rate()?);
        let (tally, cost) = accept(plan, sends).await?;
        accepts.push(tally.rate()?);
        cpu.push(cost.cpu);
        slowest.push(cost.slowest);
        floors.push(floor(plan).await?.rate()?);
    }
    let share = median(&accepts) / median(&floors);
    Ok(vec![
        Figure::told("floor, beside YCloud", median(&floors), "accepts/s"),
        Figure::told("YCloud, enqueue", median(&accepts), "messages/s"),
        Figure::new("YCloud, enqueue / floor", share, "", Target::AtLeast { target: 0.4, goal: 0.6 }),
        Figure::told("YCloud, enqueue, p99", median(&slowest), "ms"),
        Figure::told("YCloud, enqueue, CPU of the platform", median(&cpu), "µs/message"),
    ])
}

fn sends(facts: &Facts) -> impl Fn(u64, &mut Vec<u8>) + use<> {
    let sends = ThroughYcloud::new(facts, CUSTOMERS, TEXT);
    move |number, out| sends.enqueue(number, out)
}
