//! `encrypt`: the public keys with which sessions are started.

use wacore::iq::prekeys::{OneTimePreKeyNode, SignedPreKeyNode};
use wacore::prekeys::compute_key_bundle_digest;
use wacore::protocol::ProtocolNode;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, SERVER_JID};

use super::{Answer, Answered, Refusal, Then};
use crate::number::Address;
use crate::stanza::{Read, big_endian, bytes, notification, wrap};
use crate::state::World;
use crate::state::devices::Companion;
use crate::state::keys::{Bundle, Key, Signed, Uploaded};

/// One-time keys at which a device is asked for more.
const FEW: usize = 5;

pub(super) fn answer(world: &mut World, who: &Address, question: &Node) -> Answered {
    if question.says("type", "set") {
        if let Some(rotation) = question.get_optional_child("rotate") {
            return rotate(world, who, rotation);
        }
        return upload(world, who, question);
    }
    match question.nodes().first() {
        Some(child) if child.tag == "count" => count(world, who),
        Some(child) if child.tag == "digest" => digest(world, who),
        Some(child) if child.tag == "key" => Ok(bundles(world, child)),
        _ => Err(Refusal::BAD_REQUEST),
    }
}

fn own<'a>(world: &'a mut World, who: &Address) -> Result<&'a mut Companion, Refusal> {
    world.companion_mut(who).ok_or(Refusal::NOT_AUTHORIZED)
}

fn upload(world: &mut World, who: &Address, question: &Node) -> Answered {
    let registration_id = big_endian(question.content_of("registration")).ok_or(Refusal::BAD_REQUEST)?;
    let identity = Key::read(question.content_of("identity")).ok_or(Refusal::BAD_REQUEST)?;
    let signed = question.get_optional_child("skey").and_then(signed).ok_or(Refusal::BAD_REQUEST)?;
    let list = question.get_optional_child("list").ok_or(Refusal::BAD_REQUEST)?;
    let one_time = list.nodes().iter().map(one_time).collect::<Option<Vec<_>>>().ok_or(Refusal::BAD_REQUEST)?;
    let companion = own(world, who)?;
    if companion.identity != identity {
        return Err(Refusal::NOT_ACCEPTABLE);
    }
    let before = companion.keys.take();
    let mut keys = before.unwrap_or_else(|| Uploaded { registration_id, signed: signed.clone(), one_time: [].into() });
    (keys.registration_id, keys.signed) = (registration_id, signed);
    keys.add(one_time);
    companion.keys = Some(keys);
    let first = !std::mem::replace(&mut companion.greeted, true);
    Ok(Answer::done().then(if first { Then::Greet } else { Then::Nothing }))
}

fn rotate(world: &mut World, who: &Address, rotation: &Node) -> Answered {
    let signed = rotation.get_optional_child("skey").and_then(signed).ok_or(Refusal::BAD_REQUEST)?;
    own(world, who)?.keys.as_mut().ok_or(Refusal::NOT_FOUND)?.signed = signed;
    Ok(Answer::done())
}

fn signed(node: &Node) -> Option<Signed> {
    let signature = node.content_of("signature").to_vec();
    (signature.len() == 64).then_some(())?;
    let (id, key) = one_time(node)?;
    Some(Signed { id, key, signature })
}

fn one_time(node: &Node) -> Option<(u32, Key)> {
    Some((big_endian(node.content_of("id"))?, Key::read(node.content_of("value"))?))
}

fn count(world: &mut World, who: &Address) -> Answered {
    let left = own(world, who)?.keys.as_ref().map_or(0, |keys| keys.one_time.len());
    Ok(Answer::node(NodeBuilder::new("count").attr("value", left).build()))
}

fn digest(world: &mut World, who: &Address) -> Answered {
    let companion = own(world, who)?;
    let keys = companion.keys.as_ref().ok_or(Refusal::NOT_FOUND)?;
    let one_time: Vec<&[u8]> = keys.one_time.iter().map(|(_, key)| &key.0[..]).collect();
    let hash = compute_key_bundle_digest(&companion.identity.0, &keys.signed.key.0, &keys.signed.signature, &one_time);
    let ids = keys.one_time.iter().map(|(id, _)| bytes("id", &id.to_be_bytes()[1..]));
    let parts = [
        bytes("registration", keys.registration_id.to_be_bytes()),
        bytes("type", [5]),
        bytes("identity", companion.identity.0),
        signed_node(&keys.signed),
        wrap("list", ids),
        bytes("hash", hash),
    ];
    Ok(Answer::node(wrap("digest", parts)))
}

fn signed_node(signed: &Signed) -> Node {
    SignedPreKeyNode::new(signed.id, signed.key.0.to_vec(), signed.signature.clone()).into_node()
}

