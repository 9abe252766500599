//! Load for hermod, and what it is compared with.
//!
//! Everything is measured from outside: the platform and the sandbox run as processes of their own, the floor
//! program and the bare posting loop too, and this process drives them over loopback. Figures that have a floor
//! are taken in turns with it, so that both see the same machine.
#![expect(
    clippy::disallowed_methods,
    reason = "a driver measures real time and picks random moments; it is no part of the product"
)]

mod load;
mod measure;
mod parts;
mod report;
mod stories;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::measure::Plan;
use crate::stories::Story;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Outcome<T = ()> = Result<T, Failure>;

#[derive(Parser)]
#[command(name = "hermod-bench", about = "Load for hermod, and what it is compared with")]
struct Cli {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Shared {
    /// The program under test; beside this one by default.
    #[arg(long, global = true, value_name = "PATH")]
    hermod: Option<PathBuf>,
    /// Where data directories are made and the report is written.
    #[arg(long, global = true, value_name = "DIR", default_value = "target/measure")]
    out: PathBuf,
    /// Leave data directories and logs behind.
    #[arg(long, global = true)]
    keep: bool,
}

impl Shared {
    fn bench(self) -> Outcome<parts::Bench> {
        parts::Bench::new(self.hermod, self.out, self.keep)
    }
}

#[derive(Subcommand)]
enum Command {
    /// Measure, print a table and write report.json; fails when a target is missed.
    Measure {
        /// Small counts: whether it works, not how fast it is.
        #[arg(long)]
        quick: bool,
        /// Only these, by name.
        names: Vec<String>,
    },
    /// Kill the platform again and again under load; fails when anything is lost or doubled.
    Crash {
        #[arg(long, default_value_t = 50)]
        rounds: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// A PostgreSQL database instead of SQLite; it must be empty.
        #[arg(long, value_name = "URL")]
        database: Option<String>,
    },
    /// Stop PostgreSQL under load and start it again; fails when anything is lost, doubled or unclear.
    DatabaseGone {
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// The same for linked accounts; needs a hermod built with --features web-sandbox.
    LinkedCrash {
        #[arg(long, default_value_t = 30)]
        rounds: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// A PostgreSQL database instead of SQLite; it must be empty.
        #[arg(long, value_name = "URL")]
        database: Option<String>,
    },
    /// Kill and pause, in turns, the one of two processes that keeps linked accounts up; fails when anything is lost or
    /// doubled.
    FailOver {
        #[arg(long, default_value_t = 6)]
        rounds: u32,
    },
    /// How long a healthy receiver waits beside one that hangs.
    Fair {
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// The floor program: the least that a durable accept can be.
    #[command(hide = true)]
    Floor { dir: PathBuf },
    /// The bare posting loop: sign and post, nothing else.
    #[command(hide = true)]
    Post(parts::post::Post),
}

fn main() -> ExitCode {
    net::install_crypto();
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("hermod-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Outcome<ExitCode> {
    match cli.command {
        Command::Floor { dir } => serving()?.block_on(parts::floor::serve(&dir))?,
        Command::Post(post) => serving()?.block_on(post.run())?,
        Command::Measure { quick, names } => {
            let plan = Plan::new(cli.shared.bench()?, quick);
            return driving(measure::all(plan, &names));
        }
        Command::Crash { rounds, seed, database } => {
            let story = stories::Crash { rounds, seed, database };
            return told(driving(story.run(&cli.shared.bench()?))?);
        }
        Command::DatabaseGone { seconds } => {
            let story = stories::DatabaseGone { seconds };
            return told(driving(story.run(&cli.shared.bench()?))?);
        }
        Command::LinkedCrash { rounds, seed, database } => {
            let story = stories::LinkedCrash { rounds, seed, database };
            return told(driving(story.run(&cli.shared.bench()?.for_web()))?);
        }
        Command::FailOver { rounds } => {
            return told(driving(stories::FailOver { rounds }.run(&cli.shared.bench()?.for_web()))?.story);
        }
        Command::Fair { seconds } => {
            println!("{}", driving(measure::fair::delays(&cli.shared.bench()?, seconds))?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Programs that are measured may use the whole machine.
fn serving() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// The driver needs one thread only, and leaves the rest to what it drives. Stopped from outside, it drops what it
/// holds, and with that ends its children.
fn driving<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut end = signal(SignalKind::terminate())?;
        tokio::select! {
            done = work => done,
            _ = end.recv() => Err("stopped".into()),
            _ = tokio::signal::ctrl_c() => Err("stopped".into()),
        }
    })
}

fn told(story: Story) -> Outcome<ExitCode> {
    println!("{story}");
    Ok(if story.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
