//! Lists: `data` with cursors.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    #[serde(default = "Vec::new", deserialize_with = "crate::loose::list", bound(deserialize = "T: Deserialize<'de>"))]
    pub data: Vec<T>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
    /// Counts, where `summary=` asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Value>,
}

wire! {
    /// Where this page stands.
    Paging {
        cursors?: Cursors,
        /// URLs; the one that is missing says that the list ends there.
        previous?: String,
        next?: String,
    }

    /// Opaque, and soon stale (131059).
    Cursors {
        before?: String,
        after?: String,
    }
}

impl<T> Page<T> {
    /// A list that is whole.
    pub fn of(data: Vec<T>) -> Self {
        Self { data, paging: None, summary: None }
    }

    /// The cursor to go on with, if there is more.
    pub fn after(&self) -> Option<&str> {
        let paging = self.paging.as_ref()?;
        paging.next.as_ref()?;
        paging.cursors.as_ref()?.after.as_deref()
    }
}
