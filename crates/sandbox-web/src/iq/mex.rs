//! `w:mex`: questions in GraphQL, by the number of a stored query. Of the many that there are, those are answered that a plain
//! client asks by itself; others get the error WhatsApp gives for what does not exist.

use serde_json::{Value, json};
use wacore::iq::mex_operations::{
    fetch_all_newsletters_metadata, fetch_new_chat_message_capping_info, fetch_reachout_timelock, update_group_property,
};
use wacore_binary::{Jid, Node};

use super::{Answer, Answered, Refusal};
use crate::number::Address;
use crate::stanza::{Read, bytes};
use crate::state::World;

/// Clients stop here, too.
const LONGEST: usize = 1 << 20;

pub(super) fn answer(world: &mut World, who: &Address, question: &Node) -> Answered {
    let query = question.get_optional_child("query").ok_or(Refusal::BAD_REQUEST)?;
    let id = query.text("query_id").ok_or(Refusal::BAD_REQUEST)?;
    let given = Some(query.content()).filter(|given| given.len() <= LONGEST).ok_or(Refusal::BAD_REQUEST)?;
    let given: Value = serde_json::from_slice(given).map_err(|_| Refusal::BAD_REQUEST)?;
    let told = match data(world, who, &id, &given["variables"]) {
        Ok(data) => json!({ "data": data }),
        Err(refusal) => {
            world.counters.unknown_questions += u64::from(refusal == Refusal::NOT_IMPLEMENTED);
            failure(&refusal)
        }
    };
    Ok(Answer::node(bytes("result", told.to_string())))
}

fn data(world: &World, who: &Address, id: &str, variables: &Value) -> Result<Value, Refusal> {
    match id {
        fetch_all_newsletters_metadata::DOC_ID => Ok(json!({ "xwa2_newsletter_subscribed": [] })),
        fetch_reachout_timelock::DOC_ID => {
            Ok(json!({ "xwa2_fetch_account_reachout_timelock": { "is_active": false, "time_enforcement_ends": "0" } }))
        }
        fetch_new_chat_message_capping_info::DOC_ID => {
            Ok(json!({ "xwa2_message_capping_info": { "capping_status": "NONE" } }))
        }
        update_group_property::DOC_ID => group_property(world, who, variables),
        _ => Err(Refusal::NOT_IMPLEMENTED),
    }
}

/// Properties that nobody here looks at are taken from whoever may set them.
fn group_property(world: &World, who: &Address, variables: &Value) -> Result<Value, Refusal> {
    let jid: Jid = variables["group_id"].as_str().and_then(|id| id.parse().ok()).ok_or(Refusal::BAD_REQUEST)?;
    let group = world.groups.get(&jid).ok_or(Refusal::NOT_FOUND)?;
    if !group.is_admin(&who.number) {
        return Err(Refusal::FORBIDDEN);
    }
    Ok(json!({ "xwa2_group_update_property": { "state": "ACTIVE" } }))
}

fn failure(refusal: &Refusal) -> Value {
    let extensions = json!({ "error_code": refusal.code, "is_retryable": false, "severity": "CRITICAL" });
    json!({ "data": null, "errors": [{ "message": refusal.text, "extensions": extensions }] })
}
