//! What must hold when things break: everything acknowledged is kept, and nothing happens twice.

mod crash;
mod database_gone;
mod linked;
mod promises;
mod traffic;
pub mod verify;

use std::fmt;

pub use crash::Crash;
pub use database_gone::DatabaseGone;
pub use linked::{FailOver, LinkedCrash, Takeovers};

/// How a story ended.
pub struct Story {
    /// What happened, for a person.
    pub told: Vec<String>,
    /// Promises that were not kept.
    pub broken: Vec<String>,
}

/// Broken promises that are shown one by one.
const SHOWN: usize = 20;

impl Story {
    pub fn is_good(&self) -> bool {
        self.broken.is_empty()
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.told.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        self.broken.iter().take(SHOWN).try_for_each(|line| writeln!(f, "BROKEN {line}"))?;
        match self.broken.len() {
            0 => write!(f, "every promise was kept"),
            count => write!(f, "{count} promises were broken"),
        }
    }
}
