//! Accounts with providers and the senders that hang on them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Failure;
use crate::accounts::{self, NewMeta, Secrets};
use crate::settings::Settings;

#[derive(Subcommand)]
pub enum Account {
    /// Add an account.
    #[command(subcommand)]
    Add(Add),
    /// List accounts and how they stand.
    List,
    /// Give an account a new token: a new line on standard input, or a file.
    RotateToken(Rotate),
    /// Close an account: its secrets are forgotten, its past stays.
    Remove { id: String },
}

#[derive(Subcommand)]
pub enum Add {
    /// A WhatsApp Business Account on Meta's Cloud API. The access token and the app secret are read from
    /// standard input, one on each line, or from a file: never from the command line.
    Meta(AddMeta),
}

#[derive(Args)]
pub struct AddMeta {
    /// The organization's id or name.
    #[arg(long)]
    org: String,
    /// The WhatsApp Business Account's id.
    #[arg(long)]
    waba: String,
    /// The Meta app's id.
    #[arg(long)]
    app_id: String,
    /// A file with the access token on its first line and the app secret on its second.
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
}

#[derive(Args)]
pub struct Rotate {
    id: String,
    /// A file with the new access token on its first line.
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
}

impl Account {
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        let engine = super::engine(settings).await?;
        match self {
            Self::Add(Add::Meta(add)) => {
                let organization = super::org::find(&engine, &add.org).await?;
                let secrets = Secrets::read(add.secrets.as_deref(), "access token and app secret, one on each line")?;
                let new = NewMeta { organization, waba: add.waba, app_id: add.app_id };
                accounts::add_meta(&engine, settings, new, &secrets).await?;
            }
            Self::List => accounts::list(&engine).await?,
            Self::RotateToken(rotate) => {
                let secrets = Secrets::read(rotate.secrets.as_deref(), "the new access token")?;
                accounts::rotate(&engine, &rotate.id, &secrets).await?;
            }
            Self::Remove { id } => accounts::remove(&engine, &id).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Subcommand)]
pub enum Sender {
    /// Bring a number of an account in, and register it where asked.
    Add {
        /// The account's id.
        #[arg(long)]
        account: String,
        /// The provider's id of the number.
        #[arg(long)]
        number: String,
        /// Register the number for sending; the six-digit PIN is read from standard input.
        #[arg(long)]
        register: bool,
    },
    /// List senders and how they stand.
    List,
}

impl Sender {
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        let engine = super::engine(settings).await?;
        match self {
            Self::Add { account, number, register } => {
                accounts::add_sender(&engine, &account, &number, register).await?
            }
            Self::List => accounts::list_senders(&engine).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
