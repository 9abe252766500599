use std::fmt;
use std::sync::Arc;

/// Fills a buffer with unpredictable bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What an operator decides about this dialect, and what it needs from outside.
#[derive(Clone)]
pub struct Options {
    /// Requests a second on the sending operations, and on all others together.
    pub send_per_second: u32,
    pub other_per_second: u32,
    /// The same for all others in an hour; 0: no such limit.
    pub other_per_hour: u32,
    /// Where files of messages are, and how links to them are made.
    pub media: Media,
    /// For webhook secrets and codes.
    pub random: Random,
    /// The published contract, served as it is.
    pub contract: &'static [u8],
}

/// Files that came with messages, each named by its message.
#[derive(Clone)]
pub struct Media {
    pub blobs: media::Blobs,
    pub links: media::Links,
    /// Where this dialect answers, as outsiders see it, without a slash at the end: `https://example.com`.
    pub origin: String,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("send_per_second", &self.send_per_second)
            .field("other_per_second", &self.other_per_second)
            .field("other_per_hour", &self.other_per_hour)
            .finish_non_exhaustive()
    }
}
