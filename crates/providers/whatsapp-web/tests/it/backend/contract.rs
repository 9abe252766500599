//! What the library may ask of its storage, asked at random: the same calls get the same answers from our databases and
//! from the storage in memory that the library brings along as its reference.

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use testkit::{Scratch, on_both};
use wacore::appstate::processor::AppStateMutationMAC;
use wacore::store::traits::{
    AppStateSyncKey, Backend, DeviceInfo, DeviceListRecord, LidPnMappingEntry, MsgSecretEntry, PendingInboundKey,
    PendingInboundRow, TcTokenEntry,
};
use wacore::store::{Device, InMemoryBackend};

use super::Place;

/// Later than any message of this story.
const LATER: i64 = 1 << 40;
/// How many kinds of call there are below.
const CALLS: u32 = 50;
const STEPS: usize = 800;

on_both! {
    async fn the_same_calls_get_the_same_answers(scratch: &mut Scratch) {
        let place = Place::new(scratch).await;
        let sessions = [place.session(0, 1).await, place.session(1, 1).await];
        // Two sessions in one database, side by side.
        let ours = join_all((0..).zip(&sessions).map(|(seed, session)| transcript(session, seed))).await;
        for (seed, ours) in (0..).zip(&ours) {
            let reference = transcript(&InMemoryBackend::new(), seed).await;
            for (ours, reference) in ours.iter().zip(&reference) {
                assert_eq!(ours, reference);
            }
            assert!(ours.len() > STEPS && ours.len() == reference.len());
            assert!(ours.iter().filter(|answer| answer.contains("Some(")).count() > STEPS / 10);
        }
    }
}

async fn transcript(backend: &dyn Backend, seed: u64) -> Vec<String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut answers = vec![directed(backend).await];
    // Every kind of call comes often; which one, and what about, is chance.
    for step in 0..STEPS as i64 {
        let call = rng.random_range(0..CALLS);
        let mut asked = Asked { backend, rng: StdRng::seed_from_u64(rng.random()), step };
        let answer = match call {
            0..16 => asked.signal(call).await,
            16..24 => asked.app_sync(call).await,
            24..38 => asked.people(call).await,
            38..46 => asked.messages(call).await,
            _ => asked.device(call).await,
        };
        answers.push(format!("{step}, call {call}: {answer}"));
    }
    answers.push(said(backend.delete_expired_sent_messages(LATER).await));
    answers
}

/// What chance would hardly find: big batches, odd names, the same row twice in a batch.
async fn directed(backend: &dyn Backend) -> String {
    let long = "x".repeat(5000);
    let odd = ["", "\0", "a\0b", "é@ü", "%_'\"", &long, &long[1..]];
    let sessions: Vec<(Arc<str>, Bytes)> =
        (0..300_u32).map(|number| (Arc::from(format!("{}@bulk", number % 299)), bytes_of(number))).collect();
    backend.put_sessions_batch(&sessions).await.unwrap();
    backend.put_sessions_batch(&[]).await.unwrap();
    backend.store_prekeys_batch(&(1..=812).map(|id| (id, bytes_of(id))).collect::<Vec<_>>(), false).await.unwrap();
    backend.mark_prekeys_uploaded(&[812, 9000]).await.unwrap();
    for (number, name) in (0..).zip(odd) {
        backend.put_session(name, &[number]).await.unwrap();
        backend.save_base_key(name, "m", &[number]).await.unwrap();
        backend.store_sent_message("chat", name, &[number]).await.unwrap();
        backend.set_sender_key_status("group@g", &[(&name[..name.len().min(9)], true), ("twice", true)]).await.unwrap();
    }
    backend.set_sender_key_status("group@g", &[("twice", true), ("twice", false)]).await.unwrap();
    let at = |number: i64| LidPnMappingEntry {
        lid: format!("first-or-second-{}", number % 2),
        phone_number: "shared".into(),
        created_at: 1,
        updated_at: number,
        learning_source: "usync".into(),
    };
    backend.put_lid_mappings(&[at(1), at(2)]).await.unwrap();
    backend.put_session("u77:3@s", b"of a second device").await.unwrap();
    backend.put_identity("u88@s", [1; 32]).await.unwrap();
    let mut told = Vec::new();
    for user in ["u77", "u7", "u88", "u8", "u77:3"] {
        told.push(format!("{:?}", backend.has_signal_state_for_user(user).await.unwrap()));
    }
    for name in odd {
        told.push(format!("{:?}", backend.get_session(name).await.unwrap()));
        told.push(format!("{:?}", backend.has_same_base_key(name, "m", &[3]).await.unwrap()));
        told.push(format!("{:?}", backend.take_sent_message("chat", name).await.unwrap()));
    }
    told.push(format!("{:?}", backend.get_session("0@bulk").await.unwrap()));
    told.push(format!("{:?}", backend.get_max_prekey_id().await.unwrap()));
    told.push(format!("{:?}", backend.load_prekeys_batch(&[812, 9000, 5, 5]).await.unwrap()));
    told.push(sorted(backend.get_sender_key_devices("group@g").await.unwrap()));
    told.push(format!("{:?}", backend.get_pn_mapping("shared").await.unwrap()));
    told.join("\n")
}

