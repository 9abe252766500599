//! Accounts (WABAs), their health, and the apps that listen to them.

use serde_json::Value;

use crate::error::ItemError;
use crate::loose::{MetaId, Timestamp};

words! {
    CanSend {
        Available = "AVAILABLE",
        Limited = "LIMITED",
        Blocked = "BLOCKED",
    }
}

wire! {
    /// An account; which members are there depends on `fields`.
    Waba {
        id: MetaId,
        name?: String,
        timezone_id?: MetaId,
        currency?: String,
        country?: String,
        status?: String,
        account_review_status?: String,
        /// In lower case.
        business_verification_status?: String,
        message_template_namespace?: String,
        ownership_type?: String,
        owner_business_info?: Business,
        on_behalf_of_business_info?: Business,
        health_status?: Health,
        is_enabled_for_insights?: bool,
        marketing_messages_lite_api_status?: String,
        marketing_messages_onboarding_status?: String,
        disable_marketing_messages_on_cloud_api?: bool,
        primary_business_location?: String,
        auth_international_rate_eligibility?: Value,
        primary_funding_id?: MetaId,
        purchase_order_number?: String,
        creation_time?: Timestamp,
        template_auto_archival_enabled?: bool,
        whatsapp_business_manager_messaging_limit?: String,
    }

    Business {
        id?: MetaId,
        name?: String,
        status?: String,
        #[serde(rename = "type")]
        kind?: String,
    }

    /// Can this send, and if not, which part is at fault?
    Health {
        can_send_message?: CanSend,
        entities*: HealthEntity,
    }

    HealthEntity {
        /// PHONE_NUMBER, MESSAGE_TEMPLATE, WABA, BUSINESS or APP.
        entity_type?: String,
        id?: MetaId,
        can_send_message?: CanSend,
        additional_info*: String,
        errors*: ItemError,
    }

    /// An app that gets the account's webhooks.
    SubscribedApp {
        whatsapp_business_api_data?: App,
        override_callback_uri?: String,
    }

    App {
        id?: MetaId,
        name?: String,
        link?: String,
    }

    /// Without members it takes an override away.
    Subscribe {
        override_callback_uri?: String,
        verify_token?: String,
    }

    /// A person who may work with the account.
    AssignedUser {
        id: MetaId,
        name?: String,
        tasks*: String,
    }

    /// What a token may do (`/debug_token`, under `data`).
    TokenInfo {
        app_id?: MetaId,
        is_valid?: bool,
        expires_at?: Timestamp,
        scopes*: String,
        granular_scopes*: GranularScope,
    }

    GranularScope {
        scope: String,
        target_ids*: MetaId,
    }
}
