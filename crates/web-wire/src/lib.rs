//! What goes to and comes from a linked WhatsApp account, as pure types: dialects and providers that know
//! such accounts share it. No I/O.

pub mod ask;
pub mod config;
pub mod event;
pub mod go;
pub mod jid;
pub mod message;
pub mod proto;
pub mod schema;
pub mod send;

#[cfg(test)]
mod sample;

/// The name of this form in `Native` contents and documents.
pub const FORMAT: &str = "web";
