use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Makes and checks links that are good until a moment and for one blob.
#[derive(Clone)]
pub struct Links {
    key: [u8; 32],
    public_url: String,
}

/// Why a link does not open anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("the link is not one of ours")]
    BadSignature,
    #[error("the link has expired")]
    Expired,
}

/// Bytes of the tag that go into the link.
const TAG: usize = 16;

impl Links {
    /// `public_url` is the origin that outsiders use, with or without a final slash.
    pub fn new(key: [u8; 32], public_url: impl Into<String>) -> Self {
        let mut public_url = public_url.into();
        public_url.truncate(public_url.trim_end_matches('/').len());
        Self { key, public_url }
    }

    /// A link good until `expires_at_ms` (milliseconds since 1970).
    pub fn sign(&self, id: &str, expires_at_ms: i64) -> String {
        let tag = self.mac(id, expires_at_ms).finalize().into_bytes();
        let signature = URL_SAFE_NO_PAD.encode(&tag[..TAG]);
        format!("{}/media/{id}?e={expires_at_ms}&s={signature}", self.public_url)
    }

    /// Is this a link of ours, and still good at `now_ms`?
    pub fn verify(&self, id: &str, expires_at_ms: i64, signature: &str, now_ms: i64) -> Result<(), Denied> {
        let tag = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Denied::BadSignature)?;
        if tag.len() != TAG || self.mac(id, expires_at_ms).verify_truncated_left(&tag).is_err() {
            return Err(Denied::BadSignature);
        }
        if now_ms >= expires_at_ms { Err(Denied::Expired) } else { Ok(()) }
    }

    fn mac(&self, id: &str, expires_at_ms: i64) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(b"media\n");
        mac.update(&expires_at_ms.to_be_bytes());
        mac.update(id.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_one_blob_until_its_end() {
        let links = Links::new([7; 32], "https://example.com/");
        let link = links.sign("0123456789abcdef01234567", 1_000);
        let (path, signature) = link.split_once("&s=").unwrap();
        assert_eq!(path, "https://example.com/media/0123456789abcdef01234567?e=1000");
        let id = "0123456789abcdef01234567";
        assert_eq!(links.verify(id, 1_000, signature, 999), Ok(()));
        assert_eq!(links.verify(id, 1_000, signature, 1_000), Err(Denied::Expired));
        let forged = [
            links.verify(id, 1_001, signature, 0),
            links.verify("0123456789abcdef01234568", 1_000, signature, 0),
            links.verify(id, 1_000, "", 0),
            links.verify(id, 1_000, &signature[..8], 0),
            links.verify(id, 1_000, &format!("{signature}AA"), 0),
            links.verify(id, 1_000, "*", 0),
            Links::new([8; 32], "").verify(id, 1_000, signature, 0),
        ];
        assert_eq!(forged, [Err(Denied::BadSignature); 7]);
    }
}
