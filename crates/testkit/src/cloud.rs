//! The world outside: a provider with numbers and templates, and a transport, that do what a test tells them.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use engine::billing::Tariff;
use engine::content::{Content, Template};
use engine::events::Document;
use engine::facts::TemplateState;
use engine::failure::SendError;
use engine::provider::{
    Account, CallError, Connected, FoundSender, Numbers, Outgoing, Pace, Provider, ReadReceipts, Sent, Setup, Templates,
};
use engine::senders::Sender;
use engine::transport::{Answer, Parcel, Transport};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

/// What the provider was asked for, how it shall answer, and what it has.
#[derive(Default)]
pub struct Cloud {
    pub sent: Mutex<Vec<Outgoing>>,
    /// Messages that were marked as read, and whether typing was shown with that.
    pub read: Mutex<Vec<(String, bool)>>,
    /// Nothing can be marked as read.
    pub deaf: Mutex<bool>,
    pub registered: Mutex<Vec<(String, String)>>,
    pub failures: Mutex<Vec<SendError>>,
    pub profile: Mutex<Value>,
    pub commerce: Mutex<Value>,
    pub templates: Mutex<Vec<TemplateState>>,
    /// In whose words templates are filled in.
    pub fills_like: OnceLock<Arc<dyn Provider>>,
}

pub struct Fake(pub Arc<Cloud>);

impl Provider for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn channel(&self) -> &'static str {
        "whatsapp"
    }
    fn pace(&self) -> Pace {
        Pace { per_second: 1000, pair: None }
    }
    fn window(&self) -> Option<Duration> {
        Some(Duration::from_secs(24 * 60 * 60))
    }
    fn send<'a>(
        &'a self,
        _: &'a Account,
        _: &'a Sender,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        if let Some(failure) = self.0.failures.lock().unwrap().pop() {
            return async move { Err(failure) }.boxed();
        }
        let mut sent = self.0.sent.lock().unwrap();
        sent.push(message.clone());
        let provider_id = format!("wamid.{}", sent.len());
        async move { Ok(Sent::one(provider_id)) }.boxed()
    }
    fn tariff(&self, receipt: &Document) -> Option<Tariff> {
        let post: Value = serde_json::from_slice(&receipt.bytes).unwrap();
        let pricing = post.pointer("/entry/0/changes/0/value/statuses/0/pricing")?;
        Some(Tariff {
            category: pricing["category"].as_str().map(str::to_owned),
            free: pricing["type"] == "free_customer_service",
        })
    }
    fn fill(&self, template: Template, variables: &Map<String, Value>) -> Template {
        match self.0.fills_like.get() {
            Some(other) => other.fill(template, variables),
            None => template,
        }
    }
    fn read_receipts(&self) -> Option<&dyn ReadReceipts> {
        Some(self)
    }
    fn templates(&self) -> Option<&dyn Templates> {
        Some(self)
    }
    fn setup(&self) -> Option<&dyn Setup> {
        Some(self)
    }
    fn numbers(&self) -> Option<&dyn Numbers> {
        Some(self)
    }
}

/// Carries everything on one channel; names are `sms.1`, `sms.2`, …
pub struct Carrier {
    pub channel: &'static str,
    pub cloud: Arc<Cloud>,
}

impl Provider for Carrier {
    fn name(&self) -> &'static str {
        self.channel
    }
    fn channel(&self) -> &'static str {
        self.channel
    }
    fn pace(&self) -> Pace {
        Pace { per_second: 1000, pair: None }
    }
    fn window(&self) -> Option<Duration> {
        None
    }
    fn send<'a>(
        &'a self,
        _: &'a Account,
        _: &'a Sender,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        if let Some(failure) = self.cloud.failures.lock().unwrap().pop() {
            return async move { Err(failure) }.boxed();
        }
        let mut sent = self.cloud.sent.lock().unwrap();
        sent.push(message.clone());
        let name = format!("{}.{}", self.channel, sent.len());
        async move { Ok(Sent::one(name)) }.boxed()
    }
    fn units(&self, content: &Content) -> i64 {
        match content {
            Content::Text { body, .. } => sms_text::split(body).parts.len().try_into().unwrap(),
            _ => 1,
        }
    }
}

impl ReadReceipts for Fake {
    fn mark_read<'a>(
        &'a self,
        _: &'a Account,
        _: &'a Sender,
        id: &'a str,
        typing: bool,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        if *self.0.deaf.lock().unwrap() {
            return async { Err(CallError::Unreadable("nothing".into())) }.boxed();
        }
        self.0.read.lock().unwrap().push((id.to_owned(), typing));
        done(())
    }
}

/// The account's name decides its numbers: `1` has …01 and …02, `2` has …03.
fn numbers(account: &Account) -> &'static [(&'static str, &'static str)] {
    match account.external_id.as_str() {
        "1" => &[("100000000000001", "+15550100001"), ("100000000000002", "+15550100002")],
        _ => &[("100000000000003", "+15550100003")],
    }
}

