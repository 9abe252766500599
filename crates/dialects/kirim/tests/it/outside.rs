//! The world outside: a provider and a transport that do what a test tells them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::facts::TemplateState;
use engine::failure::SendError;
use engine::provider::{
    Account, CallError, Connected, FoundSender, Outgoing, Pace, Provider, ReadReceipts, Sent, Setup,
};
use engine::senders::Sender;
use engine::transport::{Answer, Parcel, Transport};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// What the provider was asked for and how it shall answer.
#[derive(Default)]
pub struct Carrier {
    pub sent: Mutex<Vec<Outgoing>>,
    pub read: Mutex<Vec<(String, bool)>>,
    pub next_failure: Mutex<Option<SendError>>,
    pub deaf: Mutex<bool>,
}

pub struct Fake(pub Arc<Carrier>);

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
        if let Some(failure) = self.0.next_failure.lock().unwrap().take() {
            return async move { Err(failure) }.boxed();
        }
        let mut sent = self.0.sent.lock().unwrap();
        sent.push(message.clone());
        let provider_id = format!("wamid.{}", sent.len());
        async move { Ok(Sent::one(provider_id)) }.boxed()
    }
    fn read_receipts(&self) -> Option<&dyn ReadReceipts> {
        Some(self)
    }
    fn setup(&self) -> Option<&dyn Setup> {
        Some(self)
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
        async { Ok(()) }.boxed()
    }
}

impl Setup for Fake {
    /// The account's name decides its numbers: `1` has …01 and …02, `2` has …03.
    fn connect<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Connected, CallError>> {
        let numbers: &[(&str, &str)] = match account.external_id.as_str() {
            "1" => &[("100000000000001", "+15550100001"), ("100000000000002", "+15550100002")],
            _ => &[("100000000000003", "+15550100003")],
        };
        let senders = numbers.iter().map(|(id, address)| FoundSender {
            external_id: (*id).to_owned(),
            address: (*address).to_owned(),
            name: Some("Support".into()),
            status: "connected".into(),
            status_reason: None,
            config: "{}".into(),
        });
        let templates = ["APPROVED", "PENDING", "IN_APPEAL", "REJECTED", "PAUSED"].map(|status| template(status, "en"));
        let mut templates = templates.to_vec();
        templates.push(TemplateState { status: "PENDING".into(), ..template("APPROVED", "id") });
        let found = Connected { name: "Shop".into(), senders: senders.collect(), templates, remarks: Vec::new() };
        async move { Ok(found) }.boxed()
    }
    fn register<'a>(&'a self, _: &'a Account, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        async { Ok(()) }.boxed()
    }
}

fn template(status: &str, language: &str) -> TemplateState {
    TemplateState {
        external_id: format!("{status}-{language}"),
        name: format!("about_{}", status.to_lowercase()),
        language: language.into(),
        category: "UTILITY".into(),
        status: status.into(),
        status_reason: None,
        quality: None,
        body: "Hello {{1}}".into(),
        variables: vec!["1".into()],
        components: r#"[{"type":"BODY","text":"Hello {{1}}"}]"#.into(),
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
