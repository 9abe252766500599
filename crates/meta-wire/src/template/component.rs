use serde_json::Value;

use crate::loose::MetaId;

wire! {
    /// A part of a template.
    Component {
        /// HEADER, BODY, FOOTER, BUTTONS, CAROUSEL, LIMITED_TIME_OFFER, ...; in any case of letters.
        #[serde(rename = "type")]
        kind: String,
        /// Of a header: TEXT, IMAGE, VIDEO, DOCUMENT, GIF, LOCATION, PRODUCT.
        format?: String,
        text?: String,
        example?: Example,
        buttons*: Button,
        cards*: CardShape,
        limited_time_offer?: LimitedTimeOffer,
        /// Of an authentication body.
        add_security_recommendation?: bool,
        /// Of an authentication footer.
        code_expiration_minutes?: u32,
    }

    /// Samples for the reviewers.
    Example {
        header_text?: Vec<String>,
        body_text?: Value,
        header_text_named_params*: NamedExample,
        body_text_named_params*: NamedExample,
        header_handle?: Vec<String>,
    }

    NamedExample {
        param_name: String,
        example: String,
    }

    Button {
        /// QUICK_REPLY, URL, PHONE_NUMBER, COPY_CODE, OTP, FLOW, CATALOG, MPM, ...; in any case of letters.
        #[serde(rename = "type")]
        kind: String,
        text?: String,
        url?: String,
        phone_number?: String,
        /// A text or a list of them.
        example?: Value,
        /// COPY_CODE, ONE_TAP or ZERO_TAP.
        otp_type?: String,
        autofill_text?: String,
        package_name?: String,
        signature_hash?: String,
        supported_apps*: Value,
        zero_tap_terms_accepted?: bool,
        flow_id?: MetaId,
        flow_name?: String,
        flow_json?: String,
        flow_action?: String,
        navigate_screen?: String,
    }

    LimitedTimeOffer {
        text?: String,
        has_expiration?: bool,
    }

    /// One card of a carousel.
    CardShape {
        components*: Component,
    }
}

impl Component {
    /// Is this its type, however its letters are cased?
    pub fn is(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind)
    }
}

impl Example {
    /// The samples of the body's variables: the first of the lists, or the list where it is only one.
    pub fn body(&self) -> Vec<&str> {
        let Some(Value::Array(list)) = &self.body_text else {
            return Vec::new();
        };
        let list = match list.first() {
            Some(Value::Array(first)) => first,
            _ => list,
        };
        list.iter().filter_map(Value::as_str).collect()
    }
}
