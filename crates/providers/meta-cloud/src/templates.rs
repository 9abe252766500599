//! Templates at Meta.

use engine::facts::TemplateState;
use engine::provider::{Account, CallError, Templates};
use futures_util::future::BoxFuture;
use meta_wire::template::{Created, Template};
use serde::Deserialize;
use serde_json::Value;

use crate::MetaCloud;

impl Templates for MetaCloud {
    fn list<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Vec<TemplateState>, CallError>> {
        Box::pin(async move {
            let found = self.graph(account)?.templates(&account.external_id).await?;
            Ok(found.into_iter().filter_map(state).collect())
        })
    }

    fn create<'a>(
        &'a self,
        account: &'a Account,
        definition: &'a Value,
    ) -> BoxFuture<'a, Result<TemplateState, CallError>> {
        Box::pin(async move {
            let created = self.graph(account)?.create_template(&account.external_id, definition).await?;
            created_state(definition, created)
        })
    }

    fn edit<'a>(
        &'a self,
        account: &'a Account,
        external_id: &'a str,
        change: &'a Value,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(async move {
            self.graph(account)?.edit_template(external_id, change).await?;
            Ok(())
        })
    }

    fn delete<'a>(
        &'a self,
        account: &'a Account,
        name: &'a str,
        external_id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(async move {
            self.graph(account)?.delete_template(&account.external_id, name, external_id).await?;
            Ok(())
        })
    }
}

/// `None` for what lacks a name to find it by.
pub(crate) fn state(template: Template) -> Option<TemplateState> {
    let (_, body) = template.variables();
    let reason = template.rejected_reason.as_ref().filter(|reason| !reason.is_empty() && *reason != "NONE");
    let quality = template.quality_score.as_ref().and_then(|quality| quality.score.as_ref());
    Some(TemplateState {
        external_id: template.id.as_ref()?.as_str().to_owned(),
        name: Some(&template.name).filter(|name| !name.is_empty())?.clone(),
        language: template.language.clone()?,
        category: template.category.as_ref().map(|category| category.as_str().to_ascii_uppercase()).unwrap_or_default(),
        status: template.status.as_ref().map(|status| status.as_str().to_ascii_uppercase()).unwrap_or_default(),
        status_reason: reason.cloned(),
        quality: quality.map(|score| score.as_str().to_owned()),
        body: template.body_text().unwrap_or_default().to_owned(),
        variables: body.iter().map(ToString::to_string).collect(),
        components: serde_json::to_string(&template.components).unwrap_or_else(|_| "[]".to_owned()),
    })
}

/// Meta answers with what it decided; the rest is what was asked for.
fn created_state(definition: &Value, created: Created) -> Result<TemplateState, CallError> {
    let asked = Template::deserialize(definition).unwrap_or_default();
    let template = Template {
        id: Some(created.id),
        status: created.status.or(asked.status),
        category: created.category.or(asked.category),
        ..asked
    };
    state(template).ok_or_else(|| CallError::Unreadable("Meta took a template without name or language".to_owned()))
}
