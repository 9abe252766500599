//! Stories through the sandbox's two doors, with a small platform on the other side.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod carriers;
mod faults;
mod ground;
mod introduction;
mod management;
mod media;
mod restart;
mod sending;
mod templates;
mod validation;
#[cfg(feature = "web-sandbox")]
mod web;
