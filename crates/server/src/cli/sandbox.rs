use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;

use super::serve::told_to_stop;
use super::{Failure, Shared};
use crate::{logs, settings};

#[derive(Args)]
pub struct Sandbox {
    /// Where the stand-in for Meta's Graph API listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    graph_listen: SocketAddr,
    /// Where the stand-in for WhatsApp Web listens, in a build that has it; loopback only.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    web_listen: SocketAddr,
    /// Where the SMSC takes binds (SMPP).
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    smsc_listen: SocketAddr,
    /// Where carriers with HTTP APIs are.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    carriers_listen: SocketAddr,
    /// Where the mail server is.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    smtp_listen: SocketAddr,
    /// Where the stand-in for Stripe and its page are.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    stripe_listen: SocketAddr,
    /// Let the sandbox be reached from elsewhere: control API, clock and page ask for a token. Without it all listen on
    /// loopback only.
    #[arg(long)]
    sandbox_expose: bool,
}

impl Sandbox {
    pub async fn run(self, shared: &Shared) -> Result<ExitCode, Failure> {
        let settings = settings::load(&shared.overrides(true))?;
        logs::install(&settings.log);
        net::install_crypto();
        let options = sandbox::Options {
            control_listen: shared.listen.unwrap_or_else(|| sandbox::control_address(self.sandbox_expose)),
            graph_listen: self.graph_listen,
            web_listen: self.web_listen,
            smsc_listen: self.smsc_listen,
            carriers_listen: self.carriers_listen,
            smtp_listen: self.smtp_listen,
            stripe_listen: self.stripe_listen,
            data_dir: shared.data_dir.clone(),
            expose: self.sandbox_expose,
            allowed_networks: settings.outbound.allowed_networks,
            ..sandbox::Options::default()
        };
        let handle = sandbox::start(options).await?;
        println!("sandbox {} graph {}", handle.control_url(), handle.graph_url());
        if let Some(url) = handle.web_url() {
            println!("web {url}");
        }
        if let Some((smsc, http, smtp)) = handle.carriers() {
            println!("smpp {smsc} carriers {http} smtp {smtp}");
        }
        if let Some(token) = handle.token() {
            println!("token {token}");
        }
        told_to_stop().await?;
        handle.stop().await;
        Ok(ExitCode::SUCCESS)
    }
}
