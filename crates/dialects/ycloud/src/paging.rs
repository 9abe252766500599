//! Pages by number: `page`, `limit`, `includeTotal` in; `offset`, `limit`, `length`, `total`, `items` out. Two lists
//! also know cursors: `pageAfter` in, `cursor.after` out while there is more.

use api::query::Query;
use engine::Id;
use serde::Serialize;

use crate::errors::Error;
use crate::ids::Noun;

/// Deeper pages need a filter or a cursor.
const LAST_PAGE: i64 = 100;
const LARGEST: i64 = 100;
const USUAL: i64 = 10;

/// The part of a list that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) offset: i64,
    pub(crate) limit: i64,
    pub(crate) with_total: bool,
}

impl Page {
    pub(crate) fn of(query: &Query) -> Result<Self, Error> {
        let page = number(query, "page", LAST_PAGE)?.unwrap_or(1);
        let limit = number(query, "limit", LARGEST)?.unwrap_or(USUAL);
        let words = [("true", true), ("false", false)];
        let with_total = query.at().read("includeTotal", |at| at.word(&words))?.unwrap_or(false);
        Ok(Self { offset: (page - 1) * limit, limit, with_total })
    }

    pub(crate) fn show<T: Serialize>(&self, items: Vec<T>, total: Option<i64>) -> Shown<T> {
        Shown { offset: self.offset, limit: self.limit, length: items.len(), total, items, cursor: None }
    }

    /// A list that is in memory whole.
    pub(crate) fn cut<T: Serialize>(&self, all: Vec<T>) -> Shown<T> {
        let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
        let from = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let items = all.into_iter().skip(from).take(usize::try_from(self.limit).unwrap_or(0)).collect();
        self.show(items, self.with_total.then_some(total))
    }
}

/// What the items to be shown come after; `Some(None)` is the beginning.
pub(crate) fn after(query: &Query, noun: Noun) -> Result<Option<Option<Id>>, Error> {
    Ok(query.at().read("pageAfter", |at| match at.text(1..=64)? {
        "0" => Ok(None),
        text => noun.parse(text).map(Some).map_err(|_| at.refuse("must be what an earlier page ended with")),
    })?)
}

fn number(query: &Query, name: &str, most: i64) -> Result<Option<i64>, Error> {
    let read = query.at().read(name, |at| {
        let text = at.text(0..=20)?;
        let number = text.parse::<i64>().ok().filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| at.refuse(format!("must be a whole number from 1 to {most}")))
    });
    Ok(read?)
}

#[derive(Debug, Serialize)]
pub(crate) struct Shown<T> {
    offset: i64,
    limit: i64,
    length: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<Cursor>,
}

#[derive(Debug, Serialize)]
struct Cursor {
    after: String,
}

impl<T> Shown<T> {
    /// More follows, after this.
    pub(crate) fn before_more(self, after: Option<String>) -> Self {
        Self { cursor: after.map(|after| Cursor { after }), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Result<Page, (u16, Vec<u8>)> {
        let query = Query::of(&format!("/x?{query}").parse().unwrap()).unwrap();
        Page::of(&query).map_err(|error| (error.status(), error.body("r")))
    }

    #[test]
    fn pages_are_numbers_within_limits() {
        assert_eq!(page("").unwrap(), Page { offset: 0, limit: 10, with_total: false });
        let deep = page("page=100&limit=100&includeTotal=true").unwrap();
        assert_eq!(deep, Page { offset: 9900, limit: 100, with_total: true });
        for (wrong, target) in [
            ("page=0", "page"),
            ("page=101", "page"),
            ("limit=101", "limit"),
            ("limit=x", "limit"),
            ("limit=", "limit"),
            ("includeTotal=1", "includeTotal"),
        ] {
            let (status, body) = page(wrong).unwrap_err();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((status, body["error"]["code"].as_str()), (400, Some("PARAM_INVALID")), "{wrong}");
            assert_eq!(body["error"]["target"], target);
        }
    }

    #[test]
    fn a_list_in_memory_is_cut() {
        let shown = page("page=2&limit=2&includeTotal=true").unwrap().cut(vec![1, 2, 3]);
        let json = serde_json::to_value(&shown).unwrap();
        assert_eq!(json, serde_json::json!({ "offset": 2, "limit": 2, "length": 1, "total": 3, "items": [3] }));
    }
}
