//! What nobody has here: channels, bots, catalogues, orders. Clients ask all the same, and are told that there is none.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use super::{Answer, Answered, Refusal};
use crate::stanza::{self, Read};

/// `bot`: the list of those one can talk to.
pub(super) fn bots(question: &Node) -> Answered {
    let asked = question.get_optional_child("bot").ok_or(Refusal::BAD_REQUEST)?;
    Ok(Answer::node(NodeBuilder::new("bot").attr("v", asked.text("v").unwrap_or_else(|| "2".into())).build()))
}

/// `w:biz:catalog`: goods, and their collections.
pub(super) fn goods(question: &Node) -> Answered {
    let asked = question.nodes().first().ok_or(Refusal::BAD_REQUEST)?;
    match (&*asked.tag, question.says("type", "get")) {
        ("product_catalog", true) => Ok(Answer::node(stanza::empty("product_catalog"))),
        ("collections", true) => Ok(Answer::node(stanza::empty("collections"))),
        (_, true) => Err(Refusal::NOT_FOUND),
        (_, false) => Err(Refusal::FORBIDDEN),
    }
}

/// `spam`: taken down by nobody.
pub(super) fn report(question: &Node) -> Answered {
    let id = question.text("id").unwrap_or_default();
    Ok(Answer::node(NodeBuilder::new("report_id").string_content(id).build()))
}
