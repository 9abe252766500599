//! `X-Kirim-Signature: t=…,v1=…`: one `v1` for each live secret, over the time, a dot and the body.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// `at` in seconds. The key is the whole secret as it is written, its prefix included.
pub(super) fn sign(at: i64, body: &[u8], secrets: &[String]) -> String {
    let mut header = format!("t={at}");
    for secret in secrets {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(at.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        header.push_str(",v1=");
        header.push_str(&hex::encode(mac.finalize().into_bytes()));
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac SECRET`.
    const FIRST: &str = "23fe7ad915d097934a761908bd8a902758b59d117f3af32af887847b94a61073";
    const SECOND: &str = "7fd6bf5a1d938abe9092a6755c25c1705aa90411da70579294cbb16eae039375";

    #[test]
    fn every_secret_signs_time_and_body() {
        let secrets = ["whsec_first".to_owned(), "whsec_second".to_owned()];
        let body = br#"{"a":1}"#;
        assert_eq!(sign(1_700_000_000, body, &secrets[..1]), format!("t=1700000000,v1={FIRST}"));
        assert_eq!(sign(1_700_000_000, body, &secrets), format!("t=1700000000,v1={FIRST},v1={SECOND}"));
        assert_ne!(sign(1_700_000_001, body, &secrets), sign(1_700_000_000, body, &secrets));
    }
}
