//! Reading what callers send. Names count in any case and with or without underscores (notes §1): one reader serves
//! `ViewOnce`, `viewOnce` and `view_once`.

use serde_json::{Map, Value};

use crate::errors::Error;

/// The longest text that is not a file.
const LONGEST_TEXT: usize = 65_536;

/// An object of a body.
#[derive(Clone, Debug, Default)]
pub struct Body(Map<String, Value>);

/// The form in which names are compared.
fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

impl Body {
    /// An absent body counts as an empty one; anything but an object cannot be read.
    pub fn of(value: Option<Value>) -> Result<Self, Error> {
        match value {
            None | Some(Value::Null) => Ok(Self::default()),
            Some(Value::Object(members)) => {
                Ok(Self(members.into_iter().map(|(name, value)| (plain(&name), value)).collect()))
            }
            Some(_) => Err(Error::undecodable()),
        }
    }

    /// The names given, in the form in which they are compared.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first of these names that was given with anything but null.
    #[must_use]
    pub fn get(&self, names: &[&str]) -> Option<&Value> {
        names.iter().filter_map(|name| self.0.get(&plain(name))).find(|value| !value.is_null())
    }

    /// The same, taken out: files are large.
    pub fn take(&mut self, names: &[&str]) -> Option<Value> {
        let name = names.iter().map(|name| plain(name)).find(|name| self.0.get(name).is_some_and(|v| !v.is_null()))?;
        self.0.remove(&name)
    }

    /// A text; numbers are taken for one, as phone numbers often are.
    pub fn text(&self, names: &[&str]) -> Result<Option<String>, Error> {
        match self.get(names) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= LONGEST_TEXT && !text.contains('\0') => Ok(Some(text.clone())),
            Some(Value::Number(number)) if !number.is_f64() => Ok(Some(number.to_string())),
            Some(_) => Err(Error::undecodable()),
        }
    }

    /// A text with something in it; `complaint` otherwise.
    pub fn needed(&self, names: &[&str], complaint: &str) -> Result<String, Error> {
        self.text(names)?.filter(|text| !text.trim().is_empty()).ok_or_else(|| Error::bad(complaint))
    }

    pub fn flag(&self, names: &[&str]) -> Result<Option<bool>, Error> {
        match self.get(names) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(Error::undecodable()),
        }
    }

    pub fn is(&self, names: &[&str]) -> Result<bool, Error> {
        Ok(self.flag(names)?.unwrap_or(false))
    }

    /// A whole number, written as one or as text.
    pub fn integer(&self, names: &[&str]) -> Result<Option<i64>, Error> {
        match self.get(names) {
            None => Ok(None),
            Some(Value::Number(number)) => whole(number).map(Some).ok_or_else(Error::undecodable),
            Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| Error::undecodable()),
            Some(_) => Err(Error::undecodable()),
        }
    }

    pub fn number(&self, names: &[&str]) -> Result<Option<f64>, Error> {
        match self.get(names) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(number.as_f64()),
            Some(_) => Err(Error::undecodable()),
        }
    }

    pub fn object(&self, names: &[&str]) -> Result<Option<Body>, Error> {
        self.get(names).map(|value| Body::of(Some(value.clone()))).transpose()
    }

    /// A list of objects.
    pub fn objects(&self, names: &[&str]) -> Result<Option<Vec<Body>>, Error> {
        let Some(value) = self.get(names) else { return Ok(None) };
        let list = value.as_array().ok_or_else(Error::undecodable)?;
        list.iter().map(|value| Body::of(Some(value.clone()))).collect::<Result<_, _>>().map(Some)
    }

    /// A list of texts; a single one stands for a list of one.
    pub fn texts(&self, names: &[&str]) -> Result<Option<Vec<String>>, Error> {
        let one = |value: &Value| match value {
            Value::String(text) if text.len() <= LONGEST_TEXT && !text.contains('\0') => Ok(text.clone()),
            Value::Number(number) if !number.is_f64() => Ok(number.to_string()),
            _ => Err(Error::undecodable()),
        };
        match self.get(names) {
            None => Ok(None),
            Some(Value::Array(values)) => values.iter().map(one).collect::<Result<_, _>>().map(Some),
            Some(value) => Ok(Some(vec![one(value)?])),
        }
    }
}

/// `4.0` is one too: some clients know no other numbers.
fn whole(number: &serde_json::Number) -> Option<i64> {
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let exact = || number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= LARGEST);
    number.as_i64().or_else(|| exact().map(|float| float as i64))
}

/// Names in one text, separated by commas, or in a list of such texts; spaces and empty ones are dropped.
#[must_use]
pub fn split_names(texts: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in texts.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_count_in_any_spelling_and_types_are_checked() {
        let body = Body::of(Some(json!({
            "phone": 5511999990000_i64, "View_Once": true, "ID": "A", "n": 1.5, "m": 4.0, "list": "x", "nothing": null, "deep": { "A_b": 2 }
        })))
        .unwrap();
        assert_eq!(body.text(&["Phone"]).unwrap().as_deref(), Some("5511999990000"));
        assert!(body.is(&["viewOnce"]).unwrap());
        assert_eq!(body.text(&["MessageId", "Id"]).unwrap().as_deref(), Some("A"));
        assert_eq!(body.texts(&["List"]).unwrap(), Some(vec!["x".to_owned()]));
        assert_eq!(body.text(&["nothing"]), Ok(None));
        assert_eq!(body.object(&["Deep"]).unwrap().unwrap().integer(&["ab"]), Ok(Some(2)));
        assert_eq!(body.integer(&["n"]), Err(Error::undecodable()));
        assert_eq!(body.integer(&["m"]), Ok(Some(4)));
        assert_eq!(body.flag(&["phone"]), Err(Error::undecodable()));
        assert_eq!(body.text(&["deep"]), Err(Error::undecodable()));
        assert_eq!(body.needed(&["caption"], "no caption"), Err(Error::bad("no caption")));
        assert!(Body::of(Some(json!([]))).is_err());
    }

    #[test]
    fn lists_of_names_come_in_many_forms() {
        let texts = ["Message, Receipt".to_owned(), "Message".to_owned(), " ,All".to_owned()];
        assert_eq!(split_names(&texts), ["Message", "Receipt", "All"]);
    }
}
