//! `GET /accounts`: the numbers of an organization, in one page.

use engine::senders::{CONNECTED, Sender};
use serde::Serialize;

use crate::call::{CHANNEL, Call, Handled};

#[derive(Serialize)]
struct Account {
    object: &'static str,
    phone_number_id: Option<String>,
    phone_number: Option<String>,
    name: Option<String>,
    status: String,
}

fn account(sender: &Sender) -> Account {
    let known = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Account {
        object: "account",
        phone_number_id: known(&sender.external_id),
        phone_number: known(&sender.address),
        name: sender.name.clone(),
        status: sender.status.clone(),
    }
}

/// Only the connected ones, unless all are asked for.
pub(crate) async fn list(call: Call) -> Handled {
    let query = call.query()?;
    let all = query.at().read("status", |at| at.word(&[("connected", false), ("all", true)]))?;
    let senders = call.engine().senders(&call.organization()).await?;
    let wanted = |sender: &&Sender| sender.channel == CHANNEL && (all == Some(true) || sender.status == CONNECTED);
    let accounts: Vec<_> = senders.iter().filter(wanted).map(account).collect();
    Ok(call.whole(&accounts))
}
