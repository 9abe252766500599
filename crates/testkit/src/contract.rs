//! A published contract as a judge: is this request one it describes, is this answer?

use std::collections::HashMap;
use std::sync::Mutex;

use jsonschema::Validator;
use serde_json::{Value, json};

/// A contract, read once; its schemas are compiled when they are first needed.
pub struct ContractCheck {
    document: Value,
    validators: Mutex<HashMap<String, Validator>>,
}

/// One method of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// In upper case.
    pub method: String,
    /// Relative to the contract's base, with its parameters in braces.
    pub path: String,
}

const METHODS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];

impl ContractCheck {
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let document = serde_json::from_slice(bytes).expect("a contract is JSON");
        Self { document, validators: Mutex::default() }
    }

    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let paths = self.document["paths"].as_object().into_iter().flatten();
        paths
            .flat_map(|(path, item)| {
                let methods = METHODS.into_iter().filter(|method| item.get(*method).is_some());
                methods.map(|method| Operation { method: method.to_uppercase(), path: path.clone() })
            })
            .collect()
    }

    /// The operation behind a concrete path; a fixed segment wins over a parameter.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Option<Operation> {
        let fits = |pattern: &str| {
            let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
            loop {
                match (wanted.next(), given.next()) {
                    (None, None) => return true,
                    (Some(wanted), Some(given))
                        if wanted == given || (wanted.starts_with('{') && !given.is_empty()) => {}
                    _ => return false,
                }
            }
        };
        let found =
            self.operations().into_iter().filter(|operation| operation.method == method && fits(&operation.path));
        found.min_by_key(|operation| operation.path.matches('{').count())
    }

    /// Whether the contract describes this answer. `body`: `None` for an answer that is not JSON.
    pub fn answer(&self, operation: &Operation, status: u16, body: Option<&Value>) -> Result<(), String> {
        let place = format!("{} {} {status}", operation.method, operation.path);
        let answers = &self.operation(operation)["responses"];
        let described = answers.get(status.to_string()).or_else(|| answers.get("default"));
        let described = self.resolved(described.ok_or_else(|| format!("{place}: this status is not described"))?);
        match (described.pointer("/content/application~1json/schema"), body) {
            (Some(schema), Some(body)) => self.fits(&place, schema, body),
            (Some(_), None) => Err(format!("{place}: a JSON body is described")),
            (None, _) => Ok(()),
        }
    }

    /// Whether the contract describes this request's body.
    pub fn request(&self, operation: &Operation, body: &Value) -> Result<(), String> {
        let place = format!("{} {} request", operation.method, operation.path);
        let described = self.resolved(&self.operation(operation)["requestBody"]);
        let schema = described.pointer("/content/application~1json/schema");
        self.fits(&place, schema.ok_or_else(|| format!("{place}: no body is described"))?, body)
    }

    /// Whether the contract describes this webhook's body.
    pub fn webhook(&self, name: &str, body: &Value) -> Result<(), String> {
        let schema = self.document["webhooks"][name].pointer("/post/requestBody/content/application~1json/schema");
        self.fits(name, schema.ok_or_else(|| format!("there is no webhook {name}"))?, body)
    }

    /// Whether a value fits a named schema.
    pub fn named(&self, name: &str, value: &Value) -> Result<(), String> {
        self.fits(name, &json!({ "$ref": format!("#/components/schemas/{name}") }), value)
    }

    fn operation(&self, operation: &Operation) -> &Value {
        &self.document["paths"][&operation.path][operation.method.to_lowercase()]
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        target.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(value)
    }

    fn fits(&self, place: &str, schema: &Value, value: &Value) -> Result<(), String> {
        let mut validators = self.validators.lock().expect("nothing panics while it is held");
        let validator = validators.entry(place.to_owned()).or_insert_with(|| self.compiled(schema));
        let errors: Vec<_> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path)).collect();
        if errors.is_empty() { Ok(()) } else { Err(format!("{place}: {}\n{value:#}", errors.join("; "))) }
    }

    fn compiled(&self, schema: &Value) -> Validator {
        let mut root = schema.clone();
        root["components"] = self.document["components"].clone();
        jsonschema::options().should_validate_formats(true).build(&root).expect("a contract's schemas are schemas")
    }
}
