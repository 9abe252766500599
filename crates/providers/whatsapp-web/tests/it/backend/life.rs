//! A session's storage from its first start to its logout: restarts, a lost lease, neighbours, and many calls at once.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use provider_whatsapp_web::backend::is_lease_lost;
use testkit::{Scratch, on_both};
use wacore::store::Device;
use wacore::store::traits::{AppSyncStore, DeviceStore, MsgSecretEntry, MsgSecretStore, ProtocolStore, SignalStore};

use super::Place;

const PEER: &str = "1:2@s";

fn record(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn batch(text: &str) -> Vec<(Arc<str>, Bytes)> {
    vec![(Arc::from(PEER), record(text))]
}

/// A device as it is written down.
fn written(device: &Device) -> String {
    serde_json::to_string(device).unwrap()
}

on_both! {
    async fn a_restart_finds_everything_as_it_was(scratch: &mut Scratch) {
        let device = {
            let backend = Place::new(scratch).await.session(1, 1).await;
            assert!(backend.load().await.unwrap().is_none() && !backend.exists().await.unwrap());
            backend.create().await.unwrap();
            let mut device = backend.load().await.unwrap().unwrap();
            backend.create().await.unwrap();
            assert_eq!(written(&device), written(&backend.load().await.unwrap().unwrap()), "made once");
            device.pn = Some("491701234567:3@s.whatsapp.net".parse().unwrap());
            device.push_name = "Ines".into();
            (device.next_pre_key_id, device.login_counter, device.nct_salt) = (813, 2, Some(vec![1, 2, 3]));
            backend.save(&device).await.unwrap();
            let keys: Vec<_> = (1..=812).map(|id| (id, record(&id.to_string()))).collect();
            backend.store_prekeys_batch(&keys, false).await.unwrap();
            backend.put_sessions_batch(&batch("ratchet")).await.unwrap();
            backend.put_sender_keys_batch(&batch("chain")).await.unwrap();
            device
        };
        let backend = Place::new(scratch).await.session(1, 2).await;
        assert_eq!(written(&backend.load().await.unwrap().unwrap()), written(&device));
        assert_eq!(backend.get_session(PEER).await.unwrap().unwrap(), "ratchet");
        assert_eq!(backend.get_sender_key(PEER).await.unwrap().unwrap(), b"chain");
        let ids: Vec<u32> = (1..=812).collect();
        let keys = backend.load_prekeys_batch(&ids).await.unwrap();
        assert_eq!(keys, ids.iter().map(|id| (*id, record(&id.to_string()))).collect::<Vec<_>>());
    }

    async fn who_lost_the_lease_is_told_and_writes_nothing(scratch: &mut Scratch) {
        let place = Place::new(scratch).await;
        let (old, neighbour) = (place.session(1, 1).await, place.session(2, 1).await);
        old.put_sessions_batch(&batch("old")).await.unwrap();
        let lost = old.lost();
        let new = place.session(1, 2).await;
        assert!(!lost.is_cancelled(), "nobody has asked yet");

        let refused = old.put_sessions_batch(&batch("late")).await.unwrap_err();
        assert!(is_lease_lost(&refused), "{refused:?}");
        assert!(!is_lease_lost(&std::io::Error::other("another")));
        lost.cancelled().await;
        assert!(is_lease_lost(&old.get_session(PEER).await.unwrap_err()), "nor is what it reads worth anything");
        assert!(is_lease_lost(&old.take_sent_message("chat", "id").await.unwrap_err()));
        assert!(old.wipe().await.is_err());

        assert_eq!(new.get_session(PEER).await.unwrap().unwrap(), "old");
        new.put_sessions_batch(&batch("new")).await.unwrap();
        neighbour.put_sessions_batch(&batch("neighbour")).await.unwrap();
        assert!(!new.lost().is_cancelled() && !neighbour.lost().is_cancelled());
    }

    async fn a_wipe_leaves_nothing_of_one_session_and_all_of_the_others(scratch: &mut Scratch) {
        let place = Place::new(scratch).await;
        let (mine, other) = (place.session(1, 1).await, place.session(2, 1).await);
        for backend in [&mine, &other] {
            backend.create().await.unwrap();
            backend.put_sessions_batch(&batch("ratchet")).await.unwrap();
            backend.set_sender_key_status("group", &[(PEER, true)]).await.unwrap();
            backend.set_sync_key(b"id", Default::default()).await.unwrap();
        }
        let device = other.load().await.unwrap().unwrap();
        assert_ne!(written(&mine.load().await.unwrap().unwrap()), written(&device));
        other.delete_sender_key_device_rows(&["nobody"]).await.unwrap();
        // What was begun before it is wiped too, and what is begun while it goes on is refused.
        let writes = || join_all((0..20).map(|_| mine.put_identity(PEER, [1; 32])));
        let (_, wiped, late) = futures_util::join!(writes(), mine.wipe(), writes());
        wiped.unwrap();
        assert!(late.iter().all(Result::is_err));
        assert!(mine.lost().is_cancelled());
        assert!(is_lease_lost(&mine.save(&Device::new()).await.unwrap_err()), "what comes late does not come back");

        let again = place.session(1, 2).await;
        assert!(!again.exists().await.unwrap() && again.load().await.unwrap().is_none());
        assert!(!again.has_session(PEER).await.unwrap() && again.load_identity(PEER).await.unwrap().is_none());
        assert!(again.get_latest_sync_key_id().await.unwrap().is_none());
        again.clear_all_sender_key_devices().await.unwrap();
        assert_eq!(written(&other.load().await.unwrap().unwrap()), written(&device));
        assert_eq!(other.get_session(PEER).await.unwrap().unwrap(), "ratchet");
        assert_eq!(other.get_sender_key_devices("group").await.unwrap(), [(PEER.to_owned(), true)]);
        assert_eq!(other.get_latest_sync_key_id().await.unwrap().unwrap(), b"id");
    }

    /// Each call reads and writes the same rows; none undoes what another did.
    async fn calls_at_the_same_time_all_count(scratch: &mut Scratch) {
        let backend = Arc::new(Place::new(scratch).await.session(1, 1).await);
        let secret = |at: i64| MsgSecretEntry {
            chat: Arc::from("chat"),
            sender: Arc::from("sender"),
            msg_id: Arc::from("id"),
            secret: [1; 32],
            expires_at: 1000 + at,
            message_ts: at,
        };
        backend.store_sent_message("chat", "once", b"sent").await.unwrap();
        let calls = (1..=40).map(|at| {
            let (backend, secret) = (backend.clone(), secret(at));
            tokio::spawn(async move {
                backend.touch_tc_token_sender_timestamp("peer", at).await.unwrap();
                backend.store_received_tc_token("peer", &[7], 41 - at).await.unwrap();
                backend.put_msg_secrets(vec![secret]).await.unwrap();
                backend.take_sent_message("chat", "once").await.unwrap()
            })
        });
        let mut taken = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            taken.extend(call.await.unwrap());
        }
        assert_eq!(taken, [b"sent"]);
        let token = backend.get_tc_token("peer").await.unwrap().unwrap();
        assert_eq!((token.token_timestamp, token.sender_timestamp), (40, Some(40)));
        assert_eq!(backend.get_msg_secret_with_ts("chat", "sender", "id").await.unwrap().unwrap().1, 40);
        assert_eq!(backend.delete_expired_msg_secrets(1039).await.unwrap(), 0);
        assert_eq!(backend.delete_expired_msg_secrets(1040).await.unwrap(), 1);
    }
}
