//! Numbers, accounts and people's wishes: what Meta pushes comes in through the provider, and the endpoint gets the
//! documented body.

use bytes::Bytes;
use engine::accounts::{self, NewAccount};
use engine::provider::{Provider, Pushed};
use engine::senders::{CONNECTED, Sender};
use meta_wire::signature;
use serde_json::{Value, json};
use store::{Tx, Work};
use testkit::on_both;

use crate::house::{House, START};

const WABA: &str = "102290129340398";
const NUMBER_ID: &str = "106540352242922";
const NUMBER: &str = "+15550100009";
const SECRET: &str = "app-s3cr3t";

const EVENTS: [&str; 7] = [
    "whatsapp.phone_number.name_updated",
    "whatsapp.phone_number.quality_updated",
    "whatsapp.phone_number.deleted",
    "whatsapp.business_account.reviewed",
    "whatsapp.business_account.updated",
    "whatsapp.business_account.deleted",
    "whatsapp.user.preferences",
];

struct PutSender(Sender);

impl Work for PutSender {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> store::Result<()> {
        store::senders::put(tx, &self.0).await.map(drop)
    }
}

/// An account at Meta with one number, and an endpoint that hears of them.
async fn link(house: &House) {
    let secrets = json!({ "access_token": "t", "app_secret": SECRET, "verify_token": "v" });
    let new = NewAccount {
        organization: house.organization,
        provider: "meta-cloud".into(),
        external_id: WABA.into(),
        name: "Shop".into(),
        config: json!({ "app_id": "1" }).to_string(),
        secrets: secrets.to_string().into(),
    };
    let account = house.engine.perform(accounts::put(&house.engine, new)).await.unwrap();
    let sender = Sender {
        id: house.engine.new_id(),
        organization_id: house.organization,
        account_id: account,
        channel: "whatsapp".into(),
        provider: "meta-cloud".into(),
        external_id: NUMBER_ID.into(),
        address: NUMBER.into(),
        name: None,
        status: CONNECTED.into(),
        status_reason: None,
        config: "{}".into(),
        settings: "{}".into(),
        created_at: START,
        updated_at: START,
    };
    house.engine.db.write(PutSender(sender)).await.unwrap();
    house.endpoint(&EVENTS).await;
}

/// Meta pushes a change; returns what the endpoint was told.
async fn push(house: &House, field: &str, value: Value) -> Vec<Value> {
    let post = json!({ "object": "whatsapp_business_account",
        "entry": [{ "id": WABA, "time": START / 1000, "changes": [{ "field": field, "value": value }] }] });
    let body = Bytes::from(post.to_string());
    let signature = signature::sign(SECRET.as_bytes(), &body);
    let header = |name: &str| Some(signature.clone()).filter(|_| name == signature::HEADER);
    let push = Pushed { account: None, url: "", header: &header, body };
    house.meta.push().unwrap().receive(&house.engine, push).await.unwrap();
    house.told().await
}

/// The one event that was told: its type and payload.
#[track_caller]
fn only(told: Vec<Value>) -> (String, Value) {
    assert_eq!(told.len(), 1, "{told:?}");
    let members = told[0].as_object().unwrap();
    let envelope = ["id", "type", "apiVersion", "createTime"];
    let mut payload = members.iter().filter(|(name, _)| !envelope.contains(&name.as_str()));
    let (name, value) = payload.next().unwrap();
    assert!(payload.next().is_none(), "{told:?}");
    (format!("{} {name}", told[0]["type"].as_str().unwrap()), value.clone())
}

