//! Who has which devices and names, which of them have our keys, and messages kept for a second try.

use async_trait::async_trait;
use store::session_state::{Scope, Writing};
use wacore::store::error::Result;
use wacore::store::traits::{
    DeviceListRecord, LidPnMappingEntry, PendingInboundKey, PendingInboundRow, ProtocolStore, TcTokenEntry,
};

use super::change::{Change, DeleteOlder, DeletePrefix, Take};
use super::error::tell;
use super::key::{
    BASE_KEY, DEVICE_LIST, GROUP, MAPPING, PENDING, SENDER_KEY_DEVICE, SENT, TOKEN, beginning, key, last, mark,
};
use super::{Backend, json, now, tokens};

#[async_trait]
impl ProtocolStore for Backend {
    async fn get_sender_key_devices(&self, group: &str) -> Result<Vec<(String, bool)>> {
        let found = self.scan(SENDER_KEY_DEVICE, &beginning(&[group])).await?;
        Ok(found.into_iter().map(|found| (last(&found.key), found.value == HAS_KEY)).collect())
    }

    async fn set_sender_key_status(&self, group: &str, entries: &[(&str, bool)]) -> Result<()> {
        let entry = |(device, has_key): &(&str, bool)| {
            let value: &[u8] = if *has_key { HAS_KEY } else { &[0] };
            Ok(self.seal(SENDER_KEY_DEVICE, key(&[group, device]), value)?.marked(mark(device)))
        };
        let entries = entries.iter().map(entry).collect::<Result<_>>()?;
        self.put_entries(entries).await
    }

    async fn clear_sender_key_devices(&self, group: &str) -> Result<()> {
        self.write(DeletePrefix { kind: SENDER_KEY_DEVICE, prefix: beginning(&[group]) }).await
    }

    async fn delete_sender_key_device_rows(&self, devices: &[&str]) -> Result<()> {
        if devices.is_empty() {
            return Ok(());
        }
        self.write(ForgetDevices(devices.iter().map(|device| (*device).to_owned()).collect())).await
    }

    async fn clear_all_sender_key_devices(&self) -> Result<()> {
        self.write(DeletePrefix { kind: SENDER_KEY_DEVICE, prefix: Vec::new() }).await
    }

    async fn get_lid_mapping(&self, lid: &str) -> Result<Option<LidPnMappingEntry>> {
        self.get_json(MAPPING, &key(&[lid])).await
    }

    async fn get_pn_mapping(&self, phone: &str) -> Result<Option<LidPnMappingEntry>> {
        let mut reader = self.reader().await?;
        let found = self.scope.read(&mut reader).marked(MAPPING, mark(phone)).await.map_err(tell)?;
        let mappings = found.iter().map(|found| json::read(&found.value)).collect::<store::Result<Vec<_>>>();
        let of_phone = |mapping: &LidPnMappingEntry| mapping.phone_number == phone;
        Ok(mappings.map_err(tell)?.into_iter().filter(of_phone).max_by_key(|mapping| mapping.updated_at))
    }

    async fn put_lid_mapping(&self, entry: &LidPnMappingEntry) -> Result<()> {
        self.put_lid_mappings(std::slice::from_ref(entry)).await
    }

    async fn put_lid_mappings(&self, entries: &[LidPnMappingEntry]) -> Result<()> {
        let entry = |mapping: &LidPnMappingEntry| {
            let value = json::write(mapping).map_err(tell)?;
            Ok(self.seal(MAPPING, key(&[&mapping.lid]), &value)?.marked(mark(&mapping.phone_number)))
        };
        let entries = entries.iter().map(entry).collect::<Result<_>>()?;
        self.put_entries(entries).await
    }

    async fn get_all_lid_mappings(&self) -> Result<Vec<LidPnMappingEntry>> {
        let found = self.scan(MAPPING, b"").await?;
        found.iter().map(|found| json::read(&found.value).map_err(tell)).collect()
    }

    async fn save_base_key(&self, address: &str, message_id: &str, base_key: &[u8]) -> Result<()> {
        let entry = self.seal(BASE_KEY, key(&[address, message_id]), base_key)?.at(now());
        self.put_entries(vec![entry]).await
    }

    async fn has_same_base_key(&self, address: &str, message_id: &str, base_key: &[u8]) -> Result<bool> {
        Ok(self.get(BASE_KEY, &key(&[address, message_id])).await?.is_some_and(|saved| saved == base_key))
    }

    async fn delete_base_key(&self, address: &str, message_id: &str) -> Result<()> {
        self.delete(BASE_KEY, vec![key(&[address, message_id])]).await
    }

    async fn update_device_list(&self, record: DeviceListRecord) -> Result<()> {
        self.update_device_lists(vec![record]).await
    }

    async fn update_device_lists(&self, records: Vec<DeviceListRecord>) -> Result<()> {
        let row = |record: &DeviceListRecord| Ok((key(&[&record.user]), json::write(record)?));
        let rows = records.iter().map(row).collect::<store::Result<Vec<_>>>().map_err(tell)?;
        self.put_all(DEVICE_LIST, rows.into_iter()).await
    }

    async fn get_devices(&self, user: &str) -> Result<Option<DeviceListRecord>> {
        self.get_json(DEVICE_LIST, &key(&[user])).await
    }

