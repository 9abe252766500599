//! Names that are not free yet: for 30 days after an approved template was deleted, no other may have its name and
//! language.

use serde::{Deserialize, Serialize};

use super::Template;
use crate::graph::error::{Outcome, sub};
use crate::media::DAY_MS;
use crate::text::Text;

const LOCKED_MS: i64 = 30 * DAY_MS;

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Locks(Vec<Lock>);

#[derive(Serialize, Deserialize)]
struct Lock {
    waba: Text,
    name: String,
    language: String,
    until: i64,
}

impl Lock {
    fn is_of(&self, template: &Template) -> bool {
        self.waba == template.waba && self.name == template.name && self.language == template.language
    }
}

impl Locks {
    /// The template is deleted now.
    pub(crate) fn deleted(&mut self, template: &Template, now: i64) {
        self.0.retain(|lock| lock.until > now);
        if template.status == "APPROVED" {
            self.0.push(Lock {
                waba: template.waba.clone(),
                name: template.name.clone(),
                language: template.language.clone(),
                until: now + LOCKED_MS,
            });
        }
    }

    /// Whether a new template may have its name.
    pub(crate) fn check(&self, template: &Template, now: i64) -> Outcome<()> {
        if !self.0.iter().any(|lock| lock.until > now && lock.is_of(template)) {
            return Ok(());
        }
        Err(sub(
            2388023,
            "Message template language is being deleted",
            format!("The {} content of this template was deleted less than 30 days ago.", template.language),
        ))
    }
}
