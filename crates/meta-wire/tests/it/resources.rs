//! Numbers, accounts, profiles, media and lists.

use meta_wire::paging::Page;
use meta_wire::{block, commerce, media, phone, profile, template, waba};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn round_trip<T: Serialize + DeserializeOwned>(json: Value) -> T {
    let read: T = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), json);
    read
}

#[test]
fn resources_are_typed_and_print_as_they_came() {
    let phone: phone::Phone = round_trip(json!({"id": "1", "display_phone_number": "+1 555", "status": "CONNECTED",
        "quality_rating": "PURPLE", "throughput": {"level": "HIGH"}, "webhook_configuration": {"application": "u"},
        "health_status": {"can_send_message": "BLOCKED", "entities": [{"entity_type": "WABA", "id": "2",
            "can_send_message": "BLOCKED", "errors": [{"error_code": 141006, "error_description": "d"}]}]}}));
    assert_eq!(phone.status, Some(phone::Status::Connected));
    assert_eq!(phone.quality_rating.unwrap().as_str(), "PURPLE");
    round_trip::<waba::Waba>(json!({"id": "1", "name": "n", "timezone_id": 1, "currency": "USD"}));
    round_trip::<Page<profile::Profile>>(json!({"data": [{"about": "a", "vertical": "RETAIL", "websites": ["w"]}]}));
    round_trip::<commerce::Settings>(json!({"id": "1", "is_cart_enabled": true}));
    round_trip::<media::Media>(json!({"id": "1", "url": "u", "file_size": 5, "sha256": "s"}));
    round_trip::<phone::Register>(json!({"messaging_product": "whatsapp", "pin": "000123"}));
    round_trip::<block::Answer>(
        json!({"messaging_product": "whatsapp", "block_users": {"added_users": [{"input": "1", "wa_id": "1"}],
        "failed_users": [{"input": "2", "errors": [{"code": 139101, "message": "m"}]}]}}),
    );
    round_trip::<template::Create>(json!({"name": "n", "language": "en", "category": "UTILITY",
        "components": [{"type": "BODY", "text": "x"}], "allow_category_change": true}));
    round_trip::<waba::TokenInfo>(
        json!({"app_id": "1", "is_valid": true, "scopes": ["a"], "granular_scopes": [{"scope": "a", "target_ids": ["1"]}]}),
    );
}

#[test]
fn a_list_goes_on_only_where_it_names_a_next_page() {
    let page = |paging: Value| round_trip::<Page<Value>>(json!({"data": [1], "paging": paging}));
    let cursors = json!({"before": "b", "after": "a"});
    assert_eq!(page(json!({"cursors": cursors, "next": "https://example.com"})).after(), Some("a"));
    assert_eq!(page(json!({"cursors": cursors})).after(), None);
    assert_eq!(serde_json::from_value::<Page<Value>>(json!({"data": null})).unwrap().after(), None);
}
