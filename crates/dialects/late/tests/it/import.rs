//! A thousand contacts at once: duplicates, bad numbers, spellings of thirty countries, names in any script.

use serde_json::{Value, json};
use testkit::on_both;

use crate::house::House;

/// As people write them, and as they are kept.
const SPELLINGS: [(&str, &str, &str); 32] = [
    ("+49 (0)171 / 23 45 678", "+491712345678", "Jürgen Groß"),
    ("0049 30 901820", "+4930901820", "Bürgeramt"),
    ("+44 (0)20 7946 0958", "+442079460958", "Siân O’Neill"),
    ("+33 1.42.68.53.00", "+33142685300", "Zoë"),
    ("+39 06 698 12345", "+390669812345", "Niccolò"),
    ("+34 912-34-56-78", "+34912345678", "Íñigo"),
    ("1 (415) 555-2671", "+14155552671", "Ann"),
    ("+1 613 555 0175", "+16135550175", "Noël"),
    ("+52 55 1234 5678", "+525512345678", "José"),
    ("+55 11 91234-5678", "+5511912345678", "João"),
    ("+54 9 11 2345-6789", "+5491123456789", "Ñandú"),
    ("+57 301 2345678", "+573012345678", "Inés"),
    ("+62 812-3456-7890", "+6281234567890", "Ayu"),
    ("+60 12-345 6789", "+60123456789", "Nurul"),
    ("+63 917 123 4567", "+639171234567", "Niño"),
    ("+65 8123 4567", "+6581234567", "林"),
    ("+66 81 234 5678", "+66812345678", "สมชาย"),
    ("+84 91 234 56 78", "+84912345678", "Nguyễn"),
    ("＋81 90‐1234‐5678", "+819012345678", "さくら"),
    ("+82 10-1234-5678", "+821012345678", "김민준"),
    ("+86 138 0013 8000", "+8613800138000", "王小明"),
    ("+852 9123 4567", "+85291234567", "陳"),
    ("+91 98765 43210", "+919876543210", "आरव"),
    ("+92 301 2345678", "+923012345678", "علی"),
    ("+880 1812-345678", "+8801812345678", "রহিম"),
    ("+971 50 123 4567", "+971501234567", "فاطمة"),
    ("+٩٦٦501234567", "+966501234567", "محمد"),
    ("+972 50-234-5678", "+972502345678", "נועה"),
    ("+90 501 234 56 78", "+905012345678", "Işıl"),
    ("+7 916 123-45-67", "+79161234567", "Ольга"),
    ("+30 691 234 5678", "+306912345678", "Ελένη"),
    ("+27 71 123 4567", "+27711234567", "👩🏽‍💻"),
];

fn row(phone: &str, name: &str) -> Value {
    json!({ "phone": phone, "name": name })
}

on_both! {
    async fn a_thousand_rows_are_told_one_by_one(house: &mut House) {
        house.contact("+14155559999", "Known", json!({ "tags": ["keep"] })).await;
        let mut rows: Vec<Value> = SPELLINGS.iter().map(|(text, _, name)| row(text, name)).collect();
        // Twice in one file, and known before.
        rows.extend(SPELLINGS.iter().take(10).map(|(_, number, _)| row(number, "Twice")));
        rows.push(row("+1 415 555 9999", "Known"));
        let bad = [row("hello", "x"), row("", "x"), row("+0987654321", "x"), row("12", "x"), row("+14155550000", ""),
                   json!({ "phone": "+14155550000" }), json!({ "name": "x" }), json!("+14155550000"), json!({ "phone": 5, "name": "x" }),
                   json!({ "phone": "+14155550000", "name": "x", "email": "nobody" })];
        rows.extend(bad.iter().cloned());
        while rows.len() < 1000 {
            rows.push(row(&format!("+1212555{:04}", rows.len()), &format!("Row {}", rows.len())));
        }
        let fresh = 1000 - SPELLINGS.len() - 10 - 1 - bad.len();
        let body = json!({ "accountId": house.account, "contacts": rows, "defaultTags": ["imported"], "defaultGroups": ["2026"] });
        let reply = house.post("/whatsapp/contacts/import", body.clone()).await.good().clone();
        let created = fresh + SPELLINGS.len();
        assert_eq!(reply["summary"], json!({ "total": 1000, "created": created, "skipped": 11, "failed": bad.len() }));
        let results = reply["results"].as_array().unwrap();
        assert_eq!(results.len(), 1000);
        for ((_, number, name), result) in SPELLINGS.iter().zip(results) {
            assert_eq!((&result["success"], &result["phone"], &result["name"]), (&json!(true), &json!(number), &json!(name)));
            let shown = house.get(&format!("/whatsapp/contacts/{}", result["contactId"].as_str().unwrap())).await;
            let shown = &shown.good()["contact"];
            assert_eq!((&shown["phone"], &shown["name"]), (&json!(number), &json!(name)));
            assert_eq!((&shown["tags"], &shown["groups"]), (&json!(["imported"]), &json!(["2026"])));
        }
        for (result, given) in results.iter().zip(&rows).skip(SPELLINGS.len()).take(11 + bad.len()) {
            assert!(result["success"] == false && result["error"].is_string() && result.get("contactId").is_none());
            assert!(result["phone"].is_string(), "{given}");
        }
        let known = house.of_account("/whatsapp/contacts?search=Known").await.good().clone();
        assert_eq!((&known["contacts"][0]["tags"], &known["pagination"]["total"]), (&json!(["keep"]), &json!(1)), "what was there stays");

        // The same again makes nobody twice, and without mercy every known one is a failure.
        let again = house.post("/whatsapp/contacts/import", body.clone()).await.good()["summary"].clone();
        assert_eq!(again, json!({ "total": 1000, "created": 0, "skipped": 1000 - bad.len(), "failed": bad.len() }));
        let mut strict = body;
        strict["skipDuplicates"] = false.into();
        let again = house.post("/whatsapp/contacts/import", strict).await.good()["summary"].clone();
        assert_eq!(again, json!({ "total": 1000, "created": 0, "skipped": 0, "failed": 1000 }));
        let total = house.of_account("/whatsapp/contacts?limit=1").await.good()["pagination"]["total"].clone();
        assert_eq!(total, created + 1);
    }
}
