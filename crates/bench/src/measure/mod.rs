//! One file for each measurement. A measurement gives figures; an error means that it could not be made, which
//! counts as a miss.

mod broadcast;
mod delivery;
pub mod fair;
mod footprint;
mod linked;
mod linked_rate;
mod rates;
mod sms;
mod whole;
mod ycloud;

use std::process::ExitCode;

use crate::parts::Bench;
use crate::report::{self, Figure, Target};
use crate::stories::{Crash, DatabaseGone, FailOver, LinkedCrash, Story, Takeovers};
use crate::{Failure, Outcome};

/// What to measure with, and how much of it.
pub struct Plan {
    pub bench: Bench,
    pub quick: bool,
}

const ALL: [&str; 14] = [
    "rates",
    "delivery",
    "whole",
    "footprint",
    "fair",
    "crash",
    "database-gone",
    "ycloud",
    "sms",
    "broadcast",
    "linked",
    "linked-rate",
    "linked-crash",
    "fail-over",
];

impl Plan {
    pub fn new(bench: Bench, quick: bool) -> Self {
        Self { bench, quick }
    }

    /// A count for a real run, or for a quick one.
    pub fn count(&self, real: u64, quick: u64) -> u64 {
        if self.quick { quick } else { real }
    }

    fn for_web(&self) -> Self {
        Self { bench: self.bench.for_web(), quick: self.quick }
    }

    async fn measure(&self, name: &str) -> Outcome<Vec<Figure>> {
        match name {
            "rates" => rates::measure(self).await,
            "delivery" => delivery::measure(self).await,
            "whole" => whole::measure(self).await,
            "footprint" => footprint::measure(self).await,
            "fair" => fair::measure(self).await,
            "crash" => {
                let crash = Crash { rounds: u32::try_from(self.count(50, 3))?, seed: 1, database: None };
                Ok(broken("broken promises after kill -9", &crash.run(&self.bench).await?))
            }
            "database-gone" => {
                let gone = DatabaseGone { seconds: self.count(30, 5) };
                Ok(broken("broken promises after the database was gone", &gone.run(&self.bench).await?))
            }
            "ycloud" => ycloud::measure(self).await,
            "sms" => sms::measure(self).await,
            "broadcast" => broadcast::measure(self).await,
            "linked" => linked::measure(&self.for_web()).await,
            "linked-rate" => linked_rate::measure(&self.for_web()).await,
            "linked-crash" => {
                let crash = LinkedCrash { rounds: u32::try_from(self.count(30, 3))?, seed: 1, database: None };
                Ok(broken("broken promises of linked accounts after kill -9", &crash.run(&self.bench.for_web()).await?))
            }
            "fail-over" => {
                let rounds = u32::try_from(self.count(6, 2))?;
                Ok(fail_over(&FailOver { rounds }.run(&self.bench.for_web()).await?))
            }
            _ => Err(format!("there is no measurement {name:?}; there are {}", ALL.join(", ")).into()),
        }
    }
}

/// Measures everything, or what is named, one after the other.
pub async fn all(plan: Plan, names: &[String]) -> Outcome<ExitCode> {
    let names: Vec<&str> = if names.is_empty() { ALL.to_vec() } else { names.iter().map(String::as_str).collect() };
    let (mut figures, mut failures): (Vec<Figure>, Vec<(&str, Failure)>) = Default::default();
    for name in names {
        eprintln!("measuring {name}");
        match plan.measure(name).await {
            Ok(found) => {
                eprintln!("{}\n", report::table(&found));
                figures.extend(found);
            }
            Err(error) => {
                eprintln!("{name}: {error}\n");
                failures.push((name, error));
            }
        }
    }
    report::write(&plan.bench.out, plan.quick, &figures)?;
    println!("{}", report::table(&figures));
    failures.iter().for_each(|(name, error)| println!("{name} could not be measured: {error}"));
    let good = failures.is_empty() && figures.iter().all(Figure::is_good);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn broken(name: &'static str, story: &Story) -> Vec<Figure> {
    eprintln!("{story}");
    vec![Figure::new(name, story.broken.len() as f64, "", Target::AtMost(0.0))]
}

fn fail_over(takeovers: &Takeovers) -> Vec<Figure> {
    let slowest = |all: &[f64]| all.iter().copied().fold(f64::NAN, f64::max);
    let mut figures = broken("broken promises of linked accounts after fail-overs", &takeovers.story);
    figures.extend([
        Figure::new(
            "linked accounts taken over after kill -9, slowest",
            slowest(&takeovers.after_kill),
            "s",
            Target::AtMost(15.0),
        ),
        Figure::new(
            "linked accounts taken over after a pause, slowest",
            slowest(&takeovers.after_pause),
            "s",
            Target::AtMost(30.0),
        ),
    ]);
    figures
}
