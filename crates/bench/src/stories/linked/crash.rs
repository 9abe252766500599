//! The platform is killed at random moments, during its start too, while its linked accounts talk and the outside
//! world goes on.

use super::traffic::Traffic;
use super::watch::Watch;
use super::{Cast, verify};
use crate::Outcome;
use crate::parts::{Bench, Linked, Platform, Sandbox, World};
use crate::stories::{Story, crash};

/// The longest life: accounts need a moment to be back.
const LIFE_MS: u64 = 4000;

pub struct LinkedCrash {
    /// How often it is killed.
    pub rounds: u32,
    /// Decides the moments.
    pub seed: u64,
    /// PostgreSQL instead of SQLite.
    pub database: Option<String>,
}

impl LinkedCrash {
    pub async fn run(&self, bench: &Bench) -> Outcome<Story> {
        let dir = bench.dir()?;
        let sandbox = Sandbox::start(bench, dir.path())?;
        let mut platform = Platform::new(bench, dir.path())?.database(self.database.as_deref());
        platform.start(World::Sandbox(&sandbox)).await?;
        let linked = Linked::new(platform.api()?)?;
        let cast = Cast::gather(&linked).await?;
        let watch = Watch::start(&linked);
        let traffic = Traffic::start(std::slice::from_ref(&linked), &cast.users, &cast.promises)?;
        crash::torment(&mut platform, &sandbox, self.rounds, self.seed, LIFE_MS).await?;
        traffic.finish().await?;
        let mut story = verify::verify(&linked, &cast).await?;
        story.broken.extend(watch.doubled());
        story.told.insert(0, format!("killed {} times, seed {}", self.rounds, self.seed));
        Ok(story)
    }
}
