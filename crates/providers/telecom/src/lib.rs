//! SMS and spoken codes through carriers: SMPP ([`smpp`]) and the HTTP APIs of three carriers ([`http`]).

pub mod http;
pub mod smpp;

use engine::content::Content;

/// How many SMS a text becomes; everything else is one thing.
fn parts(content: &Content) -> i64 {
    match content {
        Content::Text { body, .. } => i64::try_from(sms_text::split(body).parts.len()).unwrap_or(i64::MAX),
        _ => 1,
    }
}
