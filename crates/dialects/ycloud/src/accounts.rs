//! `/whatsapp/businessAccounts`: the accounts whose numbers send over WhatsApp's Cloud API.

use std::sync::Arc;

use engine::provider::{Account, Provider};
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::paging::Page;

/// An account with the provider that knows its numbers.
pub(crate) struct Waba {
    pub(crate) account: Arc<Account>,
    pub(crate) provider: Arc<dyn Provider>,
}

/// The caller's accounts that have numbers to show.
pub(crate) async fn all(call: &Call) -> Result<Vec<Waba>, Error> {
    let accounts = call.engine().accounts_in(&call.organization()).await?;
    let known = accounts.into_iter().filter_map(|account| {
        let provider = call.engine().provider(&account.provider)?.clone();
        provider.numbers().is_some().then_some(Waba { account, provider })
    });
    Ok(known.collect())
}

pub(crate) async fn named(call: &Call, waba: &str) -> Result<Waba, Error> {
    let found = all(call).await?.into_iter().find(|known| known.account.external_id == waba);
    found.ok_or_else(|| Error::not_found("WhatsApp business account"))
}

impl Waba {
    async fn shown(&self) -> Result<Value, Error> {
        let numbers = self.provider.numbers().ok_or_else(|| Error::not_found("WhatsApp business account"))?;
        Ok(shape(&numbers.account(&self.account).await?))
    }
}

/// Members as Meta names them, and as they are named here.
const MEMBERS: [(&str, &str); 11] = [
    ("id", "id"),
    ("name", "name"),
    ("currency", "currency"),
    ("message_template_namespace", "messageTemplateNamespace"),
    ("account_review_status", "accountReviewStatus"),
    ("business_verification_status", "businessVerificationStatus"),
    ("country", "country"),
    ("ownership_type", "ownershipType"),
    ("primary_funding_id", "primaryFundingId"),
    ("purchase_order_number", "purchaseOrderNumber"),
    ("timezone_id", "timezoneId"),
];

fn shape(account: &Value) -> Value {
    let mut shown = renamed(account, &MEMBERS);
    shown.insert("paymentMethodAttached".into(), account.get("primary_funding_id").is_some().into());
    Value::Object(shown)
}

/// Takes members over under other names.
pub(crate) fn renamed(from: &Value, names: &[(&str, &str)]) -> Map<String, Value> {
    let given = names.iter().filter_map(|(theirs, ours)| {
        let value = from.get(*theirs).filter(|value| !value.is_null())?;
        Some(((*ours).to_owned(), value.clone()))
    });
    given.collect()
}

pub(crate) async fn list(call: Call) -> Handled {
    let query = call.query()?;
    let page = Page::of(&query)?;
    let words = [("PENDING", "PENDING"), ("APPROVED", "APPROVED"), ("REJECTED", "REJECTED")];
    let wanted = query.at().read("filter.accountReviewStatus", |at| at.word(&words))?;
    let mut shown = Vec::new();
    for waba in all(&call).await? {
        shown.push(waba.shown().await?);
    }
    shown.retain(|waba| wanted.is_none_or(|wanted| waba["accountReviewStatus"] == wanted));
    Ok(Answer::of(&page.cut(shown)))
}

pub(crate) async fn get(call: Call) -> Handled {
    Ok(Answer::of(&named(&call, call.param("id")).await?.shown().await?))
}
