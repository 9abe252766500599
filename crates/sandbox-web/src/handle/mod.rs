//! Acting on a running server: people, their phones, and trouble.

mod groups;
mod links;
mod strange;
mod talk;

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::arrivals::Arrival;
use crate::faults::{Fault, Kind};
use crate::number::Number;
use crate::phone::settings::Setting;
use crate::server::Shared;
use crate::state::World;
use crate::state::business::Business;
use crate::stats::Stats;
pub use groups::Group;

/// Cheap to clone; all clones act on the same server.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// An account exists from now on; a name replaces the one it has.
    pub fn account(&self, number: &Number, name: Option<&str>) {
        let mut world = self.0.world();
        world.account(number);
        if let Some(name) = name {
            world.rename(number, name);
        }
    }

    /// The account uses business tools and shows this, or no longer does.
    pub fn set_business(&self, number: &Number, business: Option<impl Into<Business>>) {
        self.0.world().account(number).profile.business = business.map(Into::into);
    }

    /// Every account there is.
    pub fn numbers(&self) -> Vec<Number> {
        self.0.world().accounts.numbers()
    }

    /// The linked devices of an account.
    pub fn devices(&self, number: &Number) -> Vec<u16> {
        let world = self.0.world();
        world.accounts.get(number).map(|account| account.companions.keys().copied().collect()).unwrap_or_default()
    }

    /// Switches the phone on or off. What came meanwhile comes when it is on again.
    pub fn set_online(&self, number: &Number, online: bool) {
        let mut world = self.0.world();
        let account = world.account(number);
        account.online = online;
        let unheard = if online { std::mem::take(&mut account.unheard) } else { Default::default() };
        for kept in unheard {
            world.hear_at_phone(number, &kept.0);
        }
    }

    /// Whether the number is on WhatsApp.
    pub fn set_registered(&self, number: &Number, registered: bool) {
        self.0.world().account(number).registered = registered;
    }

    /// One account does not want to hear from another, or does again.
    pub fn block(&self, number: &Number, other: &Number, block: bool) {
        let mut world = self.0.world();
        world.account(number);
        world.account(other);
        world.block(number, other, block, None);
    }

    /// The owner changes something on the phone that all devices share: a contact, a pin, a label, …
    pub fn change_settings(&self, number: &Number, settings: &[Setting]) {
        let mut world = self.0.world();
        world.account(number);
        world.write_settings(number, settings);
    }

    /// How people are called in chats: the address that hides the number. Poll votes are sealed under it.
    pub fn lid(&self, number: &Number) -> String {
        self.0.world().chat_address(number).to_string()
    }

    /// Something goes wrong from now on.
    pub fn add_fault(&self, fault: Fault) {
        let mut world = self.0.world();
        world.faults.add(fault);
        for address in world.connected() {
            world.strike(&address);
        }
    }

    /// Nothing goes wrong any more; gives how many faults there still were.
    pub fn clear_faults(&self) -> usize {
        self.0.world().faults.clear()
    }

    /// Requests for media get this status, so many times.
    pub fn refuse_media(&self, status: u16, times: u64) {
        self.add_fault(Fault { times, ..Fault::once(Kind::Media(status)) });
    }

    /// A file is gone from the media server, as after some weeks; by its direct path. Phones that had it still have it.
    pub fn forget_file(&self, path: &str) -> bool {
        self.0.world().blobs.forget(path)
    }

    /// A file is gone from the media server and from all phones.
    pub fn lose_file(&self, path: &str) -> bool {
        self.0.world().blobs.remove(path)
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        let world = self.0.world();
        let mut stats = Stats {
            takeovers: world.counters.takeovers,
            messages: world.counters.messages,
            connections: world.counters.connections,
            unknown_questions: world.counters.unknown_questions,
            ..Stats::default()
        };
        for address in world.connected() {
            *stats.sockets.entry(address.number.to_string()).or_default() += 1;
        }
        stats
    }

    /// Everything that reaches phones from now on.
    pub fn subscribe(&self) -> mpsc::UnboundedReceiver<Arrival> {
        self.0.world().listeners.add()
    }
}

impl World {
    fn rename(&mut self, number: &Number, name: &str) {
        name.clone_into(&mut self.account(number).push_name);
        if self.accounts.get(number).is_some_and(|account| !account.companions.is_empty()) {
            self.write_own_name(number);
        }
    }
}
