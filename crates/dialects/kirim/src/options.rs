use std::fmt;
use std::sync::Arc;

use engine::Id;

/// Prints a signed link to the file of a message that works until the given time (milliseconds).
pub type MediaLinks = Arc<dyn Fn(&Id, i64) -> String + Send + Sync>;

/// Fills a buffer with unpredictable bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What an operator decides about this dialect, and what it needs from outside.
#[derive(Clone)]
pub struct Options {
    pub read_per_minute: u32,
    pub write_per_minute: u32,
    /// The name of the plan that `GET /v1/me` shows.
    pub tier: String,
    /// Whether `message.received` carries a `kirim` block after Meta's own members.
    pub kirim_block: bool,
    pub media_links: MediaLinks,
    /// For webhook secrets.
    pub random: Random,
    /// The published contract, served as it is.
    pub contract: &'static [u8],
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("read_per_minute", &self.read_per_minute)
            .field("write_per_minute", &self.write_per_minute)
            .field("tier", &self.tier)
            .field("kirim_block", &self.kirim_block)
            .finish_non_exhaustive()
    }
}
