//! A certificate of one's own, and a door that lets both plain and TLS connections in.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use crate::phone::blob::Blob;

/// The first byte of a TLS connection.
const HANDSHAKE: u8 = 0x16;
/// Who does not speak for so long is not let in.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate could be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// The certificate cannot be used.
    #[error("cannot use the certificate")]
    Setup(#[from] rustls::Error),
}

/// A certificate that nobody but this server signed, with its key; DER.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Certificate {
    pub(crate) certificate: Blob,
    key: Blob,
}

impl Certificate {
    /// For the loopback addresses and `localhost`; it is its own root.
    pub(crate) fn make() -> Result<Self, TlsError> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.subject_alt_names.extend([
            SanType::IpAddress([127, 0, 0, 1].into()),
            SanType::IpAddress(std::net::Ipv6Addr::LOCALHOST.into()),
        ]);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "sandbox");
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self { certificate: Blob(certificate.der().to_vec()), key: Blob(key.serialize_der()) })
    }

    fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let chain = vec![CertificateDer::from(self.certificate.0.clone())];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.0.clone()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// A connection, with TLS or without.
pub(crate) type Stream = Either<TcpStream, TlsStream<TcpStream>>;

/// Accepts on one port; what a client speaks shows in its first byte.
pub(crate) struct Door {
    address: SocketAddr,
    ready: mpsc::Receiver<(Stream, SocketAddr)>,
}

impl Door {
    /// The task ends, and the port is free, when the door is gone.
    pub(crate) fn open(listener: TcpListener, certificate: &Certificate) -> Result<(Self, JoinHandle<()>), TlsError> {
        let acceptor = certificate.acceptor()?;
        let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)));
        let (sender, ready) = mpsc::channel(64);
        let task = tokio::spawn(async move {
            tokio::select! {
                () = welcome(&listener, &acceptor, &sender) => {}
                () = sender.closed() => {}
            }
        });
        Ok((Self { address, ready }, task))
    }
}

async fn welcome(listener: &TcpListener, acceptor: &TlsAcceptor, ready: &mpsc::Sender<(Stream, SocketAddr)>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (acceptor, ready) = (acceptor.clone(), ready.clone());
                tokio::spawn(async move {
                    if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, listen_first(stream, &acceptor)).await {
                        // Fails when the server stops; then the connection ends here.
                        let _ = ready.send((stream, peer)).await;
                    }
                });
            }
            // Out of files, most likely: others have to leave first.
            Err(_) => crate::clock::pause(Duration::from_millis(50)).await,
        }
    }
}

async fn listen_first(stream: TcpStream, acceptor: &TlsAcceptor) -> io::Result<Stream> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    if stream.peek(&mut first).await? == 1 && first[0] == HANDSHAKE {
        acceptor.accept(stream).await.map(Either::Right)
    } else {
        Ok(Either::Left(stream))
    }
}

impl axum::serve::Listener for Door {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        match self.ready.recv().await {
            Some(stream) => stream,
            // The task that lets in has ended with the runtime.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