    async fn delete_devices(&self, user: &str) -> Result<()> {
        self.delete(DEVICE_LIST, vec![key(&[user])]).await
    }

    async fn get_group_metadata(&self, group: &str) -> Result<Option<Vec<u8>>> {
        self.get(GROUP, &key(&[group])).await
    }

    async fn put_group_metadata(&self, group: &str, metadata: &[u8]) -> Result<()> {
        self.put(GROUP, key(&[group]), metadata).await
    }

    async fn delete_group_metadata(&self, group: &str) -> Result<()> {
        self.delete(GROUP, vec![key(&[group])]).await
    }

    async fn get_tc_token(&self, address: &str) -> Result<Option<TcTokenEntry>> {
        self.get_json(TOKEN, &key(&[address])).await
    }

    async fn put_tc_token(&self, address: &str, token: &TcTokenEntry) -> Result<()> {
        let entry = tokens::seal(&self.scope, key(&[address]), token).map_err(tell)?;
        self.put_entries(vec![entry]).await
    }

    async fn delete_tc_token(&self, address: &str) -> Result<()> {
        self.delete(TOKEN, vec![key(&[address])]).await
    }

    async fn get_all_tc_token_jids(&self) -> Result<Vec<String>> {
        let mut reader = self.reader().await?;
        let keys = self.scope.read(&mut reader).keys(TOKEN, b"", i64::MAX).await.map_err(tell)?;
        Ok(keys.iter().map(|key| last(key)).collect())
    }

    async fn delete_expired_tc_tokens(&self, token_cutoff: i64, sender_cutoff: i64) -> Result<u32> {
        self.write(tokens::Expire { received_before: token_cutoff, issued_before: sender_cutoff }).await
    }

    async fn touch_tc_token_sender_timestamp(&self, address: &str, sender_timestamp: i64) -> Result<()> {
        self.write(tokens::Issued { key: key(&[address]), at: sender_timestamp }).await
    }

    async fn store_received_tc_token(&self, address: &str, token: &[u8], token_timestamp: i64) -> Result<()> {
        self.write(tokens::Received { key: key(&[address]), token: token.to_vec(), at: token_timestamp }).await
    }

    async fn store_sent_message(&self, chat: &str, message_id: &str, payload: &[u8]) -> Result<()> {
        let entry = self.seal(SENT, key(&[chat, message_id]), payload)?.at(now());
        self.put_entries(vec![entry]).await
    }

    async fn take_sent_message(&self, chat: &str, message_id: &str) -> Result<Option<Vec<u8>>> {
        self.write(Take { kind: SENT, key: key(&[chat, message_id]) }).await
    }

    /// A base key, which is compared when a message is asked for again, goes with the message.
    async fn delete_expired_sent_messages(&self, cutoff: i64) -> Result<u32> {
        self.write(DeleteOlder { kinds: &[SENT, BASE_KEY], before: cutoff }).await
    }

    async fn store_pending_inbound(&self, chat: &str, sender: &str, id: &str, message: &[u8]) -> Result<()> {
        self.store_pending_inbound_batch(&[PendingInboundRow { chat, sender, id, message }]).await
    }

    /// Asked about a message that comes again: where there is none, the library acknowledges it and forgets it.
    async fn get_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> Result<Option<Vec<u8>>> {
        let found = self.get(PENDING, &key(&[chat, sender, id])).await?;
        if found.is_none() {
            self.miss(chat, sender, id).await?;
        }
        Ok(found)
    }

    async fn delete_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> Result<()> {
        self.delete(PENDING, vec![key(&[chat, sender, id])]).await
    }

    async fn delete_expired_pending_inbound(&self, cutoff: i64) -> Result<u32> {
        self.write(DeleteOlder { kinds: &[PENDING], before: cutoff }).await
    }

    async fn store_pending_inbound_batch(&self, rows: &[PendingInboundRow<'_>]) -> Result<()> {
        let at = now();
        let entry = |row: &PendingInboundRow<'_>| {
            Ok(self.seal(PENDING, key(&[row.chat, row.sender, row.id]), row.message)?.at(at))
        };
        let entries = rows.iter().map(entry).collect::<Result<_>>()?;
        self.put_entries(entries).await
    }

    async fn delete_pending_inbound_batch(&self, keys: &[PendingInboundKey<'_>]) -> Result<()> {
        self.delete(PENDING, keys.iter().map(|row| key(&[row.chat, row.sender, row.id])).collect()).await
    }
}

/// How a device is written down that has our sender key.
const HAS_KEY: &[u8] = &[1];

/// Forgets, in all groups, what these devices have.
struct ForgetDevices(Vec<String>);

impl Change for ForgetDevices {
    type Output = ();
    async fn make(&self, _: &Scope, mut state: Writing<'_>) -> store::Result<()> {
        let mut keys = Vec::new();
        for device in &self.0 {
            let found = state.marked(SENDER_KEY_DEVICE, mark(device)).await?;
            let of_device = found.into_iter().map(|found| found.key).filter(|key| last(key) == *device);
            keys.extend(of_device);
        }
        state.delete(SENDER_KEY_DEVICE, &keys).await.map(drop)
    }
}
