//! `/user/contact/info`: everything known of one person, from WhatsApp and from what we keep.

use engine::sessions::CallError;
use serde_json::{Value, json};
use web_wire::ask::{Ask, Business, Checked, Pair, Person, Picture, PictureAsk};
use web_wire::jid::Jid;

use super::{business, info};
use crate::answer::Answer;
use crate::asking::{USUAL, ask, ask_for, told, told_as};
use crate::call::{Call, Handled};
use crate::errors::Error;

pub(super) async fn info(call: Call) -> Handled {
    let text = call.body.needed(&["phone"], "missing phone in payload")?;
    let asked = Jid::of_text(&text).map_err(|_| Error::bad("invalid phone number, JID, or LID"))?;
    if !asked.is_person() {
        return Err(Error::bad("invalid phone number, JID, or LID"));
    }
    let kind = match (asked.is_hidden(), text.contains('@')) {
        (true, _) => "lid",
        (false, true) => "jid",
        (false, false) => "phone",
    };
    let both: Option<Pair> =
        ask_for(&call, Ask::BothAddresses { address: asked.clone() }, USUAL).await.map_err(told)?;
    let jid = match (&both, asked.is_hidden()) {
        (Some(both), true) => both.phone.clone(),
        (None, true) => {
            return Err(Error::not_found(
                "could not resolve LID to phone number. The LID mapping may not be cached locally",
            ));
        }
        (_, false) => asked.bare(),
    };
    let wish = Ask::CheckNumbers { phones: vec![jid.to_string()] };
    let checked: Vec<Checked> =
        ask_for(&call, wish, USUAL).await.map_err(|error| told_as("failed to check WhatsApp registration", error))?;
    let exists = checked.first().is_some_and(|checked| checked.exists);
    let mut all = json!({
        "phone": jid.user, "jid": jid, "input_type": kind, "is_on_whatsapp": exists,
        "verified_name": Value::Null, "lid": both.as_ref().map(|both| &both.hidden), "devices": Value::Null,
        "user_info": Value::Null, "avatar": Value::Null, "contact_names": names(&call, &jid).await?,
        "business_profile": Value::Null,
    });
    if exists {
        more(&call, &jid, &mut all).await?;
    }
    Ok(Answer::of(all))
}

/// What people may hide is left out when they do.
async fn more(call: &Call, jid: &Jid, all: &mut Value) -> Result<(), Error> {
    let people: Vec<Person> = ask(call, Ask::People { addresses: vec![jid.clone()] }).await?;
    if let Some(person) = people.first() {
        all["verified_name"] = json!(person.verified_name);
        all["devices"] = json!(info::devices(person));
        all["user_info"] = json!({
            "status": person.about.clone().unwrap_or_default(),
            "picture_id": person.picture_id.clone().unwrap_or_default(), "verified_name": person.verified_name,
            "is_business_account": person.business, "device_count": person.devices.len(),
        });
    }
    let wish = PictureAsk { address: jid.clone(), ..PictureAsk::default() };
    if let Some(picture) = allowed::<Picture>(ask_for(call, Ask::Picture(wish), USUAL).await)? {
        all["avatar"] = json!({
            "url": picture.url, "id": picture.id, "type": picture.kind, "direct_path": picture.direct_path,
        });
    }
    if let Some(found) = allowed::<Business>(ask_for(call, Ask::Business { address: jid.clone() }, USUAL).await)? {
        let mut shown = business::shown(&found);
        if let Some(shown) = shown.as_object_mut() {
            shown.remove("jid");
        }
        all["business_profile"] = shown;
    }
    Ok(())
}

/// A refusal is as good as nothing.
fn allowed<T>(answer: Result<Option<T>, CallError>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(found),
        Err(CallError::Refused { .. }) => Ok(None),
        Err(error) => Err(told(error)),
    }
}

async fn names(call: &Call, jid: &Jid) -> Result<Value, Error> {
    let (kind, value) = jid.to_neutral();
    let people = call.engine().people(&call.user.sender.id).await?;
    let known = people.iter().find(|person| person.address.kind == kind && person.address.value == value);
    Ok(known.map_or(Value::Null, |known| {
        json!({
            "first_name": known.first_name, "full_name": known.full_name, "push_name": known.push_name,
            "business_name": known.business_name,
        })
    }))
}
