//! `w:sync:app:state`: what all devices of an account agree on, as patches that only they can read.

use tracing::debug;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, SERVER_JID};

use super::{Answer, Answered, Refusal};
use crate::faults::Kind;
use crate::number::{Address, Number};
use crate::stanza::{self, Read, bytes, notification, wrap};
use crate::state::World;
use crate::state::app_state::Collection;

/// What WhatsApp keeps such patches to.
const LONGEST_PATCH: usize = 1 << 20;

pub(super) fn answer(world: &mut World, who: &Address, question: &Node) -> Answered {
    let sync = question.get_optional_child("sync").ok_or(Refusal::BAD_REQUEST)?;
    let mut answers = Vec::new();
    for wanted in sync.get_children_by_tag("collection") {
        answers.push(collection(world, who, wanted)?);
    }
    Ok(Answer::node(wrap("sync", answers)))
}

fn collection(world: &mut World, who: &Address, wanted: &Node) -> Result<Node, Refusal> {
    let name = wanted.text("name").ok_or(Refusal::BAD_REQUEST)?;
    let base = wanted.text("version").and_then(|version| version.parse().ok()).unwrap_or(0);
    let patch = wanted.get_optional_child("patch").map(|patch| patch.content().to_vec());
    let builder = NodeBuilder::new("collection").attr("name", name.as_str());
    if let Some(Kind::AppState(code)) = world.take_fault(&who.number, |kind| matches!(kind, Kind::AppState(_))) {
        return Ok(builder.attr("type", "error").children([stanza::error(code, "as told")]).build());
    }
    let account = world.accounts.get_mut(&who.number).ok_or(Refusal::NOT_AUTHORIZED)?;
    let Some(patch) = patch.filter(|patch| !patch.is_empty()) else {
        let collection = account.collection(&name);
        return Ok(builder.attr("version", collection.version()).children(patches(collection, base)).build());
    };
    if patch.len() > LONGEST_PATCH {
        return Err(Refusal::NOT_ACCEPTABLE);
    }
    let collection = account.collection(&name);
    let Ok(versioned) = with_version(&patch, base + 1) else {
        return Ok(builder.attr("type", "error").children([Refusal::BAD_REQUEST.node()]).build());
    };
    match collection.add(base, versioned) {
        Ok(version) => {
            if let Err(error) = account.phone.read_patch(&name, &patch) {
                debug!(name, error = &error as &dyn std::error::Error, "the phone cannot read a patch");
            }
            world.announce_collection(&who.number, &name, Some(who));
            Ok(builder.attr("version", version).build())
        }
        Err(_) => {
            let missed = patches(collection, base);
            let children = std::iter::once(Refusal::CONFLICT.node()).chain(missed);
            Ok(builder.attr("type", "error").attr("version", collection.version()).children(children).build())
        }
    }
}

fn patches(collection: &Collection, base: u64) -> Option<Node> {
    let newer = collection.since(base);
    (!newer.is_empty()).then(|| wrap("patches", newer.iter().map(|patch| bytes("patch", patch.0.clone()))))
}

fn with_version(patch: &[u8], version: u64) -> Result<Vec<u8>, waproto::buffa::DecodeError> {
    use waproto::{codec, whatsapp as wa};
    let mut patch = codec::syncd_patch_decode(patch)?;
    patch.version = wa::SyncdVersion { version: Some(version) }.into();
    Ok(codec::syncd_patch_to_vec(&patch))
}

impl World {
    /// Tells an account's devices, but not the one that did it, that a collection has a new version.
    pub(crate) fn announce_collection(&mut self, number: &Number, name: &str, by: Option<&Address>) {
        let (id, now_s) = (self.fresh_id(), self.now_s());
        let Some(account) = self.accounts.get_mut(number) else { return };
        let version = account.collection(name).version();
        let child = NodeBuilder::new("collection").attr("name", name).attr("version", version).build();
        let notification = notification("server_sync", &id, SERVER_JID, now_s, child).build();
        self.deliver_to_all(number, by, &notification);
    }
}
