//! What a status says of the price of its message.

use engine::billing::Tariff;
use engine::events::Document;
use meta_wire::webhook::status::Pricing;
use serde_json::Value;

/// Of the one status in a document; `None` where it says nothing of a price.
pub(crate) fn of(document: &Document) -> Option<Tariff> {
    if document.format != crate::FORMAT {
        return None;
    }
    let document: Value = serde_json::from_slice(&document.bytes).ok()?;
    let pricing = document.pointer("/entry/0/changes/0/value/statuses/0/pricing")?;
    let pricing: Pricing = serde_json::from_value(pricing.clone()).ok()?;
    let free_kind = pricing.kind.as_deref().is_some_and(|kind| kind.starts_with("free_"));
    Some(Tariff {
        category: pricing.category.map(|category| category.to_lowercase().replace('-', "_")),
        free: free_kind || pricing.billable == Some(false),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_tells_its_category_and_whether_it_is_free() {
        let of = |format: &str, status: Value| {
            let value = json!({ "statuses": [status] });
            let post = json!({ "entry": [{ "id": "1", "changes": [{ "field": "messages", "value": value }] }] });
            of(&Document { format: format.into(), bytes: post.to_string().into_bytes() })
        };
        for (pricing, category, free) in [
            (json!({ "billable": true, "category": "marketing", "type": "regular" }), Some("marketing"), false),
            (json!({ "billable": false, "category": "utility" }), Some("utility"), true),
            (json!({ "category": "service", "type": "free_customer_service" }), Some("service"), true),
            (json!({ "category": "authentication-international" }), Some("authentication_international"), false),
            (json!({}), None, false),
        ] {
            let told = of(crate::FORMAT, json!({ "pricing": pricing })).unwrap();
            assert_eq!((told.category.as_deref(), told.free), (category, free), "{pricing}");
        }
        assert_eq!(of(crate::FORMAT, json!({ "id": "wamid.A" })), None);
        assert_eq!(of(crate::FORMAT, json!({ "pricing": 5 })), None);
        assert_eq!(of("other", json!({ "pricing": {} })), None);
    }
}
