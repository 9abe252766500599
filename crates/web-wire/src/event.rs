//! What happened at a linked account, as whatsmeow's Go structs print it: this is what webhooks of that family
//! carry, so a dialect of it only adds an envelope.
//!
//! A provider fills a struct (say [`Receipt`]) and makes a [`Happening`] of it; that is stored as it is. JIDs are
//! texts, `""` when there is none; times are printed in UTC until [`in_zone`] is asked for another zone. Parts
//! that are protobuf messages are [`serde_json::Value`]s in Go's spelling (see [`crate::go`]).

mod call;
mod chat;
mod connection;
pub mod group;
mod messages;
mod names;
pub mod newsletter;
mod node;
mod pairing;
mod people;
mod source;
mod state;
mod time;

pub use call::{Act, Call, CallEndedElsewhere, Caller, MissedCall};
pub use chat::{
    BusinessName, ChatChange, ChatKind, LabelChange, MessageChange, MessageKind, PushName, SettingChange, SettingKind,
};
pub use connection::{Bare, ConnectFailure, KeepAliveTimeout, LoggedOut, StreamError, TemporaryBan};
pub use group::{GroupInfo, JoinedGroup};
pub use messages::{MediaRetry, MediaRetryError, Message, NewsletterMeta, Receipt, UndecryptableMessage};
pub use names::{BEYOND, NAMES, is_known};
pub use newsletter::{NewsletterJoin, NewsletterLeave, NewsletterLiveUpdate, NewsletterMuteChange};
pub use node::{Content, Node};
pub use pairing::{PairError, PairPasskeyRequest, PairSuccess, PairingCodeRefresh, Qr};
pub use people::{
    Blocklist, BlocklistChange, ChatPresence, IdentityChange, Picture, Presence, Privacy, PrivacySettings, UserAbout,
};
pub use source::{BotInfo, DeviceSent, MessageInfo, MetaInfo, Recipient, Source, VerifiedName};
pub use state::{AppState, AppStateSyncComplete, HistorySync, OfflineSyncCompleted, OfflineSyncPreview};
pub use time::{Time, in_zone};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One thing that happened, as it is stored and handed to dialects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Happening {
    /// whatsmeow's name for it, as subscriptions name it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The Go struct; for a few kinds a word.
    pub event: Value,
    /// The file that came with it, if it was fetched. Not a part of what is told outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaRef>,
    /// What stands beside `event`: `state`, `offline`, ….
    #[serde(flatten)]
    pub extras: Map<String, Value>,
}

/// A file in the platform's own store.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MediaRef {
    /// The blob's key.
    pub key: String,
    /// As the sender declared it, parameters kept.
    pub mime: String,
    /// Without a folder.
    pub file_name: String,
    pub is_sticker: bool,
    pub sticker_animated: bool,
}

/// Something that can happen.
pub trait Event: Serialize {
    /// whatsmeow's name for it.
    fn kind(&self) -> &'static str;

    /// How it prints: as itself unless the family sends something else.
    fn event(&self) -> Value {
        serde_json::to_value(self).expect("these structs have text keys and no failing parts")
    }

    /// What is told beside it.
    fn extras(&self) -> Map<String, Value> {
        Map::new()
    }
}

impl<E: Event> From<E> for Happening {
    fn from(event: E) -> Self {
        Self { kind: event.kind().to_owned(), event: event.event(), media: None, extras: event.extras() }
    }
}

impl Happening {
    #[must_use]
    pub fn with_media(mut self, media: MediaRef) -> Self {
        self.media = Some(media);
        self
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extras.insert(name.to_owned(), value.into());
        self
    }

    /// Marks what reached us late, after an outage.
    #[must_use]
    pub fn late(self) -> Self {
        self.with("offline", true)
    }
}

/// Implements [`Event`] for structs that always have the same name and print as they are.
macro_rules! named {
    ($($event:ident)*) => {
        $(impl crate::event::Event for $event {
            fn kind(&self) -> &'static str {
                stringify!($event)
            }
        })*
    };
}
pub(crate) use named;

/// An enum whose cases are event types.
macro_rules! kinds {
    ($(#[$doc:meta])* $kinds:ident: $($kind:ident)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $kinds {
            $($kind,)*
        }

        impl $kinds {
            fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($kind),)*
                }
            }
        }
    };
}
pub(crate) use kinds;

/// Prints an empty list as Go's nil slice.
fn null_if_empty<T: Serialize, S: serde::Serializer>(list: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    (!list.is_empty()).then_some(list).serialize(serializer)
}

#[cfg(test)]
mod tests;
