//! `/chat/list`: how the owner has his chats, from what we know; nothing is asked of WhatsApp.

use serde_json::{Value, json};
use web_wire::jid::Jid;

use crate::answer::Answer;
use crate::call::{Call, Handled};

pub(super) async fn list(call: Call) -> Handled {
    let chats = call.engine().chats(&call.user.sender.id).await?;
    let now = call.engine().now();
    let shown: Vec<Value> = chats
        .iter()
        .map(|chat| {
            let jid = Jid::of_neutral(&chat.address.kind, &chat.address.value).unwrap_or_default();
            let muted = chat.muted_until.filter(|until| *until > now);
            json!({
                "chat_jid": jid, "phone_number": jid.user, "muted_until": muted.map_or(0, |until| until / 1000),
                "pinned": chat.pinned, "archived": chat.archived,
            })
        })
        .collect();
    let count = |of: fn(&engine::chats::Chat) -> bool| chats.iter().filter(|chat| of(chat)).count();
    let muted = chats.iter().filter(|chat| chat.muted_until.is_some_and(|until| until > now)).count();
    Ok(Answer::of(json!({
        "success": true, "chats": shown,
        "stats": {
            "total": chats.len(), "pinned_count": count(|chat| chat.pinned),
            "archived_count": count(|chat| chat.archived), "muted_count": muted,
        },
    })))
}
