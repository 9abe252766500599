//! What every dialect's HTTP side is made of: the edge around its routes, reading what callers send,
//! paging, doing a thing once, and limiting how often it may be asked for.
//!
//! A request passes the [`edge`] (request id, time limit, panics, log and figures), is recognised by its
//! [`bearer`] token and counted by the [`throttle`], has its body taken in ([`intake`]) and read
//! ([`json`], beside its [`query`] and its [`path`]), and, where the caller named it with an idempotency key, takes its [`once`] turn. What the
//! answers look like only the dialect knows; it says so in its [`Envelope`].

pub mod bearer;
pub mod contract;
pub mod cursor;
pub mod edge;
pub mod intake;
pub mod json;
pub mod once;
pub mod path;
pub mod query;
pub mod throttle;

pub use contract::Contract;
pub use edge::{Asked, Envelope, Problem};
pub use json::{At, FieldError, Kind};
