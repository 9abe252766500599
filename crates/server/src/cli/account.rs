//! Accounts with providers and the senders that hang on them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Failure, carrier};
use crate::accounts::{self, NewMeta, Secrets};
use crate::carriers;
use crate::settings::Settings;

#[derive(Subcommand)]
pub enum Account {
    /// Add an account.
    #[command(subcommand)]
    Add(Add),
    /// List accounts and how they stand.
    List,
    /// Give an account new secrets, from standard input or a file.
    RotateToken(Rotate),
    /// Close an account: its secrets are forgotten, its past stays.
    Remove { id: String },
}

#[derive(Subcommand)]
pub enum Add {
    /// A WhatsApp Business Account on Meta's Cloud API. The access token and the app secret are read from
    /// standard input, one on each line, or from a file: never from the command line.
    Meta(AddMeta),
    /// A carrier's SMSC, for SMS. Reads the password.
    Smpp(Box<carrier::Smpp>),
    /// Twilio, for SMS and calls. Reads the auth token.
    Twilio(carrier::Twilio),
    /// Telnyx, for SMS and calls. Reads the API key.
    Telnyx(carrier::Telnyx),
    /// Vonage, for SMS and calls. Reads the signature secret on the first line and the application's private key after it.
    Vonage(carrier::Vonage),
    /// A mail relay. Reads the password.
    Smtp(Box<carrier::Smtp>),
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
    /// A file with what is asked for otherwise: an access token, an auth token, an API key, a password, or a
    /// signature secret and the private key after it.
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
            Self::Add(Add::Smpp(add)) => add.add(&engine, settings).await?,
            Self::Add(Add::Twilio(add)) => add.add(&engine, settings).await?,
            Self::Add(Add::Telnyx(add)) => add.add(&engine, settings).await?,
            Self::Add(Add::Vonage(add)) => add.add(&engine, settings).await?,
            Self::Add(Add::Smtp(add)) => add.add(&engine, settings).await?,
            Self::List => accounts::list(&engine).await?,
            Self::RotateToken(rotate) => {
                accounts::rotate(&engine, &rotate.id, rotate.secrets.as_deref()).await?;
            }
            Self::Remove { id } => accounts::remove(&engine, &id).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Subcommand)]
pub enum Sender {
    /// Bring a number of an account in, and register it where asked; or add an address that a carrier knows.
    #[command(group(clap::ArgGroup::new("what").required(true).args(["number", "address"])))]
    Add {
        /// The account's id.
        #[arg(long)]
        account: String,
        /// The provider's id of the number.
        #[arg(long)]
        number: Option<String>,
        /// What a carrier's account sends from: a number with `+`, a name, a mailbox.
        #[arg(long, conflicts_with = "register")]
        address: Option<String>,
        /// What to call the sender.
        #[arg(long, requires = "address")]
        name: Option<String>,
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
            Self::Add { account, address: Some(address), name, .. } => {
                carriers::add_sender(&engine, &account, &address, name).await?
            }
            Self::Add { account, number, register, .. } => {
                accounts::add_sender(&engine, &account, &number.unwrap_or_default(), register).await?
            }
            Self::List => accounts::list_senders(&engine).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Subcommand)]
pub enum Route {
    /// Say which accounts carry a sender's messages, in the order in which they are tried.
    Set {
        /// The sender's id, or its address where only one has it.
        #[arg(long)]
        sender: String,
        /// To which country, as in DE. Without it: everywhere that has no accounts of its own.
        #[arg(long, value_name = "CC", default_value = "", hide_default_value = true)]
        region: String,
        /// An account's id; may be given several times. None: as everywhere else.
        #[arg(long = "account", value_name = "ID")]
        accounts: Vec<String>,
    },
    /// List the routes of carriers' senders.
    List {
        /// The sender's id, or its address where only one has it.
        #[arg(long)]
        sender: Option<String>,
    },
}

impl Route {
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        let engine = super::engine(settings).await?;
        match self {
            Self::Set { sender, region, accounts } => carriers::set_route(&engine, &sender, &region, &accounts).await?,
            Self::List { sender } => carriers::list_routes(&engine, sender.as_deref()).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
