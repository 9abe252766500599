//! Contacts and labels.

use serde_json::{Value, json};

use crate::house::{House, NUMBER, SECOND_NUMBER, heard};

#[tokio::test]
async fn contacts_live() {
    let house = House::new().await;
    let contacts = format!("/{NUMBER}/contacts");
    let made = house
        .post(
            &contacts,
            json!({ "phone_number": "6281111111111", "name": "Ayu", "email": null, "metadata": { "vip": true } }),
        )
        .await;
    assert_eq!(made.data()["phone_number"], "+6281111111111");
    assert_eq!((&made.data()["metadata"], &made.data()["email"]), (&json!({ "vip": true }), &Value::Null));
    assert_eq!(made.data()["whatsapp_account"], json!({ "phone_number": "+15550100001" }));
    let again = house.post(&contacts, json!({ "phone_number": "+6281111111111" })).await;
    assert_eq!((again.status, again.code(), again.param()), (400, "invalid_field_value", "phone_number"));

    let path = format!("{contacts}/{}", made.id());
    let changed = house.patch(&path, json!({ "email": "ayu@example.com", "name": null })).await;
    assert_eq!((&changed.data()["email"], &changed.data()["name"]), (&json!("ayu@example.com"), &Value::Null));
    assert_eq!(changed.data()["metadata"], json!({ "vip": true }), "what is not named stays");
    let cleared = house.patch(&path, json!({ "email": "", "metadata": null })).await;
    assert_eq!((&cleared.data()["email"], &cleared.data()["metadata"]), (&Value::Null, &Value::Null));
    assert_eq!(house.patch(&path, json!({})).await.status, 200, "an empty change changes nothing");
    assert_eq!(house.get(&format!("/{SECOND_NUMBER}/contacts/{}", made.id())).await.status, 404);

    assert_eq!(house.delete(&path).await.data(), &json!({ "id": made.id(), "object": "contact", "deleted": true }));
    assert_eq!(house.get(&path).await.status, 404);
    assert_eq!(house.delete(&path).await.status, 404);
}

#[tokio::test]
async fn contacts_are_found() {
    let house = House::new().await;
    for (phone, name, email) in
        [("+6281111111111", "Ayu Lestari", "ayu@example.com"), ("+6282222222222", "100%", "other@example.org")]
    {
        house
            .post(&format!("/{NUMBER}/contacts"), json!({ "phone_number": phone, "name": name, "email": email }))
            .await
            .data();
    }
    for (query, count) in [
        ("", 2),
        ("search=lest", 1),
        ("search=EXAMPLE.ORG", 1),
        ("search=%25", 1),
        ("search=6281", 0),
        ("phone=%2B6281111111111", 1),
        ("phone=+6281111111111", 1),
        ("phone=6281111111111", 1),
        ("phone=%2B6289999999999", 0),
    ] {
        let list = house.get(&format!("/{NUMBER}/contacts?{query}")).await;
        assert_eq!(list.data().as_array().unwrap().len(), count, "{query}");
    }
}

#[tokio::test]
async fn labels_live_and_stick() {
    let house = House::new().await;
    let made = house.post("/labels", json!({ "name": "VIP" })).await;
    assert_eq!((&made.data()["color"], &made.data()["team_id"]), (&json!("gray"), &json!("default")));
    let again = house.post("/labels", json!({ "name": "VIP" })).await;
    assert_eq!((again.status, again.code(), again.param()), (400, "invalid_field_value", "name"));
    let other = house.post("/labels", json!({ "name": "Other", "color": "teal" })).await.id();
    let label = made.id();
    assert_eq!(house.patch(&format!("/labels/{other}"), json!({ "name": "VIP" })).await.param(), "name");
    assert_eq!(house.patch(&format!("/labels/{other}"), json!({ "color": "pink" })).await.data()["color"], "pink");
    let team = house.post("/labels", json!({ "name": "x", "team_id": "elsewhere" })).await;
    assert_eq!((team.status, team.param()), (400, "team_id"));

    house.hear("wamid.1", heard("hi")).await;
    let conversation = house.get(&format!("/{NUMBER}/conversations")).await.data()[0].clone();
    let (conversation, contact) =
        (conversation["id"].as_str().unwrap(), conversation["contact"]["id"].as_str().unwrap());
    for (kind, id) in [("contact", contact), ("conversation", conversation)] {
        let path = format!("/{NUMBER}/{kind}s/{id}/labels");
        for _ in 0..2 {
            let stuck = house.post(&path, json!({ "label_id": label })).await;
            assert_eq!(stuck.data(), &json!({ format!("{kind}_id"): id, "label_id": label, "attached": true }));
        }
        for _ in 0..2 {
            assert_eq!(house.delete(&format!("{path}/{label}")).await.data()["attached"], false);
        }
        let unknown = house.post(&path, json!({ "label_id": "lbl_00000000000000000000000000" })).await;
        assert_eq!((unknown.status, unknown.code()), (404, "resource_not_found"));
    }

    let bulk =
        json!({ "contact_ids": [contact, "ctc_00000000000000000000000000"], "label_id": label, "operation": "attach" });
    let stuck = house.post(&format!("/{NUMBER}/contacts/bulk_label"), bulk).await;
    assert_eq!(stuck.data(), &json!({ "applied": 1, "skipped_cross_org": 1, "skipped_team_mismatch": 0 }));
    let empty = json!({ "contact_ids": [], "label_id": label, "operation": "attach" });
    assert_eq!(house.post(&format!("/{NUMBER}/contacts/bulk_label"), empty).await.param(), "contact_ids");

    assert_eq!(house.delete(&format!("/labels/{label}")).await.data()["deleted"], true);
    assert_eq!(house.get(&format!("/labels/{label}")).await.status, 404);
    assert_eq!(house.get(&format!("/{NUMBER}/contacts/{contact}")).await.status, 200);
    assert_eq!(house.get("/labels?limit=1").await.json["has_more"], false);
}
