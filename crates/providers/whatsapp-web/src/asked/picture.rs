//! The pictures that people, groups and communities show.
//!
//! The library asks for a picture too, but cannot say which one is known already, nor reach those that are only shown to
//! who holds a link or shares a group.

use engine::sessions::CallError;
use wacore::iq::spec::IqSpec;
use wacore::iq::tctoken::build_tc_token_node;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid as Theirs, Node, NodeContent, NodeRef, Server};
use web_wire::ask::{Picture, PictureAsk};
use whatsapp_rust::Client;
use whatsapp_rust::error::ErrorChainExt;
use whatsapp_rust::request::InfoQuery;

use super::errors;
use crate::jids::theirs;

/// `None`: there is none, or none that this account may see.
pub(super) async fn picture(client: &Client, wanted: &PictureAsk) -> Result<Option<Picture>, CallError> {
    let question = Question { wanted, token: token(client, wanted).await };
    match client.execute(question).await {
        Ok(found) => Ok(found),
        Err(error) if matches!(error.server_rejection().map(|no| no.code), Some(401 | 404)) => Ok(None),
        Err(error) => Err(errors::of(error)),
    }
}

/// What somebody gave us so that we may see more of them. The server never answers who shows his own.
async fn token(client: &Client, wanted: &PictureAsk) -> Option<Vec<u8>> {
    let address = wanted.address.bare();
    let own = [client.pn(), client.lid()].into_iter().flatten().any(|me| me.user == address.user.as_str());
    if own || !address.is_person() {
        return None;
    }
    let hidden = match address.is_hidden() {
        true => address.user,
        false => client.get_lid_pn_entry(&theirs(&address)).await.ok()??.lid.to_string(),
    };
    client.tc_token().get(&hidden).await.ok()?.map(|known| known.token).filter(|token| !token.is_empty())
}

struct Question<'a> {
    wanted: &'a PictureAsk,
    token: Option<Vec<u8>>,
}

impl Question<'_> {
    fn node(&self) -> Node {
        let wanted = self.wanted;
        let named = [
            ("id", wanted.existing_id.clone()),
            ("invite", wanted.invite_code.clone()),
            ("persona_id", wanted.persona_id.clone()),
            ("common_gid", wanted.common_group.as_ref().map(ToString::to_string)),
            ("parent_group_jid", wanted.community.then(|| wanted.address.to_string())),
        ];
        let asked = NodeBuilder::new("picture").attr("type", kind(wanted)).attr("query", "url");
        let named = named.into_iter().filter_map(|(name, value)| Some((name, value.filter(|it| !it.is_empty())?)));
        let node = named.fold(asked, |node, (name, value)| node.attr(name, value));
        match &self.token {
            Some(token) => node.children([build_tc_token_node(token)]).build(),
            None => node.build(),
        }
    }
}

fn kind(wanted: &PictureAsk) -> &'static str {
    if wanted.preview { "preview" } else { "image" }
}

impl IqSpec for Question<'_> {
    type Response = Option<Picture>;

    fn build_iq(&self) -> InfoQuery<'static> {
        let (of, node) = (theirs(&self.wanted.address.bare()), self.node());
        if self.wanted.community {
            let all = NodeBuilder::new("pictures").children([node]).build();
            return InfoQuery::get("w:g2", of, Some(NodeContent::Nodes(vec![all])));
        }
        let server = Theirs::new("", Server::Pn);
        InfoQuery::get("w:profile:picture", server, Some(NodeContent::Nodes(vec![node]))).with_target(of)
    }

    fn parse_response(&self, response: &NodeRef<'_>) -> Result<Option<Picture>, anyhow::Error> {
        Ok(read(self.wanted, response))
    }
}

/// A server that knows the id for the newest says so with a status, or with a picture that names no address, or with
/// no picture at all.
fn read(wanted: &PictureAsk, response: &NodeRef<'_>) -> Option<Picture> {
    let known = wanted.existing_id.as_deref().filter(|id| !id.is_empty());
    let unchanged = |id: &str| Picture {
        id: id.to_owned(),
        url: String::new(),
        kind: kind(wanted).into(),
        direct_path: String::new(),
        unchanged: true,
    };
    let found = response.get_optional_child("pictures").unwrap_or(response).get_optional_child("picture");
    let Some(found) = found else { return known.map(unchanged) };
    let text = |name: &str| found.attrs().optional_string(name).map(|text| text.into_owned());
    match (text("status").as_deref(), text("id"), text("url")) {
        (Some("204" | "401" | "404"), ..) => None,
        (Some("304"), ..) => known.map(unchanged),
        (_, Some(id), Some(url)) => {
            let kind = text("type").unwrap_or_else(|| kind(wanted).into());
            Some(Picture { id, url, kind, direct_path: text("direct_path").unwrap_or_default(), unchanged: false })
        }
        _ if found.get_optional_child("error").is_some() => None,
        _ => known.map(unchanged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(picture: Option<Node>) -> Node {
        NodeBuilder::new("iq").children(picture).build()
    }

    #[test]
    fn every_way_to_say_no_or_nothing_new_is_understood() {
        let picture = |attrs: &[(&'static str, &'static str)]| {
            let node = attrs.iter().fold(NodeBuilder::new("picture"), |node, (name, value)| node.attr(name, *value));
            Some(node.build())
        };
        let error = NodeBuilder::new("error").attr("code", "404").build();
        let missing = Some(NodeBuilder::new("picture").children([error]).build());
        let asked = |id: Option<&str>| PictureAsk { existing_id: id.map(str::to_owned), ..PictureAsk::default() };
        // What was answered; what it means without and with an id that is known.
        let table = [
            (None, None, Some(true)),
            (picture(&[]), None, Some(true)),
            (picture(&[("id", "7")]), None, Some(true)),
            (picture(&[("status", "304")]), None, Some(true)),
            (picture(&[("status", "204")]), None, None),
            (missing, None, None),
            (picture(&[("id", "8"), ("url", "https://a.example/8")]), Some(false), Some(false)),
        ];
        for (node, without, with) in table {
            let node = answer(node);
            let told = |id| read(&asked(id), &node.as_node_ref()).map(|picture| picture.unchanged);
            assert_eq!((told(None), told(Some("7"))), (without, with), "{node:?}");
        }
    }

    #[test]
    fn only_what_is_wanted_is_asked() {
        let address: web_wire::jid::Jid = "1-2@g.us".parse().unwrap();
        let wanted = PictureAsk { address, preview: true, invite_code: Some("abc".into()), ..PictureAsk::default() };
        let node = Question { wanted: &wanted, token: None }.node();
        let text = |name: &str| node.attrs.get(name).map(ToString::to_string);
        assert_eq!((text("type"), text("invite"), text("id")), (Some("preview".into()), Some("abc".into()), None));
        let community = PictureAsk { community: true, ..wanted };
        let question = Question { wanted: &community, token: None }.build_iq();
        assert_eq!((question.namespace, question.to.to_string()), ("w:g2", "1-2@g.us".to_owned()));
    }
}
