//! Templates by their names, and the business profile.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use testkit::on_both;

use crate::house::House;

fn definition(house: &House, name: &str) -> Value {
    json!({ "accountId": house.account, "name": name, "language": "en", "category": "UTILITY",
            "components": [{ "type": "body", "text": "Hi {{1}}" }, { "type": "buttons", "buttons": [{ "type": "url", "text": "Go" }] }] })
}

on_both! {
    async fn templates_are_made_seen_changed_and_removed(house: &mut House) {
        let list = house.of_account("/whatsapp/templates").await.good()["templates"].clone();
        assert_eq!(list.as_array().unwrap().len(), 3);
        let made = house.post("/whatsapp/templates", definition(house, "fresh_1")).await.good()["template"].clone();
        assert_eq!(made, json!({ "id": "fresh_1-en", "name": "fresh_1", "status": "PENDING", "category": "UTILITY", "language": "en" }));
        let shown = house.of_account("/whatsapp/templates/fresh_1").await.good()["template"].clone();
        assert_eq!(shown["components"][0], json!({ "type": "BODY", "text": "Hi {{1}}" }), "in Meta's words");
        assert_eq!(shown["components"][1]["buttons"][0]["type"], "URL");
        let change = json!({ "accountId": house.account, "components": [{ "type": "BODY", "text": "Bye" }] });
        let edited = house.patch("/whatsapp/templates/welcome", change.clone()).await.good()["template"].clone();
        assert_eq!((&edited["name"], &edited["status"]), (&json!("welcome"), &json!("PENDING")));
        // The other language is approved still, and stands for both.
        assert_eq!(house.of_account("/whatsapp/templates/welcome").await.good()["template"]["status"], "APPROVED");
        let path = format!("/whatsapp/templates/welcome?accountId={}", house.account);
        assert_eq!(house.delete(&path, None).await.good()["message"], "Template \"welcome\" deleted successfully");
        assert_eq!(house.of_account("/whatsapp/templates").await.good()["templates"].as_array().unwrap().len(), 2);
        for path in ["/whatsapp/templates/welcome", "/whatsapp/templates/%00", "/whatsapp/templates/x%20y"] {
            let reply = house.of_account(path).await;
            assert_eq!(reply.status, 404, "{path}: {}", reply.json);
        }
        house.delete(&path, None).await.refused(404, "not_found", "");
        house.patch("/whatsapp/templates/welcome", change).await.refused(404, "not_found", "");
        for wrong in ["1st", "_x", "Up", "a-b", "", "ä"] {
            house.post("/whatsapp/templates", definition(house, wrong)).await.refused(400, "validation_error", "name");
        }
        let refused = house.post("/whatsapp/templates", definition(house, "refused")).await;
        refused.refused(400, "platform_api_error", "");
        assert_eq!((refused.text("error"), refused.text("platform")), ("Invalid parameter", "whatsapp"));
        assert_eq!(refused.json["platformError"]["code"], 100);
    }

    async fn the_profile_is_changed_where_something_is_said(house: &mut House) {
        let of = |more: Value| {
            let mut body = json!({ "accountId": house.account });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let path = "/whatsapp/business-profile";
        house.post(path, of(json!({ "about": "Tea", "websites": ["https://tea.example/"] }))).await.good();
        house.post(path, of(json!({ "description": "d".repeat(512), "profilePictureHandle": "4:abc" }))).await.good();
        house.post(path, of(json!({}))).await.good();
        let shown = house.of_account(path).await.good()["businessProfile"].clone();
        assert_eq!((&shown["about"], &shown["websites"]), (&json!("Tea"), &json!(["https://tea.example/"])));
        assert_eq!(house.cloud.profile.lock().unwrap()["profile_picture_handle"], "4:abc");
        for (wrong, param) in [
            (json!({ "about": "x".repeat(140) }), "about"),
            (json!({ "description": "x".repeat(513) }), "description"),
            (json!({ "websites": ["https://a.example", "https://b.example", "https://c.example"] }), "websites"),
            (json!({ "websites": ["tea"] }), "websites[0]"),
        ] {
            house.post(path, of(wrong)).await.refused(400, "validation_error", param);
        }
    }

    async fn a_photo_comes_as_a_form(house: &mut House) {
        let form = |account: &str, file: &[u8]| {
            let mut body = format!("--x\r\ncontent-disposition: form-data; name=\"accountId\"\r\n\r\n{account}\r\n").into_bytes();
            body.extend(b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n");
            body.extend(file);
            body.extend(b"\r\n--x--\r\n");
            body
        };
        let send = async |kind: &str, body: Vec<u8>| {
            let request = Request::builder().method("POST").uri("/api/v1/whatsapp/business-profile/photo");
            let request = request.header("authorization", format!("Bearer {}", house.key)).header("content-type", kind);
            house.raw(request.body(Body::from(body)).unwrap()).await
        };
        let kind = "multipart/form-data; boundary=x";
        let png = b"\x89PNG\r\n\x1a\n and so on";
        send(kind, form(&house.account, b"GIF89a")).await.refused(400, "validation_error", "file");
        send(kind, form("", png)).await.refused(400, "validation_error", "accountId");
        send(kind, form(&house.foreign_account, png)).await.refused(404, "not_found", "accountId");
        send(kind, b"--x--\r\n".to_vec()).await.refused(400, "validation_error", "accountId");
        send(kind, b"--x\r\n".to_vec()).await.refused(400, "validation_error", "");
        send(kind, form(&house.account, &vec![0; (5 << 20) + 1])).await.refused(413, "payload_too_large", "");
        send("application/json", b"{}".to_vec()).await.refused(415, "unsupported_media_type", "");
        // Here the back end cannot do it.
        send(kind, form(&house.account, png)).await.refused(400, "platform_api_error", "");
        let shown = house.of_account("/whatsapp/business-profile/display-name").await.good()["displayName"].clone();
        assert_eq!(shown, json!({ "status": "APPROVED", "phoneNumber": "+15550100001", "name": "Support" }));
        let path = "/whatsapp/business-profile/display-name";
        let name = json!({ "accountId": house.account, "displayName": "" });
        house.post(path, name).await.refused(400, "validation_error", "displayName");
        // Nobody else takes a form.
        let request = Request::builder().method("POST").uri("/v1/whatsapp/contacts").header("content-type", kind);
        let request = request.header("authorization", format!("Bearer {}", house.key)).body(Body::from("--x--"));
        house.raw(request.unwrap()).await.refused(415, "unsupported_media_type", "");
    }
}
