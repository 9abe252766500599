//! Parts of lists: `limit` and `skip` in; `total`, `limit`, `skip`, `hasMore` out.

use api::At;
use api::query::Query;
use serde::Serialize;

use crate::errors::Error;

/// The part of a list that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: i64,
    pub(crate) skip: i64,
}

/// The contract names no largest page.
const LARGEST: i64 = 1000;
/// Deeper than any list is long.
const DEEPEST: i64 = 1_000_000_000;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pagination {
    total: i64,
    limit: i64,
    skip: i64,
    has_more: bool,
}

impl Page {
    pub(crate) fn of(query: &Query, usual: i64) -> Result<Self, Error> {
        let at = query.at();
        let limit = at.read("limit", |at| number(&at, 1, LARGEST))?.unwrap_or(usual);
        let skip = at.read("skip", |at| number(&at, 0, DEEPEST))?.unwrap_or(0);
        Ok(Self { limit, skip })
    }

    pub(crate) fn show(self, total: i64) -> Pagination {
        Pagination { total, limit: self.limit, skip: self.skip, has_more: self.skip.saturating_add(self.limit) < total }
    }
}

/// A whole number in a query, where everything is text.
pub(crate) fn number(at: &At<'_>, least: i64, most: i64) -> Result<i64, Error> {
    let number = at.text(0..=20)?.parse::<i64>().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| at.refuse(format!("must be a whole number from {least} to {most}")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_limit_and_what_to_skip() {
        let page = |query: &str| Page::of(&Query::of(&format!("/x?{query}").parse().unwrap()).unwrap(), 50);
        assert_eq!(page("").unwrap(), Page { limit: 50, skip: 0 });
        assert_eq!(page("limit=1000&skip=7").unwrap(), Page { limit: 1000, skip: 7 });
        for wrong in ["limit=0", "limit=1001", "limit=x", "limit=", "skip=-1", "skip=1e3"] {
            assert!(page(wrong).is_err(), "{wrong}");
        }
        let more = |skip, total| Page { limit: 10, skip }.show(total).has_more;
        assert_eq!([more(0, 10), more(0, 11), more(10, 20), more(10, 21)], [false, true, false, true]);
    }
}
