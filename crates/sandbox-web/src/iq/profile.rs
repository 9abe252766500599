//! Pictures, about texts and business profiles: what people show of themselves.

use bytes::Bytes;
use rand_10::RngExt;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, Server};

use super::{Answer, Answered, Refusal};
use crate::number::{Address, Naming, Number};
use crate::stanza::{Read, notification};
use crate::state::World;
use crate::state::accounts::Picture;

/// Bytes; more than any client sends.
const LARGEST_PICTURE: usize = 5 << 20;
const LONGEST_ABOUT: usize = 700;

/// `w:profile:picture`.
pub(super) fn picture(world: &mut World, who: &Address, question: &Node) -> Answered {
    if question.says("type", "set") {
        return set_picture(world, who, question);
    }
    let target = question.jid("target").or_else(|| question.jid("to")).ok_or(Refusal::BAD_REQUEST)?;
    let wanted = question.get_optional_child("picture").ok_or(Refusal::BAD_REQUEST)?;
    let found = match target.server {
        Server::Group => world.groups.get(&target).and_then(|group| group.picture.clone()),
        _ => {
            let account = world.account_of(&target).ok_or(Refusal::NOT_FOUND)?;
            let shown = account.number == who.number
                || (super::may_reach(account, &who.number, "profile") && world.admits(&account.number, who, wanted));
            if !shown {
                return Err(Refusal::NOT_AUTHORIZED);
            }
            account.profile.picture.clone()
        }
    };
    let picture = found.ok_or(Refusal::NOT_FOUND)?;
    if wanted.text("id").is_some_and(|known| known == picture.id) {
        return Ok(Answer::node(NodeBuilder::new("picture").attr("status", "304").build()));
    }
    let kind = wanted.text("type").unwrap_or_else(|| "image".into());
    let url = format!("https://{}{}", world.media_host, picture.path);
    let node = NodeBuilder::new("picture")
        .attr("id", picture.id)
        .attr("type", kind)
        .attr("url", url)
        .attr("direct_path", picture.path)
        .build();
    Ok(Answer::node(node))
}

fn set_picture(world: &mut World, who: &Address, question: &Node) -> Answered {
    let target = question.jid("target").filter(|jid| jid.server == Server::Group);
    let given = question.get_optional_child("picture").map(|picture| picture.content().to_vec()).unwrap_or_default();
    if given.len() > LARGEST_PICTURE {
        return Err(Refusal::NOT_ACCEPTABLE);
    }
    if let Some(group) = &target {
        let group = world.groups.get(group).ok_or(Refusal::NOT_FOUND)?;
        let role = group.role(&who.number).ok_or(Refusal::FORBIDDEN)?;
        if group.locked && role.word().is_none() {
            return Err(Refusal::NOT_AUTHORIZED);
        }
    }
    let picture = (!given.is_empty()).then(|| world.keep_picture(given));
    world.show_picture(&who.number, target.as_ref(), picture.clone());
    let answer = picture.map(|picture| NodeBuilder::new("picture").attr("id", picture.id).build());
    Ok(Answer::nodes(answer.into_iter().collect()))
}

impl World {
    fn keep_picture(&mut self, bytes: Vec<u8>) -> Picture {
        let id: u32 = self.random.random();
        let path = format!("/v/pictures/{}", hex::encode(self.random.random::<[u8; 16]>()));
        self.blobs.put(path.clone(), Bytes::from(bytes));
        Picture { id: id.to_string(), path }
    }

    /// A person's or a group's picture is another one now, or gone.
    pub(crate) fn show_picture(&mut self, by: &Number, group: Option<&Jid>, picture: Option<Picture>) {
        let (id, now_s) = (self.fresh_id(), self.now_s());
        let Some(account) = self.accounts.get_mut(by) else { return };
        let author = account.user(Naming::Lid);
        let subject = group.cloned().unwrap_or_else(|| author.clone());
        let child = match &picture {
            Some(picture) => NodeBuilder::new("set").attr("id", picture.id.as_str()),
            None => NodeBuilder::new("delete"),
        };
        let child = child.attr("jid", &subject).attr("author", &author).build();
        let told = notification("picture", &id, &subject, now_s, child).build();
        match group {
            None => {
                account.profile.picture = picture;
                self.tell_everybody(by, &told);
            }
            Some(jid) => {
                let Some(group) = self.groups.get_mut(jid) else { return };
                group.picture = picture;
                let members: Vec<Number> = group.members.keys().cloned().collect();
                for member in members {
                    self.deliver_to_all(&member, None, &told);
                }
            }
        }
    }

    /// To every device of every other account that has linked devices, and to one's own.
    fn tell_everybody(&mut self, _about: &Number, notification: &Node) {
        for number in self.accounts.numbers() {
            if self.accounts.get(&number).is_some_and(|account| !account.companions.is_empty()) {
                self.deliver_to_all(&number, None, notification);
            }
        }
    }
}

/// `status`: the about text, or who may see status updates.
pub(super) fn about(world: &mut World, who: &Address, question: &Node) -> Answered {
    if question.get_optional_child("privacy").is_some() {
        let list = NodeBuilder::new("list").attr("type", "contacts").attr("default", "true").build();
        return Ok(Answer::node(crate::stanza::wrap("privacy", [list])));
    }
    let text = String::from_utf8_lossy(question.content_of("status")).into_owned();
    if text.len() > LONGEST_ABOUT {
        return Err(Refusal::NOT_ACCEPTABLE);
    }
    let (id, now_s) = (world.fresh_id(), world.now_s());
    let account = world.accounts.get_mut(&who.number).ok_or(Refusal::NOT_AUTHORIZED)?;
    account.profile.about.clone_from(&text);
    account.profile.about_set_at = now_s;
    let from = account.user(Naming::Lid);
    let set = NodeBuilder::new("set").string_content(text).build();
    let told = notification("status", &id, from, now_s, set).build();
    world.tell_everybody(&who.number, &told);
    Ok(Answer::done())
}

/// `disappearing_mode`: the timer of new chats.
pub(super) fn disappearing(world: &mut World, who: &Address, question: &Node) -> Answered {
    let wanted = question.get_optional_child("disappearing_mode").ok_or(Refusal::BAD_REQUEST)?;
    let seconds = wanted.text("duration").and_then(|seconds| seconds.parse().ok()).ok_or(Refusal::BAD_REQUEST)?;
    world.accounts.get_mut(&who.number).ok_or(Refusal::NOT_AUTHORIZED)?.profile.disappearing_s = seconds;
    Ok(Answer::done())
}

/// `w:biz`: a business's profile.
pub(super) fn business(world: &mut World, question: &Node) -> Answered {
    let wanted = question.get_optional_child("business_profile").ok_or(Refusal::NOT_IMPLEMENTED)?;
    let profiles = wanted.get_children_by_tag("profile").filter_map(|profile| profile.jid("jid"));
    let found = profiles.filter_map(|jid| Some(world.account_of(&jid)?.profile.business.as_ref()?.node(jid)));
    Ok(Answer::node(NodeBuilder::new("business_profile").attr("v", "116").children(found.collect::<Vec<_>>()).build()))
}
