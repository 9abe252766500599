//! Labels on contacts and conversations: on, off, and on or off many contacts at once.

use api::intake::Object;
use engine::Id;
use engine::labels::{Stick, StickMany, Stuck, Target};
use serde_json::{Value, json};

use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::ids::{Noun, nobody};

pub(crate) async fn to_contact(call: Call) -> Handled {
    attach(&call, Target::Contact).await
}

pub(crate) async fn off_contact(call: Call) -> Handled {
    detach(&call, Target::Contact).await
}

pub(crate) async fn to_conversation(call: Call) -> Handled {
    attach(&call, Target::Conversation).await
}

pub(crate) async fn off_conversation(call: Call) -> Handled {
    detach(&call, Target::Conversation).await
}

async fn attach(call: &Call, target: Target) -> Handled {
    let body = call.body()?;
    let label = label_id(&body)?;
    let wish = stick(call, target, label, true).await?;
    let shape = stuck(target, &wish.id, &label, true);
    call.commit(wish, move |()| shape.clone()).await
}

async fn detach(call: &Call, target: Target) -> Handled {
    let label = call.id(Noun::Label, "label_id")?;
    let wish = stick(call, target, label, false).await?;
    let shape = stuck(target, &wish.id, &label, false);
    call.perform(wish).await?;
    Ok(call.one(&shape))
}

fn noun(target: Target) -> Noun {
    match target {
        Target::Contact => Noun::Contact,
        Target::Conversation => Noun::Conversation,
    }
}

async fn stick(call: &Call, target: Target, label: Id, attach: bool) -> Result<Stick, Error> {
    let id = call.id(noun(target), "id")?;
    let sender = call.connected_sender().await?.id;
    Ok(Stick { engine: call.engine().clone(), organization: call.organization(), sender, target, id, label, attach })
}

fn stuck(target: Target, id: &Id, label: &Id, attached: bool) -> Value {
    let id = noun(target).spell(id);
    let label = Noun::Label.spell(label);
    match target {
        Target::Contact => json!({ "contact_id": id, "label_id": label, "attached": attached }),
        Target::Conversation => {
            json!({ "conversation_id": id, "label_id": label, "attached": attached })
        }
    }
}

fn label_id(body: &Object) -> Result<Id, Error> {
    let at = body.at().need("label_id")?;
    Noun::Label.parse(at.text(0..=64)?, "label_id")
}

/// In one transaction. Contacts that are not the caller's are passed over and counted.
pub(crate) async fn bulk(call: Call) -> Handled {
    let body = call.body()?;
    let mut contacts = Vec::new();
    for (index, at) in body.at().need("contact_ids")?.items(1..=1000)?.into_iter().enumerate() {
        let id = Noun::Contact.parse_or_none(at.text(0..=64)?, &format!("contact_ids[{index}]"))?;
        contacts.push(id.unwrap_or_else(nobody));
    }
    let label = label_id(&body)?;
    let attach = body.at().need("operation")?.word(&[("attach", true), ("detach", false)])?;
    let (engine, organization) = (call.engine().clone(), call.organization());
    let sender = call.connected_sender().await?.id;
    call.commit(StickMany { engine, organization, sender, contacts, label, attach }, shown).await
}

fn shown(stuck: &Stuck) -> Value {
    json!({ "applied": stuck.applied, "skipped_cross_org": stuck.foreign, "skipped_team_mismatch": 0 })
}
