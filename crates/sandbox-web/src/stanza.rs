//! Reading and making the nodes that travel on a socket.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, NodeContent, NodeValue, SERVER_JID};

/// Reading without ceremony: what is absent is `None` or empty, and addresses may come as text or as tokens.
pub(crate) trait Read {
    fn text(&self, key: &str) -> Option<String>;
    fn jid(&self, key: &str) -> Option<Jid>;
    fn says(&self, key: &str, value: &str) -> bool;
    fn nodes(&self) -> &[Node];
    fn content(&self) -> &[u8];
    /// The content of a child, empty if there is none.
    fn content_of(&self, child: &str) -> &[u8];
}

impl Read for Node {
    fn text(&self, key: &str) -> Option<String> {
        self.attrs.get(key).map(|value| value.as_str().into_owned())
    }

    fn jid(&self, key: &str) -> Option<Jid> {
        self.attrs.get(key).and_then(NodeValue::to_jid)
    }

    fn says(&self, key: &str, value: &str) -> bool {
        self.attrs.get(key).is_some_and(|found| *found == *value)
    }

    fn nodes(&self) -> &[Node] {
        self.children().unwrap_or_default()
    }

    fn content(&self) -> &[u8] {
        match &self.content {
            Some(NodeContent::Bytes(bytes)) => bytes,
            Some(NodeContent::String(text)) => text.as_bytes(),
            _ => &[],
        }
    }

    fn content_of(&self, child: &str) -> &[u8] {
        self.get_optional_child(child).map_or(&[], Read::content)
    }
}

/// `<tag/>`.
pub(crate) fn empty(tag: &'static str) -> Node {
    NodeBuilder::new(tag).build()
}

/// `<tag>bytes</tag>`.
pub(crate) fn bytes(tag: &'static str, content: impl Into<Vec<u8>>) -> Node {
    NodeBuilder::new(tag).bytes(content).build()
}

/// `<tag>..</tag>`.
pub(crate) fn wrap(tag: &'static str, children: impl IntoIterator<Item = Node>) -> Node {
    NodeBuilder::new(tag).children(children).build()
}

/// `<error code text/>`.
pub(crate) fn error(code: u16, text: &str) -> Node {
    NodeBuilder::new("error").attr("code", code).attr("text", text).build()
}

/// A question of the server's own: `<iq type="set" xmlns id from>`.
pub(crate) fn server_set(namespace: &'static str, id: &str, child: Node) -> Node {
    NodeBuilder::new("iq")
        .attr("from", SERVER_JID)
        .attr("type", "set")
        .attr("id", id)
        .attr("xmlns", namespace)
        .children([child])
        .build()
}

/// `<notification type id from t>`.
pub(crate) fn notification(
    kind: &'static str,
    id: &str,
    from: impl Into<NodeValue>,
    now_s: i64,
    child: Node,
) -> NodeBuilder {
    NodeBuilder::new("notification")
        .attr("from", from)
        .attr("type", kind)
        .attr("id", id)
        .attr("t", now_s)
        .children([child])
}

/// A whole number in big-endian bytes of any length up to four; prekey ids come in three.
pub(crate) fn big_endian(bytes: &[u8]) -> Option<u32> {
    (1..=4).contains(&bytes.len()).then(|| bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_empty_and_addresses_come_in_two_forms() {
        let node = NodeBuilder::new("to")
            .attr("jid", Jid::pn_device("15550100001", 33))
            .attr("text", "15550100001:33@s.whatsapp.net")
            .children([bytes("id", [0, 1, 2])])
            .build();
        assert_eq!(node.jid("jid"), node.jid("text"));
        assert!(node.jid("none").is_none() && node.text("none").is_none());
        assert!(node.says("jid", "15550100001:33@s.whatsapp.net") && !node.says("none", ""));
        assert_eq!(big_endian(node.content_of("id")), Some(258));
        assert_eq!(node.content_of("value"), b"");
        assert_eq!((big_endian(b""), big_endian(&[0; 5])), (None, None));
    }
}
