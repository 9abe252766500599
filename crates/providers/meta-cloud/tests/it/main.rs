//! The provider against a stub of Graph, a real engine on a database file, and the sandbox.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod files;
mod ground;
mod management;
mod numbers;
mod pushes;
mod sandbox_story;
mod sending;
mod stub;
