use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{Event, Node, Time, named};

/// What needs no words beyond its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Bare {
    /// Logged in and ready.
    Connected,
    /// The server closed the socket; we shall connect again.
    Disconnected,
    KeepAliveRestored,
    ClientOutdated,
    /// Another connection with the same keys took over.
    StreamReplaced,
    /// The phone that scanned does not know linked devices.
    QrScannedWithoutMultidevice,
    /// All codes were shown and none was scanned.
    QrTimeout,
}

impl Event for Bare {
    fn kind(&self) -> &'static str {
        match self {
            Self::Connected => "Connected",
            Self::Disconnected => "Disconnected",
            Self::KeepAliveRestored => "KeepAliveRestored",
            Self::ClientOutdated => "ClientOutdated",
            Self::StreamReplaced => "StreamReplaced",
            Self::QrScannedWithoutMultidevice => "QRScannedWithoutMultidevice",
            Self::QrTimeout => "QRTimeout",
        }
    }

    fn event(&self) -> Value {
        match self {
            Self::QrTimeout => "timeout".into(),
            _ => json!({}),
        }
    }
}

/// The server refused us for a reason that has no event of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConnectFailure {
    /// 400, 409, 5xx, ….
    pub reason: i64,
    pub message: String,
    pub raw: Option<Node>,
}

/// The server does not answer our pings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeepAliveTimeout {
    pub error_count: u32,
    pub last_success: Time,
}

/// The account was unlinked, other than by us.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoggedOut {
    pub on_connect: bool,
    /// The failure's code at connect (401, 403, 406), else 401.
    pub reason: i64,
}

/// The account may not connect for a time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TemporaryBan {
    /// 101–104, 106.
    pub code: i64,
    #[serde(serialize_with = "nanoseconds")]
    pub expire: Duration,
}

/// A stream error that has no event of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StreamError {
    pub code: String,
    pub raw: Option<Node>,
}

fn nanoseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}

named!(ConnectFailure KeepAliveTimeout LoggedOut TemporaryBan StreamError);
