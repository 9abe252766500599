//! The crate `late` 0.0.51, written by others, calls every operation it has. Its answers are typed: what it cannot read
//! fails the story.

use std::collections::HashMap;

use engine::clock::rfc3339;
use late::apis::configuration::Configuration;
use late::apis::{Error, whats_app_api as api, whats_app_phone_numbers_api as numbers};
use late::models::{self, bulk_update_whats_app_contacts_request as bulk};
use serde_json::json;
use testkit::on_both;

use crate::house::{CUSTOMER, House};

async fn connected(house: &House, root: &str) -> (Configuration, tokio::task::JoinHandle<()>) {
    let (url, serving) = house.serve().await;
    let base_path = format!("{url}{root}");
    (Configuration { base_path, bearer_access_token: Some(house.key.clone()), ..Configuration::default() }, serving)
}

/// The status of an answer that must be a refusal.
#[track_caller]
fn refused<T: std::fmt::Debug, E>(answer: Result<T, Error<E>>) -> (u16, String) {
    let Err(Error::ResponseError(refusal)) = answer else { panic!("it was not refused") };
    let body: serde_json::Value = serde_json::from_str(&refusal.content).unwrap();
    (refusal.status.as_u16(), body["error"].as_str().unwrap().to_owned())
}

fn template() -> models::SendWhatsAppBulkRequestTemplate {
    models::SendWhatsAppBulkRequestTemplate::new("welcome".into(), "en".into())
}

