//! `POST /chat/send/edit`: a new text for a message of ours, not long after it was sent.

use engine::messages::{Direction, Message};
use serde_json::json;
use web_wire::send as wire;

use super::terms::{Terms, needed};
use super::text::LONGEST;
use super::{deliver, wanted};
use crate::answer::Answer;
use crate::body::Body;
use crate::call::{Call, Handled};
use crate::errors::Error;

/// Phones take no edit of what is older, in milliseconds.
const WINDOW: i64 = 15 * 60 * 1000;

pub(super) async fn edit(call: Call) -> Handled {
    wanted(&call).await?;
    let (terms, edited, text) = read(&call.body)?;
    let sender = &call.user.sender;
    let known = call.engine().message_by_provider_id(&sender.organization_id, &sender.id, &edited).await?;
    if let Some(message) = known {
        editable(&message, call.engine().now())?;
    }
    let draft = terms.draft(wire::Body::Edit { id: edited.clone(), text });
    // The edit is a message with an id of its own; `Id` names the edited one.
    deliver(&call, draft.to, draft.outgoing, None).await?;
    Ok(Answer::of(json!({ "Details": "Message edited successfully", "Id": edited })))
}

fn read(body: &Body) -> Result<(Terms, String, String), Error> {
    let terms = Terms::read(body)?;
    let edited = needed(body, &["Id"], 128)?;
    Ok((terms, edited, needed(body, &["Body"], LONGEST)?))
}

/// What we know of a message must not speak against it; what we do not know is for WhatsApp to judge.
fn editable(message: &Message, now: i64) -> Result<(), Error> {
    if message.direction != Direction::Outbound {
        return Err(Error::bad("only messages of this account can be edited"));
    }
    if message.kind != "text" {
        return Err(Error::bad("only text messages can be edited"));
    }
    if now - message.created_at > WINDOW {
        return Err(Error::bad("messages can be edited within 15 minutes of sending"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::send::tests::{body, refused};

    #[test]
    fn names_the_message_and_its_new_text() {
        let given =
            json!({ "phone": "5521971532700", "id": "A1", "body": "new", "ContextInfo": { "MentionAll": true } });
        let (terms, edited, text) = read(&body(given)).unwrap();
        assert_eq!(
            (terms.to.to_string().as_str(), edited.as_str(), text.as_str()),
            ("5521971532700@s.whatsapp.net", "A1", "new")
        );
        for (given, complaint) in [
            (json!({ "Id": "A1", "Body": "x" }), "missing Phone in Payload"),
            (json!({ "Phone": "5521971532700", "Body": "x" }), "missing Id in Payload"),
            (json!({ "Phone": "5521971532700", "Id": "A1", "Body": " " }), "missing Body in Payload"),
        ] {
            assert_eq!(refused(read(&body(given))), complaint);
        }
    }
}
