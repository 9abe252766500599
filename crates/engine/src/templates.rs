//! Messages that the channel has approved beforehand, as far as we know them.

pub mod sync;

use std::sync::Arc;

use serde_json::Value;
pub use store::templates::{Filter, Template};
use store::{Id, Result, Tx, Work};

use crate::facts::TemplateState;
use crate::provider::{Account, CallError, Provider};
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

/// Why a template could not be made, changed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("this channel has no templates")]
    Unsupported,
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

type Changed<T> = std::result::Result<T, ChangeError>;

/// Makes a template at its provider, in the provider's own words, and writes it down as the provider answers.
pub async fn create(engine: &Engine, account: &Arc<Account>, definition: &Value) -> Changed<Template> {
    let state =
        asked(engine, account)?.templates().ok_or(ChangeError::Unsupported)?.create(account, definition).await?;
    let (name, language) = (state.name.clone(), state.language.clone());
    let write = WriteDown { engine: engine.clone(), account: account.clone(), states: vec![state] };
    engine.perform(write).await?;
    let found = engine.template(&account.id, &name, &language).await?;
    found.ok_or(ChangeError::Store(store::Error::Dangling))
}

/// Changes a template at its provider, then asks how it stands there.
pub async fn edit(engine: &Engine, account: &Arc<Account>, template: &Template, change: &Value) -> Changed<Template> {
    let provider = asked(engine, account)?;
    let templates = provider.templates().ok_or(ChangeError::Unsupported)?;
    templates.edit(account, template.external_id.as_deref().unwrap_or_default(), change).await?;
    let states = templates.list(account).await?;
    engine.perform(Sync { engine: engine.clone(), account: account.clone(), states }).await?;
    let found = engine.template(&account.id, &template.name, &template.language).await?;
    found.ok_or(ChangeError::Store(store::Error::Dangling))
}

/// Deletes a template, in one language or in all, at its provider and here.
pub async fn delete(engine: &Engine, account: &Arc<Account>, name: &str, gone: &[Template], one: bool) -> Changed<()> {
    let provider = asked(engine, account)?;
    let templates = provider.templates().ok_or(ChangeError::Unsupported)?;
    let external_id = gone.first().and_then(|template| template.external_id.as_deref()).filter(|_| one);
    templates.delete(account, name, external_id).await?;
    engine
        .perform(Forget { account: account.id, templates: gone.iter().map(|template| template.id).collect() })
        .await?;
    Ok(())
}

fn asked(engine: &Engine, account: &Account) -> Changed<Arc<dyn Provider>> {
    engine.provider(&account.provider).cloned().ok_or(ChangeError::Unsupported)
}

struct WriteDown {
    engine: Engine,
    account: Arc<Account>,
    states: Vec<TemplateState>,
}

impl Work for WriteDown {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        write_down(tx, &self.engine, &self.account, &self.states).await
    }
}

impl UseCase for WriteDown {}

struct Forget {
    account: Id,
    templates: Vec<Id>,
}

impl Work for Forget {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        for id in &self.templates {
            store::templates::delete(tx, &self.account, id).await?;
        }
        Ok(())
    }
}

impl UseCase for Forget {}

impl Engine {
    pub async fn template(&self, account: &Id, name: &str, language: &str) -> Result<Option<Template>> {
        store::templates::find(&mut *self.db.reader().await?, account, None, name, language).await
    }
}

/// Brings all templates of an account to what the provider says, and forgets those it no longer has.
pub struct Sync {
    pub engine: Engine,
    pub account: Arc<Account>,
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
