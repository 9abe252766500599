//! Groups: labels that contacts have, and nothing more.

use serde_json::json;
use testkit::on_both;

use crate::house::House;

on_both! {
    async fn groups_live_as_long_as_somebody_is_in_them(house: &mut House) {
        let ann = house.contact("+14155550001", "Ann", json!({ "groups": ["Berlin", "VIP"] })).await;
        let bob = house.contact("+14155550002", "Bob", json!({ "groups": ["Berlin"], "isOptedIn": false })).await;
        let elsewhere = json!({ "accountId": house.second_account, "phone": "+14155550003", "name": "C", "groups": ["Berlin"] });
        house.post("/whatsapp/contacts", elsewhere).await.good();
        let groups = house.of_account("/whatsapp/groups").await.good().clone();
        assert_eq!(groups["groups"], json!([{ "name": "Berlin", "totalCount": 2, "optedInCount": 1 },
                                            { "name": "VIP", "totalCount": 1, "optedInCount": 1 }]));
        assert_eq!(groups["summary"], json!({ "totalContacts": 2, "optedInContacts": 1, "groupCount": 2 }));

        let rename = |old: &str, new: &str| json!({ "accountId": house.account, "oldName": old, "newName": new });
        house.post("/whatsapp/groups", rename("VIP", "VIP")).await.refused(400, "validation_error", "newName");
        assert_eq!(house.post("/whatsapp/groups", rename("none", "VIP")).await.good()["modified"], 0);
        assert_eq!(house.post("/whatsapp/groups", rename("Berlin", "VIP")).await.good()["modified"], 2);
        let shown = house.get(&format!("/whatsapp/contacts/{ann}")).await.good()["contact"]["groups"].clone();
        assert_eq!(shown, json!(["VIP"]), "in both before, once in one now");
        let second = house.get(&format!("/whatsapp/groups?accountId={}", house.second_account)).await;
        assert_eq!(second.good()["groups"][0]["name"], "Berlin", "another account's contacts are left alone");
        // The label itself is the organization's, as other APIs know it.
        let labels = house.engine.labels(&house.organization, None, 10).await.unwrap();
        assert_eq!(labels.len(), 2);

        let delete = json!({ "accountId": house.account, "groupName": "VIP" });
        assert_eq!(house.delete("/whatsapp/groups", Some(delete)).await.good()["modified"], 2);
        assert_eq!(house.of_account("/whatsapp/groups").await.good()["groups"], json!([]));
        house.get(&format!("/whatsapp/contacts/{bob}")).await.good();
        let query = format!("/whatsapp/groups?accountId={}&groupName=Berlin", house.second_account);
        assert_eq!(house.delete(&query, None).await.good()["modified"], 1);
    }
}
