//! Blue ticks and the typing sign.

use engine::provider::{Account, CallError, ReadReceipts};
use engine::senders::Sender;
use futures_util::future::BoxFuture;
use meta_wire::send::Read;

use crate::MetaCloud;

impl ReadReceipts for MetaCloud {
    fn mark_read<'a>(
        &'a self,
        account: &'a Account,
        sender: &'a Sender,
        provider_id: &'a str,
        typing: bool,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(async move {
            let receipt = Read::new(provider_id, typing);
            self.graph(account)?.mark_read(&sender.external_id, &receipt).await?;
            Ok(())
        })
    }
}
