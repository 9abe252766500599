//! Prices in answers and events, and a balance that runs out.

use engine::Settings;
use engine::billing::{Add, Load, Price};
use engine::messages::Status;
use serde_json::{Value, json};
use testkit::on_both;

use crate::house::{CUSTOMER, House, NUMBER, text};

async fn price(house: &House, rows: &[(&str, &str, &str, i64)]) {
    let price = |(channel, region, category, amount): &(&str, &str, &str, i64)| Price {
        channel: (*channel).into(),
        region: (*region).into(),
        category: (*category).into(),
        amount: *amount,
        currency: "EUR".into(),
    };
    let load = Load::new(&house.engine, rows.iter().map(price).collect()).unwrap();
    house.engine.perform(load).await.unwrap();
}

async fn meter(house: &mut House, amount: i64) {
    let mut settings = Settings::default();
    settings.billing.metering = true;
    house.restart_with(settings).await;
    let (engine, organization) = (house.engine.clone(), house.organization);
    let add = Add { engine, organization, amount, currency: Some("EUR".into()), note: None };
    house.engine.perform(add).await.unwrap().unwrap();
}

fn template() -> Value {
    json!({ "from": NUMBER, "to": CUSTOMER, "type": "template", "template": { "name": "welcome", "language": { "code": "en" } } })
}

on_both! {
    async fn prices_are_shown_and_the_balance_is_none_where_nothing_is_metered(house: &mut House) {
        let sent = house.post("/whatsapp/messages", text("hi")).await;
        assert_eq!((&sent.good()["totalPrice"], &sent.json["currency"]), (&json!(0.0), &json!("USD")));
        assert_eq!(sent.json["regionCode"], "ID");
        price(house, &[("whatsapp", "", "marketing", 41_100), ("sms", "ID", "", 25_000), ("sms", "", "", 1), ("voice", "", "", 50_000), ("email", "", "", 700)]).await;
        assert_eq!(house.get("/balance").await.good(), &json!({ "amount": 1_000_000.0, "currency": "USD" }));
        let sent = house.post("/whatsapp/messages", template()).await;
        assert_eq!((&sent.good()["totalPrice"], &sent.json["currency"]), (&json!(0.0411), &json!("EUR")));
        assert_eq!(sent.json["pricingCategory"], "marketing");
        for (channel, address) in [("sms", "Brand"), ("voice", "Brand"), ("email", "shop@example.com")] {
            house.open(channel, address).await;
        }
        let sms = house.post("/sms", json!({ "to": CUSTOMER, "text": "x".repeat(161) })).await;
        assert_eq!((&sms.good()["totalSegments"], &sms.json["totalPrice"]), (&json!(2), &json!(0.05)));
        let voice = house.post("/voices", json!({ "to": CUSTOMER, "verificationCode": "1234" })).await;
        assert_eq!(voice.good()["totalPrice"], 0.05);
        let email = json!({ "from": "shop@example.com", "to": "a@example.com,b@example.com", "cc": "c@example.com", "subject": "s", "content": "c" });
        assert_eq!(house.post("/emails", email).await.good()["totalPrice"], 0.0021);
        house.work().await;
        assert_eq!(house.get("/sms").await.good()["items"][0]["totalPrice"], 0.05);
    }

    async fn a_balance_runs_out_and_what_fails_is_given_back(house: &mut House) {
        price(house, &[("whatsapp", "", "", 40_000), ("email", "", "", 40_000)]).await;
        meter(house, 100_000).await;
        house.endpoint(&["whatsapp.message.updated"]).await;
        let balance = async |house: &House| house.get("/balance").await.good().clone();
        let first = house.post("/whatsapp/messages", text("one")).await.good()["id"].as_str().unwrap().to_owned();
        let second = house.post("/whatsapp/messages", text("two")).await.good()["id"].as_str().unwrap().to_owned();
        assert_eq!(balance(house).await, json!({ "amount": 0.02, "currency": "EUR" }));
        house.post("/whatsapp/messages", text("three")).await.refused(403, "BALANCE_INSUFFICIENT", "");
        house.post("/whatsapp/messages/sendDirectly", text("three")).await.refused(403, "BALANCE_INSUFFICIENT", "");
        house.work().await;
        house.receipt("wamid.1", Status::Failed).await;
        let told = house.told().await;
        assert_eq!((&told[0]["whatsappMessage"]["id"], &told[0]["whatsappMessage"]["totalPrice"]), (&json!(first), &json!(0.0)));
        assert_eq!(balance(house).await["amount"], 0.06);
        house.receipt("wamid.2", Status::Sent).await;
        house.receipt("wamid.2", Status::Delivered).await;
        let told = house.told().await;
        assert_eq!(told[1]["whatsappMessage"]["totalPrice"], 0.04);
        assert_eq!(told[1]["whatsappMessage"]["pricingCategory"], "marketing");
        assert_eq!(house.get(&format!("/whatsapp/messages/{second}")).await.good()["totalPrice"], 0.04);
        assert_eq!(balance(house).await["amount"], 0.06);

        // A mail to more than can be paid is not sent to anybody.
        house.open("email", "shop@example.com").await;
        let email = |to: &str| json!({ "from": "shop@example.com", "to": to, "subject": "s", "content": "c" });
        house.post("/emails", email("a@example.com,b@example.com")).await.refused(403, "BALANCE_INSUFFICIENT", "");
        assert_eq!(balance(house).await["amount"], 0.06);
        assert_eq!(house.post("/emails", email("a@example.com")).await.good()["totalPrice"], 0.04);
        assert_eq!(balance(house).await["amount"], 0.02);
        // Another organization has a balance of its own: none.
        assert_eq!(house.with_key(&house.foreign_key, "GET", "/balance", None).await.good()["amount"], 0.0);
    }
}
