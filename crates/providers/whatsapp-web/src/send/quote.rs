//! A quoted message as a caller gives it.

use serde_json::Value;
use waproto::buffa::Message as _;
use waproto::whatsapp as wa;

/// Reads a protobuf message that stands as JSON with lower-camel names; the error says what cannot be read.
pub(super) fn read(message: &Value) -> Result<wa::Message, String> {
    let bytes = web_wire::proto::write(message, "Message").map_err(|error| format!("the quoted message: {error}"))?;
    wa::Message::decode_from_slice(&bytes).map_err(|_| "the quoted message cannot be read".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_knows_and_refuses_wrong_types() {
        let message = read(&serde_json::json!({ "conversation": "hi" })).unwrap();
        assert_eq!(message.conversation.as_deref(), Some("hi"));
        assert!(read(&serde_json::json!({ "conversation": { "a": 1 } })).is_err());
    }
}
