//! Numbers without a carrier to buy them from: every operation says so, and nothing is left behind.

use std::sync::Arc;

use engine::Id;
use engine::senders::Sender;
use serde_json::json;
use store::numbers::{self, Order};
use store::{Result, Tx, Work};
use testkit::on_both;

use crate::house::House;

/// A sender's organization and account have these orders.
struct Orders(Arc<Sender>, Vec<(Id, &'static str)>);

impl Work for Orders {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        for (id, state) in &self.1 {
            let order = Order {
                id: *id,
                organization_id: self.0.organization_id,
                origin: "late".into(),
                profile: String::new(),
                intent: None,
                state: (*state).into(),
                open: false,
                number: None,
                account_id: self.0.account_id,
                carrier_id: self.0.account_id,
                details: "{}".into(),
                code: None,
                created_at: id.millis(),
                updated_at: id.millis(),
            };
            numbers::insert(tx, &order).await?;
        }
        Ok(())
    }
}

on_both! {
    async fn what_came_to_nothing_hides_no_number(house: &mut House) {
        let states = ["active", "lapsed"].into_iter().chain(std::iter::repeat_n("failed", 10_000));
        let orders: Vec<_> = states.map(|state| (house.engine.new_id(), state)).collect();
        let [active, lapsed] = [orders[0].0.hex24(), orders[1].0.hex24()];
        let sender = house.engine.sender(&house.organization, "100000000000001").await.unwrap().unwrap();
        house.engine.db.write(Orders(sender, orders)).await.unwrap();
        let listed = async |query: &str| -> Vec<String> {
            let list = house.get(&format!("/whatsapp/phone-numbers{query}")).await.good()["numbers"].clone();
            list.as_array().unwrap().iter().map(|it| it["_id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(listed("").await, [lapsed.clone(), active.clone()], "the newest is first");
        assert_eq!(listed("?status=active").await, [active]);
        assert_eq!(listed("?status=suspended").await, [lapsed]);
        assert_eq!(listed("?status=released").await.len(), 10_000);
    }

    async fn without_a_carrier_nothing_can_be_bought(house: &mut House) {
        let profile = house.organization.hex24();
        let path = "/whatsapp/phone-numbers";
        house.post(&format!("{path}/purchase"), json!({})).await.refused(400, "validation_error", "profileId");
        let foreign = json!({ "profileId": "000000000000000000000000" });
        house.post(&format!("{path}/purchase"), foreign).await.refused(400, "validation_error", "profileId");
        let purchase = house.post(&format!("{path}/purchase"), json!({ "profileId": profile })).await;
        purchase.refused(400, "invalid_request", "");
        house.get(&format!("{path}/available?prefix=212")).await.refused(403, "forbidden", "");
        house.get(&format!("{path}/available?limit=101")).await.refused(400, "validation_error", "limit");
        house.get(&format!("{path}/preverified")).await.refused(400, "validation_error", "profileId");
        let none = json!({ "preVerifiedIds": [], "numbers": [] });
        assert_eq!(house.get(&format!("{path}/preverified?profileId={profile}")).await.good(), &none);
        assert_eq!(house.get(&format!("{path}?status=active&profileId={profile}")).await.good(), &json!({ "numbers": [] }));
        house.get(&format!("{path}?status=paid")).await.refused(400, "validation_error", "status");
        let nobody = format!("{path}/000000000000000000000000");
        for (method, path) in [("GET", nobody.clone()), ("DELETE", nobody.clone()), ("POST", format!("{nobody}/request-code"))] {
            house.with_key(&house.key, method, &path, None).await.refused(404, "not_found", "");
        }
        for (code, status) in [("123456", 404), ("12345", 400), ("12345a", 400)] {
            let reply = house.post(&format!("{nobody}/verify"), json!({ "code": code })).await;
            assert_eq!(reply.status, status, "{}", reply.json);
        }
    }
}
