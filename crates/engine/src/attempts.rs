//! How it went with receivers, for those whose dialect shows it.

use std::time::Duration;

pub use store::attempts::{Attempt, Filter};
use store::{Id, Result};

use crate::Engine;

/// A log may be longer; nobody is told by how much.
pub const MOST: i64 = 10_000;

impl Engine {
    /// Attempts of a dialect that are not older than `age`, newest first, and how many there are up to [`MOST`].
    pub async fn attempts(
        &self,
        organization: &Id,
        dialect: &str,
        filter: Filter,
        age: Duration,
        (limit, skip): (i64, i64),
    ) -> Result<(Vec<Attempt>, i64)> {
        let since = self.now() - i64::try_from(age.as_millis()).unwrap_or(i64::MAX / 4);
        let filter = Filter { since, ..filter };
        let mut reader = self.db.reader().await?;
        let found = store::attempts::list(&mut reader, organization, dialect, &filter, limit, skip).await?;
        let total = store::attempts::count(&mut reader, organization, dialect, &filter, MOST).await?;
        Ok((found, total))
    }
}
