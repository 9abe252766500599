//! Authentication templates: Meta writes their words, businesses choose among options.

use serde_json::{Value, json};

use super::component;
use crate::graph::error::{Outcome, parameter, sub};

/// Meta writes the words of authentication templates itself; the OTP button is listed back as a URL button.
pub(super) fn components(given: &[Value]) -> Outcome<Vec<Value>> {
    let wrong = |why: &str| sub(2388072, "Authentication template is incorrect", why);
    let mut kept = Vec::new();
    let body = component(given, "BODY").ok_or_else(|| parameter("A component of type BODY is required"))?;
    if body.get("text").is_some() {
        return Err(wrong("The body's text is fixed and cannot be given."));
    }
    let advice = body["add_security_recommendation"].as_bool().unwrap_or(false);
    let text = if advice {
        "*{{1}}* is your verification code. For your security, do not share this code."
    } else {
        "*{{1}}* is your verification code."
    };
    let mut listed = json!({"type": "BODY", "text": text, "example": {"body_text": [["123456"]]}});
    if advice {
        listed["add_security_recommendation"] = json!(true);
    }
    kept.push(listed);
    if let Some(footer) = component(given, "FOOTER") {
        let minutes = footer["code_expiration_minutes"].as_i64().filter(|m| (1..=90).contains(m));
        let minutes = minutes.ok_or_else(|| wrong("code_expiration_minutes must be from 1 to 90."))?;
        kept.push(json!({"type": "FOOTER", "text": format!("This code expires in {minutes} minutes."), "code_expiration_minutes": minutes}));
    }
    let button =
        component(given, "BUTTONS").and_then(|buttons| buttons["buttons"].as_array()).filter(|list| list.len() == 1);
    let button = button
        .and_then(|list| list.first())
        .filter(|b| b["type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case("OTP")));
    let button = button.ok_or_else(|| wrong("One button of type OTP is required."))?;
    let otp = button["otp_type"].as_str().unwrap_or_default().to_ascii_uppercase();
    if !["COPY_CODE", "ONE_TAP", "ZERO_TAP"].contains(&otp.as_str()) {
        return Err(wrong("otp_type must be one of COPY_CODE, ONE_TAP, ZERO_TAP."));
    }
    if otp != "COPY_CODE"
        && button["supported_apps"].as_array().is_none_or(Vec::is_empty)
        && button.get("package_name").is_none()
    {
        return Err(wrong("One-tap and zero-tap need supported_apps."));
    }
    let text = button["text"].as_str().unwrap_or("Copy code");
    let url = format!("https://www.whatsapp.com/otp/code/?otp_type={otp}&code_expiration_minutes=10&code=otp{{{{1}}}}");
    kept.push(json!({"type": "BUTTONS", "buttons": [
        {"type": "URL", "text": text, "url": url, "example": [url.replace("{{1}}", "123456")]},
    ]}));
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::variables;

    #[test]
    fn an_authentication_template_is_written_by_meta() {
        let given = [
            json!({"type": "body", "add_security_recommendation": true}),
            json!({"type": "buttons", "buttons": [{"type": "otp", "otp_type": "copy_code"}]}),
        ];
        let kept = components(&given).unwrap();
        assert_eq!(variables(kept[0]["text"].as_str().unwrap()), ["1"]);
        assert_eq!(kept[1]["buttons"][0]["type"], "URL");
        assert!(components(&[json!({"type": "BODY", "text": "My own words"})]).is_err());
    }
}
