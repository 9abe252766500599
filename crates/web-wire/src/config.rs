//! What a linked account's connection is set up with: the `config` of its sender.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The address of a proxy, sealed under [`proxy_purpose`], in base64; none: straight.
    pub proxy: Option<String>,
    /// Files of incoming messages stay where they are.
    pub leave_files: bool,
    /// Unavailable again a moment after each connect, so that the phone keeps its notifications.
    pub auto_unavailable: bool,
    /// Calls are turned away.
    pub reject_calls: Option<Rejection>,
    pub device: Device,
}

impl Config {
    /// Reads what stands with a sender; nothing is set where it cannot be read.
    #[must_use]
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// The purpose under which the address of a sender's proxy is sealed.
#[must_use]
pub fn proxy_purpose(sender: impl std::fmt::Display) -> String {
    format!("proxy {sender}")
}

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
