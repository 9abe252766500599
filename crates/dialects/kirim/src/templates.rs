//! `/{phone_number_id}/templates`: what WhatsApp has approved for a number's account, as far as we know.

use engine::Id;
use engine::clock::rfc3339;
use engine::senders::Sender;
use engine::templates::{APPROVED, Filter, Template};
use serde::Serialize;
use serde_json::Value;

use crate::call::{Call, Handled};
use crate::contacts::WhatsappAccount;
use crate::errors::{Code, Error};
use crate::ids::Noun;
use crate::paging::Page;

/// What waits for a decision.
const PENDING: [&str; 2] = ["PENDING", "IN_APPEAL"];
/// What cannot be used, for whatever reason.
const REJECTED: [&str; 7] =
    ["REJECTED", "PAUSED", "DISABLED", "PENDING_DELETION", "DELETED", "LIMIT_EXCEEDED", "ARCHIVED"];

#[derive(Serialize)]
struct Shown {
    id: String,
    object: &'static str,
    name: String,
    language: String,
    status: &'static str,
    content: String,
    variables: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Value>,
    whatsapp_account: WhatsappAccount,
    provider_template_id: Option<String>,
    created_at: String,
    updated_at: String,
}

fn shown(template: &Template, sender: &Sender) -> Shown {
    Shown {
        id: Noun::Template.spell(&template.id),
        object: "template",
        name: template.name.clone(),
        language: template.language.clone(),
        status: status(&template.status),
        content: template.body.clone(),
        variables: serde_json::from_str(&template.variables).unwrap_or_default(),
        components: serde_json::from_str(&template.components).ok(),
        whatsapp_account: WhatsappAccount::of(Some(sender)),
        provider_template_id: template.external_id.clone(),
        created_at: rfc3339(template.created_at),
        updated_at: rfc3339(template.updated_at),
    }
}

fn status(status: &str) -> &'static str {
    match status {
        APPROVED => "approved",
        _ if PENDING.contains(&status) => "pending",
        _ => "rejected",
    }
}

/// Only the approved ones, unless others are asked for.
pub(crate) async fn list(call: Call) -> Handled {
    let sender = call.sender().await?;
    let query = call.query()?;
    let page: Page<Id> = call.page(&query)?;
    let words: [(&str, &[&str]); 4] =
        [("approved", &[APPROVED]), ("pending", &PENDING), ("rejected", &REJECTED), ("all", &[])];
    let statuses = query.at().read("status", |at| at.word(&words))?.unwrap_or(&[APPROVED]);
    let language = query.at().read("language", |at| at.string(2..=15))?;
    let statuses = statuses.iter().map(|status| (*status).to_owned()).collect();
    let filter = Filter { statuses, name: None, language, before: page.after };
    let rows = call.engine().templates(&call.organization(), &sender.account_id, &filter, page.rows()).await?;
    Ok(call.paged(&page, rows, |template| template.id, |template| shown(template, &sender)))
}

/// One language of a template: the one asked for, or the newest approved one, or the newest.
pub(crate) async fn get(call: Call) -> Handled {
    let sender = call.sender().await?;
    let name = call.param("name").to_owned();
    if !(1..=512).contains(&name.chars().count()) || name.contains('\0') {
        return Err(Error::new(Code::InvalidFieldValue, "name must have 1 to 512 characters").at("name"));
    }
    let language = call.query()?.at().read("language", |at| at.string(2..=15))?;
    let filter = Filter { statuses: Vec::new(), name: Some(name), language, before: None };
    let rows = call.engine().templates(&call.organization(), &sender.account_id, &filter, 100).await?;
    let found = rows.iter().find(|template| template.status == APPROVED).or(rows.first());
    Ok(call.one(&shown(found.ok_or_else(|| Noun::Template.not_found())?, &sender)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_words_stand_for_all_of_them() {
        assert_eq!(status("APPROVED"), "approved");
        assert!(PENDING.iter().all(|word| status(word) == "pending"));
        assert!(REJECTED.iter().chain(&["SOMETHING_NEW"]).all(|word| status(word) == "rejected"));
    }
}
