//! The provider against the sandbox's mail server, against one that says what a test wants, and behind an engine.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod ground;
mod pushes;
mod relay_story;
mod scripted;
