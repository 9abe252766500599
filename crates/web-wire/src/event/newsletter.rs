//! Channels. Most of these print in snake case, with numbers as texts.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Time, named, null_if_empty};
use crate::jid::Jid;

/// A channel was followed, on any device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NewsletterJoin {
    pub id: Jid,
    /// `active`, `suspended` or `geosuspended`.
    #[serde(serialize_with = "in_type")]
    pub state: String,
    #[serde(rename = "thread_metadata")]
    pub thread: Thread,
    #[serde(rename = "viewer_metadata")]
    pub viewer: Option<Viewer>,
}

/// What is known of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Thread {
    /// Unix seconds.
    #[serde(serialize_with = "as_text")]
    pub creation_time: i64,
    pub invite: String,
    pub name: Text,
    pub description: Text,
    #[serde(serialize_with = "as_text")]
    pub subscribers_count: i64,
    /// `verified` or `unverified`.
    pub verification: String,
    pub picture: Option<Preview>,
    pub preview: Preview,
    /// `all`, `basic`, `none` or `blocklist`.
    #[serde(rename = "settings", serialize_with = "in_reaction_codes")]
    pub reactions: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Text {
    pub text: String,
    pub id: String,
    /// Unix microseconds.
    #[serde(serialize_with = "as_text")]
    pub update_time: i64,
}

/// A channel's picture.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Preview {
    pub url: String,
    pub id: String,
    /// `image` or `preview`.
    #[serde(rename = "type")]
    pub kind: String,
    pub direct_path: String,
    pub hash: String,
}

/// How the account stands to a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Viewer {
    /// `on` or `off`.
    pub mute: String,
    /// `subscriber`, `guest`, `admin` or `owner`.
    pub role: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NewsletterLeave {
    pub id: Jid,
    pub role: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NewsletterMuteChange {
    pub id: Jid,
    /// `on` or `off`.
    pub mute: String,
}

/// Views and reactions of a channel that we watch.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NewsletterLiveUpdate {
    #[serde(rename = "JID")]
    pub jid: Jid,
    pub time: Time,
    #[serde(serialize_with = "null_if_empty")]
    pub messages: Vec<Message>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Message {
    #[serde(rename = "MessageServerID")]
    pub server_id: u64,
    #[serde(rename = "MessageID")]
    pub id: String,
    #[serde(rename = "Type")]
    pub kind: String,
    pub timestamp: Time,
    pub views_count: u64,
    /// By emoji.
    pub reaction_counts: Option<BTreeMap<String, u64>>,
    /// `Message` in Go's spelling, if it was fetched.
    pub message: Option<Value>,
}

fn as_text<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

fn in_type<S: Serializer>(word: &str, serializer: S) -> Result<S::Ok, S::Error> {
    BTreeMap::from([("type", word)]).serialize(serializer)
}

fn in_reaction_codes<S: Serializer>(word: &str, serializer: S) -> Result<S::Ok, S::Error> {
    BTreeMap::from([("reaction_codes", BTreeMap::from([("value", word)]))]).serialize(serializer)
}

named!(NewsletterJoin NewsletterLeave NewsletterMuteChange NewsletterLiveUpdate);
