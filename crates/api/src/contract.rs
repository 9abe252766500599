//! Serving a published contract as it is.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use sha2::{Digest, Sha256};

/// A contract's bytes and the tag by which caches know them.
#[derive(Clone, Debug)]
pub struct Contract {
    bytes: &'static [u8],
    etag: HeaderValue,
}

impl Contract {
    #[must_use]
    pub fn new(bytes: &'static [u8]) -> Self {
        let tag = format!("\"{}\"", hex::encode(&Sha256::digest(bytes)[..16]));
        let etag = HeaderValue::try_from(tag).expect("hexadecimal digits in quotes are a header value");
        Self { bytes, etag }
    }

    /// The contract, or 304 when the caller has it already.
    #[must_use]
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| self.is_among(known));
        let mut response = Response::new(if known { Body::empty() } else { Body::from(self.bytes) });
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        headers.insert(header::ETAG, self.etag.clone());
        response
    }

    fn is_among(&self, known: &HeaderValue) -> bool {
        let mut tags = known.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        tags.any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.etag.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_contract_is_not_sent_again() {
        let contract = Contract::new(b"{}");
        let fresh = contract.answer(&HeaderMap::new());
        assert_eq!(fresh.status(), StatusCode::OK);
        let tag = fresh.headers()[header::ETAG].clone();
        for (asked, status) in [
            (tag.clone(), 304),
            (HeaderValue::try_from(format!("\"x\", W/{}", tag.to_str().unwrap())).unwrap(), 304),
            (HeaderValue::from_static("\"x\""), 200),
        ] {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, asked)]);
            assert_eq!(contract.answer(&headers).status(), status);
        }
    }
}
