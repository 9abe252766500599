use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::policy::{AddressPolicy, Refusal, is_localhost};

/// The addresses of a name, to come.
pub type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Turns names into addresses; what it answers is vetted by the caller.
pub trait Lookup: Send + Sync {
    /// Every address of `host`.
    fn lookup(&self, host: &str) -> Looking;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: &str) -> Looking {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A resolver for reqwest that hands out addresses only if every one of them passes the policy.
pub(crate) struct Vetted {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) policy: Arc<AddressPolicy>,
    /// For connections without TLS: addresses must be listed, not merely public.
    pub(crate) plain: bool,
}

impl Resolve for Vetted {
    fn resolve(&self, name: Name) -> Resolving {
        if is_localhost(name.as_str()) {
            let answer = self.policy.localhost().map(addresses);
            return Box::pin(async move { Ok(answer?) });
        }
        let looking = self.lookup.lookup(name.as_str());
        let policy = self.policy.clone();
        let plain = self.plain;
        Box::pin(async move {
            let found = looking.await?;
            vet(&policy, plain, &found)?;
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            Ok(addresses(found))
        })
    }
}

fn vet(policy: &AddressPolicy, plain: bool, found: &[IpAddr]) -> Result<(), Refusal> {
    found.iter().try_for_each(|address| match plain {
        true => policy.check_plain(*address),
        false => policy.check(*address),
    })
}

fn addresses(found: Vec<IpAddr>) -> Addrs {
    // Port 0 stands for the port of the URL.
    Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)))
}
