//! `/user/check`: who is on WhatsApp.

use serde_json::{Value, json};
use web_wire::ask::{Ask, Checked};

use crate::answer::Answer;
use crate::asking::ask;
use crate::call::{Call, Handled};
use crate::errors::Error;

/// Numbers in one question.
const MOST: usize = 1000;

pub(super) async fn check(call: Call) -> Handled {
    let phones = call.body.texts(&["Phone"])?.filter(|phones| !phones.is_empty());
    let phones = phones.ok_or_else(|| Error::bad("missing Phone in Payload"))?;
    if phones.len() > MOST {
        return Err(Error::bad("too many phone numbers in payload"));
    }
    let found: Vec<Checked> = ask(&call, Ask::CheckNumbers { phones }).await?;
    let users: Vec<Value> = found
        .iter()
        .map(|found| {
            json!({
                "IsInWhatsapp": found.exists, "JID": found.address, "Query": found.query,
                "VerifiedName": found.verified_name.clone().unwrap_or_default(),
            })
        })
        .collect();
    Ok(Answer::of(json!({ "Users": users })))
}
