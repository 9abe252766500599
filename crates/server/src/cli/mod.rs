//! The command line.

mod account;
mod balance;
mod carrier;
mod commands;
mod key;
mod number;
mod org;
mod pipe;
mod prices;
mod sandbox;
mod serve;
mod story;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::opening::{self, Purpose};
use crate::settings::{self, Overrides, Settings};

/// A build for the sandbox must be told apart: it is not for real accounts.
const VERSION: &str = match cfg!(feature = "web-sandbox") {
    true => concat!(env!("CARGO_PKG_VERSION"), " (web-sandbox)"),
    false => env!("CARGO_PKG_VERSION"),
};

/// Self-hosted messaging: published messaging APIs on one engine.
#[derive(Parser)]
#[command(name = "hermod", version = VERSION)]
pub struct Arguments {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Args, Clone)]
pub struct Shared {
    /// A file with settings.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the database, the key and files are.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// postgres://… instead of SQLite in the data directory.
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// Where to listen; port 0 picks a free one.
    #[arg(long, global = true, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the APIs.
    Serve(serve::Serve),
    /// Run only the outside world, as a process of its own.
    Sandbox(sandbox::Sandbox),
    /// Organizations.
    #[command(subcommand)]
    Org(org::Org),
    /// API keys.
    #[command(subcommand)]
    Key(key::Key),
    /// Accounts with providers.
    #[command(subcommand)]
    Account(account::Account),
    /// Senders: the addresses that we own.
    #[command(subcommand)]
    Sender(account::Sender),
    /// Which accounts carry for a sender, country by country.
    #[command(subcommand)]
    Route(account::Route),
    /// What messages cost.
    #[command(subcommand)]
    Prices(prices::Prices),
    /// What organizations have to spend.
    #[command(subcommand)]
    Balance(balance::Balance),
    /// Phone numbers that were bought.
    #[command(subcommand)]
    Number(number::Number),
    /// Tell the whole story behind an id, in any spelling.
    Explain(story::Explain),
    /// Send a stretch of the past to a subscription again.
    Replay(story::Replay),
    /// Say what is wrong with the configuration or the database.
    Doctor,
    /// Copy the live SQLite database to a file.
    Backup(commands::Backup),
    /// Bring the schema up to date.
    Migrate,
    /// Print the contract of a dialect.
    Openapi(commands::Openapi),
}

/// Anything that ends a command, with its causes.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

fn no_dialect(name: &str) -> Failure {
    format!("this program has no dialect {name:?}: it has kirim, late, ycloud and digigo").into()
}

/// Runs a command; a failure is told with all its causes.
#[must_use]
pub fn run(arguments: Arguments) -> ExitCode {
    if !matches!(arguments.command, Command::Serve(_) | Command::Sandbox(_)) {
        pipe::mind();
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if arguments.writes_beside() {
        runtime.worker_threads(beside_the_writer());
    }
    let runtime = match runtime.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tell(&error),
    };
    match runtime.block_on(arguments.run()) {
        Ok(code) => code,
        Err(error) => tell(&*error),
    }
}

fn tell(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}

/// One core is left to SQLite's writer, which has as much to do as all that answers: side by side on one core they
/// cost a sixth more.
fn beside_the_writer() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1))
}

impl Arguments {
    /// Whether this process writes to SQLite for as long as it runs.
    fn writes_beside(&self) -> bool {
        let serves = matches!(self.command, Command::Serve(_));
        // What cannot be read is told by whoever needs it.
        serves && self.shared.settings().is_ok_and(|settings| settings.database.url.is_empty())
    }

    async fn run(self) -> Result<ExitCode, Failure> {
        let shared = self.shared;
        match self.command {
            Command::Serve(serve) => serve.run(&shared).await,
            Command::Sandbox(sandbox) => sandbox.run(&shared).await,
            Command::Org(org) => org.run(&shared.settings()?).await,
            Command::Key(key) => key.run(&shared.settings()?).await,
            Command::Account(account) => account.run(&shared.settings()?).await,
            Command::Sender(sender) => sender.run(&shared.settings()?).await,
            Command::Route(route) => route.run(&shared.settings()?).await,
            Command::Prices(prices) => prices.run(&shared.settings()?).await,
            Command::Balance(balance) => balance.run(&shared.settings()?).await,
            Command::Number(number) => number.run(&shared.settings()?).await,
            Command::Explain(explain) => explain.run(&shared.settings()?).await,
            Command::Replay(replay) => replay.run(&shared.settings()?).await,
            Command::Doctor => crate::doctor::run(&shared.settings()?).await,
            Command::Backup(backup) => backup.run(&shared.settings()?).await,
            Command::Migrate => commands::migrate(&shared.settings()?).await,
            Command::Openapi(openapi) => openapi.run(),
        }
    }
}

impl Shared {
    fn overrides(&self, sandbox: bool) -> Overrides {
        Overrides {
            config: self.config.clone(),
            listen: self.listen,
            data_dir: self.data_dir.clone(),
            database: self.database.clone(),
            sandbox,
        }
    }

    fn settings(&self) -> Result<Settings, settings::Error> {
        settings::load(&self.overrides(false))
    }
}

/// An engine for one command, beside a server that may run. It sends nothing by itself.
async fn engine(settings: &Settings) -> Result<engine::Engine, Failure> {
    engine_for(settings, Purpose::Command).await
}

async fn engine_for(settings: &Settings, purpose: Purpose) -> Result<engine::Engine, Failure> {
    let opened = opening::open(settings, purpose).await?;
    let around = crate::wiring::Surroundings::of_a_command(settings);
    Ok(crate::wiring::wire(settings, &opened, around)?.engine)
}
