use meta_wire::Success;
use meta_wire::template::{Created, Template};
use serde_json::Value;

use super::{Graph, Result};

const FIELDS: &str = "id,name,language,status,category,parameter_format,components,quality_score,rejected_reason";

impl Graph {
    /// All templates of an account, in all languages.
    pub async fn templates(&self, waba: &str) -> Result<Vec<Template>> {
        self.list(&[waba, "message_templates"], &[("fields", FIELDS)]).await
    }

    pub async fn template(&self, id: &str) -> Result<Template> {
        self.call(self.get(&[id]).query(&[("fields", FIELDS)])).await
    }

    /// `definition` is a [`meta_wire::template::Create`], sent as the caller wrote it.
    pub async fn create_template(&self, waba: &str, definition: &Value) -> Result<Created> {
        self.call(self.post(&[waba, "message_templates"]).json(definition)).await
    }

    /// `change` is a [`meta_wire::template::Edit`], sent as the caller wrote it.
    pub async fn edit_template(&self, id: &str, change: &Value) -> Result<Success> {
        self.call(self.post(&[id]).json(change)).await
    }

    /// All languages of a name, or the one with this id.
    pub async fn delete_template(&self, waba: &str, name: &str, id: Option<&str>) -> Result<Success> {
        let mut request = self.delete(&[waba, "message_templates"]).query(&[("name", name)]);
        if let Some(id) = id {
            request = request.query(&[("hsm_id", id)]);
        }
        self.call(request).await
    }
}
