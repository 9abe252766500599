//! How an event leaves.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

/// One attempt, ready to go.
#[derive(Clone, Debug)]
pub struct Parcel {
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub timeout: Duration,
    /// Bytes of the answer that are wanted.
    pub answer_bytes: usize,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The receiver answered; whether that is a success its status says. `snippet` is the beginning of what it said.
    Status { status: u16, snippet: String, retry_after: Option<Duration> },
    /// No answer: the address was refused, the name did not resolve, the connection failed, time ran out.
    Failed { error: String },
}

pub trait Transport: Send + Sync + 'static {
    /// Its name in tables.
    fn name(&self) -> &'static str;
    /// Says whether an address could be delivered to, for a caller's mistake to be told early.
    fn check(&self, url: &str) -> Result<(), String>;
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Answer>;
}
