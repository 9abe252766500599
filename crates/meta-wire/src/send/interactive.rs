//! Messages to tap on. `action` differs by `type`; it is one open struct here, for every member of it is optional
//! somewhere and Meta adds kinds often.

use serde_json::Value;

use super::content::Media;
use crate::Tagged;
use crate::loose::{Index, MetaId};

words! {
    /// Which action there is.
    Kind {
        Button = "button",
        List = "list",
        CtaUrl = "cta_url",
        Flow = "flow",
        LocationRequest = "location_request_message",
        Product = "product",
        ProductList = "product_list",
        Catalog = "catalog_message",
        Carousel = "carousel",
        Address = "address_message",
        OrderDetails = "order_details",
        OrderStatus = "order_status",
        VoiceCall = "voice_call",
        CallPermissionRequest = "call_permission_request",
        RequestContactInfo = "request_contact_info",
    }
}

kinds! {
    Header {
        Text(String) = "text",
        Image(Media) = "image",
        Video(Media) = "video",
        Document(Media) = "document",
    }
}

wire! {
    Interactive {
        #[serde(rename = "type")]
        kind: Kind,
        header?: Tagged<Header>,
        body?: Words,
        footer?: Words,
        action?: Action,
    }

    Words {
        text: String,
    }

    Action {
        name?: String,
        /// The label that opens a list.
        button?: String,
        buttons*: Button,
        sections*: Section,
        cards*: Card,
        catalog_id?: MetaId,
        product_retailer_id?: String,
        parameters?: Parameters,
    }

    Button {
        /// `reply`, or `quick_reply` on cards.
        #[serde(rename = "type")]
        kind: String,
        reply?: Reply,
        quick_reply?: Reply,
    }

    Reply {
        id: String,
        title: String,
    }

    Section {
        title?: String,
        rows*: Row,
        product_items*: Product,
    }

    Row {
        id: String,
        title: String,
        description?: String,
    }

    Product {
        product_retailer_id: String,
    }

    /// One card of a carousel.
    Card {
        card_index?: Index,
        /// `cta_url`, `product` or missing.
        #[serde(rename = "type")]
        kind?: String,
        header?: Tagged<Header>,
        body?: Words,
        action?: Action,
    }

    Parameters {
        // cta_url
        display_text?: String,
        url?: String,
        // flow
        flow_message_version?: MetaId,
        flow_id?: MetaId,
        flow_name?: String,
        flow_cta?: String,
        flow_token?: String,
        mode?: String,
        flow_action?: String,
        flow_action_payload?: Value,
        // catalog_message
        thumbnail_product_retailer_id?: String,
        // address_message
        country?: String,
        values?: Value,
        saved_addresses?: Value,
        validation_errors?: Value,
        // order_details, order_status
        reference_id?: String,
        order?: Value,
        total_amount?: Value,
        currency?: String,
        payment_settings?: Value,
    }
}

impl Words {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}
