//! Everything the server knows, behind one lock.
//!
//! The lock is held for one stanza or one act of a phone at a time and never across a wait. What is kept over a restart lies in
//! [`accounts`] and [`groups`]; everything else lives as long as the process.

pub(crate) mod accounts;
pub(crate) mod app_state;
pub(crate) mod blobs;
pub(crate) mod business;
pub(crate) mod chats;
pub(crate) mod devices;
pub(crate) mod groups;
pub(crate) mod keys;
pub(crate) mod pairings;
pub(crate) mod scenarios;

use std::collections::HashMap;
use std::sync::Arc;

use wacore_binary::{Jid, Server};

use crate::arrivals::{Arrival, Listeners};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::number::{Address, Naming, Number};
use crate::phone::Random;
use crate::saved::Saved;
use crate::stats::Counters;
use accounts::{Account, Accounts};
use blobs::Blobs;
use devices::Companion;
use groups::Groups;
use pairings::Pairings;

/// Who sits at the other end of a connection.
#[derive(Clone, Debug)]
pub(crate) enum Seat {
    /// A client that is not linked yet.
    Stranger,
    Device(Address),
}

/// The world of accounts, groups and connections.
pub(crate) struct World {
    pub(crate) accounts: Accounts,
    pub(crate) groups: Groups,
    pub(crate) pairings: Pairings,
    pub(crate) blobs: Blobs,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
    pub(crate) listeners: Listeners,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    /// `host:port` where media are served.
    pub(crate) media_host: String,
    /// Phones that nobody in particular scans with, by the push name of the clients they took in.
    pub(crate) somebodies: HashMap<String, Number>,
    /// Where accounts are kept, if they are.
    pub(crate) saved: Option<Arc<Saved>>,
    seats: HashMap<u64, Seat>,
    next_line: u64,
    next_id: u64,
}

impl World {
    pub(crate) fn new(clock: Clock, random: Random, media_host: String) -> Self {
        Self {
            accounts: Accounts::default(),
            groups: Groups::default(),
            pairings: Pairings::default(),
            blobs: Blobs::default(),
            faults: Faults::default(),
            counters: Counters::default(),
            listeners: Listeners::default(),
            clock,
            random,
            media_host,
            somebodies: HashMap::new(),
            saved: None,
            seats: HashMap::new(),
            next_line: 0,
            next_id: 0,
        }
    }

    /// An id for a stanza of the server's own.
    pub(crate) fn fresh_id(&mut self) -> String {
        self.next_id += 1;
        format!("{}-{}", self.clock.seconds(), self.next_id)
    }

    pub(crate) fn seat(&self, line: u64) -> Option<&Seat> {
        self.seats.get(&line)
    }

    pub(crate) fn take_seat(&mut self, line: u64, seat: Seat) {
        self.seats.insert(line, seat);
    }

    pub(crate) fn leave_seat(&mut self, line: u64) -> Option<Seat> {
        self.seats.remove(&line)
    }

    pub(crate) fn new_line(&mut self) -> u64 {
        self.next_line += 1;
        self.next_line
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.clock.seconds()
    }

    /// The account behind an address of either kind.
    pub(crate) fn account_of(&self, jid: &Jid) -> Option<&Account> {
        self.accounts.by_jid(jid)
    }

    /// The device an address names, whether it exists or not; `None` for what is no user of ours.
    pub(crate) fn address_of(&self, jid: &Jid) -> Option<Address> {
        self.account_of(jid).map(|account| Address::new(&account.number, jid.device))
    }

    pub(crate) fn companion(&self, address: &Address) -> Option<&Companion> {
        self.accounts.get(&address.number)?.companions.get(&address.device)
    }

    pub(crate) fn companion_mut(&mut self, address: &Address) -> Option<&mut Companion> {
        self.accounts.get_mut(&address.number)?.companions.get_mut(&address.device)
    }

    /// An account for whoever is written to: a number nobody made is on WhatsApp all the same.
    pub(crate) fn account(&mut self, number: &Number) -> &mut Account {
        let now_s = self.clock.seconds();
        self.accounts.or_make(number, now_s, &mut self.random)
    }

    /// How a device is called under a naming.
    pub(crate) fn jid_of(&self, address: &Address, naming: Naming) -> Option<Jid> {
        self.accounts.get(&address.number).map(|account| account.jid(naming, address.device))
    }

    /// The account whose phone number or LID this is, made if it is a number not seen before.
    pub(crate) fn account_for(&mut self, jid: &Jid) -> Option<&mut Account> {
        let number = match self.accounts.by_jid(jid) {
            Some(account) => account.number.clone(),
            None if jid.server == Server::Pn => jid.user.parse().ok()?,
            None => return None,
        };
        Some(self.account(&number))
    }

    pub(crate) fn tell(&mut self, arrival: Arrival) {
        self.listeners.tell(arrival);
    }
}