impl Setup for Fake {
    fn connect<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Connected, CallError>> {
        let senders = numbers(account).iter().map(|(id, address)| FoundSender {
            external_id: (*id).to_owned(),
            address: (*address).to_owned(),
            name: Some("Support".into()),
            status: "connected".into(),
            status_reason: None,
            config: "{}".into(),
        });
        let templates = self.0.templates.lock().unwrap().clone();
        let found = Connected { name: "Shop".into(), senders: senders.collect(), templates, remarks: Vec::new() };
        async move { Ok(found) }.boxed()
    }
    fn register<'a>(&'a self, _: &'a Account, number: &'a str, pin: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        self.0.registered.lock().unwrap().push((number.to_owned(), pin.to_owned()));
        async { Ok(()) }.boxed()
    }
}

fn number(id: &str, address: &str) -> Value {
    json!({ "id": id, "display_phone_number": address, "verified_name": "Support", "status": "CONNECTED",
            "quality_rating": "GREEN", "code_verification_status": "VERIFIED", "name_status": "APPROVED" })
}

fn done<T: Send + 'static>(value: T) -> BoxFuture<'static, Result<T, CallError>> {
    async move { Ok(value) }.boxed()
}

fn merge(into: &Mutex<Value>, change: &Value) {
    let mut into = into.lock().unwrap();
    for (name, value) in change.as_object().unwrap() {
        into[name] = value.clone();
    }
}

impl Numbers for Fake {
    fn account<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Value, CallError>> {
        done(json!({ "id": account.external_id, "name": "Shop", "currency": "USD", "timezone_id": "1",
                     "account_review_status": "APPROVED", "business_verification_status": "verified" }))
    }
    fn numbers<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Vec<Value>, CallError>> {
        done(numbers(account).iter().map(|(id, address)| number(id, address)).collect())
    }
    fn number<'a>(&'a self, account: &'a Account, id: &'a str) -> BoxFuture<'a, Result<Value, CallError>> {
        let found = numbers(account).iter().find(|(known, _)| *known == id).unwrap();
        done(number(found.0, found.1))
    }
    fn profile<'a>(&'a self, _: &'a Account, _: &'a str) -> BoxFuture<'a, Result<Value, CallError>> {
        done(self.0.profile.lock().unwrap().clone())
    }
    fn set_profile<'a>(
        &'a self,
        _: &'a Account,
        _: &'a str,
        change: &'a Value,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        merge(&self.0.profile, change);
        done(())
    }
    fn commerce<'a>(&'a self, _: &'a Account, _: &'a str) -> BoxFuture<'a, Result<Value, CallError>> {
        done(self.0.commerce.lock().unwrap().clone())
    }
    fn set_commerce<'a>(
        &'a self,
        _: &'a Account,
        _: &'a str,
        change: &'a Value,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        merge(&self.0.commerce, change);
        done(())
    }
}

pub fn template(name: &str, language: &str, status: &str, category: &str) -> TemplateState {
    TemplateState {
        external_id: format!("{name}-{language}"),
        name: name.into(),
        language: language.into(),
        category: category.into(),
        status: status.into(),
        status_reason: None,
        quality: None,
        body: "Hello {{1}}".into(),
        variables: vec!["1".into()],
        components: r#"[{"type":"BODY","text":"Hello {{1}}"}]"#.into(),
    }
}

impl Templates for Fake {
    fn list<'a>(&'a self, _: &'a Account) -> BoxFuture<'a, Result<Vec<TemplateState>, CallError>> {
        done(self.0.templates.lock().unwrap().clone())
    }
    fn create<'a>(&'a self, _: &'a Account, definition: &'a Value) -> BoxFuture<'a, Result<TemplateState, CallError>> {
        let text = |name: &str| definition[name].as_str().unwrap().to_owned();
        if text("name") == "refused" {
            let refused =
                CallError::Refused { message: "Invalid parameter".into(), code: Some(100), details: Some("no".into()) };
            return async move { Err(refused) }.boxed();
        }
        let made = TemplateState {
            components: definition["components"].to_string(),
            ..template(&text("name"), &text("language"), "PENDING", &text("category"))
        };
        self.0.templates.lock().unwrap().push(made.clone());
        done(made)
    }
    fn edit<'a>(
        &'a self,
        _: &'a Account,
        external_id: &'a str,
        change: &'a Value,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        let mut templates = self.0.templates.lock().unwrap();
        let found = templates.iter_mut().find(|template| template.external_id == external_id).unwrap();
        (found.components, found.status) = (change["components"].to_string(), "PENDING".into());
        done(())
    }
    fn delete<'a>(
        &'a self,
        _: &'a Account,
        name: &'a str,
        external_id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        let gone =
            |template: &TemplateState| template.name == name && external_id.is_none_or(|id| id == template.external_id);
        self.0.templates.lock().unwrap().retain(|template| !gone(template));
        done(())
    }
}

/// Receivers of webhooks.
#[derive(Default)]
pub struct Receivers {
    pub parcels: Mutex<Vec<Parcel>>,
    /// What they answer; 200 when nothing is said.
    pub status: Mutex<Option<u16>>,
}

pub struct Post(pub Arc<Receivers>);

impl Transport for Post {
    fn name(&self) -> &'static str {
        engine::subscriptions::WEBHOOK
    }
    fn check(&self, url: &str) -> Result<(), String> {
        if url.starts_with("https://") { Ok(()) } else { Err("must be an https URL".into()) }
    }
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Answer> {
        self.0.parcels.lock().unwrap().push(parcel.clone());
        let status = self.0.status.lock().unwrap().unwrap_or(200);
        async move { Answer::Status { status, snippet: "thanks".into(), retry_after: None } }.boxed()
    }
}
