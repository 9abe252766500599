use serde::Serialize;
use serde_json::{Map, Value};

use super::named;

/// One thing that the account's devices share was set.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AppState {
    pub index: Vec<String>,
    /// `SyncActionValue` in Go's spelling.
    #[serde(flatten)]
    pub value: Map<String, Value>,
}

/// One of the collections of such things is complete.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AppStateSyncComplete {
    /// `critical_block`, `critical_unblock_low`, `regular_low`, `regular_high` or `regular`.
    pub name: String,
    pub version: u64,
    /// It came as a snapshot from the phone, after the patches had failed.
    pub recovery: bool,
}

/// The phone sent a part of the past.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HistorySync {
    /// `HistorySync` in Go's spelling: megabytes, if it is not cut.
    pub data: Value,
    /// `Message.HistorySyncNotification` in Go's spelling.
    pub notification: Option<Value>,
}

/// The server begins to send what came while we were away.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfflineSyncPreview {
    pub total: u32,
    pub app_data_changes: u32,
    pub messages: u32,
    pub notifications: u32,
    pub receipts: u32,
}

/// The server has sent all that.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfflineSyncCompleted {
    pub count: u32,
}

named!(AppState AppStateSyncComplete HistorySync OfflineSyncPreview OfflineSyncCompleted);