fn bundles(world: &mut World, wanted: &Node) -> Answer {
    let users = wanted.get_children_by_tag("user").filter_map(|user| user.jid("jid"));
    let users: Vec<Node> = users.map(|jid| user(world, &jid)).collect();
    Answer::node(wrap("list", users))
}

fn user(world: &mut World, jid: &Jid) -> Node {
    let builder = NodeBuilder::new("user").attr("jid", jid);
    let Some((bundle, proof)) = world.address_of(jid).and_then(|address| world.bundle(&address)) else {
        return builder.children([Refusal::NOT_ACCEPTABLE.node()]).build();
    };
    let mut parts = vec![
        bytes("registration", bundle.registration_id.to_be_bytes()),
        bytes("type", [5]),
        bytes("identity", bundle.identity.0),
        signed_node(&bundle.signed),
    ];
    parts.extend(bundle.one_time.map(|(id, key)| OneTimePreKeyNode::new(id, key.0.to_vec()).into_node()));
    parts.extend(proof.map(|proof| bytes("device-identity", proof)));
    builder.attr("t", world.now_s()).children(parts).build()
}

impl World {
    /// What starts a session with a device, and for a companion the proof that it belongs to its account.
    pub(crate) fn bundle(&mut self, address: &Address) -> Option<(Bundle, Option<Vec<u8>>)> {
        if !address.is_phone() {
            let companion = self.companion_mut(address)?;
            let proof = companion.proof.0.clone();
            let bundle = companion.hand_out()?;
            if bundle.one_time.is_some() {
                self.warn_of_few_keys(address);
            }
            return Some((bundle, Some(proof)));
        }
        let account = self.accounts.get_mut(&address.number)?;
        let keys = &mut account.phone.keys;
        let (id, key, signature) = keys.signed().public();
        let signed = Signed { id, key: Key(key), signature: signature.to_vec() };
        let (one_time_id, one_time) = keys.hand_out(&mut self.random);
        Some((
            Bundle {
                registration_id: keys.registration_id(),
                identity: Key(keys.identity()),
                signed,
                one_time: Some((one_time_id, Key(one_time))),
            },
            None,
        ))
    }
}

impl World {
    /// A device whose one-time keys run out is asked for more, once on the way down and once at the end.
    fn warn_of_few_keys(&mut self, address: &Address) {
        let (id, now_s) = (self.fresh_id(), self.now_s());
        let keys = self.companion(address).and_then(|companion| companion.keys.as_ref());
        let Some(left) = keys.map(|keys| keys.one_time.len()).filter(|left| *left == FEW || *left == 0) else { return };
        let count = NodeBuilder::new("count").attr("value", left).build();
        self.deliver(address, notification("encrypt", &id, SERVER_JID, now_s, count).build());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stanza::empty;

    #[test]
    fn a_device_is_asked_for_more_keys_before_they_are_gone() {
        use crate::phone::tests::random;
        let clock = crate::clock::Clock::new(|| 1_700_000_000_000);
        let mut world = World::new(clock, random(1), "127.0.0.1:1".into());
        let ana = Address::new(&"15550100001".parse().unwrap(), 33);
        let mut companion = Companion::new(1, Key([1; 32]), Key([2; 32]), "chrome".into(), vec![3]);
        let signed = Signed { id: 1, key: Key([4; 32]), signature: vec![0; 64] };
        let one_time = (0..FEW as u32 + 2).map(|id| (id, Key([5; 32]))).collect();
        companion.keys = Some(Uploaded { registration_id: 6, signed, one_time });
        world.account(&ana.number).companions.insert(33, companion);
        let mut asked = Vec::new();
        for _ in 0..FEW + 3 {
            assert!(world.bundle(&ana).is_some());
            let waiting = world.companion_mut(&ana).unwrap().take_waiting();
            asked.extend(waiting.iter().filter_map(|node| node.get_optional_child("count")?.text("value")));
        }
        assert_eq!(asked, ["5", "0"]);
    }

    #[test]
    fn a_key_of_the_wrong_size_is_refused() {
        let key = |id: &[u8], value: &[u8]| wrap("key", [bytes("id", id), bytes("value", value)]);
        assert_eq!(one_time(&key(&[0, 1, 2], &[9; 32])), Some((258, Key([9; 32]))));
        for bad in [key(&[], &[9; 32]), key(&[0; 5], &[9; 32]), key(&[1], &[9; 31]), empty("key")] {
            assert_eq!(one_time(&bad), None);
        }
        assert!(signed(&key(&[1], &[9; 32])).is_none(), "no signature");
    }
}
