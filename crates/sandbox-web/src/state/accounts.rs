//! Accounts: a phone number, the phone that holds it, and the devices linked to it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use rand_10::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wacore_binary::{Jid, Server};

use super::app_state::Collection;
use super::business::Business;
use super::chats::Chats;
use super::devices::{Companion, Kept};
use super::scenarios::Scenario;
use crate::number::{FIRST_COMPANION, Naming, Number, PHONE};
use crate::phone::blob::Blob;
use crate::phone::{Phone, Random};

/// What others may see of an account that is not its name.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Profile {
    pub(crate) about: String,
    pub(crate) about_set_at: i64,
    pub(crate) picture: Option<Picture>,
    /// If business tools are used.
    pub(crate) business: Option<Business>,
    pub(crate) disappearing_s: u32,
}

/// A profile picture, of an account or a group.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Picture {
    pub(crate) id: String,
    pub(crate) path: String,
}

/// Whether somebody is there.
#[derive(Default)]
pub(crate) struct Presence {
    /// Devices that said they are available.
    pub(crate) available: BTreeSet<u16>,
    /// Seconds; when it was last available.
    pub(crate) last_s: i64,
    /// Devices that want to know, and how they call this account.
    pub(crate) watchers: HashMap<crate::number::Address, Naming>,
}

/// One account.
#[derive(Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) number: Number,
    /// The user part of its other address, the one that hides the number.
    pub(crate) lid: String,
    pub(crate) push_name: String,
    pub(crate) phone: Phone,
    /// The phone is switched on and has a network.
    pub(crate) online: bool,
    /// Whom its status updates were meant for.
    #[serde(default)]
    pub(crate) status_readers: BTreeSet<Number>,
    /// On WhatsApp at all.
    pub(crate) registered: bool,
    next_device: u16,
    next_key_index: u32,
    pub(crate) companions: BTreeMap<u16, Companion>,
    pub(crate) collections: BTreeMap<String, Collection>,
    pub(crate) blocked: BTreeSet<Number>,
    pub(crate) privacy: BTreeMap<String, String>,
    pub(crate) profile: Profile,
    #[serde(default)]
    pub(crate) scenario: Scenario,
    /// From which its tokens follow.
    pub(crate) salt: Blob,
    /// What the phone has not seen while it was off.
    pub(crate) unheard: VecDeque<Kept>,
    /// Devices that have this phone's sender key, by group.
    #[serde(default)]
    pub(crate) sender_keys: BTreeMap<String, BTreeSet<(Number, u16)>>,
    #[serde(skip)]
    pub(crate) presence: Presence,
    #[serde(skip)]
    pub(crate) chats: Chats,
}

impl Account {
    fn new(number: &Number, now_s: i64, random: &mut Random) -> Self {
        Self {
            number: number.clone(),
            lid: lid_of(number),
            push_name: String::new(),
            phone: Phone::new(now_s, random),
            online: true,
            registered: true,
            status_readers: BTreeSet::new(),
            next_device: FIRST_COMPANION,
            next_key_index: 1,
            companions: BTreeMap::new(),
            collections: BTreeMap::new(),
            blocked: BTreeSet::new(),
            privacy: BTreeMap::new(),
            profile: Profile::default(),
            scenario: Scenario::default(),
            salt: Blob(random.random::<[u8; 32]>().to_vec()),
            unheard: VecDeque::new(),
            sender_keys: BTreeMap::new(),
            presence: Presence::default(),
            chats: Chats::default(),
        }
    }

    pub(crate) fn jid(&self, naming: Naming, device: u16) -> Jid {
        match naming {
            Naming::Phone => Jid::pn_device(self.number.digits(), device),
            Naming::Lid => Jid::lid_device(self.lid.as_str(), device),
        }
    }

    /// The address of the account as a whole.
    pub(crate) fn user(&self, naming: Naming) -> Jid {
        self.jid(naming, PHONE)
    }

    /// All devices, the phone first.
    pub(crate) fn devices(&self) -> impl Iterator<Item = u16> {
        std::iter::once(PHONE).chain(self.companions.keys().copied())
    }

    /// Number and index for a device that is being linked; never given twice.
    pub(crate) fn reserve(&mut self) -> (u16, u32) {
        let reserved = (self.next_device, self.next_key_index);
        self.next_device += 1;
        self.next_key_index += 1;
        reserved
    }

    /// The index of the newest device, and all that are valid.
    pub(crate) fn key_indexes(&self) -> (u32, Vec<u32>) {
        let valid = std::iter::once(0).chain(self.companions.values().map(|device| device.key_index)).collect();
        (self.next_key_index.saturating_sub(1), valid)
    }

    pub(crate) fn collection(&mut self, name: &str) -> &mut Collection {
        self.collections.entry(name.to_owned()).or_default()
    }

    /// Whether the account can be seen as present now.
    pub(crate) fn is_available(&self) -> bool {
        !self.presence.available.is_empty()
    }
}

/// Fifteen digits that follow from the number, so that an account made anew has the same address.
fn lid_of(number: &Number) -> String {
    let digest = Sha256::digest(number.digits());
    let value = digest.iter().take(8).fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    (100_000_000_000_000 + value % 900_000_000_000_000).to_string()
}

/// All accounts.
#[derive(Default)]
pub(crate) struct Accounts {
    by_number: BTreeMap<Number, Account>,
    by_lid: HashMap<String, Number>,
    /// Numbers whose account changed since it was last kept.
    changed: BTreeSet<Number>,
}

impl Accounts {
    pub(crate) fn get(&self, number: &Number) -> Option<&Account> {
        self.by_number.get(number)
    }

    /// For changing: the account is kept anew.
    pub(crate) fn get_mut(&mut self, number: &Number) -> Option<&mut Account> {
        let account = self.by_number.get_mut(number)?;
        if !self.changed.contains(number) {
            self.changed.insert(number.clone());
        }
        Some(account)
    }

    pub(crate) fn by_jid(&self, jid: &Jid) -> Option<&Account> {
        match jid.server {
            Server::Pn => self.by_number.get(&jid.user.parse::<Number>().ok()?),
            Server::Lid => self.by_number.get(self.by_lid.get(jid.user.as_str())?),
            _ => None,
        }
    }

    pub(crate) fn or_make(&mut self, number: &Number, now_s: i64, random: &mut Random) -> &mut Account {
        if !self.by_number.contains_key(number) {
            self.put(Account::new(number, now_s, random));
        }
        self.get_mut(number).expect("it was just put there if it was missing")
    }

    pub(crate) fn put(&mut self, account: Account) {
        self.by_lid.insert(account.lid.clone(), account.number.clone());
        self.by_number.insert(account.number.clone(), account);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.by_number.values()
    }

    pub(crate) fn numbers(&self) -> Vec<Number> {
        self.by_number.keys().cloned().collect()
    }

    /// What could not be written.
    pub(crate) fn note_changed(&mut self, numbers: BTreeSet<Number>) {
        self.changed.extend(numbers);
    }

    /// What has to be written again.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<Number> {
        std::mem::take(&mut self.changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lid_is_fifteen_digits_and_says_nothing_of_the_number() {
        let lids: BTreeSet<String> = (0..1000)
            .map(|n| lid_of(&format!("1555010{n:04}").parse().unwrap()))
            .inspect(|lid| assert!(lid.len() == 15 && !lid.starts_with('0'), "{lid}"))
            .collect();
        assert_eq!(lids.len(), 1000);
    }
}
