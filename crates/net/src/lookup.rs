use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

use crate::Error;
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

/// The addresses of a host that a caller named, for connections that are no requests of a [`GuardedClient`].
///
/// Every one of them passes `policy`. Connect to these and ask no resolver again, so that the name cannot change its
/// answer in between.
///
/// [`GuardedClient`]: crate::GuardedClient
pub async fn vetted(policy: &AddressPolicy, lookup: &dyn Lookup, host: &Host<String>) -> Result<Vec<IpAddr>, Error> {
    let literal: IpAddr = match host {
        Host::Ipv4(address) => (*address).into(),
        Host::Ipv6(address) => (*address).into(),
        Host::Domain(name) => return named(policy, lookup, false, name).await,
    };
    policy.check(literal).map_err(Error::Refused)?;
    Ok(vec![literal])
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
        let (policy, lookup, plain) = (self.policy.clone(), self.lookup.clone(), self.plain);
        Box::pin(async move {
            let found = named(&policy, &*lookup, plain, name.as_str()).await?;
            Ok(addresses(found))
        })
    }
}

async fn named(policy: &AddressPolicy, lookup: &dyn Lookup, plain: bool, name: &str) -> Result<Vec<IpAddr>, Error> {
    if is_localhost(name) {
        return policy.localhost().map_err(Error::Refused);
    }
    let found = lookup.lookup(name).await.map_err(|source| Error::Dns(source.into()))?;
    vet(policy, plain, &found).map_err(Error::Refused)?;
    if found.is_empty() {
        return Err(Error::Dns(io::Error::from(io::ErrorKind::NotFound).into()));
    }
    Ok(found)
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
