//! The query of a request, read like a body whose members are all texts.

use axum::http::Uri;
use serde_json::{Map, Value};

use crate::json::{At, FieldError, clean};

/// A request's query; of a name given twice the first counts.
#[derive(Clone, Debug)]
pub struct Query(Value);

impl Query {
    /// Refuses texts that could not be stored.
    pub fn of(uri: &Uri) -> Result<Self, FieldError> {
        let mut members = Map::new();
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            members.entry(name).or_insert_with(|| Value::from(value));
        }
        let members = Value::Object(members);
        clean(&members)?;
        Ok(Self(members))
    }

    #[must_use]
    pub fn at(&self) -> At<'_> {
        At::top(&self.0)
    }

    /// All members but those named, in a fixed order: what narrows a list.
    #[must_use]
    pub fn besides(&self, names: &[&str]) -> String {
        let members = self.0.as_object().into_iter().flatten();
        let mut kept: Vec<_> = members.filter(|(name, _)| !names.contains(&name.as_str())).collect();
        kept.sort_unstable_by_key(|(name, _)| *name);
        kept.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_and_compared_without_order() {
        let of = |text: &str| Query::of(&text.parse().unwrap());
        let query = of("/x?phone=%2B62&name=a+b&phone=2&cursor=c").unwrap();
        assert_eq!(query.at().need("phone").unwrap().text(1..=9).unwrap(), "+62");
        assert_eq!(query.at().need("name").unwrap().text(1..=9).unwrap(), "a b");
        assert_eq!(query.besides(&["cursor"]), of("/x?name=a%20b&phone=%2b62").unwrap().besides(&[]));
        assert_eq!(of("/x?a=%00").unwrap_err().param, "a");
    }
}
