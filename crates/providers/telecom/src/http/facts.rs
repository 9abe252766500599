//! A carrier's news in neutral words.

use engine::Id;
use engine::contacts::{Address, PHONE};
use engine::content::{Content, Native};
use engine::facts::{self, Document, Fact, Notice, PartReceipt};
use engine::failure::Failure;
use engine::messages::Status;

use super::numbers;

/// One push while it is taken in.
pub(crate) struct Hearing<'a> {
    /// The account's external id.
    pub(crate) account: &'a str,
    /// The provider's name; also that of its words.
    pub(crate) provider: &'static str,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
    /// What was posted.
    pub(crate) body: &'a [u8],
    pub(crate) options: &'a super::Options,
}

/// What became of one of ours.
pub(crate) struct Outcome {
    pub(crate) provider_id: String,
    pub(crate) message: Option<Id>,
    pub(crate) status: Status,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    /// Where it failed.
    pub(crate) failure: Option<Failure>,
}

/// Somebody wrote.
pub(crate) struct Written {
    pub(crate) provider_id: String,
    pub(crate) from: String,
    pub(crate) to: String,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    pub(crate) text: String,
    /// Where its files lie.
    pub(crate) files: Vec<String>,
}

impl Hearing<'_> {
    pub(super) fn outcome(&self, outcome: Outcome) -> Fact {
        let Outcome { provider_id, message, status, at, failure } = outcome;
        Fact::Part(Box::new(PartReceipt {
            account: self.account.to_owned(),
            provider_id,
            message,
            status,
            at,
            failure: failure.filter(|_| status == Status::Failed),
        }))
    }

    pub(super) fn written(&self, written: Written) -> Fact {
        let content = self.content(written.text, written.files);
        Fact::Message(Box::new(facts::Message {
            sender: numbers::plus(&written.to),
            provider_id: written.provider_id,
            chat: String::new(),
            author: String::new(),
            own: false,
            late: false,
            from: vec![Address { kind: PHONE.to_owned(), value: numbers::plus(&written.from) }],
            profile_name: None,
            at: written.at,
            content,
            reply_to: None,
            file: None,
            file_first: false,
            document: self.document(),
        }))
    }

    /// Files of an SMS stay with the carrier; without a word beside them they are all there is.
    fn content(&self, text: String, files: Vec<String>) -> Content {
        if files.is_empty() || !text.is_empty() {
            return Content::Text { body: text, preview: false };
        }
        Content::Native(Native {
            format: self.provider.to_owned(),
            name: "media".to_owned(),
            json: serde_json::json!({ "links": files }),
            text: None,
        })
    }

    /// Something that we do not know is kept as it came.
    pub(super) fn notice(&self, name: &str) -> Fact {
        Fact::Notice(Notice { account: self.account.to_owned(), name: name.to_owned(), document: self.document() })
    }

    fn document(&self) -> Option<Document> {
        Some(Document { format: self.provider.to_owned(), bytes: self.body.to_vec() })
    }

    /// A carrier's time, where it can be read.
    pub(super) fn time(&self, text: Option<&str>) -> i64 {
        let parsed = text.and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
        parsed.map_or(self.now, |time| time.timestamp_millis())
    }
}
