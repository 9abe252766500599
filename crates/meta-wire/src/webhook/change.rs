//! Changes outside conversations, by field.

use serde_json::Value;

use super::account::{Alert, Capability, Review, Update};
use super::echo::{AppState, Echoes, History};
use super::{Contact, Metadata};
use crate::loose::{MetaId, Timestamp};

kinds! {
    /// The value of a change; `Other` keeps it whole.
    Change {
        TemplateStatus(Box<TemplateStatus>) = "message_template_status_update",
        TemplateQuality(TemplateQuality) = "message_template_quality_update",
        TemplateComponents(TemplateComponents) = "message_template_components_update",
        TemplateCategory(TemplateCategory) = "template_category_update",
        PhoneQuality(PhoneQuality) = "phone_number_quality_update",
        PhoneName(PhoneName) = "phone_number_name_update",
        Account(Box<Update>) = "account_update",
        AccountReview(Review) = "account_review_update",
        AccountAlert(Alert) = "account_alerts",
        Capability(Capability) = "business_capability_update",
        UserPreferences(UserPreferences) = "user_preferences",
        Security(Security) = "security",
        Echoes(Echoes) = "smb_message_echoes",
        AppState(AppState) = "smb_app_state_sync",
        History(History) = "history",
    }
}

words! {
    /// What happened to a template.
    TemplateEvent {
        Approved = "APPROVED",
        Rejected = "REJECTED",
        Pending = "PENDING",
        Paused = "PAUSED",
        Disabled = "DISABLED",
        InAppeal = "IN_APPEAL",
        PendingDeletion = "PENDING_DELETION",
        Deleted = "DELETED",
        LimitExceeded = "LIMIT_EXCEEDED",
        Archived = "ARCHIVED",
        Unarchived = "UNARCHIVED",
        Flagged = "FLAGGED",
        Reinstated = "REINSTATED",
        Locked = "LOCKED",
    }
}

wire! {
    TemplateStatus {
        event: TemplateEvent,
        message_template_id: MetaId,
        message_template_name?: String,
        message_template_language?: String,
        message_template_category?: String,
        reason?: String,
        disable_info?: DisableInfo,
        other_info?: OtherInfo,
        rejection_info?: RejectionInfo,
    }

    DisableInfo {
        disable_date?: Value,
    }

    OtherInfo {
        title?: String,
        description?: String,
    }

    RejectionInfo {
        reason?: String,
        recommendation?: String,
    }

    TemplateQuality {
        message_template_id: MetaId,
        message_template_name?: String,
        message_template_language?: String,
        previous_quality_score?: String,
        new_quality_score?: String,
    }

    TemplateComponents {
        message_template_id: MetaId,
        message_template_name?: String,
        message_template_language?: String,
        /// The body.
        message_template_element?: String,
        message_template_title?: String,
        message_template_footer?: String,
        message_template_buttons*: TemplateButton,
    }

    TemplateButton {
        message_template_button_type?: String,
        message_template_button_text?: String,
        message_template_button_url?: String,
        message_template_button_phone_number?: String,
    }

    /// With `correct_category` it is a notice a day ahead, and `new_category` is the present one.
    TemplateCategory {
        message_template_id: MetaId,
        message_template_name?: String,
        message_template_language?: String,
        previous_category?: String,
        new_category?: String,
        correct_category?: String,
        category_update_timestamp?: Timestamp,
    }

    PhoneQuality {
        display_phone_number?: String,
        event?: String,
        current_limit?: String,
        old_limit?: String,
        max_daily_conversations_per_business?: MetaId,
    }

    PhoneName {
        display_phone_number?: String,
        decision?: String,
        requested_verified_name?: String,
        rejection_reason?: String,
    }

    UserPreferences {
        messaging_product?: String,
        metadata?: Metadata,
        contacts*: Contact,
        user_preferences*: Preference,
    }

    /// A customer's word on marketing messages: stop, resume or signup.
    Preference {
        wa_id?: String,
        user_id?: String,
        detail?: String,
        category?: String,
        value?: String,
        timestamp?: Timestamp,
    }

    Security {
        display_phone_number?: String,
        event?: String,
        requester?: MetaId,
    }
}

impl TemplateCategory {
    /// Announced but not done yet.
    pub fn is_notice(&self) -> bool {
        self.correct_category.is_some()
    }
}
