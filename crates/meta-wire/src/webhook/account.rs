//! News about the account as a whole.

use serde_json::Value;

use crate::loose::{MetaId, Timestamp};

words! {
    /// What happened to the account.
    Event {
        Deleted = "ACCOUNT_DELETED",
        Restriction = "ACCOUNT_RESTRICTION",
        Violation = "ACCOUNT_VIOLATION",
        DisabledUpdate = "DISABLED_UPDATE",
        PartnerAdded = "PARTNER_ADDED",
        PartnerRemoved = "PARTNER_REMOVED",
        PartnerAppInstalled = "PARTNER_APP_INSTALLED",
        PartnerAppUninstalled = "PARTNER_APP_UNINSTALLED",
        AdAccountLinked = "AD_ACCOUNT_LINKED",
        MarketingTermsSigned = "MM_LITE_TERMS_SIGNED",
        CertificationStatus = "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
        InternationalPrices = "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
        PrimaryCountry = "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
        VolumeTier = "VOLUME_BASED_PRICING_TIER_UPDATE",
        Offboarded = "ACCOUNT_OFFBOARDED",
        Reconnected = "ACCOUNT_RECONNECTED",
    }
}

wire! {
    /// `event` with the object that belongs to it.
    Update {
        event: Event,
        phone_number?: String,
        country?: String,
        restriction_info*: Restriction,
        violation_info?: Violation,
        ban_info?: Ban,
        waba_info?: WabaInfo,
        partner_client_certification_info?: Certification,
        auth_international_rate_eligibility?: Value,
        volume_tier_info?: Value,
    }

    Restriction {
        restriction_type?: String,
        expiration?: Timestamp,
    }

    Violation {
        violation_type?: String,
    }

    Ban {
        /// DISABLE, REINSTATE or SCHEDULE_FOR_DISABLE; a list in some posts.
        waba_ban_state?: Value,
        waba_ban_date?: String,
    }

    WabaInfo {
        waba_id?: MetaId,
        owner_business_id?: MetaId,
        partner_app_id?: MetaId,
        solution_id?: MetaId,
        solution_partner_business_ids*: MetaId,
        ad_account_linked?: Value,
    }

    Certification {
        client_business_id?: MetaId,
        status?: String,
        rejection_reasons*: Value,
    }

    Review {
        decision: String,
    }

    Alert {
        entity_type?: String,
        entity_id?: MetaId,
        alert_info?: AlertInfo,
    }

    AlertInfo {
        alert_severity?: String,
        alert_status?: String,
        alert_type?: String,
        alert_description?: String,
    }

    Capability {
        /// A TIER_ word or a number.
        max_daily_conversations_per_business?: MetaId,
        max_daily_conversation_per_phone?: MetaId,
        max_phone_numbers_per_business?: MetaId,
        max_phone_numbers_per_waba?: MetaId,
    }
}
