//! Messages, committed before WhatsApp hears that we have them.

use std::sync::Arc;

use engine::Engine;
use engine::receive::Received;
use engine::sessions::Opened;
use wacore::types::events::InboundMessage;
use web_wire::config::Config;
use whatsapp_rust::{Client, InboundDurabilityHook};

use super::message::Taking;
use super::pairs::{self, Pairs};
use crate::backend::Backend;
use crate::wanted::{self, Answers};

/// The library awaits it; what it committed is acknowledged, anything else comes again.
pub(crate) struct Hook {
    engine: Engine,
    account: String,
    taking: Taking,
    /// About whom WhatsApp was asked.
    people: pairs::Asked,
    backend: Arc<Backend>,
    /// For what the phone was asked.
    wanted: Arc<wanted::Asked>,
}

impl Hook {
    pub(crate) fn new(
        engine: &Engine,
        opened: &Opened,
        config: &Config,
        backend: Arc<Backend>,
        wanted: Arc<wanted::Asked>,
    ) -> Self {
        let taking = Taking { sender: opened.sender.external_id.clone(), leave_files: config.leave_files };
        let (engine, account) = (engine.clone(), opened.account.external_id.clone());
        Self { engine, account, taking, people: pairs::Asked::default(), backend, wanted }
    }

    async fn commit(&self, client: &Arc<Client>, messages: &[&InboundMessage]) -> store::Result<()> {
        let sources: Vec<_> = messages.iter().map(|message| &message.info.source).collect();
        let pairs = Pairs::found(client, &self.engine.clock, &self.people, &sources).await;
        let facts: Vec<_> = messages.iter().filter_map(|message| self.taking.fact(message, &pairs)).collect();
        if facts.is_empty() {
            return Ok(());
        }
        let push = Received { facts, accounts: vec![self.account.clone()] };
        self.engine.receive(crate::NAME, push).await
    }
}

#[whatsapp_rust::async_trait]
impl InboundDurabilityHook for Hook {
    async fn on_messages(&self, client: Arc<Client>, batch: &[InboundMessage]) -> anyhow::Result<()> {
        // What the phone gives again comes in its answers, which are messages too.
        let answers = Answers::among(batch, &client, &self.backend, &self.wanted).await?;
        let messages: Vec<_> = batch.iter().chain(&answers.messages).collect();
        self.commit(&client, &messages).await?;
        Ok(self.backend.no_longer_wanted(&answers.settled).await?)
    }
}
