//! `usync`: who is on WhatsApp, under which addresses, with which devices, and what can be seen of them.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use super::{Answer, Answered, Refusal};
use crate::number::{Naming, Number};
use crate::stanza::{Read, wrap};
use crate::state::World;
use crate::state::accounts::Account;

/// More users than any client asks for at once.
const MOST_USERS: usize = 5_000;

pub(super) fn answer(world: &mut World, question: &Node) -> Answered {
    let usync = question.get_optional_child("usync").ok_or(Refusal::BAD_REQUEST)?;
    let query = usync.get_optional_child("query").ok_or(Refusal::BAD_REQUEST)?;
    let asked = usync.get_optional_child("list").map(Read::nodes).unwrap_or_default();
    let protocols: Vec<&str> = query.nodes().iter().map(|protocol| &*protocol.tag).collect();
    let users: Vec<Node> = asked.iter().take(MOST_USERS).map(|user| find(world, user, &protocols)).collect();
    let mut builder = NodeBuilder::new("usync");
    for key in ["sid", "mode", "context"] {
        builder = match usync.text(key) {
            Some(value) => builder.attr(key, value),
            None => builder,
        };
    }
    let results = protocols.iter().map(|protocol| NodeBuilder::new_dynamic((*protocol).to_owned()).build());
    Ok(Answer::node(builder.children([wrap("result", results), wrap("list", users)]).build()))
}

/// One user, named as it was asked for.
fn find(world: &mut World, asked: &Node, protocols: &[&str]) -> Node {
    let typed =
        asked.get_optional_child("contact").map(|contact| String::from_utf8_lossy(contact.content()).into_owned());
    let named = asked.jid("jid").or_else(|| asked.jid("pn_jid"));
    let Some(jid) = named.or_else(|| typed.as_deref().and_then(|text| text.parse().ok()).map(|it: Number| it.jid()))
    else {
        return NodeBuilder::new("user").children([Refusal::BAD_REQUEST.node()]).build();
    };
    let jid = jid.to_non_ad();
    let known = world.account_for(&jid).filter(|account| account.registered).map(|account| account.number.clone());
    let Some(number) = known else {
        return NodeBuilder::new("user").attr("jid", jid).children(absent(protocols)).build();
    };
    let answers: Vec<Node> = protocols.iter().filter_map(|protocol| protocol_of(world, &number, protocol)).collect();
    NodeBuilder::new("user").attr("jid", jid).attr("pn_jid", number.jid()).children(answers).build()
}

fn absent(protocols: &[&str]) -> Vec<Node> {
    let out =
        |protocol: &&&str| (**protocol == "contact").then(|| NodeBuilder::new("contact").attr("type", "out").build());
    protocols.iter().filter_map(|protocol| out(&protocol)).collect()
}

fn protocol_of(world: &mut World, number: &Number, protocol: &str) -> Option<Node> {
    if protocol == "devices" {
        return world.device_list(number);
    }
    let account = world.accounts.get(number)?;
    match protocol {
        "contact" => Some(NodeBuilder::new("contact").attr("type", "in").build()),
        "lid" => Some(NodeBuilder::new("lid").attr("val", account.user(Naming::Lid)).build()),
        "status" => Some(about(account)),
        "picture" => account.profile.picture.as_ref().map(|it| NodeBuilder::new("picture").attr("id", &it.id).build()),
        "business" => business(account),
        "disappearing_mode" => Some(
            NodeBuilder::new("disappearing_mode")
                .attr("duration", account.profile.disappearing_s)
                .attr("t", account.profile.about_set_at)
                .build(),
        ),
        _ => None,
    }
}

fn about(account: &Account) -> Node {
    let builder = NodeBuilder::new("status").attr("t", account.profile.about_set_at);
    builder.string_content(account.profile.about.as_str()).build()
}

fn business(account: &Account) -> Option<Node> {
    let certificate = verified_name(&account.profile.business.as_ref()?.name);
    let verified = NodeBuilder::new("verified_name").attr("v", "1").bytes(certificate).build();
    Some(wrap("business", [verified]))
}

fn verified_name(name: &str) -> Vec<u8> {
    use waproto::buffa::Message as _;
    use waproto::whatsapp::{VerifiedNameCertificate, verified_name_certificate};
    let details = verified_name_certificate::Details { verified_name: Some(name.to_owned()), ..Default::default() };
    VerifiedNameCertificate { details: Some(details.encode_to_vec()), ..Default::default() }.encode_to_vec()
}
