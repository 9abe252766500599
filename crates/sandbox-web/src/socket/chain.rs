//! The certificates by which a client knows the server. WhatsApp's root is in every client's source; this server has a root of
//! its own, tells its key ([`crate::WebServer::root_key`]) and signs as WhatsApp does: the root an intermediate, that one the
//! key that the server opens connections with. A client that can be given another root checks all of it.

use sha2::{Digest, Sha256};
use waproto::buffa::{Message as _, MessageField};
use waproto::whatsapp::CertChain;
use waproto::whatsapp::cert_chain::{NoiseCertificate, noise_certificate};

use super::noise::{Error, Pair};
use crate::phone::Random;

const TEN_YEARS: i64 = 10 * 365 * 86_400;
/// What clients expect as the root's serial.
const ROOT: u32 = 0;
const INTERMEDIATE: u32 = 1;
const LEAF: u32 = 2;

/// A signed chain for a server key, and the root's public key.
pub(super) struct Chain {
    pub(super) bytes: Vec<u8>,
    pub(super) root: [u8; 32],
}

impl Chain {
    /// The keys above follow from the server's own, so they are the same after a restart. Valid for ten years around `now_s`.
    pub(super) fn sign(server: &Pair, now_s: i64, random: &mut Random) -> Result<Self, Error> {
        let (root, intermediate) = (above(server, "root")?, above(server, "intermediate")?);
        let vouched = certificate(INTERMEDIATE, ROOT, &intermediate, &root, now_s, random)?;
        let leaf = certificate(LEAF, INTERMEDIATE, server, &intermediate, now_s, random)?;
        let chain = CertChain { intermediate: MessageField::some(vouched), leaf: MessageField::some(leaf) };
        Ok(Self { bytes: chain.encode_to_vec(), root: root.public })
    }
}

fn above(server: &Pair, place: &str) -> Result<Pair, Error> {
    let seed = Sha256::new().chain_update("sandbox certificates").chain_update(place).chain_update(server.private);
    Pair::new(seed.finalize().into())
}

fn certificate(
    serial: u32,
    issuer_serial: u32,
    of: &Pair,
    issuer: &Pair,
    now_s: i64,
    random: &mut Random,
) -> Result<NoiseCertificate, Error> {
    let details = noise_certificate::Details {
        serial: Some(serial),
        issuer_serial: Some(issuer_serial),
        key: Some(of.public.to_vec()),
        not_before: u64::try_from(now_s - TEN_YEARS).ok(),
        not_after: u64::try_from(now_s + TEN_YEARS).ok(),
    }
    .encode_to_vec();
    let signature = issuer.sign(&details, random)?;
    Ok(NoiseCertificate { details: Some(details), signature: Some(signature.to_vec()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::tests::random;
    use wacore_libsignal::protocol::PublicKey;

    fn details(certificate: &NoiseCertificate) -> noise_certificate::Details {
        noise_certificate::Details::decode_from_slice(certificate.details.as_deref().unwrap()).unwrap()
    }

    fn is_signed_by(key: &[u8], certificate: &NoiseCertificate) -> bool {
        let key = PublicKey::from_djb_public_key_bytes(key).unwrap();
        key.verify_signature(certificate.details.as_deref().unwrap(), certificate.signature.as_deref().unwrap())
    }

    #[test]
    fn each_certificate_is_signed_by_the_one_above_it() {
        let server = Pair::new([7; 32]).unwrap();
        let signed = Chain::sign(&server, 1_700_000_000, &mut random(1)).unwrap();
        let again = Chain::sign(&server, 1_800_000_000, &mut random(2)).unwrap();
        assert_eq!(signed.root, again.root, "a restarted server has the same root");
        let chain = CertChain::decode_from_slice(&signed.bytes).unwrap();
        let (intermediate, leaf) = (details(&chain.intermediate), details(&chain.leaf));
        assert_eq!((intermediate.issuer_serial, leaf.issuer_serial), (Some(ROOT), intermediate.serial));
        assert_eq!(leaf.key.as_deref(), Some(&server.public[..]));
        assert!(is_signed_by(&signed.root, &chain.intermediate));
        assert!(is_signed_by(&intermediate.key.unwrap(), &chain.leaf));
        assert!(!is_signed_by(&signed.root, &chain.leaf));
    }
}
