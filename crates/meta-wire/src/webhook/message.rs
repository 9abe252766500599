//! What customers write.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Tagged;
use crate::error::Problem;
use crate::loose::{Degrees, MetaId, Timestamp};
use crate::send::card::Card;

/// An inbound message. Members beside the typed ones are in `body.extra`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Opaque; unique.
    pub id: String,
    /// Digits. Missing where we may not know the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The business-scoped id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_parent_user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// Of echoes: the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_user_id: Option<String>,
    pub timestamp: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
    #[serde(default, deserialize_with = "crate::loose::list", skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Problem>,
    #[serde(flatten)]
    pub body: Tagged<Content>,
}

kinds! {
    /// What was written.
    Content {
        Text(Text) = "text",
        Image(Media) = "image",
        Video(Media) = "video",
        Sticker(Media) = "sticker",
        Document(Media) = "document",
        Audio(Media) = "audio",
        Location(Location) = "location",
        Contacts(Vec<Card>) = "contacts",
        Reaction(Reaction) = "reaction",
        /// A tap on a template's quick reply.
        Button(Button) = "button",
        Interactive(Tagged<Reply>) = "interactive",
        Order(Order) = "order",
        System(System) = "system",
        Unsupported(Option<Unsupported>) = "unsupported",
        Edit(Edit) = "edit",
        Revoke(Revoke) = "revoke",
    }
}

kinds! {
    /// The answer to an interactive message.
    Reply {
        Button(Choice) = "button_reply",
        List(Choice) = "list_reply",
        /// Flows and addresses.
        Form(Form) = "nfm_reply",
        CallPermission(CallPermission) = "call_permission_reply",
    }
}

wire! {
    /// What the message answers or passes on.
    Context {
        from?: String,
        id?: String,
        forwarded?: bool,
        frequently_forwarded?: bool,
        referred_product?: ReferredProduct,
    }

    ReferredProduct {
        catalog_id?: MetaId,
        product_retailer_id?: String,
    }

    /// The advertisement that the customer came from.
    Referral {
        source_url?: String,
        source_id?: MetaId,
        source_type?: String,
        headline?: String,
        body?: String,
        media_type?: String,
        image_url?: String,
        video_url?: String,
        thumbnail_url?: String,
        ctwa_clid?: String,
        welcome_message?: Value,
    }

    Text {
        body: String,
    }

    Media {
        id: MetaId,
        mime_type?: String,
        /// Base64.
        sha256?: String,
        /// Wants the token; good for five minutes.
        url?: String,
        caption?: String,
        filename?: String,
        animated?: bool,
        voice?: bool,
    }

    Location {
        latitude: Degrees,
        longitude: Degrees,
        name?: String,
        address?: String,
        url?: String,
    }

    Reaction {
        message_id: String,
        /// Missing when the reaction is taken away.
        emoji?: String,
    }

    Button {
        payload?: String,
        text?: String,
    }

    Choice {
        id: String,
        title?: String,
        description?: String,
    }

    Form {
        name?: String,
        body?: String,
        /// JSON inside a string.
        response_json?: String,
    }

    CallPermission {
        response?: String,
        expiration_timestamp?: Timestamp,
        response_source?: String,
    }

    Order {
        catalog_id?: MetaId,
        text?: String,
        product_items*: OrderItem,
    }

    OrderItem {
        product_retailer_id: String,
        quantity?: MetaId,
        item_price?: Value,
        currency?: String,
    }

    /// News about the customer: a new number, a new id, a new identity key.
    System {
        /// user_changed_number, user_changed_user_id or customer_identity_changed.
        #[serde(rename = "type")]
        kind?: String,
        body?: String,
        wa_id?: String,
        user_id?: String,
        identity?: Identity,
    }

    Identity {
        acknowledged?: bool,
        created_timestamp?: Timestamp,
        hash?: String,
    }

    Unsupported {
        #[serde(rename = "type")]
        kind?: String,
    }

    /// The new content is a message without an id of its own.
    Edit {
        original_message_id: String,
        message?: Box<Tagged<Content>>,
    }

    Revoke {
        original_message_id: String,
    }
}
