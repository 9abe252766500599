//! `limit` and `cursor`.

use api::cursor::{self, List};
use api::query::Query;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::errors::{Code, Error};

const USUAL: usize = 25;
const MOST: usize = 100;

/// The part of a list that a caller asks for.
pub(crate) struct Page<P> {
    limit: usize,
    list: List,
    /// The last place of the page before.
    pub(crate) after: Option<P>,
}

impl<P> Page<P> {
    /// One more than the page holds, to see whether there is more.
    pub(crate) fn rows(&self) -> i64 {
        self.limit as i64 + 1
    }
}

impl Call {
    /// Reads paging from a query; everything else in it narrows the list that a cursor belongs to.
    pub(crate) fn page<P: DeserializeOwned>(&self, query: &Query) -> Result<Page<P>, Error> {
        let narrowed = query.besides(&["limit", "cursor"]);
        let list = List::new(&[&self.organization().hex24(), self.uri.path(), &narrowed]);
        let cursor = query.at().maybe("cursor")?;
        let after =
            cursor.map(|cursor| self.kirim.cursors.open(list, cursor.value().as_str().unwrap_or_default())).transpose();
        let after = after.map_err(|error| Error::new(Code::InvalidCursor, error.to_string()).at("cursor"))?;
        Ok(Page { limit: limit(query)?, list, after })
    }

    /// A page of rows, of which one more may have been read than is shown.
    pub(crate) fn paged<R, P, T>(
        &self,
        page: &Page<P>,
        rows: Vec<R>,
        place: impl Fn(&R) -> P,
        shape: impl Fn(&R) -> T,
    ) -> Answer
    where
        P: Serialize,
        T: Serialize,
    {
        let (rows, more) = cursor::cut(rows, page.limit);
        let last = rows.last().filter(|_| more);
        let next = last.map(|last| self.kirim.cursors.seal(page.list, place(last)));
        let data: Vec<_> = rows.iter().map(shape).collect();
        Answer::new(answer::list(&data, next.as_deref(), self.request_id()))
    }
}

fn limit(query: &Query) -> Result<usize, Error> {
    let Some(at) = query.at().maybe("limit")? else {
        return Ok(USUAL);
    };
    let text = at.value().as_str().unwrap_or_default();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let limit = digits.then(|| text.parse().ok()).flatten().filter(|limit| (1..=MOST).contains(limit));
    limit.ok_or_else(|| Error::new(Code::InvalidLimit, format!("limit must be from 1 to {MOST}")).at("limit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_never_bent() {
        let of = |query: &str| limit(&Query::of(&format!("/x?{query}").parse().unwrap()).unwrap());
        assert_eq!([of(""), of("limit=1"), of("limit=100")].map(Result::unwrap), [25, 1, 100]);
        for wrong in [
            "limit=",
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=%2B5",
            "limit=5.0",
            "limit=x",
            "limit=99999999999999999999",
        ] {
            assert_eq!(of(wrong).unwrap_err().code, Code::InvalidLimit, "{wrong}");
        }
    }
}
