use std::process::ExitCode;

use clap::Args;
use engine::replay::Stretch;
use engine::{Id, explain, replay};

use super::Failure;
use crate::settings::Settings;

#[derive(Args)]
pub struct Explain {
    /// A message, event or delivery, in any spelling; a provider's message id too.
    id: String,
}

impl Explain {
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        let engine = super::engine(settings).await?;
        let lines = explain::explain(&engine, &self.id).await?;
        if lines.is_empty() {
            return Err(format!("nothing is known of {}", self.id).into());
        }
        lines.iter().for_each(|line| println!("{line}"));
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub struct Replay {
    /// The subscription's id, in any spelling.
    #[arg(long)]
    subscription: String,
    /// From when, as 2026-01-31T12:00:00Z.
    #[arg(long, value_parser = time)]
    from: i64,
    /// Until when.
    #[arg(long, value_parser = time)]
    to: i64,
    /// Only events of this name.
    #[arg(long = "type")]
    name: Option<String>,
}

fn time(text: &str) -> Result<i64, String> {
    chrono::DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_millis()).map_err(|error| error.to_string())
}

impl Replay {
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        let engine = super::engine(settings).await?;
        let bare = self.subscription.rsplit('_').next().unwrap_or_default();
        let id = Id::parse_hex24(bare).or_else(|| Id::parse_ulid(bare)).or_else(|| Id::parse_hex32(bare));
        let subscription = id.ok_or("that is no id of a subscription")?;
        let stretch = Stretch { subscription, from: self.from, to: self.to, name: self.name };
        let made = replay::replay(&engine, &stretch).await??;
        println!("{made} deliveries will be sent again");
        Ok(ExitCode::SUCCESS)
    }
}
