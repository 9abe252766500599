//! Message templates: what Meta keeps of one, its creation rules (`rules`), how it is filled (`fill`), when it is reviewed (`review`),
//! how long a deleted one's name is not free (`locks`).

mod authentication;
pub(crate) mod fill;
pub(crate) mod locks;
pub(crate) mod review;
pub(crate) mod rules;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::text::Text;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Template {
    pub(crate) id: u64,
    pub(crate) waba: Text,
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) category: String,
    pub(crate) status: String,
    pub(crate) components: Vec<Value>,
    pub(crate) named: bool,
    pub(crate) rejected_reason: Option<String>,
    pub(crate) previous_category: Option<String>,
    pub(crate) quality: String,
    pub(crate) ttl_s: Option<i64>,
    pub(crate) created_at: i64,
    /// When it was edited while approved.
    pub(crate) edits: Vec<i64>,
    /// When its review ends.
    pub(crate) review_at: Option<i64>,
}

impl Template {
    /// The component of this type, in capitals.
    pub(crate) fn component(&self, kind: &str) -> Option<&Value> {
        component(&self.components, kind)
    }

    /// All fields, as Graph lists them.
    pub(crate) fn node(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "language": self.language,
            "category": self.category,
            "status": self.status,
            "components": self.components,
            "parameter_format": if self.named { "NAMED" } else { "POSITIONAL" },
            "rejected_reason": self.rejected_reason.as_deref().unwrap_or("NONE"),
            "previous_category": self.previous_category,
            "correct_category": null,
            "degrees_of_freedom_spec": null,
            "sub_category": null,
            "library_template_name": null,
            "quality_score": {"score": self.quality, "date": self.created_at / 1000},
            "message_send_ttl_seconds": self.ttl_s,
            "cta_url_link_tracking_opted_out": null,
            "last_updated_time": crate::clock::graph_time(self.edits.last().copied().unwrap_or(self.created_at)),
        })
    }

    /// For how long delivery is tried, in milliseconds.
    pub(crate) fn ttl_ms(&self) -> i64 {
        let seconds = match self.ttl_s {
            Some(seconds) if seconds > 0 => seconds,
            Some(_) => 30 * 86_400,
            None if self.category == "AUTHENTICATION" => 600,
            None => 30 * 86_400,
        };
        seconds * 1000
    }
}

pub(crate) fn component<'a>(components: &'a [Value], kind: &str) -> Option<&'a Value> {
    components.iter().find(|component| component["type"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(kind)))
}

/// The variables of a text in order of appearance, each once: `{{1}}`, `{{first_name}}`.
pub(crate) fn variables(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, tail)) = after.split_once("}}") else {
            break;
        };
        let name = name.trim();
        if !found.contains(&name) {
            found.push(name);
        }
        rest = tail;
    }
    found
}

/// The text with its variables replaced by what `value` says.
pub(crate) fn replace(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, tail)) = after.split_once("}}") else {
            break;
        };
        out.push_str(before);
        out.push_str(&value(name.trim()).unwrap_or_else(|| format!("{{{{{name}}}}}")));
        rest = tail;
    }
    out.push_str(rest);
    out
}
