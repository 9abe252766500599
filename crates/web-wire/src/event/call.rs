use serde::Serialize;

use super::{Event, Node, Time, named};
use crate::jid::Jid;

/// A step of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Call {
    #[serde(flatten)]
    pub caller: Caller,
    #[serde(flatten)]
    pub act: Act,
    /// As it came. Only its child `video` tells that a call has pictures.
    pub data: Option<Node>,
}

/// What is known of every call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Caller {
    pub from: Jid,
    pub timestamp: Time,
    pub call_creator: Jid,
    /// The creator's address of the other kind.
    pub call_creator_alt: Jid,
    #[serde(rename = "CallID")]
    pub call_id: String,
    #[serde(rename = "GroupJID")]
    pub group: Jid,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged, rename_all_fields = "PascalCase")]
pub enum Act {
    Offer {
        remote_platform: String,
        remote_version: String,
    },
    /// On another device of the account.
    Accept {
        remote_platform: String,
        remote_version: String,
    },
    Transport {
        remote_platform: String,
        remote_version: String,
    },
    /// Of a group's call: `media` is `audio`, `video` or nothing, `kind` is `group` or nothing.
    OfferNotice {
        media: String,
        #[serde(rename = "Type")]
        kind: String,
    },
    Terminate {
        reason: String,
    },
    RelayLatency {},
    Reject {},
}

impl Event for Call {
    fn kind(&self) -> &'static str {
        match self.act {
            Act::Offer { .. } => "CallOffer",
            Act::Accept { .. } => "CallAccept",
            Act::Transport { .. } => "CallTransport",
            Act::OfferNotice { .. } => "CallOfferNotice",
            Act::Terminate { .. } => "CallTerminate",
            Act::RelayLatency {} => "CallRelayLatency",
            Act::Reject {} => "CallReject",
        }
    }
}

/// A call that nobody took. Ours: the family knows no such event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MissedCall {
    #[serde(flatten)]
    pub caller: Caller,
    /// `offline`: it rang while we could not be reached; `remote`: the caller gave up.
    pub reason: String,
}

/// A call that another device of the account took or turned down. Ours, as [`MissedCall`] is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CallEndedElsewhere {
    #[serde(flatten)]
    pub caller: Caller,
    /// `accepted` or `rejected`.
    pub outcome: String,
}

named!(MissedCall CallEndedElsewhere);
