//! Messages, committed before WhatsApp hears that we have them.

use std::sync::Arc;

use engine::Engine;
use engine::receive::Received;
use engine::sessions::Opened;
use wacore::types::events::InboundMessage;
use web_wire::config::Config;
use whatsapp_rust::{Client, InboundDurabilityHook};

use super::message::Taking;
use super::pairs::{Asked, Pairs};

/// The library awaits it; what it committed is acknowledged, anything else comes again.
pub(crate) struct Hook {
    engine: Engine,
    account: String,
    taking: Taking,
    asked: Asked,
}

impl Hook {
    pub(crate) fn new(engine: &Engine, opened: &Opened, config: &Config) -> Self {
        let taking = Taking { sender: opened.sender.external_id.clone(), leave_files: config.leave_files };
        Self { engine: engine.clone(), account: opened.account.external_id.clone(), taking, asked: Asked::default() }
    }
}

#[whatsapp_rust::async_trait]
impl InboundDurabilityHook for Hook {
    async fn on_messages(&self, client: Arc<Client>, batch: &[InboundMessage]) -> anyhow::Result<()> {
        let sources: Vec<_> = batch.iter().map(|message| &message.info.source).collect();
        let pairs = Pairs::found(&client, &self.engine.clock, &self.asked, &sources).await;
        let facts: Vec<_> = batch.iter().filter_map(|message| self.taking.fact(message, &pairs)).collect();
        if facts.is_empty() {
            return Ok(());
        }
        let push = Received { facts, accounts: vec![self.account.clone()] };
        Ok(self.engine.receive(crate::NAME, push).await?)
    }
}
