use std::process::ExitCode;

use clap::Subcommand;
use engine::{billing, clock};

use super::{Failure, org};
use crate::settings::Settings;

/// How many changes are shown.
const LATEST: i64 = 20;

#[derive(Subcommand)]
pub enum Balance {
    /// Give an organization money, or take some away (-5).
    Add {
        /// Its id or its name.
        #[arg(long)]
        org: String,
        /// Like 25 or 12.50.
        #[arg(allow_negative_numbers = true)]
        amount: String,
        /// Three capital letters; what the balance or the prices are in, if not given.
        #[arg(long)]
        currency: Option<String>,
        /// Why, for the ledger.
        #[arg(long)]
        note: Option<String>,
    },
    /// Show what an organization has, and the latest changes.
    Show {
        /// Its id or its name.
        #[arg(long)]
        org: String,
    },
}

impl Balance {
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        let engine = super::engine(settings).await?;
        match self {
            Self::Add { org, amount, currency, note } => {
                let organization = org::find(&engine, &org).await?;
                if let Some(currency) = &currency {
                    check(currency)?;
                }
                let amount = signed(&amount)?;
                let add = billing::Add { engine: engine.clone(), organization, amount, currency, note };
                let balance = engine.perform(add).await??;
                println!("{} {}", billing::spelt(balance.amount), balance.currency);
            }
            Self::Show { org } => {
                let organization = org::find(&engine, &org).await?;
                let balance = engine.money(&organization).await?;
                println!("{} {}", billing::spelt(balance.amount), balance.currency);
                if !settings.billing.metering {
                    println!("nothing is metered: billing.metering is off");
                }
                for entry in engine.ledger(&organization, LATEST).await? {
                    let about = entry.message_id.map(|id| id.to_string()).or(entry.note).unwrap_or_default();
                    let (at, amount) = (clock::rfc3339(entry.created_at), billing::spelt(entry.amount));
                    println!("{at}  {:8}  {amount:>12} {}  {about}", entry.kind, entry.currency);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn check(currency: &str) -> Result<(), Failure> {
    match currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        true => Ok(()),
        false => Err(format!("{currency:?} is not a currency's three capital letters").into()),
    }
}

fn signed(amount: &str) -> Result<i64, Failure> {
    match amount.strip_prefix('-') {
        Some(taken) => Ok(-billing::micros(taken)?),
        None => Ok(billing::micros(amount)?),
    }
}