/// One call, with arguments by chance.
struct Asked<'a> {
    backend: &'a dyn Backend,
    rng: StdRng,
    step: i64,
}

impl Asked<'_> {
    async fn signal(&mut self, call: u32) -> String {
        let (backend, address, id, bytes) = (self.backend, self.address(), self.number(), self.bytes());
        let identity = [self.byte(); 32];
        let batch: Vec<(Arc<str>, Bytes)> = (0..3).map(|_| (Arc::from(self.address()), self.bytes())).collect();
        match call {
            0 => said(backend.put_identity(&address, identity).await),
            1 => said(backend.put_identities_batch(&[(Arc::from(address), identity)]).await),
            2 => said(backend.load_identity(&address).await),
            3 => said(backend.delete_identity(&address).await),
            4 => said(backend.get_session(&address).await),
            5 => said(backend.put_session(&address, &bytes).await),
            6 => said(backend.put_sessions_batch(&batch).await),
            7 => said((backend.delete_session(&address).await, backend.delete_identity(&address).await)),
            8 => said((backend.has_session(&address).await, backend.has_signal_state_for_user(&self.user()).await)),
            9 => said((backend.store_prekey(id, &bytes, true).await, backend.load_prekey(id + 1).await)),
            10 => said(backend.load_prekeys_batch(&[id + 2, id, id + 1]).await),
            11 => said((backend.remove_prekey(id).await, backend.mark_prekeys_uploaded(&[id]).await)),
            12 => said((backend.load_prekey(id).await, backend.get_max_prekey_id().await)),
            13 => said((backend.store_signed_prekey(id, &bytes).await, backend.remove_signed_prekey(id + 1).await)),
            14 => {
                let one = backend.load_signed_prekey(id).await;
                format!("{one:?} {}", sorted(backend.load_all_signed_prekeys().await.unwrap()))
            }
            _ => {
                backend.put_sender_keys_batch(&batch).await.unwrap();
                backend.put_sender_key(&address, &bytes).await.unwrap();
                backend.delete_sender_key(&self.address()).await.unwrap();
                said(backend.get_sender_key(&self.address()).await)
            }
        }
    }

    async fn app_sync(&mut self, call: u32) -> String {
        let (backend, name, id) = (self.backend, self.one_of(&["critical", "critical_block"]), [self.byte() % 4]);
        let macs: Vec<[u8; 32]> = (0..3).map(|_| [self.byte() % 8; 32]).collect();
        let listed: Vec<Vec<u8>> = macs.iter().map(|mac| mac.to_vec()).collect();
        match call {
            16 => {
                let key = AppStateSyncKey { key_data: self.bytes().to_vec(), fingerprint: vec![1], timestamp: 5 };
                said(backend.set_sync_key(&id, key).await)
            }
            17 => said((backend.get_sync_key(&id).await, backend.get_latest_sync_key_id().await)),
            18 => {
                let mut state = backend.get_version(name).await.unwrap();
                (state.version, state.hash[7]) = (state.version + 1, self.byte());
                said(backend.set_version(name, state).await)
            }
            19 => said(backend.get_version(name).await),
            20 => {
                let value_mac = self.bytes().to_vec();
                let mac = |index_mac: &Vec<u8>| AppStateMutationMAC {
                    index_mac: index_mac.clone(),
                    value_mac: value_mac.clone(),
                };
                said(backend.put_mutation_macs(name, 3, &listed.iter().map(mac).collect::<Vec<_>>()).await)
            }
            21 => sorted(backend.get_mutation_macs(name, &macs).await.unwrap()),
            22 => said(backend.get_mutation_mac(name, &listed[0]).await),
            _ if self.byte() < 64 => said(backend.clear_mutation_macs(name).await),
            _ => said(backend.delete_mutation_macs(name, &listed).await),
        }
    }

    async fn people(&mut self, call: u32) -> String {
        let (backend, group, user, address) = (self.backend, self.group(), self.user(), self.address());
        let (other, blob, seconds) = (self.address(), self.bytes(), i64::from(self.byte()));
        let token = TcTokenEntry { token: blob.to_vec(), token_timestamp: seconds, sender_timestamp: None };
        match call {
            24 => said(backend.set_sender_key_status(group, &[(&address, true), (&other, false)]).await),
            25 | 26 => sorted(backend.get_sender_key_devices(group).await.unwrap()),
            27 => said(backend.delete_sender_key_device_rows(&[&address, "nobody"]).await),
            28 if self.byte() < 64 => said(backend.clear_all_sender_key_devices().await),
            28 => said(backend.clear_sender_key_devices(group).await),
            29 => {
                let (first, second) = (self.mapping(), self.mapping());
                said((backend.put_lid_mapping(&first).await, backend.put_lid_mappings(&[second]).await))
            }
            30 => said((backend.get_lid_mapping(&user).await, backend.get_pn_mapping(&format!("pn{user}")).await)),
            31 => sorted(backend.get_all_lid_mappings().await.unwrap()),
            32 => said(backend.update_device_lists(vec![self.devices(), self.devices()]).await),
            33 => said((backend.get_devices(&user).await, backend.delete_devices(&self.user()).await)),
            34 => {
                backend.put_group_metadata(group, &blob).await.unwrap();
                backend.delete_group_metadata(self.group()).await.unwrap();
                said((backend.get_group_metadata(group).await, backend.update_device_list(self.devices()).await))
            }
            35 => said((backend.put_tc_token(&user, &token).await, backend.delete_tc_token(&self.user()).await)),
            36 => {
                let received = backend.store_received_tc_token(&user, &blob, seconds).await;
                said((received, backend.touch_tc_token_sender_timestamp(&self.user(), seconds).await))
            }
            _ => {
                let expired = backend.delete_expired_tc_tokens(seconds / 4, i64::from(self.byte()) / 4).await;
                let all = sorted(backend.get_all_tc_token_jids().await.unwrap());
                format!("{expired:?} {all} {:?}", backend.get_tc_token(&user).await)
            }
        }
    }

    async fn messages(&mut self, call: u32) -> String {
        let (backend, chat, sender, id) = (self.backend, self.group(), self.user(), self.address());
        let (payload, seconds) = (self.bytes(), i64::from(self.byte()));
        match call {
            38 => said(backend.store_sent_message(chat, &id, &payload).await),
            39 => said(backend.take_sent_message(chat, &id).await),
            40 => {
                backend.delete_base_key(chat, &id).await.unwrap();
                backend.save_base_key(chat, &self.address(), &payload).await.unwrap();
                said(backend.has_same_base_key(chat, &self.address(), &payload).await)
            }
            41 => {
                let row = PendingInboundRow { chat, sender: &sender, id: &id, message: &payload };
                backend.store_pending_inbound_batch(&[row]).await.unwrap();
                said(backend.store_pending_inbound(chat, &self.user(), &id, &payload).await)
            }
            42 => {
                let key = PendingInboundKey { chat, sender: &self.user(), id: &id };
                backend.delete_pending_inbound_batch(&[key]).await.unwrap();
                backend.delete_pending_inbound(chat, &self.user(), &id).await.unwrap();
                said(backend.get_pending_inbound(chat, &sender, &id).await)
            }
            43 => {
                let (first, second) = (self.secret(), self.secret());
                let never = backend.put_msg_secret(chat, &self.user(), &id, &[9; 32]).await;
                said((backend.put_msg_secrets(vec![first.clone(), second, first]).await, never))
            }
            44 => {
                let secret = backend.get_msg_secret_with_ts(chat, &sender, &id).await;
                said((secret, backend.get_msg_secret(chat, &self.user(), &id).await))
            }
            // Old, or all: what is from this very second is neither.
            _ => {
                let cutoff = if self.byte() < 32 { LATER } else { 5 };
                let pending = backend.delete_expired_pending_inbound(cutoff).await;
                let sent = backend.delete_expired_sent_messages(5).await;
                said((pending, sent, backend.delete_expired_msg_secrets(seconds / 4).await))
            }
        }
    }

    async fn device(&mut self, call: u32) -> String {
        match call {
            46 => {
                self.backend.create().await.unwrap();
                said(self.backend.exists().await)
            }
            47 => {
                let mut device = self.backend.load().await.unwrap().unwrap_or_else(Device::new);
                device.push_name = self.user();
                device.nct_salt = Some(self.bytes().to_vec());
                said(self.backend.save(&device).await)
            }
            48 => said(self.backend.snapshot_db("name", None).await),
            _ => {
                let device = self.backend.load().await.unwrap();
                said(device.map(|device| (device.push_name, device.nct_salt, device.registration_id > 0)))
            }
        }
    }

    fn one_of(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.rng.random_range(0..choices.len())]
    }

    fn byte(&mut self) -> u8 {
        self.rng.random()
    }

    fn number(&mut self) -> u32 {
        self.rng.random_range(800..820)
    }

    /// One user's name begins another's.
    fn user(&mut self) -> String {
        self.one_of(&["1", "12", "123", "2"]).to_owned()
    }

    fn address(&mut self) -> String {
        format!("{}{}", self.user(), self.one_of(&["@s", ":3@s", "@lid"]))
    }

    fn group(&mut self) -> &'static str {
        self.one_of(&["1@g", "11@g", "1@g@g"])
    }

    fn bytes(&mut self) -> Bytes {
        let length = self.rng.random_range(0..100);
        (0..length).map(|_| self.byte()).collect()
    }

    /// No phone has two of them here; see `directed`.
    fn mapping(&mut self) -> LidPnMappingEntry {
        let lid = self.user();
        LidPnMappingEntry {
            phone_number: format!("{}{lid}", self.one_of(&["pn", "old"])),
            lid,
            created_at: self.step,
            updated_at: self.step,
            learning_source: "usync".into(),
        }
    }

    fn devices(&mut self) -> DeviceListRecord {
        DeviceListRecord {
            user: self.user(),
            devices: vec![DeviceInfo::new(u32::from(self.byte()), Some(1)).with_hosting(true)],
            timestamp: self.step,
            phash: None,
            raw_id: Some(self.number()),
        }
    }

    fn secret(&mut self) -> MsgSecretEntry {
        MsgSecretEntry {
            chat: self.group().into(),
            sender: self.user().into(),
            msg_id: self.address().into(),
            secret: [self.byte(); 32],
            expires_at: i64::from(self.byte() % 64),
            message_ts: i64::from(self.byte() % 4),
        }
    }
}

fn bytes_of(number: u32) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}

fn said(answer: impl Debug) -> String {
    let answer = format!("{answer:?}");
    assert!(!answer.contains("Err("), "{answer}");
    answer
}

/// Where the order of an answer means nothing.
fn sorted<T: Debug>(answers: impl IntoIterator<Item = T>) -> String {
    let mut answers: Vec<String> = answers.into_iter().map(|answer| format!("{answer:?}")).collect();
    answers.sort();
    answers.join(", ")
}
