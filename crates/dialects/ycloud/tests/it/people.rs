//! Contacts, unsubscribers and what callers tell of their customers; accounts, numbers and templates.

use serde_json::json;
use testkit::on_both;

use crate::house::{CUSTOMER, House, NUMBER};

on_both! {
    async fn a_contact_lives_and_dies(house: &mut House) {
        let body = json!({ "phoneNumber": CUSTOMER, "nickname": "Ayu", "email": "ayu@example.com", "tags": ["vip", "new", "vip"],
            "customAttributes": [{ "name": "age", "value": 30 }, { "name": "likes", "value": ["tea"] }] });
        let made = house.post("/contact/contacts", body.clone()).await;
        let contact = made.good().clone();
        assert_eq!((&contact["countryCode"], &contact["tags"]), (&json!("ID"), &json!(["vip", "new"])));
        house.post("/contact/contacts", body).await.refused(409, "ALREADY_EXISTS", "email");
        house.post("/contact/contacts", json!({ "phoneNumber": CUSTOMER })).await.refused(409, "ALREADY_EXISTS", "phoneNumber");
        let id = contact["id"].as_str().unwrap();
        for name in [id, CUSTOMER, &CUSTOMER[1..]] {
            assert_eq!(house.get(&format!("/contact/contacts/{name}")).await.good()["id"], id);
        }
        let change = json!({ "nickname": null, "customAttributes": [{ "name": "age", "value": 31 }], "phoneNumber": "+6281234567891" });
        let changed = house.patch(&format!("/contact/contacts/{id}"), change).await;
        assert_eq!((&changed.good()["customAttributes"], &changed.json["phoneNumber"]), (&json!([{ "name": "age", "value": 31 }]), &json!("+6281234567891")));
        assert!(changed.json.get("nickname").is_none());
        house.hear("wamid.in", "hi").await;
        assert_eq!(house.get(&format!("/contact/contacts/{CUSTOMER}")).await.good()["lastMessageToPhoneNumber"], NUMBER);
        assert_eq!(house.delete(&format!("/contact/contacts/{id}")).await.good()["id"], id);
        house.get(&format!("/contact/contacts/{id}")).await.refused(404, "NOT_FOUND", "");
    }

    async fn contacts_are_listed_by_page_and_by_cursor(house: &mut House) {
        for number in 0..25 {
            let body = json!({ "phoneNumber": format!("+62812000000{number:02}"), "tags": [if number < 5 { "few" } else { "many" }] });
            house.post("/contact/contacts", body).await.good();
        }
        let page = house.get("/contact/contacts?page=3&includeTotal=true").await;
        assert_eq!((&page.good()["offset"], &page.json["length"], &page.json["total"]), (&json!(20), &json!(5), &json!(25)));
        assert_eq!(house.get("/contact/contacts?filter.tags=few").await.good()["length"], 5);
        house.get("/contact/contacts?filter.tags=none").await.refused(400, "PARAM_INVALID", "filter.tags");
        assert_eq!(house.get("/contact/contacts?filter.phoneNumber=%2B6281200000003").await.good()["length"], 1);
        let (mut seen, mut after) = (0, "0".to_owned());
        loop {
            let page = house.get(&format!("/contact/contacts?limit=10&pageAfter={after}")).await;
            assert_eq!(page.good()["offset"], 0);
            seen += page.json["items"].as_array().unwrap().len();
            let Some(next) = page.json["cursor"]["after"].as_str() else { break };
            after = next.to_owned();
        }
        assert_eq!(seen, 25);
        for (wrong, target) in [("page=101", "page"), ("limit=0", "limit"), ("limit=101", "limit"), ("pageAfter=x", "pageAfter")] {
            for list in ["/contact/contacts", "/unsubscribers"] {
                house.get(&format!("{list}?{wrong}")).await.refused(400, "PARAM_INVALID", target);
            }
        }
    }

    async fn unsubscribers_come_and_go(house: &mut House) {
        let body = json!({ "type": "PHONE_NUMBER", "customer": CUSTOMER, "channel": "whatsapp" });
        assert_eq!(house.post("/unsubscribers", body.clone()).await.good()["regionCode"], "ID");
        house.post("/unsubscribers", body).await.refused(409, "ALREADY_EXISTS", "customer");
        assert_eq!(house.get(&format!("/unsubscribers/{CUSTOMER}")).await.good().as_array().unwrap().len(), 1);
        assert_eq!(house.get("/unsubscribers?filter.regionCode=ID&includeTotal=true").await.good()["total"], 1);
        assert_eq!(house.get(&format!("/unsubscribers/{CUSTOMER}/whatsapp")).await.good()["customer"], CUSTOMER);
        house.delete(&format!("/unsubscribers/{CUSTOMER}/whatsapp")).await.good();
        house.delete(&format!("/unsubscribers/{CUSTOMER}/whatsapp")).await.refused(404, "NOT_FOUND", "");
        assert_eq!(house.get(&format!("/unsubscribers/{CUSTOMER}")).await.good(), &json!([]));
    }

    async fn events_of_the_callers_own_are_defined_and_told(house: &mut House) {
        let body = json!({ "name": "order_placed", "label": "Order placed", "objectType": "CONTACT",
            "properties": [{ "name": "total", "label": "Total", "type": "NUMBER" }] });
        house.post("/event/definitions", body.clone()).await.good();
        house.post("/event/definitions", body).await.refused(409, "ALREADY_EXISTS", "name");
        let link = json!({ "name": "link", "label": "Link", "type": "URL" });
        house.post("/event/definitions/order_placed/properties", link.clone()).await.good();
        house.post("/event/definitions/order_placed/properties", link).await.refused(409, "ALREADY_EXISTS", "name");
        house.patch("/event/definitions/order_placed", json!({ "label": "New" })).await.good();
        house.patch("/event/definitions/order_placed/properties/link", json!({ "label": "Its page" })).await.good();
        let shown = house.get("/event/definitions/order_placed").await;
        assert_eq!((&shown.good()["label"], &shown.json["properties"][1]["label"]), (&json!("New"), &json!("Its page")));
        let contact = house.post("/contact/contacts", json!({ "phoneNumber": CUSTOMER })).await.good()["id"].clone();
        let told = |properties| json!({ "eventName": "order_placed", "contactPhoneNumber": CUSTOMER, "properties": properties });
        let reply = house.post("/event/events", told(json!({ "total": 9.5, "link": "https://example.com" }))).await;
        assert_eq!((reply.status, reply.bytes.len()), (200, 0));
        house.post("/event/events", json!({ "eventName": "order_placed", "objectId": contact })).await.good();
        for wrong in [json!({ "total": "much" }), json!({ "link": "example" }), json!({ "other": "x" })] {
            house.post("/event/events", told(wrong)).await.refused(400, "PARAM_INVALID", "properties");
        }
        let id = engine::Id::parse_hex24(contact.as_str().unwrap()).unwrap();
        assert_eq!(house.engine.custom_events_of(&house.organization, &id, 10).await.unwrap().len(), 2);
        let gone = house.delete("/event/definitions/order_placed/properties/link").await;
        assert_eq!((gone.status, gone.bytes.len()), (200, 0));
        house.delete("/event/definitions/order_placed/properties/link").await.refused(404, "NOT_FOUND", "");
    }

    async fn accounts_and_numbers_are_shown_and_set_up(house: &mut House) {
        assert_eq!(house.get("/whatsapp/businessAccounts").await.good()["items"][0]["accountReviewStatus"], "APPROVED");
        assert_eq!(house.get("/whatsapp/businessAccounts?filter.accountReviewStatus=REJECTED").await.good()["length"], 0);
        assert_eq!(house.get("/whatsapp/businessAccounts/1").await.good()["timezoneId"], "1");
        house.get("/whatsapp/businessAccounts/2").await.refused(404, "NOT_FOUND", "");
        assert_eq!(house.get("/whatsapp/phoneNumbers?filter.wabaId=1").await.good()["length"], 2);
        let number = house.get(&format!("/whatsapp/phoneNumbers/1/{NUMBER}")).await;
        assert_eq!((&number.good()["phoneNumber"], &number.json["qualityRating"]), (&json!(NUMBER), &json!("GREEN")));
        let profile = format!("/whatsapp/phoneNumbers/1/{NUMBER}/profile");
        let changed = house.patch(&profile, json!({ "about": "We sell tea", "websites": ["https://example.com"], "vertical": "RETAIL" })).await;
        assert_eq!(changed.good()["about"], "We sell tea");
        house.patch(&profile, json!({ "about": "" })).await.refused(400, "PARAM_INVALID", "about");
        house.patch(&profile, json!({ "vertical": "SPACE" })).await.refused(400, "PARAM_INVALID", "vertical");
        let commerce = format!("/whatsapp/phoneNumbers/1/{NUMBER}/whatsappCommerceSettings");
        assert_eq!(house.patch(&commerce, json!({ "isCartEnabled": true })).await.good()["isCartEnabled"], true);
        for _ in 0..2 {
            house.post("/whatsapp/phoneNumbers/1/100000000000001/register", json!({})).await.good();
        }
        let registered = house.cloud.registered.lock().unwrap().clone();
        assert!(registered[0] == registered[1] && registered[0].1.len() == 6, "{registered:?}");
        house.post("/whatsapp/phoneNumbers/1/100000000000003/register", json!({})).await.refused(404, "NOT_FOUND", "");
    }

    async fn templates_are_handed_in_edited_and_deleted(house: &mut House) {
        let components = json!([{ "type": "BODY", "text": "Hello" }]);
        let body = json!({ "wabaId": "1", "name": "news_today", "language": "en", "category": "MARKETING", "components": components });
        assert_eq!(house.post("/whatsapp/templates", body.clone()).await.good()["status"], "PENDING");
        let mut refused = body.clone();
        refused["name"] = json!("refused");
        let reply = house.post("/whatsapp/templates", refused).await;
        reply.refused(400, "BAD_REQUEST", "whatsappApiError");
        assert_eq!(reply.json["error"]["whatsappApiError"]["error_data"], "no");
        let mut foreign = body;
        foreign["wabaId"] = json!("2");
        house.post("/whatsapp/templates", foreign).await.refused(403, "WHATSAPP_WABA_UNAVAILABLE", "wabaId");
        let path = "/whatsapp/templates/1/news_today/en";
        house.patch(path, json!({ "components": components })).await.refused(403, "WHATSAPP_TEMPLATE_UNEDITABLE", "");
        let edited = house.patch("/whatsapp/templates/1/welcome/en", json!({ "components": [{ "type": "BODY", "text": "New" }] })).await;
        assert_eq!(edited.good()["components"][0]["text"], "New");
        assert_eq!(house.get("/whatsapp/templates?filter.status=APPROVED").await.good()["length"], 1);
        assert_eq!(house.delete(path).await.good()["name"], "news_today");
        assert_eq!(house.delete("/whatsapp/templates/1/welcome").await.good().as_array().unwrap().len(), 2);
        house.delete("/whatsapp/templates/1/welcome").await.refused(404, "NOT_FOUND", "");
    }
}
