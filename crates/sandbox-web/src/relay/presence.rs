//! Who is there, and who types. Neither is kept for long: of presence the latest counts, and typing is over soon.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt, Node};

use crate::number::{Address, Naming, Number};
use crate::stanza::Read;
use crate::state::World;

impl World {
    /// `<presence>`: a device is there, is not, or wants to know who is.
    pub(crate) fn hear_presence(&mut self, who: &Address, node: &Node) {
        match node.text("type").as_deref() {
            Some("subscribe") => self.watch(who, node),
            Some("unavailable") => self.withdraw_presence(who),
            None | Some("available") => self.appear(who, node.text("name")),
            Some(_) => {}
        }
    }

    fn appear(&mut self, who: &Address, name: Option<String>) {
        let Some(account) = self.accounts.get_mut(&who.number) else { return };
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            account.push_name = name;
        }
        account.presence.available.insert(who.device);
        self.tell_watchers(&who.number);
    }

    pub(crate) fn withdraw_presence(&mut self, who: &Address) {
        let now_s = self.now_s();
        let Some(account) = self.accounts.get_mut(&who.number) else { return };
        if account.presence.available.remove(&who.device) {
            account.presence.last_s = now_s;
            self.tell_watchers(&who.number);
        }
    }

    fn watch(&mut self, who: &Address, node: &Node) {
        let Some(watched) = node.jid("to").and_then(|to| self.address_of(&to)) else { return };
        let naming = node.jid("to").map_or(Naming::Lid, |to| Naming::of(&to));
        if !self.admits(&watched.number, who, node) {
            return;
        }
        let Some(account) = self.accounts.get_mut(&watched.number) else { return };
        if account.blocked.contains(&who.number) {
            return;
        }
        account.presence.watchers.insert(who.clone(), naming);
        if let Some(presence) = self.presence_of(&watched.number, naming) {
            self.deliver_fleeting(who, presence);
        }
    }

    fn tell_watchers(&mut self, number: &Number) {
        let Some(account) = self.accounts.get(number) else { return };
        let watchers: Vec<(Address, Naming)> =
            account.presence.watchers.iter().map(|(who, naming)| (who.clone(), *naming)).collect();
        for (watcher, naming) in watchers {
            if let Some(presence) = self.presence_of(number, naming) {
                self.deliver_fleeting(&watcher, presence);
            }
        }
    }

    fn presence_of(&self, number: &Number, naming: Naming) -> Option<Node> {
        let account = self.accounts.get(number)?;
        let builder = NodeBuilder::new("presence").attr("from", account.user(naming));
        let available = account.is_available();
        let builder = builder.attr("type", if available { "available" } else { "unavailable" });
        let last = (!available && account.presence.last_s > 0).then_some(account.presence.last_s);
        Some(match last {
            Some(last) => builder.attr("last", last).build(),
            None => builder.build(),
        })
    }

    /// `<chatstate to><composing/>`: to everybody in the chat.
    pub(crate) fn carry_chat_state(&mut self, who: &Address, node: &Node) {
        let Some(to) = node.jid("to") else { return };
        let Some(state) = node.nodes().first().cloned() else { return };
        if to.is_group() {
            return self.carry_to_members(who, &to, state);
        }
        let Some(reader) = self.address_of(&to) else { return };
        let Some(from) = self.jid_of(&Address::new(&who.number, 0), Naming::of(&to)) else { return };
        if self.accounts.get(&reader.number).is_some_and(|account| account.blocked.contains(&who.number)) {
            return;
        }
        let stanza = NodeBuilder::new("chatstate").attr("from", from).children([state]).build();
        self.deliver_fleeting_to_all(&reader.number, &stanza);
    }

    fn carry_to_members(&mut self, who: &Address, group: &Jid, state: Node) {
        let Some(members) = self.groups.get(group).map(|it| it.members.keys().cloned().collect::<Vec<_>>()) else {
            return;
        };
        let Some(participant) = self.jid_of(&Address::new(&who.number, 0), Naming::Lid) else { return };
        let stanza = NodeBuilder::new("chatstate").attr("from", group).attr("participant", participant);
        let stanza = stanza.children([state]).build();
        for member in members.iter().filter(|member| **member != who.number) {
            self.deliver_fleeting_to_all(member, &stanza);
        }
    }

    fn deliver_fleeting_to_all(&mut self, number: &Number, stanza: &Node) {
        let Some(account) = self.accounts.get(number) else { return };
        let devices: Vec<Address> = account.devices().map(|device| Address::new(number, device)).collect();
        for device in devices {
            self.deliver_fleeting(&device, stanza.clone());
        }
    }

    /// Forgets a device that is no longer one.
    pub(crate) fn forget_device(&mut self, gone: &Address) {
        self.withdraw_presence(gone);
        for number in self.accounts.numbers() {
            let watches = self.accounts.get(&number).is_some_and(|it| it.presence.watchers.contains_key(gone));
            if let Some(account) = watches.then(|| self.accounts.get_mut(&number)).flatten() {
                account.presence.watchers.remove(gone);
            }
        }
    }
}
