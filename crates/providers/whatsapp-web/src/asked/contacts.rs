//! Taking somebody out of the owner's address book.
//!
//! The library writes contacts but has no call that removes one. A removal is one more patch of the collection that
//! contacts live in: built on the version that we hold, sent, and then synced back like a patch of another device.

use std::sync::Arc;

use engine::sessions::CallError;
use wacore::appstate::encode::encode_record;
use wacore::appstate::patch_decode::WAPatchName;
use wacore::appstate_sync::AppStateProcessor;
use wacore_binary::NodeContent;
use wacore_binary::builder::NodeBuilder;
use waproto::whatsapp as wa;
use waproto::whatsapp::syncd_mutation::SyncdOperation;
use web_wire::jid::Jid;
use whatsapp_rust::request::InfoQuery;
use whatsapp_rust::sync_task::MajorSyncTask;
use whatsapp_rust::{Client, TokioRuntime};

use super::errors;

/// The collection and the version of its contact action.
const COLLECTION: WAPatchName = WAPatchName::CriticalUnblockLow;
const ACTION_VERSION: i32 = 2;

pub(super) async fn remove(client: &Arc<Client>, address: &Jid) -> Result<(), CallError> {
    let (patch, base) = patch(client, address).await.map_err(|error| errors::of_any(&error))?;
    let collection = NodeBuilder::new("collection")
        .attr("name", COLLECTION.as_str())
        .attr("version", base)
        .attr("return_snapshot", "false")
        .children([NodeBuilder::new("patch").bytes(patch).build()])
        .build();
    let sync = NodeBuilder::new("sync").children([collection]).build();
    let server = wacore_binary::Jid::new("", wacore_binary::Server::Pn);
    let query = InfoQuery::set("w:sync:app:state", server, Some(NodeContent::Nodes(vec![sync])));
    let answer = client.send_iq(query).await.map_err(errors::of)?;
    let verdict = answer.get().get_optional_child_by_tag(&["sync", "collection", "error"]);
    if let Some(error) = verdict {
        let code = error.attrs().optional_string("code").and_then(|code| code.parse().ok());
        return Err(CallError::Refused { code, message: "WhatsApp refused to remove the contact".into() });
    }
    client.process_sync_task(MajorSyncTask::AppStateSync { name: COLLECTION, full_sync: false }).await;
    Ok(())
}

/// The patch and the version it builds on.
async fn patch(client: &Client, address: &Jid) -> anyhow::Result<(Vec<u8>, u64)> {
    let backend = client.persistence_manager().backend();
    let key_id =
        backend.get_latest_sync_key_id().await?.ok_or_else(|| anyhow::anyhow!("the phone has shared no key yet"))?;
    let processor = AppStateProcessor::new(backend, Arc::new(TokioRuntime));
    let keys = processor.get_app_state_key(&key_id).await?;
    let index = serde_json::to_vec(&["contact", &address.bare().to_string()])?;
    let value = wa::SyncActionValue { timestamp: Some(wacore::time::now_millis()), ..Default::default() };
    let (operation, iv) = (SyncdOperation::REMOVE, rand::random::<[u8; 16]>());
    let (mutation, _) = encode_record(operation, &index, &value, &keys, &key_id, &iv, ACTION_VERSION);
    processor.build_patch(COLLECTION.as_str(), vec![mutation]).await
}
