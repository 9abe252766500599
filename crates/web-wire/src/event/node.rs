use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

/// A binary node of WhatsApp's wire, as whatsmeow prints it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Node {
    pub tag: String,
    pub attrs: BTreeMap<String, String>,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Content {
    #[default]
    Empty,
    Nodes(Vec<Node>),
    Bytes(Vec<u8>),
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_none(),
            Self::Nodes(nodes) => nodes.serialize(serializer),
            Self::Bytes(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
        }
    }
}
