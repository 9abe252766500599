use std::process::ExitCode;

use clap::Subcommand;
use engine::{Id, clock, keys};

use super::{Failure, org};
use crate::digigo;
use crate::settings::{Settings, Span};

#[derive(Subcommand)]
pub enum Key {
    /// Make a key and print it, once.
    Create {
        /// The organization's id or name.
        #[arg(long)]
        org: String,
        /// Whose API it is for.
        #[arg(long)]
        dialect: String,
        /// How long it is good, as in 90d.
        #[arg(long, value_parser = span)]
        expires: Option<Span>,
        /// What to call it.
        #[arg(long, default_value = "key")]
        label: String,
    },
    /// List keys; the keys themselves cannot be shown again.
    List {
        #[arg(long)]
        org: Option<String>,
    },
    /// Take a key back at once.
    Revoke { id: String },
}

fn span(text: &str) -> Result<Span, String> {
    humantime::parse_duration(text).map(Span).map_err(|error| error.to_string())
}

impl Key {
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        let engine = super::engine(settings).await?;
        match self {
            Self::Create { org, dialect, expires, label } => {
                let organization = org::find(&engine, &org).await?;
                let token = new_token(&dialect)?;
                let expires_at = expires.map(|span| engine.now() + i64::try_from(span.0.as_millis()).unwrap_or(0));
                engine.perform(keys::create(&engine, organization, &dialect, &label, &token, true, expires_at)).await?;
                println!("{token}");
            }
            Self::List { org } => list(&engine, org).await?,
            Self::Revoke { id } => {
                let id = Id::parse_hex24(&id).ok_or("a key's id has 24 hexadecimal digits")?;
                if !engine.perform(keys::Revoke { id, now: engine.now() }).await? {
                    return Err("there is no such key that is still good".into());
                }
                println!("revoked");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A fresh key in its dialect's spelling.
fn new_token(dialect: &str) -> Result<String, Failure> {
    match dialect {
        "kirim" => Ok(dialect_kirim::new_key(rand::random(), true)),
        // An administrator's: users get theirs from him.
        dialect_digigo::NAME => Ok(digigo::new_token(rand::random())),
        dialect_late::NAME => Ok(dialect_late::new_key(rand::random())),
        dialect_ycloud::NAME => Ok(dialect_ycloud::new_key(rand::random())),
        other => Err(super::no_dialect(other)),
    }
}

async fn list(engine: &engine::Engine, org: Option<String>) -> Result<(), Failure> {
    let organization = match org {
        Some(org) => Some(org::find(engine, &org).await?),
        None => None,
    };
    for key in engine.keys(organization.as_ref()).await? {
        let state = match (key.revoked_at, key.expires_at) {
            (Some(at), _) => format!("revoked {}", clock::rfc3339(at)),
            (None, Some(at)) => format!("expires {}", clock::rfc3339(at)),
            (None, None) => "good".into(),
        };
        println!("{}  {}  …{}  {}  {}  org {}", key.id, key.dialect, key.last4, state, key.label, key.organization_id);
    }
    Ok(())
}
