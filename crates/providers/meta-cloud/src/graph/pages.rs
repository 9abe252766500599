use meta_wire::paging::Page;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Graph, Result};

/// Entries in one page.
const LIMIT: &str = "100";
/// Pages of one list; far beyond what Meta lets an account have.
const MAX_PAGES: usize = 1000;

impl Graph {
    /// A whole list. An entry that cannot be read is left out and costs no other.
    pub(super) async fn list<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Vec<T>> {
        let mut entries = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut request = self.get(path).query(&[("limit", LIMIT)]).query(query);
            if let Some(after) = &after {
                request = request.query(&[("after", after)]);
            }
            let page: Page<Value> = self.call(request).await?;
            let next = page.after().map(str::to_owned);
            entries.extend(page.data.into_iter().filter_map(|entry| readable(path, entry)));
            if next.is_none() || next == after {
                break;
            }
            after = next;
        }
        Ok(entries)
    }

    /// The one entry of a list that never has more.
    pub(super) async fn only<T: DeserializeOwned + Default>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T> {
        let page: Page<T> = self.call(self.get(path).query(query)).await?;
        Ok(page.data.into_iter().next().unwrap_or_default())
    }
}

fn readable<T: DeserializeOwned>(path: &[&str], entry: Value) -> Option<T> {
    let read = serde_json::from_value(entry);
    if read.is_err() {
        tracing::warn!(list = path.last(), "an entry of Meta's cannot be read and is left out");
    }
    read.ok()
}
