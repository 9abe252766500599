//! The app state as the phone sees it: settings, contacts, and what was pinned, muted, archived.
//!
//! It travels as encrypted patches that the server keeps in order without reading them. The phone
//! has the keys, so it can write patches (its owner changed something) and read those of companions.
//! The sums over a collection only fit if every patch is read once and in order: give each accepted
//! patch of a companion to [`Phone::read_patch`] before letting the phone write the next.

use super::{
    Phone, Random,
    blob::Blob,
    settings::{Change, Setting},
    sync_key::SyncKey,
};
use rand_10::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};
use wacore_appstate::{
    AppStateError, ExpandedAppStateKeys, encode_record,
    hash::{HashState, generate_patch_mac},
    process_patch,
};
use waproto::{
    buffa::Message as _,
    codec,
    whatsapp::{self as wa, SyncActionValue, syncd_mutation::SyncdOperation},
};

/// Something a patch changed.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The collection.
    pub collection: String,
    /// The action's name and what it is about, e.g. `["pin_v1", "1555…@s.whatsapp.net"]`.
    pub index: Vec<String>,
    /// The value, or `None` if the entry was removed.
    pub value: Option<SyncActionValue>,
}

impl Changed {
    /// As JSON, for people: only what the value holds.
    pub fn to_json(&self) -> Value {
        let value = self.value.as_ref().and_then(|value| serde_json::to_value(value).ok());
        serde_json::json!({
            "collection": self.collection,
            "index": self.index,
            "value": value.map(without_nulls),
        })
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        other => other,
    }
}

/// The collections, as far as the phone wrote or read them.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct AppState {
    collections: BTreeMap<String, Collection>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Collection {
    hash: HashState,
    /// By the index's MAC, in hex.
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    mac: Blob,
    index: Vec<String>,
    value: Blob,
}

impl AppState {
    /// The version of a collection that the phone knows.
    pub fn version(&self, collection: &str) -> u64 {
        self.collections.get(collection).map_or(0, |it| it.hash.version)
    }

    /// What holds now, e.g. `entry(&["pin_v1", chat])`.
    pub fn entry(&self, index: &[&str]) -> Option<SyncActionValue> {
        let entries = self.collections.values().flat_map(|it| it.entries.values());
        let entry = entries.into_iter().find(|entry| entry.index == index)?;
        SyncActionValue::decode_from_slice(entry.value.as_slice()).ok()
    }

    /// All that holds now.
    pub fn entries(&self) -> impl Iterator<Item = Changed> {
        self.collections.iter().flat_map(|(name, collection)| {
            collection.entries.values().map(|entry| Changed {
                collection: name.clone(),
                index: entry.index.clone(),
                value: SyncActionValue::decode_from_slice(entry.value.as_slice()).ok(),
            })
        })
    }
}

impl Phone {
    /// Writes patches for what the owner changed, one per collection, each with its version:
    /// the server stores and announces them. `now` in milliseconds.
    pub fn write_patches(
        &mut self,
        settings: &[Setting],
        now: i64,
        random: &mut Random,
    ) -> Vec<(&'static str, Vec<u8>)> {
        let mut by_collection = BTreeMap::<&'static str, Vec<Change>>::new();
        for setting in settings {
            let change = setting.change(now);
            by_collection.entry(change.schema.collection.as_str()).or_default().push(change);
        }
        by_collection.into_iter().map(|(name, changes)| (name, self.write_patch(name, &changes, random))).collect()
    }

    fn write_patch(&mut self, name: &str, changes: &[Change], random: &mut Random) -> Vec<u8> {
        let key = self.keys.sync_key();
        let expanded = key.expand();
        let mutations = changes.iter().map(|change| change.encrypt(key, &expanded, random));
        let mut patch = wa::SyncdPatch {
            mutations: mutations.collect(),
            key_id: wa::KeyId { id: Some(key.id().to_vec()) }.into(),
            ..Default::default()
        };
        let collection = self.app_state.collections.entry(name.to_owned()).or_default();
        let entries = &collection.entries;
        let (_, summed) = collection.hash.update_hash(&patch.mutations, |index, _| {
            Ok(entries.get(&hex::encode(index)).map(|entry| entry.mac.0.clone()))
        });
        summed.expect("our own mutations are well formed");
        collection.hash.version += 1;
        let version = collection.hash.version;
        patch.version = wa::SyncdVersion { version: Some(version) }.into();
        patch.snapshot_mac = Some(collection.hash.generate_snapshot_mac(name, &expanded.snapshot_mac));
        patch.patch_mac = Some(generate_patch_mac(&patch, name, &expanded.patch_mac, version));
        collection.keep(&patch.mutations, changes);
        codec::syncd_patch_to_vec(&patch)
    }

