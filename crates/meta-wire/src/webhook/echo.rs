//! Numbers that are also used in the phone app: what was written there.

use serde_json::Value;

use super::{Contact, Message, Metadata};
use crate::error::Problem;
use crate::loose::{MetaId, Timestamp};

wire! {
    /// Messages sent from the app; their other side is in `to`.
    Echoes {
        messaging_product?: String,
        metadata?: Metadata,
        contacts*: Contact,
        message_echoes*: Message,
    }

    AppState {
        messaging_product?: String,
        metadata?: Metadata,
        state_sync*: Sync,
    }

    Sync {
        #[serde(rename = "type")]
        kind?: String,
        contact?: AddressBookContact,
        /// add or remove.
        action?: String,
        metadata?: SyncMetadata,
    }

    AddressBookContact {
        full_name?: String,
        first_name?: String,
        phone_number?: String,
    }

    SyncMetadata {
        timestamp?: Timestamp,
    }

    History {
        messaging_product?: String,
        metadata?: Metadata,
        history*: Chunk,
    }

    /// A part of the history; with errors instead if the owner declined.
    Chunk {
        metadata?: ChunkMetadata,
        threads*: Thread,
        errors*: Problem,
    }

    ChunkMetadata {
        phase?: MetaId,
        chunk_order?: MetaId,
        progress?: MetaId,
    }

    Thread {
        id: String,
        context?: Value,
        /// Read one by one with `Message`, so that one odd message costs no other.
        messages*: Value,
    }
}
