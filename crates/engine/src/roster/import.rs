//! Many contacts at once. Those that a sender knows already are left as they are.

use std::sync::Arc;

use store::senders::Sender;
use store::{Id, Result, Tx, Work};

use super::change::make;
use super::{Change, Source};
use crate::{Engine, UseCase};

/// One contact as a caller hands it in.
#[derive(Clone, Debug)]
pub struct Row {
    /// E.164 with `+`.
    pub phone: String,
    pub change: Change,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    Created(Id),
    /// The sender knew somebody with this number.
    Known,
}

/// Makes contacts known to a sender, in one commit; the answer has one item for each row, in their order.
pub struct Import {
    pub engine: Engine,
    pub sender: Arc<Sender>,
    pub rows: Vec<Row>,
    /// What shows that the caller asked for it.
    pub proof: String,
}

impl Work for Import {
    type Output = Vec<Imported>;
    async fn run(&self, tx: &mut Tx) -> Result<Vec<Imported>> {
        let source = Source { channel: &self.sender.channel, proof: &self.proof };
        let mut became = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let made = make(tx, &self.engine, &self.sender, &row.phone, &row.change, &source).await?;
            became.push(made.map_or(Imported::Known, |contact| Imported::Created(contact.id)));
        }
        Ok(became)
    }
}

impl UseCase for Import {
    fn committed(&self, engine: &Engine, _: &Vec<Imported>) {
        engine.wake.dispatch.ring();
    }
}