on_both! {
    async fn a_number_is_named_rated_and_removed(house: &mut House) {
        link(house).await;
        let digits = &NUMBER[1..];
        let about = |own: Value| {
            let mut all = json!({ "id": NUMBER_ID, "phoneNumber": NUMBER, "wabaId": WABA });
            all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
            all
        };
        for (field, value, name, own) in [
            (
                "phone_number_name_update",
                json!({ "display_phone_number": digits, "decision": "REJECTED", "requested_verified_name": "Cakes", "rejection_reason": "TAKEN" }),
                "whatsapp.phone_number.name_updated",
                json!({ "displayPhoneNumber": digits, "decision": "REJECTED", "requestedVerifiedName": "Cakes", "rejectionReason": "TAKEN" }),
            ),
            (
                "phone_number_name_update",
                json!({ "display_phone_number": digits, "decision": "APPROVED", "requested_verified_name": "Cake", "rejection_reason": "NONE" }),
                "whatsapp.phone_number.name_updated",
                json!({ "displayPhoneNumber": digits, "decision": "APPROVED", "requestedVerifiedName": "Cake" }),
            ),
            (
                "phone_number_quality_update",
                json!({ "display_phone_number": digits, "event": "FLAGGED", "current_limit": "TIER_1K" }),
                "whatsapp.phone_number.quality_updated",
                json!({ "displayPhoneNumber": digits, "qualityRating": "RED", "messagingLimit": "TIER_1K", "qualityUpdateEvent": "FLAGGED" }),
            ),
            (
                "phone_number_quality_update",
                json!({ "display_phone_number": digits, "event": "UPGRADE", "max_daily_conversations_per_business": 10_000 }),
                "whatsapp.phone_number.quality_updated",
                json!({ "displayPhoneNumber": digits, "messagingLimit": "TIER_10K", "qualityUpdateEvent": "UPGRADE" }),
            ),
            (
                "account_update",
                json!({ "event": "PHONE_NUMBER_REMOVED", "phone_number": digits }),
                "whatsapp.phone_number.deleted",
                json!({}),
            ),
        ] {
            let told = only(push(house, field, value).await);
            assert_eq!(told, (format!("{name} whatsappPhoneNumber"), about(own)));
        }
        let put_off = json!({ "display_phone_number": digits, "decision": "DEFERRED" });
        assert!(push(house, "phone_number_name_update", put_off).await.is_empty());
        let gone = house.engine.sender(&house.organization, NUMBER_ID).await.unwrap().unwrap();
        assert_eq!(gone.status, "disconnected");
    }

    async fn an_account_is_reviewed_restricted_and_deleted(house: &mut House) {
        link(house).await;
        for (field, value, name, own) in [
            ("account_review_update", json!({ "decision": "APPROVED" }), "reviewed", json!({ "decision": "APPROVED" })),
            (
                "account_update",
                json!({ "event": "DISABLED_UPDATE", "ban_info": { "waba_ban_state": ["SCHEDULE_FOR_DISABLE"], "waba_ban_date": "December 9, 2022" } }),
                "updated",
                json!({ "updateEvent": "DISABLED_UPDATE", "banState": "SCHEDULE_FOR_DISABLE", "banDate": "December 9, 2022" }),
            ),
            (
                "account_update",
                json!({ "event": "ACCOUNT_RESTRICTION", "restriction_info": [{ "restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1_670_544_000 }] }),
                "updated",
                json!({ "updateEvent": "ACCOUNT_RESTRICTION", "restrictions": [{ "restrictionType": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": "2022-12-09T00:00:00.000Z" }] }),
            ),
            (
                "account_update",
                json!({ "event": "ACCOUNT_VIOLATION", "violation_info": { "violation_type": "SCAM" } }),
                "updated",
                json!({ "updateEvent": "ACCOUNT_VIOLATION", "violationType": "SCAM" }),
            ),
            (
                "account_update",
                json!({ "event": "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE", "auth_international_rate_eligibility":
                    { "start_time": 1_717_200_000, "exception_countries": [{ "country_code": "IN", "start_time": 1_719_792_000 }] } }),
                "updated",
                json!({ "updateEvent": "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
                    "authIntlRateEligibilityCountries": [{ "countryCode": "IN", "startTime": "2024-07-01T00:00:00.000Z" }] }),
            ),
            (
                "account_update",
                json!({ "event": "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE", "country": "US" }),
                "updated",
                json!({ "updateEvent": "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE", "primaryBusinessLocation": "US" }),
            ),
            ("account_update", json!({ "event": "ACCOUNT_DELETED" }), "deleted", json!({})),
        ] {
            let mut expected = json!({ "id": WABA });
            expected.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
            let told = only(push(house, field, value).await);
            assert_eq!(told, (format!("whatsapp.business_account.{name} whatsappBusinessAccount"), expected));
        }
        for (field, value) in [
            ("account_review_update", json!({ "decision": "DEFERRED" })),
            ("account_update", json!({ "event": "VOLUME_BASED_PRICING_TIER_UPDATE" })),
            ("account_update", json!({ "event": 5 })),
            ("business_capability_update", json!({ "max_phone_numbers_per_waba": 25 })),
        ] {
            assert!(push(house, field, value).await.is_empty(), "{field}");
        }
    }

    async fn each_wish_of_a_customer_is_told_by_itself(house: &mut House) {
        link(house).await;
        let wish = |id: &str, who: &str, value: &str| json!({ id: who, "detail": "said so", "category": "marketing_messages", "value": value, "timestamp": 1_731_705_721 });
        let value = json!({
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": &NUMBER[1..], "phone_number_id": NUMBER_ID },
            "contacts": [{ "profile": { "name": "Ayu" }, "wa_id": "6281234567890" }],
            "user_preferences": [
                wish("wa_id", "6281234567890", "stop"), wish("user_id", "US.1349", "resume"), wish("wa_id", "6281234567890", "ponder")],
        });
        let told = push(house, "user_preferences", value).await;
        let payloads: Vec<_> = told.into_iter().map(|told| only(vec![told])).collect();
        let name = "whatsapp.user.preferences whatsappUserPreference".to_owned();
        let common = |value: &str| json!({ "wabaId": WABA, "businessPhoneNumber": NUMBER, "businessPhoneId": NUMBER_ID,
            "detail": "said so", "category": "marketing_messages", "value": value, "timestamp": "1731705721" });
        let (mut stop, mut resume) = (common("stop"), common("resume"));
        (stop["contactName"], stop["contactPhoneNumber"]) = (json!("Ayu"), json!("+6281234567890"));
        resume["userId"] = json!("US.1349");
        assert_eq!(payloads, [(name.clone(), stop), (name, resume)]);
        let unsubscribed = house.get("/unsubscribers/+6281234567890").await;
        assert_eq!(unsubscribed.good()[0]["channel"], "whatsapp");
    }
}
