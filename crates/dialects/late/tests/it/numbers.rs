//! Numbers without a carrier to buy them from: every operation says so, and nothing is left behind.

use serde_json::json;
use testkit::on_both;

use crate::house::House;

on_both! {
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
