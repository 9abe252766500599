//! Who does not want to hear from us: one ledger, fed by people's own words, providers and callers, behind one gate.
//!
//! Every change of mind is an entry with its source and proof; what it comes to is an opt-out by address, channel and
//! purpose. When a dialect's sends look at it is that dialect's policy (`messages::Terms`).

use serde::{Deserialize, Serialize};
pub use store::contacts::Address;
pub use store::opt_outs::{Entry, Filter, OptOut};
use store::{Id, Result, Tx, Work, opt_outs as rows};

use crate::events::{self, Note};
use crate::{Engine, UseCase};

/// The purpose that people opt out of.
pub const MARKETING: &str = "marketing";

/// Where a change of mind comes from.
pub const BY_KEYWORD: &str = "keyword";
pub const BY_PROVIDER: &str = "provider";
pub const BY_CALLER: &str = "api";
/// From an address that its owner gave up for this one.
pub const BY_MOVE: &str = "move";

/// What somebody wants or does not want.
#[derive(Clone, Debug)]
pub struct Wish {
    pub organization: Id,
    /// All that we know of theirs, at least one.
    pub addresses: Vec<Address>,
    pub channel: String,
    pub purpose: String,
    pub wanted: bool,
    pub source: &'static str,
    pub proof: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub region: Option<String>,
}

/// What is kept with `consent.withdrawn` and `consent.given`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConsentData {
    pub kind: String,
    pub value: String,
    pub channel: String,
    pub purpose: String,
    pub source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// Writes a wish down. Returns the opt-outs that it made or took back; what stood already is not written again.
pub(crate) async fn enter(tx: &mut Tx, engine: &Engine, wish: &Wish) -> Result<Vec<OptOut>> {
    let mut changed = Vec::new();
    for address in &wish.addresses {
        let opt_out = opt_out(engine, wish, address);
        let done = match wish.wanted {
            true => rows::remove(tx, &wish.organization, address, &wish.channel, &wish.purpose).await?,
            false => rows::put(tx, &opt_out).await?.then_some(opt_out),
        };
        let Some(done) = done else { continue };
        rows::enter(tx, &entry(engine, wish, address)).await?;
        tell(tx, engine, wish, &done).await?;
        changed.push(done);
    }
    Ok(changed)
}

/// Somebody gives up one address for another: what they did not want there they do not want here. It stays on the old
/// one as well.
pub(crate) async fn follow(
    tx: &mut Tx,
    engine: &Engine,
    organization: &Id,
    from: &Address,
    to: &Address,
) -> Result<()> {
    for left in rows::on(tx, organization, from).await? {
        let wish = Wish {
            organization: *organization,
            addresses: vec![to.clone()],
            channel: left.channel,
            purpose: left.purpose,
            wanted: false,
            source: BY_MOVE,
            proof: Some(left.id.to_string()),
            region: left.region,
        };
        enter(tx, engine, &wish).await?;
    }
    Ok(())
}

async fn tell(tx: &mut Tx, engine: &Engine, wish: &Wish, done: &OptOut) -> Result<()> {
    let kind = if wish.wanted { events::CONSENT_GIVEN } else { events::CONSENT_WITHDRAWN };
    let data = ConsentData {
        kind: done.address.kind.clone(),
        value: done.address.value.clone(),
        channel: done.channel.clone(),
        purpose: done.purpose.clone(),
        source: wish.source.into(),
        region: done.region.clone(),
    };
    events::append(tx, engine, Note::new(&wish.organization, kind, &done.id), &data).await.map(drop)
}

fn opt_out(engine: &Engine, wish: &Wish, address: &Address) -> OptOut {
    let id = engine.new_id();
    OptOut {
        id,
        organization_id: wish.organization,
        address: address.clone(),
        channel: wish.channel.clone(),
        purpose: wish.purpose.clone(),
        region: wish.region.clone(),
        source: wish.source.into(),
        created_at: id.millis(),
    }
}

fn entry(engine: &Engine, wish: &Wish, address: &Address) -> Entry {
    let id = engine.new_id();
    Entry {
        id,
        organization_id: wish.organization,
        address: address.clone(),
        channel: wish.channel.clone(),
        purpose: wish.purpose.clone(),
        wanted: wish.wanted,
        source: wish.source.into(),
        proof: wish.proof.clone(),
        created_at: id.millis(),
    }
}

/// A caller hands a wish in; the answer is what it changed.
pub struct Enter {
    pub engine: Engine,
    pub wish: Wish,
}

impl Work for Enter {
    type Output = Vec<OptOut>;
    async fn run(&self, tx: &mut Tx) -> Result<Vec<OptOut>> {
        enter(tx, &self.engine, &self.wish).await
    }
}

impl UseCase for Enter {
    fn committed(&self, engine: &Engine, _: &Vec<OptOut>) {
        engine.wake.dispatch.ring();
    }
}

/// What somebody's message says about it, if it is one of the words for that.
#[must_use]
pub(crate) fn said(engine: &Engine, text: &str) -> Option<bool> {
    let word = text.trim().trim_end_matches(['.', '!']).to_lowercase();
    let consent = &engine.settings.consent;
    let is_in = |words: &[String]| words.iter().any(|known| known.to_lowercase() == word);
    match (is_in(&consent.opt_out_words), is_in(&consent.opt_in_words)) {
        (true, _) => Some(false),
        (_, true) => Some(true),
        _ => None,
    }
}

impl Engine {
    /// Newest first.
    pub async fn opt_outs(&self, organization: &Id, filter: &Filter, limit: i64, offset: i64) -> Result<Vec<OptOut>> {
        rows::list(&mut *self.db.reader().await?, organization, filter, limit, offset).await
    }

    pub async fn count_opt_outs(&self, organization: &Id, filter: &Filter) -> Result<i64> {
        rows::count(&mut *self.db.reader().await?, organization, filter).await
    }

    /// The ledger of one address, oldest first.
    pub async fn consent_entries(&self, organization: &Id, address: &Address) -> Result<Vec<Entry>> {
        rows::entries(&mut *self.db.reader().await?, organization, address).await
    }
}
