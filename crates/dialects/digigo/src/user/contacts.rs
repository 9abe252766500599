//! The owner's address book.

use serde_json::{Map, Value, json};
use web_wire::ask::Ask;
use web_wire::jid::Jid;

use crate::answer::Answer;
use crate::asking::{USUAL, ask_for, told_as};
use crate::call::{Call, Handled};
use crate::errors::Error;

fn phone(call: &Call) -> Result<(String, Jid), Error> {
    let phone = call.body.needed(&["phone"], "phone number cannot be empty")?;
    let jid = Jid::of_text(&phone).ok().filter(Jid::is_person);
    Ok((phone, jid.ok_or_else(|| Error::bad("could not parse phone number"))?))
}

pub(super) async fn add(call: Call) -> Handled {
    let (phone, address) = phone(&call)?;
    let full_name = call.body.needed(&["full_name"], "full name cannot be empty")?;
    let wish = Ask::SaveContact { address, full_name: full_name.clone() };
    let done: Result<Value, _> = ask_for(&call, wish, USUAL).await;
    done.map_err(|error| told_as("failed to add contact", error))?;
    Ok(Answer::of(json!({
        "success": true, "message": "Contact added successfully", "phone": phone, "full_name": full_name,
    })))
}

pub(super) async fn remove(call: Call) -> Handled {
    let (phone, address) = phone(&call)?;
    let done: Result<Value, _> = ask_for(&call, Ask::RemoveContact { address }, USUAL).await;
    done.map_err(|error| told_as("failed to remove contact", error))?;
    Ok(Answer::of(json!({ "success": true, "message": "Contact removed successfully", "phone": phone })))
}

/// From what we know; nothing is asked of WhatsApp.
pub(super) async fn list(call: Call) -> Handled {
    let people = call.engine().people(&call.user.sender.id).await?;
    let shown = people.iter().filter_map(|person| {
        let jid = Jid::of_neutral(&person.address.kind, &person.address.value).ok()?;
        let names = json!({
            "BusinessName": person.business_name, "FirstName": person.first_name, "Found": true,
            "FullName": person.full_name, "PushName": person.push_name,
        });
        Some((jid.to_string(), names))
    });
    Ok(Answer::of(Value::Object(shown.collect::<Map<_, _>>())))
}
