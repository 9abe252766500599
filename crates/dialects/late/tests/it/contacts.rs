//! People: made, found, changed, forgotten; alone and many at once.

use std::time::Duration;

use engine::clock::rfc3339;
use engine::consent::{self, MARKETING, Wish};
use engine::contacts::{Address, PHONE, USER};
use engine::directory::Wide;
use engine::messages::Status;
use serde_json::{Value, json};
use testkit::on_both;

use crate::house::{CUSTOMER, House};

fn phone() -> Address {
    Address { kind: PHONE.into(), value: CUSTOMER.into() }
}

fn ids(list: &Value) -> Vec<&str> {
    list["contacts"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
}

on_both! {
    async fn a_contact_from_beginning_to_end(house: &mut House) {
        let more = json!({ "email": "ann@example.com", "company": "Müller & Co", "tags": ["vip", "vip", "new"],
                           "groups": ["Berlin"], "customFields": { "size": "M", "old": "x" }, "notes": "likes tea" });
        let id = house.contact("+49 (0)171 2345678", "Ann", more).await;
        assert!(id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit()));
        let path = format!("/whatsapp/contacts/{id}");
        let shown = house.get(&path).await.good()["contact"].clone();
        assert_eq!((&shown["phone"], &shown["waId"]), (&json!("+491712345678"), &json!("491712345678")));
        assert_eq!((&shown["tags"], &shown["groups"]), (&json!(["vip", "new"]), &json!(["Berlin"])));
        assert_eq!(shown["isOptedIn"], true);
        assert_eq!(shown["optInDate"], shown["createdAt"]);
        assert!(shown.get("optOutDate").is_none() && shown["isBlocked"] == false);
        let again = json!({ "accountId": house.account, "phone": "00491712345678", "name": "Ann" });
        house.post("/whatsapp/contacts", again).await.refused(409, "conflict", "phone");

        house.later(Duration::from_secs(60));
        let change = json!({ "name": "Anna", "company": null, "tags": ["old"], "isOptedIn": false, "isBlocked": true,
                             "customFields": { "old": null, "colour": "blue" } });
        let changed = house.put(&path, change).await.good()["contact"].clone();
        assert_eq!(changed["customFields"], json!({ "size": "M", "colour": "blue" }));
        assert_eq!((&changed["tags"], &changed["groups"]), (&json!(["old"]), &json!(["Berlin"])), "what is named is replaced");
        let shown = house.get(&path).await.good()["contact"].clone();
        assert_eq!((&shown["isOptedIn"], &shown["isBlocked"]), (&json!(false), &json!(true)));
        assert!(shown.get("company").is_none() && shown.get("optInDate").is_none());
        assert_eq!(shown["optOutDate"], shown["updatedAt"]);
        house.put(&path, json!({ "isOptedIn": true })).await.good();
        assert!(house.get(&path).await.good()["contact"].get("optOutDate").is_none());

        house.delete(&path, None).await.good();
        house.get(&path).await.refused(404, "not_found", "");
        house.put(&path, json!({ "name": "x" })).await.refused(404, "not_found", "");
        house.delete(&path, None).await.refused(404, "not_found", "");
    }

    async fn people_are_the_same_through_every_api(house: &mut House) {
        let id = house.contact(CUSTOMER, "Ayu", json!({ "tags": ["vip"], "customFields": { "size": "M" } })).await;
        let wide = house.engine.directory(&house.organization, &Wide::default(), 10, 0).await.unwrap();
        assert_eq!((wide.len(), wide[0].contact.id.hex24()), (1, id.clone()));
        assert_eq!((wide[0].tags.clone(), wide[0].contact.country.as_deref()), (vec!["vip".to_owned()], Some("ID")));
        // Known to the other account only when it says so, and then the same person.
        let other = json!({ "accountId": house.second_account, "phone": CUSTOMER, "name": "Ayu Lestari" });
        let second = house.post("/whatsapp/contacts", other).await.good()["contact"].clone();
        assert_eq!(second["id"], id.as_str());
        assert_eq!(second["tags"], json!(["vip"]));
        house.hear("wamid.in", "hi").await;
        let bulk = json!({ "accountId": house.account, "recipients": [{ "phone": CUSTOMER }],
                           "template": { "name": "welcome", "language": "en" } });
        house.worked(house.post("/whatsapp/bulk", bulk)).await.good();
        house.receipt("wamid.1", Status::Delivered).await;
        let listed = house.of_account("/whatsapp/contacts").await.good()["contacts"][0].clone();
        assert_eq!((&listed["messagesSentCount"], &listed["messagesReceivedCount"]), (&json!(1), &json!(1)));
        assert!(listed["lastMessageSentAt"].is_string() && listed["lastMessageReceivedAt"].is_string());
        let of_second = house.get(&format!("/whatsapp/contacts?accountId={}", house.second_account)).await;
        assert_eq!(of_second.good()["contacts"][0]["messagesSentCount"], 0, "what another account sent is its own");
    }

    async fn whoever_said_stop_is_not_opted_in_by_being_added_again(house: &mut House) {
        house.hear("wamid.in", "STOP").await;
        let id = house.of_account("/whatsapp/contacts").await.good()["contacts"][0]["id"].as_str().unwrap().to_owned();
        house.delete(&format!("/whatsapp/contacts/{id}"), None).await.good();
        // Some clients always say `true`.
        let id = house.contact(CUSTOMER, "Ayu", json!({ "isOptedIn": true })).await;
        let path = format!("/whatsapp/contacts/{id}");
        assert_eq!(house.get(&path).await.good()["contact"]["isOptedIn"], false);
        let rows = json!({ "accountId": house.second_account, "contacts": [{ "phone": CUSTOMER, "name": "Ayu", "isOptedIn": true }] });
        house.post("/whatsapp/contacts/import", rows).await.good();
        assert_eq!(house.get(&path).await.good()["contact"]["isOptedIn"], false);
        house.put(&path, json!({ "isOptedIn": true })).await.good();
        assert_eq!(house.get(&path).await.good()["contact"]["isOptedIn"], true);
    }

    async fn whoever_is_known_already_loses_nothing(house: &mut House) {
        let more = json!({ "email": "ayu@example.com", "company": "Kopi", "tags": ["vip", "old"], "groups": ["Jakarta"] });
        let id = house.contact(CUSTOMER, "Ayu", more).await;
        let path = format!("/whatsapp/contacts/{id}");
        let again = json!({ "accountId": house.second_account, "phone": CUSTOMER, "name": "Ayu Lestari", "email": "", "company": null,
                            "tags": ["new", "vip"], "groups": ["Berlin"] });
        let made = house.post("/whatsapp/contacts", again).await.good()["contact"].clone();
        assert_eq!((&made["id"], &made["name"], &made["email"]), (&json!(id), &json!("Ayu Lestari"), &json!("ayu@example.com")));
        assert_eq!((&made["tags"], &made["groups"]), (&json!(["vip", "old", "new"]), &json!(["Berlin", "Jakarta"])));
        assert_eq!(made["company"], "Kopi");

        let other = house.contact("+14155550001", "Ann", json!({ "tags": ["a"], "groups": ["G"] })).await;
        let rows = json!([{ "phone": "+14155550001", "name": "Ann", "tags": ["b"] }]);
        let import = json!({ "accountId": house.second_account, "contacts": rows, "defaultTags": ["c"], "defaultGroups": ["H"] });
        assert_eq!(house.post("/whatsapp/contacts/import", import).await.good()["summary"]["created"], 1);
        let ann = house.get(&format!("/whatsapp/contacts/{other}")).await.good()["contact"].clone();
        assert_eq!((&ann["tags"], &ann["groups"]), (&json!(["a", "b", "c"]), &json!(["G", "H"])));

        // A change says all of them.
        house.put(&path, json!({ "tags": ["only"], "groups": [] })).await.good();
        let ayu = house.get(&path).await.good()["contact"].clone();
        assert_eq!((&ayu["tags"], &ayu["groups"]), (&json!(["only"]), &json!([])));
    }

    async fn empty_texts_are_nothing(house: &mut House) {
        let nothing = json!({ "email": "", "tags": ["", "a"], "groups": [""] });
        let id = house.contact(CUSTOMER, "Ayu", nothing).await;
        let path = format!("/whatsapp/contacts/{id}");
        let made = house.get(&path).await.good()["contact"].clone();
        assert_eq!((made.get("email"), &made["tags"], &made["groups"]), (None, &json!(["a"]), &json!([])));
        house.put(&path, json!({ "email": "ayu@example.com", "groups": ["G", ""] })).await.good();
        let changed = house.put(&path, json!({ "email": "", "tags": [""] })).await.good()["contact"].clone();
        assert_eq!((changed.get("email"), &changed["tags"], &changed["groups"]), (None, &json!([]), &json!(["G"])));
        let row = json!({ "phone": "+14155550001", "name": "Ann", "email": "", "tags": ["", "x"], "groups": [""] });
        let import = json!({ "accountId": house.account, "contacts": [row], "defaultTags": [""] });
        let id = house.post("/whatsapp/contacts/import", import).await.good()["results"][0]["contactId"].clone();
        let ann = house.get(&format!("/whatsapp/contacts/{}", id.as_str().unwrap())).await.good()["contact"].clone();
        assert_eq!((ann.get("email"), &ann["tags"], &ann["groups"]), (None, &json!(["x"]), &json!([])));
        let none = json!({ "action": "addTags", "contactIds": [id], "tags": [""] });
        house.post("/whatsapp/contacts/bulk", none).await.refused(400, "validation_error", "tags");
    }

    /// People may have an address that is no number, and say it under that one.
    async fn minds_are_dated_under_every_address(house: &mut House) {
        let user = Address { kind: USER.into(), value: "ID.1".into() };
        house.hear_from("wamid.1", vec![phone(), user.clone()], "hi").await;
        let id = house.of_account("/whatsapp/contacts").await.good()["contacts"][0]["id"].as_str().unwrap().to_owned();
        let shown = async || house.get(&format!("/whatsapp/contacts/{id}")).await.good()["contact"].clone();
        let mind = async |wanted| {
            house.later(Duration::from_secs(60));
            let (addresses, purpose) = (vec![user.clone()], MARKETING.into());
            let (channel, source) = ("whatsapp".into(), consent::BY_PROVIDER);
            let wish = Wish { organization: house.organization, addresses, channel, purpose, wanted, source, proof: None, region: None };
            house.engine.perform(consent::Enter { engine: house.engine.clone(), wish }).await.unwrap();
            rfc3339(house.clock.now())
        };
        let out = mind(false).await;
        assert_eq!((shown().await["isOptedIn"].clone(), shown().await["optOutDate"].clone()), (json!(false), json!(out)));
        let back = mind(true).await;
        assert_eq!((shown().await["isOptedIn"].clone(), shown().await["optInDate"].clone()), (json!(true), json!(back)));
    }

    async fn lists_are_narrowed_sorted_and_cut(house: &mut House) {
        for (phone, name, more) in [
            ("+14155550003", "bob", json!({ "company": "100% Öl", "tags": ["a"], "groups": ["G1"] })),
            ("+14155550001", "Zoë", json!({ "email": "zoe@example.com", "tags": ["a", "b"], "groups": ["G1", "G2"], "isOptedIn": false })),
            ("+14155550002", "Ann", json!({ "groups": ["G2"] })),
        ] {
            house.contact(phone, name, more).await;
        }
        let names = async |query: &str| -> Vec<String> {
            let list = house.of_account(&format!("/whatsapp/contacts?{query}")).await.good().clone();
            list["contacts"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
        };
        for (query, found) in [
            ("", &["Ann", "bob", "Zoë"][..]),
            ("search=", &["Ann", "bob", "Zoë"]),
            ("search=ZO%C3%8B", &["Zoë"]),
            ("search=0%25%20%C3%B6l", &["bob"]),
            ("search=%25", &["bob"]),
            ("search=550002", &["Ann"]),
            ("search=EXAMPLE.com", &["Zoë"]),
            ("tag=a", &["bob", "Zoë"]),
            ("group=G2", &["Ann", "Zoë"]),
            ("group=G2&tag=a", &["Zoë"]),
            ("tag=none", &[]),
            ("optedIn=false", &["Zoë"]),
            ("optedIn=true", &["Ann", "bob"]),
            ("optedIn=true&tag=a&group=G1&search=bo", &["bob"]),
            ("limit=2", &["Ann", "bob"]),
            ("limit=2&skip=2", &["Zoë"]),
            ("skip=9", &[]),
        ] {
            assert_eq!(names(query).await, found, "{query}");
        }
        let page = house.of_account("/whatsapp/contacts?limit=2&tag=a").await.good().clone();
        assert_eq!(page["pagination"], json!({ "total": 2, "limit": 2, "skip": 0, "hasMore": false }));
        assert_eq!(page["filters"], json!({ "tags": ["a", "b"], "groups": ["G1", "G2"] }));
        let page = house.of_account("/whatsapp/contacts?limit=1").await.good().clone();
        assert_eq!(page["pagination"], json!({ "total": 3, "limit": 1, "skip": 0, "hasMore": true }));
    }

    async fn many_are_changed_and_deleted_at_once(house: &mut House) {
        let mut all = Vec::new();
        for n in 0..3 {
            all.push(house.contact(&format!("+1415555000{n}"), &format!("n{n}"), json!({ "tags": ["a"] })).await);
        }
        let foreign = json!({ "accountId": house.foreign_account, "phone": "+14155550009", "name": "theirs" });
        let foreign = house.with_key(&house.foreign_key, "POST", "/whatsapp/contacts", Some(foreign)).await;
        let foreign = foreign.good()["contact"]["id"].as_str().unwrap().to_owned();
        let asked = json!([all[0], all[1], all[1], foreign, "000000000000000000000000", "nonsense"]);
        for (action, more, modified) in [
            ("addTags", json!({ "tags": ["b", "a"] }), 2),
            ("addTags", json!({ "tags": ["b"] }), 0),
            ("removeTags", json!({ "tags": ["a"] }), 2),
            ("addGroups", json!({ "groups": ["G", "H"] }), 2),
            ("removeGroups", json!({ "groups": ["H", "none"] }), 2),
            ("optOut", json!({}), 2),
            ("optOut", json!({}), 0),
            ("optIn", json!({}), 2),
            ("block", json!({}), 2),
            ("block", json!({}), 0),
            ("unblock", json!({}), 2),
            ("optOut", json!({}), 2),
        ] {
            let mut body = json!({ "action": action, "contactIds": asked });
            for (name, value) in more.as_object().unwrap() {
                body[name] = value.clone();
            }
            let reply = house.post("/whatsapp/contacts/bulk", body).await.good().clone();
            let expected = json!({ "success": true, "action": action, "modified": modified, "matched": 2 });
            assert_eq!(reply, expected);
        }
        let shown = house.get(&format!("/whatsapp/contacts/{}", all[0])).await.good()["contact"].clone();
        assert_eq!((&shown["tags"], &shown["groups"], &shown["isOptedIn"]), (&json!(["b"]), &json!(["G"]), &json!(false)));
        let untouched = house.get(&format!("/whatsapp/contacts/{}", all[2])).await.good()["contact"].clone();
        assert_eq!((&untouched["tags"], &untouched["isOptedIn"]), (&json!(["a"]), &json!(true)));
        let theirs = house.with_key(&house.foreign_key, "GET", &format!("/whatsapp/contacts/{foreign}"), None).await;
        assert_eq!(theirs.good()["contact"]["isOptedIn"], true);

        let deleted = house.delete("/whatsapp/contacts/bulk", Some(json!({ "contactIds": [all[0], foreign] }))).await;
        assert_eq!(deleted.good()["deleted"], 1);
        // Some clients' libraries drop such bodies.
        let query = format!("/whatsapp/contacts/bulk?contactIds={}&contactIds={},{foreign}", all[1], all[2]);
        assert_eq!(house.delete(&query, None).await.good()["deleted"], 2);
        assert!(ids(house.of_account("/whatsapp/contacts").await.good()).is_empty());
        house.with_key(&house.foreign_key, "GET", &format!("/whatsapp/contacts/{foreign}"), None).await.good();
    }
}
