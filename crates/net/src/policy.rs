use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

use crate::ranges;

/// Which addresses a URL named by a caller may lead to: every public one, and what the operator listed.
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    allowed: Vec<IpNet>,
}

/// Why a destination was refused. Safe to show to the caller who named it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the scheme must be https")]
    Scheme,
    #[error("plain http is not permitted to this host")]
    PlainHttp,
    #[error("the URL names no host")]
    NoHost,
    #[error("a user name or password in the URL is not permitted")]
    UserInfo,
    #[error("the address {address} is not permitted ({range})")]
    Address { address: IpAddr, range: &'static str },
}

impl AddressPolicy {
    /// Public addresses, and those inside `allowed` whatever they are. Plain http is permitted to `allowed` only.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// May a TLS connection go to this address?
    pub fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        match ranges::closed(address) {
            Some(range) if !self.lists(address) => Err(Refusal::Address { address, range }),
            _ => Ok(()),
        }
    }

    /// May a connection without TLS go to this address?
    pub fn check_plain(&self, address: IpAddr) -> Result<(), Refusal> {
        self.check(address)?;
        if self.lists(address) { Ok(()) } else { Err(Refusal::PlainHttp) }
    }

    /// What can be said of a URL before its name is resolved. A name reached by plain http is judged by its addresses
    /// later, and is refused here only if no address could pass.
    pub fn check_url(&self, url: &Url) -> Result<(), Refusal> {
        let plain = match url.scheme() {
            "https" => false,
            "http" => true,
            _ => return Err(Refusal::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        match url.host().ok_or(Refusal::NoHost)? {
            Host::Ipv4(address) => self.check_for(plain, address.into()),
            Host::Ipv6(address) => self.check_for(plain, address.into()),
            Host::Domain(name) if is_localhost(name) => self.localhost().map(drop),
            Host::Domain(_) if plain && self.allowed.is_empty() => Err(Refusal::PlainHttp),
            Host::Domain(_) => Ok(()),
        }
    }

    /// The loopback addresses that the operator listed: what `localhost` stands for, never asked of any DNS.
    pub(crate) fn localhost(&self) -> Result<Vec<IpAddr>, Refusal> {
        let both: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let listed: Vec<_> = both.into_iter().filter(|a| self.lists(*a)).collect();
        if listed.is_empty() {
            self.check(both[0])?;
        }
        Ok(listed)
    }

    fn check_for(&self, plain: bool, address: IpAddr) -> Result<(), Refusal> {
        if plain { self.check_plain(address) } else { self.check(address) }
    }

    fn lists(&self, address: IpAddr) -> bool {
        // Only the mapped form is the same destination; other wrappings go through somebody's translator.
        let address = address.to_canonical();
        self.allowed.iter().any(|net| net.contains(&address))
    }
}

/// `localhost` and every name below it (RFC 6761), with or without the final dot.
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    last.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sandbox() -> AddressPolicy {
        AddressPolicy::new(vec!["127.0.0.0/8".parse().unwrap(), "10.20.0.0/16".parse().unwrap()])
    }

    fn verdict(policy: &AddressPolicy, url: &str) -> Result<(), Refusal> {
        policy.check_url(&Url::parse(url).unwrap())
    }

    #[test]
    fn hostile_spellings_are_refused() {
        let refused = [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://017700000001/",
            "https://0x7f000001/",
            "https://0x7f.0.0.0x1/",
            "https://127.0.0.1./",
            "https://\u{ff11}27.0.0.1/",
            "https://0/",
            "https://10.0.0.1/",
            "https://172.31.255.255/",
            "https://192.168.1.1/",
            "https://100.64.0.1/",
            "https://100.100.100.200/latest/meta-data",
            "https://169.254.169.254/latest/meta-data",
            "https://168.63.129.16/",
            "https://192.0.0.192/",
            "https://192.0.2.1/",
            "https://198.18.0.1/",
            "https://203.0.113.9/",
            "https://224.0.0.1/",
            "https://240.0.0.1/",
            "https://255.255.255.255/",
            "https://[::]/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://[::7f00:1]/",
            "https://[64:ff9b::10.0.0.1]/",
            "https://[64:ff9b:1::1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001:0:1:2::3]/",
            "https://[2001:db8::1]/",
            "https://[3fff::1]/",
            "https://[fd00:ec2::254]/",
            "https://[fc00::1]/",
            "https://[fe80::1]/",
            "https://[fec0::1]/",
            "https://[ff02::1]/",
            "https://[::ffff:0:127.0.0.1]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://printer.localhost/",
            "https://user@example.com/",
            "https://:secret@example.com/",
            "http://example.com/",
            "http://93.184.215.14/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "data:text/plain,hello",
            "unix:/run/docker.sock",
        ];
        let policy = AddressPolicy::default();
        for url in refused {
            assert!(verdict(&policy, url).is_err(), "{url} was permitted");
        }
    }

    #[test]
    fn public_destinations_are_permitted_over_tls_only() {
        let policy = AddressPolicy::default();
        for host in ["example.com", "93.184.215.14", "[2606:2800:21f::1]", "[::ffff:8.8.8.8]", "[64:ff9b::8.8.8.8]"] {
            assert_eq!(verdict(&policy, &format!("https://{host}:8443/x")), Ok(()));
            assert_eq!(verdict(&policy, &format!("http://{host}/")), Err(Refusal::PlainHttp));
        }
    }

    #[test]
    fn listed_networks_open_and_nothing_else_does() {
        let policy = sandbox();
        for url in [
            "http://127.0.0.1:9/",
            "https://127.9.9.9/",
            "http://[::ffff:127.0.0.1]/",
            "http://localhost/",
            "http://10.20.1.1/",
            "http://named.example/",
        ] {
            assert_eq!(verdict(&policy, url), Ok(()), "{url}");
        }
        for url in [
            "http://[::1]/",
            "http://10.21.0.1/",
            "https://169.254.169.254/",
            "http://8.8.8.8/",
            "https://[64:ff9b::127.0.0.1]/",
        ] {
            assert!(verdict(&policy, url).is_err(), "{url}");
        }
        let both: Vec<IpAddr> = vec![Ipv4Addr::LOCALHOST.into()];
        assert_eq!(policy.localhost(), Ok(both));
    }

    proptest! {
        #[test]
        fn a_wrapped_address_is_no_more_public_than_itself(bits: u32) {
            let inner = Ipv4Addr::from_bits(bits);
            let policy = AddressPolicy::default();
            let bare = policy.check(inner.into()).is_ok();
            prop_assert_eq!(policy.check(inner.to_ipv6_mapped().into()).is_ok(), bare);
            let [a, b, c, d] = inner.octets();
            let nat64 = Ipv6Addr::from([0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]);
            prop_assert_eq!(policy.check(nat64.into()).is_ok(), bare);
            prop_assert!(!(bare && (inner.is_private() || inner.is_loopback() || inner.is_link_local())));
        }
    }
}
