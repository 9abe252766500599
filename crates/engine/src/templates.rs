//! Messages that the channel has approved beforehand, as far as we know them.

pub use store::templates::{Filter, Template};
use store::{Id, Result, Tx, Work};

use crate::facts::TemplateState;
use crate::provider::Account;
use crate::{Engine, UseCase};

/// The status of a template that can be sent.
pub const APPROVED: &str = "APPROVED";
/// The category that people can opt out of.
pub const MARKETING: &str = "MARKETING";

impl Engine {
    /// Newest first, those of a sender's account.
    pub async fn templates(
        &self,
        organization: &Id,
        account: &Id,
        filter: &Filter,
        limit: i64,
    ) -> Result<Vec<Template>> {
        store::templates::list(&mut *self.db.reader().await?, organization, account, filter, limit).await
    }
}

/// Brings all templates of an account to what the provider says, and forgets those it no longer has.
pub struct Sync {
    pub engine: Engine,
    pub account: std::sync::Arc<Account>,
    pub states: Vec<TemplateState>,
}

/// What a sync changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    pub created: usize,
    pub updated: usize,
    pub deleted: usize,
}

impl Work for Sync {
    type Output = Synced;
    async fn run(&self, tx: &mut Tx) -> Result<Synced> {
        let known =
            store::templates::list(tx, &self.account.organization_id, &self.account.id, &Filter::default(), 10_000)
                .await?;
        let mut synced = Synced::default();
        for old in &known {
            let gone = !self.states.iter().any(|state| state.name == old.name && state.language == old.language);
            if gone && store::templates::delete(tx, &self.account.id, &old.id).await? {
                synced.deleted += 1;
            }
        }
        for state in &self.states {
            match known.iter().find(|old| old.name == state.name && old.language == state.language) {
                None => synced.created += 1,
                Some(old) if differs(old, state) => synced.updated += 1,
                Some(_) => {}
            }
        }
        write_down(tx, &self.engine, &self.account, &self.states).await?;
        Ok(synced)
    }
}

impl UseCase for Sync {}

fn differs(old: &Template, new: &TemplateState) -> bool {
    old.status != new.status || old.components != new.components || old.category != new.category
}

/// Writes templates down as the provider has them.
pub(crate) async fn write_down(
    tx: &mut Tx,
    engine: &Engine,
    account: &Account,
    states: &[TemplateState],
) -> Result<()> {
    for state in states {
        let id = engine.new_id();
        let template = Template {
            id,
            organization_id: account.organization_id,
            account_id: account.id,
            name: state.name.clone(),
            language: state.language.clone(),
            category: state.category.clone(),
            status: state.status.clone(),
            status_reason: state.status_reason.clone(),
            quality: state.quality.clone(),
            body: state.body.clone(),
            variables: serde_json::to_string(&state.variables).unwrap_or_else(|_| "[]".into()),
            components: state.components.clone(),
            external_id: Some(state.external_id.clone()),
            created_at: id.millis(),
            updated_at: id.millis(),
        };
        store::templates::put(tx, &template).await?;
    }
    Ok(())
}
