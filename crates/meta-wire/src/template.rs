//! Templates as Meta keeps them, and the requests that make and change them.

mod component;
mod text;

use crate::loose::{MetaId, Timestamp};
pub use component::{Button, CardShape, Component, Example, LimitedTimeOffer, NamedExample};
pub use text::{Variable, fill, variables};

words! {
    Status {
        Pending = "PENDING",
        Approved = "APPROVED",
        Rejected = "REJECTED",
        Paused = "PAUSED",
        Disabled = "DISABLED",
        InAppeal = "IN_APPEAL",
        PendingDeletion = "PENDING_DELETION",
        Deleted = "DELETED",
        LimitExceeded = "LIMIT_EXCEEDED",
        Archived = "ARCHIVED",
    }

    Category {
        Authentication = "AUTHENTICATION",
        Marketing = "MARKETING",
        Utility = "UTILITY",
    }

    ParameterFormat {
        Positional = "POSITIONAL",
        Named = "NAMED",
    }
}

wire! {
    /// A template; which members are there depends on `fields`.
    Template {
        id?: MetaId,
        #[serde(default)]
        name: String,
        language?: String,
        status?: Status,
        category?: Category,
        sub_category?: String,
        previous_category?: Category,
        correct_category?: Category,
        parameter_format?: ParameterFormat,
        components*: Component,
        rejected_reason?: String,
        quality_score?: QualityScore,
        message_send_ttl_seconds?: i64,
        library_template_name?: String,
    }

    QualityScore {
        score?: crate::phone::Quality,
        date?: Timestamp,
    }

    Create {
        name: String,
        language: String,
        category?: Category,
        components*: Component,
        parameter_format?: ParameterFormat,
        message_send_ttl_seconds?: i64,
        allow_category_change?: bool,
        sub_category?: String,
        cta_url_link_tracking_opted_out?: bool,
        library_template_name?: String,
    }

    /// The category may differ from the one asked for.
    Created {
        id: MetaId,
        status?: Status,
        category?: Category,
    }

    /// Components are replaced as a whole.
    Edit {
        category?: Category,
        components?: Vec<Component>,
        message_send_ttl_seconds?: i64,
    }
}

impl Template {
    /// The text of the body.
    pub fn body_text(&self) -> Option<&str> {
        self.component("BODY")?.text.as_deref()
    }

    /// The text of a text header.
    pub fn header_text(&self) -> Option<&str> {
        self.component("HEADER")?.text.as_deref()
    }

    /// The first component of this type, however its letters are cased.
    pub fn component(&self, kind: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.is(kind))
    }

    /// The variables of the header's text, then of the body's, each in order of first appearance.
    pub fn variables(&self) -> (Vec<Variable>, Vec<Variable>) {
        let of = |text: Option<&str>| text.map(variables).unwrap_or_default();
        (of(self.header_text()), of(self.body_text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_template_is_read_with_its_variables_and_printed_back() {
        let json = json!({
            "id": "594425479261596", "name": "order_update", "language": "en", "status": "SHELVED",
            "category": "UTILITY", "parameter_format": "POSITIONAL",
            "components": [
                {"type": "header", "format": "TEXT", "text": "Order {{1}}", "example": {"header_text": ["A1"]}},
                {"type": "BODY", "text": "Hi {{1}}, {{2}} then {{1}}.", "example": {"body_text": [["Ann", "x"]]}},
                {"type": "BUTTONS", "buttons": [
                    {"type": "URL", "text": "See", "url": "https://example.com/{{1}}", "example": ["https://example.com/a"]},
                    {"type": "OTP", "otp_type": "ONE_TAP", "supported_apps": [{"package_name": "a", "signature_hash": "b"}]}
                ]}
            ],
            "quality_score": {"score": "GREEN", "date": 1_700_000_000}, "future": {"a": null}
        });
        let template: Template = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(template.status, Some(Status::Unknown("SHELVED".to_owned())));
        assert_eq!(template.body_text(), Some("Hi {{1}}, {{2}} then {{1}}."));
        let (header, body) = template.variables();
        assert_eq!(header, [Variable::Position(1)]);
        assert_eq!(body, [Variable::Position(1), Variable::Position(2)]);
        assert_eq!(serde_json::to_value(&template).unwrap(), json);
    }
}
