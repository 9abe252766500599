//! Groups made and changed from phones.

use wacore_binary::Jid;

use super::Handle;
use crate::iq::{Change, Picked, group_node};
use crate::number::Number;
use crate::stanza::wrap;
use crate::state::{World, groups};

/// A group as its members see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its address, `…@g.us`.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Who is in it.
    pub members: Vec<Number>,
}

impl Handle {
    /// The groups that an account is in.
    pub fn groups(&self, number: &Number) -> Vec<Group> {
        let world = self.0.world();
        let shown = |group: &groups::Group| Group {
            id: group.jid().to_string(),
            name: group.subject.clone(),
            members: group.members.keys().cloned().collect(),
        };
        world.groups.of(number).into_iter().map(shown).collect()
    }

    /// A group with these people exists, and they are told. Gives its address.
    pub fn create_group(&self, owner: &Number, name: &str, members: &[Number]) -> String {
        let mut world = self.0.world();
        for number in members.iter().chain([owner]) {
            world.account(number);
        }
        world.found_group(owner, name, members)
    }

    /// A member adds people to a group; `false` if there is no such group with such a member.
    pub fn add_to_group(&self, by: &Number, group: &str, people: &[Number]) -> bool {
        for number in people {
            self.account(number, None);
        }
        self.change_group(by, group, Change::Add(Picked(people.to_vec())))
    }

    /// A member takes people out of a group, or leaves it; `false` as with [`Handle::add_to_group`].
    pub fn remove_from_group(&self, by: &Number, group: &str, people: &[Number]) -> bool {
        self.change_group(by, group, Change::Remove(Picked(people.to_vec())))
    }

    /// A member gives a group another name; `false` as with [`Handle::add_to_group`].
    pub fn rename_group(&self, by: &Number, group: &str, name: &str) -> bool {
        self.change_group(by, group, Change::Subject(name.to_owned()))
    }

    fn change_group(&self, by: &Number, group: &str, change: Change) -> bool {
        let mut world = self.0.world();
        let Ok(jid) = group.parse::<Jid>() else { return false };
        let is_member = world.groups.get(&jid).is_some_and(|group| group.members.contains_key(by));
        if is_member {
            world.change_group(by, &jid, change);
        }
        is_member
    }
}

impl World {
    fn found_group(&mut self, owner: &Number, name: &str, members: &[Number]) -> String {
        let group = self.new_group(owner, name, members);
        let jid = group.jid();
        self.groups.put(group);
        self.tell_members(&jid, owner, &[], |world, group| wrap("create", [group_node(world, group)]));
        jid.to_string()
    }
}
