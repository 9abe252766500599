//! How the carriers reach the rest of the sandbox.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;

/// The sandbox around the carriers: its clock, its phones, its mischief and its way to the platform.
pub trait Outside: Send + Sync + 'static {
    /// Milliseconds since 1970, by the sandbox's clock.
    fn now(&self) -> i64;
    /// What is to go wrong with the message that just came; asked once for each.
    fn fault(&self, target: Target) -> Option<Fault>;
    /// The phone with this number (E.164 with `+`).
    fn phone(&self, number: &str) -> Phone;
    /// Posts a callback to the platform: its answer's HTTP status, or why there was none. Made once; trying again, as the
    /// carrier does, is the caller's business.
    fn push(&self, url: String, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Result<u16, String>>;
    /// The same where what is answered matters: the status and the body. A sandbox that has no ear for it gives none.
    fn ask(&self, url: String, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Result<(u16, String), String>> {
        let pushed = self.push(url, headers, body);
        Box::pin(async move { pushed.await.map(|status| (status, String::new())) })
    }
}

/// Which channel a fault is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    Sms,
    Voice,
    Smtp,
    /// Numbers that are bought.
    Numbers,
    /// Calls to the till.
    Till,
    /// Somebody who pays there.
    Buyer,
}

/// What goes wrong with a message, see the crate's front page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Status(u32),
    Code(String),
    Timeout,
    Drop,
    Duplicate,
    Reorder,
    Delay(Duration),
}

/// A customer's phone, as its network knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phone {
    /// The number is somebody's.
    pub registered: bool,
    /// It can be reached now.
    pub online: bool,
}
