//! Phone numbers of an account, and the calls that register them.

use serde_json::Value;

use crate::loose::{MetaId, Timestamp};
use crate::waba::Health;

words! {
    Status {
        Pending = "PENDING",
        Connected = "CONNECTED",
        Offline = "OFFLINE",
        Flagged = "FLAGGED",
        Restricted = "RESTRICTED",
        RateLimited = "RATE_LIMITED",
        Banned = "BANNED",
        Migrated = "MIGRATED",
        Disconnected = "DISCONNECTED",
        Unverified = "UNVERIFIED",
    }

    Quality {
        Green = "GREEN",
        Yellow = "YELLOW",
        Red = "RED",
        NotAvailable = "NA",
        NotKnown = "UNKNOWN",
    }

    CodeVerification {
        Verified = "VERIFIED",
        NotVerified = "NOT_VERIFIED",
        /// What the specification writes for the same.
        Unverified = "UNVERIFIED",
        Expired = "EXPIRED",
    }

    NameStatus {
        Approved = "APPROVED",
        AvailableWithoutReview = "AVAILABLE_WITHOUT_REVIEW",
        Declined = "DECLINED",
        Expired = "EXPIRED",
        PendingReview = "PENDING_REVIEW",
        None = "NONE",
    }

    CodeMethod {
        Sms = "SMS",
        Voice = "VOICE",
    }
}

wire! {
    /// A number; which members are there depends on `fields`.
    Phone {
        id: MetaId,
        display_phone_number?: String,
        verified_name?: String,
        status?: Status,
        quality_rating?: Quality,
        code_verification_status?: CodeVerification,
        name_status?: NameStatus,
        new_name_status?: NameStatus,
        new_display_name?: String,
        platform_type?: String,
        account_mode?: String,
        throughput?: Throughput,
        whatsapp_business_manager_messaging_limit?: String,
        messaging_limit_tier?: String,
        certificate?: String,
        country_dial_code?: String,
        last_onboarded_time?: String,
        username?: String,
        is_official_business_account?: bool,
        is_pin_enabled?: bool,
        is_on_biz_app?: bool,
        is_preverified_number?: bool,
        search_visibility?: String,
        webhook_configuration?: WebhookConfiguration,
        health_status?: Health,
    }

    Throughput {
        level?: String,
    }

    /// URLs in the order in which they count.
    WebhookConfiguration {
        phone_number?: String,
        whatsapp_business_account?: String,
        application?: String,
    }

    Create {
        cc: MetaId,
        phone_number: MetaId,
        verified_name?: String,
        preverified_id?: MetaId,
        migrate_phone_number?: bool,
    }

    Created {
        id: MetaId,
    }

    RequestCode {
        code_method: CodeMethod,
        language?: String,
    }

    /// Digits only; the SMS shows a hyphen.
    VerifyCode {
        code: MetaId,
    }

    Register {
        messaging_product: String,
        /// Six digits.
        pin: MetaId,
        data_localization_region?: String,
        backup?: Value,
    }

    /// Changes one of its members.
    Update {
        pin?: MetaId,
        webhook_configuration?: OverrideWebhook,
        new_display_name?: String,
        search_visibility?: String,
    }

    /// An empty URL takes the override away.
    OverrideWebhook {
        override_callback_uri?: String,
        verify_token?: String,
    }

    /// A number that a partner verified beforehand.
    Preverified {
        id: MetaId,
        phone_number?: String,
        code_verification_status?: CodeVerification,
        code_verification_time?: Timestamp,
        verification_expiry_time?: Timestamp,
        owner_business?: Value,
    }
}
