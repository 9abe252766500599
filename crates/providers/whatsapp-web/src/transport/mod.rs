//! How linked accounts reach WhatsApp: one socket and one HTTP client for each, both through the same door.
//!
//! [`Network`] holds what all sessions share (addresses, trust, limits) and hands out, for a proxy or for none, a
//! [`Socket`] that opens the library's connection and an [`Http`] client for media. Both dial with the same code, so
//! what holds for one holds for the other: with a proxy set, every byte goes through it or nowhere; names are then
//! resolved by the proxy, never here; the environment's proxies do not exist. The proxy's own address, and without a
//! proxy every host that a peer could have named in a message, must pass the address policy, and the connection uses
//! exactly the vetted addresses. Redirects are answers, not followed.
//!
//! Nothing here is kept: after a crash there is nothing to find, and a failed connection is the caller's to repeat.

mod body;
mod connect;
mod endpoint;
mod error;
mod http;
mod leash;
mod proxy;
mod tunnel;
mod version;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use net::{AddressPolicy, Certificate, Lookup, SystemLookup};

pub use connect::Socket;
pub use endpoint::{BadEndpoint, Endpoint};
pub use error::{Error, Party, Stage};
pub use http::Http;
pub use leash::Leash;
pub use proxy::{BadProxy, Proxy};
pub use version::{BUILT_IN_VERSION, BadVersion, ClientVersion, Version, keep_fresh};

use connect::{Dialer, Ground};

/// What all sessions share.
#[derive(Clone)]
pub struct Settings {
    pub endpoint: Endpoint,
    /// For the addresses of proxies, and of hosts that peers name when there is no proxy.
    pub policy: AddressPolicy,
    /// Trusted besides the public web's roots.
    pub extra_roots: Vec<Certificate>,
    /// Where addresses come from.
    pub lookup: Arc<dyn Lookup>,
    pub limits: Limits,
}

/// How long and how much.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For a connection from its first step to the last: address, proxy, TLS and the socket's upgrade. Less than the
    /// library's own 20 s, so that the error that names the step comes first.
    pub connect: Duration,
    /// For an HTTP exchange in which nothing moves.
    pub idle: Duration,
    /// For a whole HTTP exchange, bodies included.
    pub total: Duration,
    /// Bytes of an answer that is read at once.
    pub max_answer: u64,
    /// Bytes of an answer that is read as it comes.
    pub max_download: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoint: Endpoint::default(),
            policy: AddressPolicy::default(),
            extra_roots: Vec::new(),
            lookup: Arc::new(SystemLookup),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(30 * 60),
            max_answer: 16 << 20,
            // The largest document that WhatsApp carries, and what encryption adds.
            max_download: (2 << 30) + 1024,
        }
    }
}

/// The way out of this process for linked accounts. Cheap to clone.
#[derive(Clone)]
pub struct Network(Arc<Inner>);

struct Inner {
    ground: Arc<Ground>,
    /// One client for each proxy in use: its connections serve every session behind that proxy.
    clients: Mutex<HashMap<Option<Proxy>, http::Shared>>,
}

impl Network {
    /// Fails only if a root certificate is unusable.
    pub fn new(settings: Settings) -> Result<Self, net::Error> {
        let ground = Arc::new(Ground::new(settings)?);
        Ok(Self(Arc::new(Inner { ground, clients: Mutex::default() })))
    }

    /// Where WhatsApp is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.ground.endpoint
    }

    /// Opens the library's connections through `proxy`, or directly, on a leash.
    pub fn socket(&self, proxy: Option<&Proxy>, leash: Leash) -> Socket {
        Socket::new(self.dialer(proxy), leash)
    }

    /// The HTTP client that goes through `proxy`, or directly; the same one for all who ask while somebody has it.
    pub fn http(&self, proxy: Option<&Proxy>) -> Http {
        let mut clients = self.0.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = proxy.cloned();
        if let Some(client) = clients.get(&key).and_then(http::Shared::upgrade) {
            return client;
        }
        clients.retain(|_, client| client.in_use());
        let client = Http::new(self.dialer(proxy));
        clients.insert(key, client.share());
        client
    }

    fn dialer(&self, proxy: Option<&Proxy>) -> Dialer {
        Dialer { ground: self.0.ground.clone(), proxy: proxy.cloned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sessions_behind_the_same_proxy_share_a_client_while_they_last() {
        let network = Network::new(Settings::default()).unwrap();
        let proxy = |text: &str| -> Option<Proxy> { Some(text.parse().unwrap()) };
        let ways = [
            None,
            proxy("http://a:1@proxy.example"),
            proxy("http://a:2@proxy.example"),
            proxy("socks5://a:1@proxy.example"),
        ];
        let held: Vec<Http> = ways.iter().map(|way| network.http(way.as_ref())).collect();
        for (i, way) in ways.iter().enumerate() {
            let again = network.http(way.as_ref());
            let same: Vec<bool> = held.iter().map(|http| http.is(&again)).collect();
            assert!((0..held.len()).all(|j| same[j] == (i == j)), "{way:?}: {same:?}");
        }
        drop(held);
        let _new = network.http(proxy("http://b:1@proxy.example").as_ref());
        assert_eq!(network.0.clients.lock().unwrap().len(), 1);
    }
}
