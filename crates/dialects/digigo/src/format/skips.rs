//! What a user does not want to hear of.

use serde_json::Value;
use web_wire::event::Happening;
use web_wire::jid::{BROADCAST, CHANNEL, GROUP};

use crate::settings::Skips;

/// Files are left out elsewhere; here whole events are.
pub(super) fn leaves_out(skips: &Skips, happening: &Happening) -> bool {
    let (kind, event) = (happening.kind.as_str(), &happening.event);
    if skips.calls && (kind.starts_with("Call") || kind == "MissedCall") {
        return true;
    }
    let chat = chat_of(event);
    let server = chat.rsplit_once('@').map_or("", |(_, server)| server);
    let own = event.pointer("/Info/IsFromMe").and_then(Value::as_bool).unwrap_or(false);
    (skips.groups && server == GROUP)
        || (skips.newsletters && (server == CHANNEL || kind.starts_with("Newsletter")))
        || (skips.broadcasts && server == BROADCAST)
        || (skips.own_messages && kind == "Message" && own)
}

/// The chat that an event is about, wherever its kind names it.
fn chat_of(event: &Value) -> &str {
    let places = ["/Info/Chat", "/Chat", "/JID", "/ChatID"];
    places.iter().find_map(|place| event.pointer(place)?.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn happening(kind: &str, event: Value) -> Happening {
        Happening { kind: kind.into(), event, media: None, extras: serde_json::Map::new() }
    }

    #[test]
    fn each_flag_leaves_out_its_own() {
        let message =
            |chat: &str, own: bool| happening("Message", json!({ "Info": { "Chat": chat, "IsFromMe": own } }));
        let none = Skips::default();
        let table = [
            (Skips { groups: true, ..none }, message("1@g.us", false)),
            (Skips { groups: true, ..none }, happening("GroupInfo", json!({ "JID": "1@g.us" }))),
            (Skips { newsletters: true, ..none }, message("1@newsletter", false)),
            (Skips { newsletters: true, ..none }, happening("NewsletterJoin", json!({}))),
            (Skips { broadcasts: true, ..none }, message("status@broadcast", false)),
            (Skips { own_messages: true, ..none }, message("1@s.whatsapp.net", true)),
            (Skips { calls: true, ..none }, happening("CallOffer", json!({}))),
            (Skips { calls: true, ..none }, happening("MissedCall", json!({}))),
        ];
        for (skips, happening) in table {
            assert!(leaves_out(&skips, &happening), "{skips:?}");
            assert!(!leaves_out(&none, &happening), "{skips:?}");
            assert!(!leaves_out(&skips, &message("1@s.whatsapp.net", false)), "{skips:?}");
        }
    }
}