    /// Reads an accepted patch of a companion and tells what it changed.
    pub fn read_patch(&mut self, name: &str, patch: &[u8]) -> Result<Vec<Changed>, AppStateError> {
        let mut patch = codec::syncd_patch_decode(patch).map_err(|_| AppStateError::DecodeFailed)?;
        let collection = self.app_state.collections.entry(name.to_owned()).or_default();
        if patch.version.version.is_none() {
            let next = collection.hash.version + 1;
            patch.version = wa::SyncdVersion { version: Some(next) }.into();
        }
        let keys = &self.keys;
        let expand = |id: &[u8]| {
            let key = keys.sync_keys().iter().find(|key| key.id() == id);
            key.map(|key| Arc::new(key.expand())).ok_or(AppStateError::KeyNotFound)
        };
        let entries = &collection.entries;
        let known = |index: &[u8]| Ok(entries.get(&hex::encode(index)).map(|entry| entry.mac.0.clone()));
        let mut hash = collection.hash.clone();
        let read = process_patch(&patch, &mut hash, expand, known, true, name)?;
        collection.hash = hash;
        for mac in &read.removed_index_macs {
            collection.entries.remove(&hex::encode(mac));
        }
        let sets = read.mutations.iter().filter(|it| it.operation == SyncdOperation::SET);
        for (macs, mutation) in read.added_macs.iter().zip(sets) {
            let value = mutation.action_value.as_ref().map(|value| value.encode_to_vec());
            let entry = Entry {
                mac: macs.value_mac[..].into(),
                index: mutation.index.clone(),
                value: Blob(value.unwrap_or_default()),
            };
            collection.entries.insert(hex::encode(&macs.index_mac), entry);
        }
        let changed = read.mutations.into_iter().map(|mutation| Changed {
            collection: name.to_owned(),
            index: mutation.index,
            value: mutation.action_value.filter(|_| mutation.operation == SyncdOperation::SET),
        });
        Ok(changed.collect())
    }
}

impl Change {
    fn encrypt(&self, key: &SyncKey, expanded: &ExpandedAppStateKeys, random: &mut Random) -> wa::SyncdMutation {
        let index = serde_json::to_vec(&self.index).expect("strings are JSON");
        let version = i32::try_from(self.schema.version).unwrap_or(i32::MAX);
        let iv = random.random();
        let (operation, value) = (self.operation, &self.value);
        encode_record(operation, &index, value, expanded, key.id(), &iv, version).0
    }
}

