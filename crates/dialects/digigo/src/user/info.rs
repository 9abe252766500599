//! `/user/info`: what people show of themselves, and the devices they use.

use serde_json::{Map, Value, json};
use web_wire::ask::{Ask, Person};
use web_wire::jid::Jid;

use crate::answer::Answer;
use crate::asking::ask;
use crate::call::{Call, Handled};
use crate::errors::Error;

const MISSING: &str = "missing phone numbers in payload. Use 'Phone' or 'phone' field";
const MOST: usize = 1000;

pub(super) async fn info(call: Call) -> Handled {
    let phones = call.body.texts(&["Phone"])?.filter(|phones| !phones.is_empty());
    let phones = phones.ok_or_else(|| Error::bad(MISSING))?;
    if phones.len() > MOST {
        return Err(Error::bad("too many phone numbers in payload"));
    }
    let addresses = phones.iter().map(|phone| Jid::of_text(phone)).collect::<Result<Vec<_>, _>>();
    let addresses = addresses.map_err(|_| Error::bad("could not parse phone number"))?;
    let people: Vec<Person> = ask(&call, Ask::People { addresses }).await?;
    let users: Map<String, Value> = people.iter().map(|person| (person.address.to_string(), shown(person))).collect();
    Ok(Answer::of(json!({ "users": users })))
}

fn shown(person: &Person) -> Value {
    let mut all = json!({
        "jid": person.address, "status": person.about.clone().unwrap_or_default(),
        "picture_id": person.picture_id.clone().unwrap_or_default(), "is_business_account": person.business,
        "device_count": person.devices.len(), "devices": devices(person),
    });
    if let Some(first) = person.devices.first() {
        all["first_device"] = json!(first);
    }
    if let Some(name) = &person.verified_name {
        all["verified_name"] = json!(name);
        all["business_name"] = json!(name);
    }
    if let Some(hidden) = &person.hidden {
        all["lid"] = json!(hidden);
    }
    all
}

/// What other people's devices are is not published: only the number of the main one says something.
pub(super) fn devices(person: &Person) -> Vec<Value> {
    let shown = |device: &Jid| {
        let ad = format!("{}.{}:{}@{}", device.user, device.agent, device.device, device.server);
        json!({
            "user": device.user, "agent": device.agent.to_string(), "device": "UNKNOWN", "server": device.server,
            "ad": ad, "jid": device,
        })
    };
    person.devices.iter().map(shown).collect()
}