on_both! {
    async fn people_and_groups_are_kept(house: &mut House) {
        let (client, serving) = connected(house, "/api").await;
        let account = house.account.clone();
        let new = models::CreateWhatsAppContactRequest {
            email: Some("ayu@example.com".into()),
            groups: Some(vec!["VIP".into()]),
            custom_fields: Some(HashMap::from([("size".into(), "M".into())])),
            ..models::CreateWhatsAppContactRequest::new(account.clone(), CUSTOMER.into(), "Ayu".into())
        };
        let id = api::create_whats_app_contact(&client, new.clone()).await.unwrap().contact.unwrap().id.unwrap();
        assert_eq!(refused(api::create_whats_app_contact(&client, new).await).0, 409);
        let shown = api::get_whats_app_contact(&client, &id).await.unwrap().contact.unwrap();
        assert_eq!((shown.phone.as_deref(), shown.is_opted_in, shown.groups), (Some(CUSTOMER), Some(true), Some(vec!["VIP".into()])));
        let change = models::UpdateWhatsAppContactRequest { name: Some("Ayu L.".into()), ..Default::default() };
        assert_eq!(api::update_whats_app_contact(&client, &id, change).await.unwrap().contact.unwrap().name.unwrap(), "Ayu L.");
        let row = |phone: &str| models::ImportWhatsAppContactsRequestContactsInner::new(phone.into(), "x".into());
        let rows = models::ImportWhatsAppContactsRequest::new(account.clone(), vec![row("+14155550001"), row(CUSTOMER), row("no")]);
        let summary = api::import_whats_app_contacts(&client, rows).await.unwrap().summary.unwrap();
        assert_eq!((summary.created, summary.skipped, summary.failed), (Some(1), Some(1), Some(1)));
        let listed = api::get_whats_app_contacts(&client, &account, Some("Ayu"), None, Some("VIP"), Some("true"), Some(10), Some(0)).await.unwrap();
        assert_eq!((listed.contacts.unwrap().len(), listed.pagination.unwrap().total), (1, Some(1)));
        let wish = models::BulkUpdateWhatsAppContactsRequest {
            tags: Some(vec!["t".into()]),
            ..models::BulkUpdateWhatsAppContactsRequest::new(bulk::Action::AddTags, vec![id.clone()])
        };
        assert_eq!(api::bulk_update_whats_app_contacts(&client, wish).await.unwrap().modified, Some(1));
        let groups = api::get_whats_app_groups(&client, &account).await.unwrap().groups.unwrap();
        assert_eq!(groups[0].name.as_deref(), Some("VIP"));
        let rename = models::RenameWhatsAppGroupRequest::new(account.clone(), "VIP".into(), "Best".into());
        assert_eq!(api::rename_whats_app_group(&client, rename).await.unwrap().modified, Some(1));
        let delete = models::DeleteWhatsAppGroupRequest::new(account.clone(), "Best".into());
        assert_eq!(api::delete_whats_app_group(&client, delete).await.unwrap().modified, Some(1));
        api::delete_whats_app_contact(&client, &id).await.unwrap();
        assert_eq!(refused(api::get_whats_app_contact(&client, &id).await), (404, "Not found".into()));
        let rest = api::get_whats_app_contacts(&client, &account, None, None, None, None, None, None).await.unwrap().contacts.unwrap();
        let ids = rest.into_iter().map(|it| it.id.unwrap()).collect();
        let gone = api::bulk_delete_whats_app_contacts(&client, models::BulkDeleteWhatsAppContactsRequest::new(ids)).await;
        assert_eq!(gone.unwrap().deleted, Some(1));
        serving.abort();
    }

    async fn messages_are_sent(house: &mut House) {
        let (client, serving) = connected(house, "").await;
        let account = house.account.clone();
        let recipient = models::SendWhatsAppBulkRequestRecipientsInner {
            variables: Some(HashMap::from([("1".into(), "Ayu".into())])),
            ..models::SendWhatsAppBulkRequestRecipientsInner::new(CUSTOMER.into())
        };
        let wish = models::SendWhatsAppBulkRequest::new(account.clone(), vec![recipient], template());
        let answer = house.worked(api::send_whats_app_bulk(&client, wish)).await.unwrap();
        assert_eq!((answer.summary.unwrap().sent, answer.results.unwrap()[0].success), (Some(1), Some(true)));

        let draft = models::CreateWhatsAppBroadcastRequest {
            description: Some("d".into()),
            ..models::CreateWhatsAppBroadcastRequest::new(account.clone(), "Spring".into(), template())
        };
        let made = api::create_whats_app_broadcast(&client, draft).await.unwrap().broadcast.unwrap();
        let id = made.id.unwrap();
        let person = |phone: &str| models::AddWhatsAppBroadcastRecipientsRequestRecipientsInner::new(phone.into());
        let more = models::AddWhatsAppBroadcastRecipientsRequest::new(vec![person(CUSTOMER), person("+14155550001"), person("+14155550002")]);
        assert_eq!(api::add_whats_app_broadcast_recipients(&client, &id, more).await.unwrap().added, Some(3));
        let fewer = models::RemoveWhatsAppBroadcastRecipientsRequest::new(vec!["+14155550002".into()]);
        assert_eq!(api::remove_whats_app_broadcast_recipients(&client, &id, fewer).await.unwrap().removed, Some(1));
        let at = models::ScheduleWhatsAppBroadcastRequest::new(rfc3339(house.clock.now() + 60_000));
        api::schedule_whats_app_broadcast(&client, &id, at).await.unwrap();
        assert_eq!(refused(api::delete_whats_app_broadcast(&client, &id).await).0, 400);
        api::cancel_whats_app_broadcast_schedule(&client, &id).await.unwrap();
        let sent = house.worked(api::send_whats_app_broadcast(&client, &id)).await.unwrap();
        assert_eq!((sent.sent, sent.failed, sent.total), (Some(2), Some(0), Some(2)));
        let shown = api::get_whats_app_broadcast(&client, &id).await.unwrap().broadcast.unwrap();
        assert_eq!((shown.recipient_count, shown.sent_count), (Some(2), Some(2)));
        let list = api::get_whats_app_broadcasts(&client, &account, Some("completed"), None, None).await.unwrap();
        assert_eq!(list.broadcasts.unwrap().len(), 1);
        let recipients = api::get_whats_app_broadcast_recipients(&client, &id, Some("sent"), Some(1), None).await.unwrap();
        assert_eq!((recipients.recipients.unwrap().len(), recipients.summary.unwrap().sent), (1, Some(2)));
        let second = models::CreateWhatsAppBroadcastRequest::new(account, "Summer".into(), template());
        let second = api::create_whats_app_broadcast(&client, second).await.unwrap().broadcast.unwrap().id.unwrap();
        api::delete_whats_app_broadcast(&client, &second).await.unwrap();
        serving.abort();
    }

    async fn templates_profile_and_numbers_answer(house: &mut House) {
        let (client, serving) = connected(house, "/api").await;
        let account = house.account.clone();
        let component = |text: &str| vec![json!({ "type": "BODY", "text": text })];
        let category = models::create_whats_app_template_request::Category::Utility;
        let new = models::CreateWhatsAppTemplateRequest::new(account.clone(), "fresh".into(), category, "en".into(), component("Hi"));
        api::create_whats_app_template(&client, new).await.unwrap();
        let change = models::UpdateWhatsAppTemplateRequest::new(account.clone(), component("Bye"));
        api::update_whats_app_template(&client, "fresh", change).await.unwrap();
        api::get_whats_app_template(&client, "fresh", &account).await.unwrap();
        assert_eq!(api::get_whats_app_templates(&client, &account).await.unwrap().templates.unwrap().len(), 4);
        api::delete_whats_app_template(&client, "fresh", &account).await.unwrap();
        let about = models::UpdateWhatsAppBusinessProfileRequest {
            about: Some("Tea".into()),
            ..models::UpdateWhatsAppBusinessProfileRequest::new(account.clone())
        };
        api::update_whats_app_business_profile(&client, about).await.unwrap();
        let profile = api::get_whats_app_business_profile(&client, &account).await.unwrap().business_profile.unwrap();
        assert_eq!(profile.about.as_deref(), Some("Tea"));

        let (mine, nobody) = (house.organization.hex24(), "000000000000000000000000");
        assert!(numbers::get_whats_app_phone_numbers(&client, Some("active"), Some(&mine)).await.unwrap().numbers.unwrap().is_empty());
        numbers::get_preverified_whats_app_numbers(&client, &mine).await.unwrap();
        let purchase = models::PurchaseWhatsAppPhoneNumberRequest::new(mine);
        assert_eq!(refused(numbers::purchase_whats_app_phone_number(&client, purchase).await).0, 400);
        assert_eq!(refused(numbers::search_available_whats_app_numbers(&client, Some("212"), None, None, Some(5)).await).0, 403);
        assert_eq!(refused(numbers::get_whats_app_phone_number(&client, nobody).await).0, 404);
        assert_eq!(refused(numbers::release_whats_app_phone_number(&client, nobody).await).0, 404);
        // It says nothing as `null`.
        assert_eq!(refused(numbers::request_whats_app_verification_code(&client, nobody, None).await).0, 404);
        let code = models::VerifyWhatsAppPhoneNumberRequest::new("123456".into());
        assert_eq!(refused(numbers::verify_whats_app_phone_number(&client, nobody, code).await).0, 404);
        let stranger = Configuration { bearer_access_token: Some("sk_other".into()), ..client };
        assert_eq!(refused(api::get_whats_app_groups(&stranger, &account).await), (401, "Unauthorized".into()));
        serving.abort();
    }
}
