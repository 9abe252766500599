use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderValue;
use http::header::ORIGIN;
use net::{AddressPolicy, Lookup};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_websockets::{ClientBuilder, Limits as FrameLimits, WebSocketStream};
use url::Host;
use wacore::net::{Transport, TransportEvent, TransportFactory, WHATSAPP_WEB_ORIGIN};
use whatsapp_rust::transport::from_websocket;

use super::endpoint::{self, LOOPBACK_ONLY};
use super::leash::Leash;
use super::{Endpoint, Error, Limits, Party, Proxy, Settings, Stage, tunnel};

/// The library's frames have 24 bits for their length; a message may hold more than one.
const MAX_FRAME: usize = 32 << 20;

/// What all connections of a network share.
pub(super) struct Ground {
    pub(super) endpoint: Endpoint,
    pub(super) limits: Limits,
    policy: AddressPolicy,
    lookup: Arc<dyn Lookup>,
    tls: Arc<ClientConfig>,
}

impl Ground {
    pub(super) fn new(settings: Settings) -> Result<Self, net::Error> {
        let Settings { endpoint, policy, extra_roots, lookup, limits } = settings;
        let tls = Arc::new(net::tls_config(&extra_roots)?);
        Ok(Self { endpoint, limits, policy, lookup, tls })
    }
}

/// Opens connections through one proxy, or directly. There is no third way: what fails has failed.
#[derive(Clone)]
pub(super) struct Dialer {
    pub(super) ground: Arc<Ground>,
    pub(super) proxy: Option<Proxy>,
}

impl Dialer {
    /// TLS with `host`, whose certificate was checked.
    pub(super) async fn tls(&self, host: &Host<String>, port: u16) -> Result<TlsStream<TcpStream>, Error> {
        let deadline = self.deadline();
        let stream = self.tcp(deadline, host, port).await?;
        self.shake(deadline, host, stream).await
    }

    async fn websocket(
        &self,
        leash: &Leash,
    ) -> Result<(Arc<dyn Transport>, async_channel::Receiver<TransportEvent>), Error> {
        let (deadline, endpoint) = (self.deadline(), &self.ground.endpoint);
        let stream = self.tcp(deadline, endpoint.host(), endpoint.port()).await?;
        let stream = leash.tie(stream).map_err(|source| Error::Unreachable(Party::Server, source))?;
        if endpoint.tls() {
            let stream = self.shake(deadline, endpoint.host(), stream).await?;
            return Ok(from_websocket(self.upgrade(deadline, stream).await?));
        }
        Ok(from_websocket(self.upgrade(deadline, stream).await?))
    }

    async fn upgrade<S>(&self, deadline: Instant, stream: S) -> Result<WebSocketStream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let failed = |source: tokio_websockets::Error| Error::Upgrade(source.into());
        let builder = ClientBuilder::new()
            .uri(self.ground.endpoint.socket().as_str())
            .map_err(|source| Error::Upgrade(source.into()))?
            .limits(FrameLimits::default().max_payload_len(Some(MAX_FRAME)))
            .add_header(ORIGIN, HeaderValue::from_static(WHATSAPP_WEB_ORIGIN))
            .map_err(failed)?;
        let (socket, _) = by(deadline, Stage::Upgrade, builder.connect_on(stream)).await?.map_err(failed)?;
        Ok(socket)
    }

    async fn shake<S>(&self, deadline: Instant, host: &Host<String>, stream: S) -> Result<TlsStream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let shaking = TlsConnector::from(self.ground.tls.clone()).connect(name(host)?, stream);
        by(deadline, Stage::Tls, shaking).await?.map_err(Error::Tls)
    }

    async fn tcp(&self, deadline: Instant, host: &Host<String>, port: u16) -> Result<TcpStream, Error> {
        let Some(proxy) = &self.proxy else {
            let addresses = by(deadline, Stage::Lookup(Party::Server), self.addresses(host, port)).await??;
            return reach(Party::Server, &addresses, port, deadline).await;
        };
        if !endpoint::permits_host(LOOPBACK_ONLY, host) {
            return Err(Error::Elsewhere(Party::Server));
        }
        let addresses = by(deadline, Stage::Lookup(Party::Proxy), self.vetted(Party::Proxy, &proxy.host)).await??;
        let stream = reach(Party::Proxy, &addresses, proxy.port, deadline).await?;
        by(deadline, Stage::Tunnel, tunnel::open(stream, proxy, host, port)).await?
    }

    /// Of a server reached directly. The operator's own may be anywhere; any other host may be a peer's invention.
    async fn addresses(&self, host: &Host<String>, port: u16) -> Result<Vec<IpAddr>, Error> {
        match host {
            _ if !self.ground.endpoint.is(host, port) => self.vetted(Party::Server, host).await,
            Host::Ipv4(address) => Ok(vec![(*address).into()]),
            Host::Ipv6(address) => Ok(vec![(*address).into()]),
            Host::Domain(name) => {
                let found = self.ground.lookup.lookup(name).await;
                found.map_err(|source| Error::Address(Party::Server, net::Error::Dns(source.into())))
            }
        }
    }

    async fn vetted(&self, party: Party, host: &Host<String>) -> Result<Vec<IpAddr>, Error> {
        let Ground { policy, lookup, .. } = &*self.ground;
        net::vetted(policy, &**lookup, host).await.map_err(|source| Error::Address(party, source))
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.ground.limits.connect
    }
}

/// Tries the addresses in turn, each for its share of the time that is left.
async fn reach(party: Party, addresses: &[IpAddr], port: u16, deadline: Instant) -> Result<TcpStream, Error> {
    let mut failure = Error::Unreachable(party, std::io::ErrorKind::AddrNotAvailable.into());
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in addresses {
        let share: Duration = deadline.saturating_duration_since(Instant::now()) / left;
        left -= 1;
        if !endpoint::permits(LOOPBACK_ONLY, *address) {
            return Err(Error::Elsewhere(party));
        }
        match timeout(share, TcpStream::connect(SocketAddr::new(*address, port))).await {
            Ok(Ok(stream)) => {
                // Frames are small and answers are waited for.
                stream.set_nodelay(true).map_err(|source| Error::Unreachable(party, source))?;
                return Ok(stream);
            }
            Ok(Err(source)) => failure = Error::Unreachable(party, source),
            Err(_) => failure = Error::Timeout(Stage::Connect(party)),
        }
    }
    Err(failure)
}

async fn by<T>(deadline: Instant, stage: Stage, work: impl Future<Output = T>) -> Result<T, Error> {
    timeout_at(deadline, work).await.map_err(|_| Error::Timeout(stage))
}

fn name(host: &Host<String>) -> Result<ServerName<'static>, Error> {
    match host {
        Host::Ipv4(address) => Ok(IpAddr::from(*address).into()),
        Host::Ipv6(address) => Ok(IpAddr::from(*address).into()),
        Host::Domain(name) => {
            ServerName::try_from(name.clone()).map_err(|_| Error::Request("the host's name cannot be used"))
        }
    }
}

/// Opens the library's connections: TCP, the proxy if there is one, TLS, the websocket. All on one leash.
pub struct Socket {
    dialer: Dialer,
    leash: Leash,
}

impl Socket {
    pub(super) fn new(dialer: Dialer, leash: Leash) -> Self {
        Self { dialer, leash }
    }
}

#[async_trait]
impl TransportFactory for Socket {
    async fn create_transport(&self) -> anyhow::Result<(Arc<dyn Transport>, async_channel::Receiver<TransportEvent>)> {
        Ok(self.dialer.websocket(&self.leash).await?)
    }
}
