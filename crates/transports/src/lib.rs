//! How events leave: one file per transport.

mod webhook;

pub use webhook::{Now, Webhook};
