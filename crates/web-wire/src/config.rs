//! What a linked account's connection is set up with: the `config` of its sender.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Whose sealed text is the address of a proxy (`engine::Engine::seal_text` under [`PROXY`]); none: straight.
    pub proxy: Option<String>,
    /// Files of incoming messages stay where they are.
    pub leave_files: bool,
    /// Unavailable again a moment after each connect, so that the phone keeps its notifications.
    pub auto_unavailable: bool,
    /// Calls are turned away.
    pub reject_calls: Option<Rejection>,
    pub device: Device,
}

/// The purpose under which a proxy's address is sealed.
pub const PROXY: &str = "proxy";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Sent to the caller; none: nothing is.
    pub message: Option<String>,
    /// `busy`, `declined` or `unavailable`.
    pub reason: String,
}

/// What the account says of itself when it is linked; empty members have defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Device {
    pub version: String,
    pub platform: String,
    pub release_channel: String,
    pub web_sub_platform: String,
    pub os_name: String,
    pub os_version: String,
    pub name: String,
    pub manufacturer: String,
    pub board: String,
    pub language: String,
    pub country: String,
    pub mcc: String,
    pub mnc: String,
    pub connect_type: String,
    pub platform_type: String,
}
