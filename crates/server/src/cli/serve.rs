use std::process::ExitCode;

use clap::Args;
use engine::Clock;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Shared};
use crate::serve::{World, start};
use crate::{introduce, settings};

#[derive(Args)]
pub struct Serve {
    /// Run a sandbox in this process: no phone and no account needed.
    #[arg(long)]
    sandbox: bool,
    /// Use a sandbox that runs already.
    #[arg(long, value_name = "URL", conflicts_with = "sandbox")]
    sandbox_url: Option<String>,
    /// The token of that sandbox, if it asks for one.
    #[arg(long, value_name = "TOKEN", env = "HERMOD_SANDBOX_TOKEN", hide_env_values = true)]
    sandbox_token: Option<String>,
    /// Let the sandbox be reached from elsewhere: its control API, the clock and the page ask for a token.
    #[arg(long, requires = "sandbox")]
    sandbox_expose: bool,
}

impl Serve {
    pub async fn run(self, shared: &Shared) -> Result<ExitCode, Failure> {
        let world = match (self.sandbox, self.sandbox_url) {
            (true, _) => World::Inside { expose: self.sandbox_expose },
            (false, Some(url)) => World::At { url, token: self.sandbox_token },
            (false, None) => World::Real,
        };
        let settings = settings::load(&shared.overrides(world != World::Real))?;
        let serving = start(settings, world, Clock::system()).await?;
        if let Some(all) = &serving.sandbox {
            println!("{}", introduce::hint(all));
        }
        told_to_stop().await?;
        let stopping = serving.stop();
        // A second signal ends it at once; what was in flight is claimable after its lease.
        tokio::select! {
            () = stopping => Ok(ExitCode::SUCCESS),
            again = told_to_stop() => again.map(|()| ExitCode::FAILURE).map_err(Into::into),
        }
    }
}

/// Waits for SIGTERM or SIGINT.
pub async fn told_to_stop() -> std::io::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}
