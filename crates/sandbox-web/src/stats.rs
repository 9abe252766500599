//! What happened so far, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counted since the start.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) takeovers: u64,
    pub(crate) messages: u64,
    pub(crate) connections: u64,
    pub(crate) unknown_questions: u64,
}

/// A look at the server from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Live connections of linked devices, by number in E.164; accounts without any are left out.
    pub sockets: BTreeMap<String, u64>,
    /// How often a device logged in while an older connection of it was alive.
    pub takeovers: u64,
    /// Messages taken from linked devices and phones.
    pub messages: u64,
    /// Connections that came as far as saying who they are.
    pub connections: u64,
    /// Questions this server has no answer for.
    pub unknown_questions: u64,
}
