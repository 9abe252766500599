use std::fmt;
use std::sync::Arc;

use engine::Id;

use crate::webhooks::Webhooks;

/// Fills a buffer with unpredictable bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Prints a signed link to the file of a message that works until the given time (milliseconds).
pub type MediaLinks = Arc<dyn Fn(&Id, i64) -> String + Send + Sync>;

/// What an operator decides about this dialect, and what it needs from outside.
#[derive(Clone)]
pub struct Options {
    /// Requests a minute of one organization.
    pub requests_per_minute: u32,
    pub webhooks: Webhooks,
    /// For files that customers sent.
    pub media_links: MediaLinks,
    /// Numbers that are bought go to Meta's pool of verified numbers, for somebody to take them over, and are not
    /// registered at once.
    pub preverified: bool,
    /// For webhook secrets.
    pub random: Random,
    /// The published contract, served as it is.
    pub contract: &'static [u8],
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("requests_per_minute", &self.requests_per_minute).finish_non_exhaustive()
    }
}
