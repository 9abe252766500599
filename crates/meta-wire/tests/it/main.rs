//! The wire as a user of the crate sees it: samples in, the same out; hostile posts; exact text.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod batches;
mod hostile;
mod inbound;
mod outgoing;
mod properties;
mod resources;
