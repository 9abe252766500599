use std::sync::Arc;

use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::Error;

/// A root certificate, DER encoded.
pub type Certificate = CertificateDer<'static>;

/// Makes ring the process's cryptography. Every binary and test that speaks TLS calls it first; calling it again
/// changes nothing.
pub fn install_crypto() {
    // An error only says that a provider is installed already.
    let _ = ring::default_provider().install_default();
}

/// A PEM file could not be read as certificates.
#[derive(Debug, thiserror::Error)]
#[error("not a PEM file of certificates")]
pub struct BadCertificate(#[source] rustls::pki_types::pem::Error);

/// Reads the certificates of a PEM file, for the `extra_roots` of the clients' settings.
pub fn roots_from_pem(pem: &[u8]) -> Result<Vec<Certificate>, BadCertificate> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(BadCertificate)
}

/// TLS with the public web's roots plus `extra_roots`. For connections that no client of this crate makes.
pub fn tls_config(extra_roots: &[Certificate]) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for root in extra_roots {
        roots.add(root.clone()).map_err(|source| Error::Tls(source.into()))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|source| Error::Tls(source.into()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_must_be_certificates() {
        install_crypto();
        install_crypto();
        let pem = b"-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
        let roots = roots_from_pem(pem).unwrap();
        assert_eq!(roots[0].as_ref(), b"hello");
        assert!(matches!(tls_config(&roots), Err(Error::Tls(_))));
        assert!(roots_from_pem(b"-----BEGIN CERTIFICATE-----\n*\n").is_err());
        assert!(tls_config(&[]).is_ok());
    }
}