impl Collection {
    fn keep(&mut self, mutations: &[wa::SyncdMutation], changes: &[Change]) {
        for (mutation, change) in mutations.iter().zip(changes) {
            let record = &mutation.record;
            let index = hex::encode(record.index.blob.as_deref().unwrap_or_default());
            let blob = record.value.blob.as_deref().unwrap_or_default();
            if change.operation == SyncdOperation::REMOVE {
                self.entries.remove(&index);
                continue;
            }
            let entry = Entry {
                mac: blob[blob.len().saturating_sub(32)..].into(),
                index: change.index.clone(),
                value: Blob(change.value.encode_to_vec()),
            };
            self.entries.insert(index, entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::tests::random;

    const CHAT: &str = "15550100001@s.whatsapp.net";

    fn pin(on: bool) -> Setting {
        Setting::Pin { chat: CHAT.to_owned(), on }
    }

    fn pinned(phone: &Phone) -> Option<bool> {
        phone.app_state.entry(&["pin_v1", CHAT])?.pin_action.as_option()?.pinned
    }

    /// A second holder of the same keys stands for the companion: its reading goes through the
    /// library's own checks of every MAC and of the collection's sum.
    fn companion(phone: &Phone) -> Phone {
        let mut other = phone.clone();
        other.app_state = AppState::default();
        other
    }

    #[test]
    fn a_companion_reads_what_the_phone_writes_and_the_other_way_round() {
        let mut random = random(1);
        let mut phone = Phone::new(0, &mut random);
        let mut linked = companion(&phone);
        for (round, on) in [true, false, true].into_iter().enumerate() {
            for (collection, patch) in phone.write_patches(&[pin(on)], 1_000, &mut random) {
                let changed = linked.read_patch(collection, &patch).unwrap();
                assert_eq!((collection, changed.len()), ("regular_low", 1));
                assert_eq!(changed[0].index, ["pin_v1", CHAT]);
            }
            let text = serde_json::to_string(&phone).unwrap();
            phone = serde_json::from_str(&text).unwrap();
            assert_eq!(pinned(&linked), Some(on));
            assert_eq!(linked.app_state.version("regular_low"), round as u64 + 1);
        }
        let patches = linked.write_patches(&[pin(false)], 2_000, &mut random);
        let changed = phone.read_patch(patches[0].0, &patches[0].1).unwrap();
        assert_eq!(pinned(&phone), Some(false));
        assert_eq!(
            changed[0].to_json(),
            serde_json::json!({
                "collection": "regular_low",
                "index": ["pin_v1", CHAT],
                "value": { "timestamp": 2_000, "pin_action": { "pinned": false } },
            })
        );
    }

    #[test]
    fn every_setting_goes_through_the_collection_it_belongs_to() {
        let mut random = random(2);
        let mut phone = Phone::new(0, &mut random);
        let mut linked = companion(&phone);
        let (chat, id) = (CHAT.to_owned(), "3A".to_owned());
        let settings = [
            Setting::PushName("Ann".to_owned()),
            Setting::Contact { jid: chat.clone(), name: "Bob Roe".to_owned(), lid: None },
            pin(true),
            Setting::Mute { chat: chat.clone(), until: Some(-1) },
            Setting::Archive { chat: chat.clone(), on: true },
            Setting::Read { chat: chat.clone(), on: false },
            Setting::Star { chat: chat.clone(), id, from_me: true, participant: Some("x".to_owned()), on: true },
            Setting::Label { id: "1".to_owned(), name: "VIP".to_owned(), color: 3, deleted: false },
            Setting::ChatLabel { label: "1".to_owned(), chat: chat.clone(), on: true },
            Setting::DeleteChat { chat: chat.clone() },
            Setting::ClearChat { chat: chat.clone() },
        ];
        let mut seen = 0;
        for (collection, patch) in phone.write_patches(&settings, 1, &mut random) {
            seen += linked.read_patch(collection, &patch).unwrap().len();
        }
        assert_eq!(seen, settings.len());
        let entry = |index: &[&str]| linked.app_state.entry(index).unwrap();
        assert_eq!(entry(&["contact", CHAT]).contact_action.first_name.as_deref(), Some("Bob"));
        assert_eq!(entry(&["mute", CHAT]).mute_action.mute_end_timestamp, Some(-1));
        assert_eq!(entry(&["star", CHAT, "3A", "1", "0"]).star_action.starred, Some(true));
        assert_eq!(entry(&["label_jid", "1", CHAT]).label_association_action.labeled, Some(true));
        assert_eq!(linked.app_state.entries().count(), settings.len());

        let gone = Setting::NoContact { jid: chat };
        for (collection, patch) in phone.write_patches(&[gone], 2, &mut random) {
            let changed = linked.read_patch(collection, &patch).unwrap();
            assert!(changed[0].value.is_none());
        }
        assert!(linked.app_state.entry(&["contact", CHAT]).is_none());
        assert!(phone.app_state.entry(&["contact", CHAT]).is_none());
    }

    #[test]
    fn a_patch_that_does_not_fit_changes_nothing() {
        let mut random = random(3);
        let mut phone = Phone::new(0, &mut random);
        let mut linked = companion(&phone);
        let first = phone.write_patches(&[pin(true)], 1, &mut random).remove(0).1;
        let second = phone.write_patches(&[pin(false)], 2, &mut random).remove(0).1;
        linked.read_patch("regular_low", &first).unwrap();
        assert!(linked.read_patch("regular_low", &first).is_err(), "twice");
        assert!(linked.read_patch("regular", &second[1..]).is_err(), "garbage");
        let mut forged = codec::syncd_patch_decode(&second).unwrap();
        forged.patch_mac = Some(vec![0; 32]);
        let forged = codec::syncd_patch_to_vec(&forged);
        assert!(linked.read_patch("regular_low", &forged).is_err());
        let mut stranger = Phone::new(0, &mut random);
        assert!(stranger.read_patch("regular_low", &first).is_err(), "another key");
        assert_eq!(linked.read_patch("regular_low", &second).unwrap().len(), 1);
        assert_eq!(pinned(&linked), Some(false));
    }
}
