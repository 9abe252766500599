use std::process::ExitCode;

use clap::Subcommand;
use engine::{clock, organizations};

use super::Failure;
use crate::opening::Purpose;
use crate::settings::Settings;

#[derive(Subcommand)]
pub enum Org {
    /// Make an organization and print its id.
    Create { name: String },
    /// List organizations.
    List,
}

impl Org {
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        match self {
            Self::Create { name } => {
                let engine = super::engine_for(settings, Purpose::FirstCommand).await?;
                println!("{}", engine.perform(organizations::create(&engine, &name)).await?.id);
            }
            Self::List => {
                for organization in super::engine(settings).await?.organizations().await? {
                    println!("{}  {}  {}", organization.id, clock::rfc3339(organization.created_at), organization.name);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// An organization by its id, or by its name where that is not ambiguous.
pub async fn find(engine: &engine::Engine, named: &str) -> Result<engine::Id, Failure> {
    let known = engine.organizations().await?;
    let id = engine::Id::parse_hex24(named);
    let mut fitting = known.iter().filter(|known| Some(known.id) == id || known.name == named);
    match (fitting.next(), fitting.next()) {
        (Some(found), None) => Ok(found.id),
        (None, _) => Err(format!("there is no organization {named:?}").into()),
        (Some(_), Some(_)) => Err(format!("there are several organizations {named:?}: give the id").into()),
    }
}
