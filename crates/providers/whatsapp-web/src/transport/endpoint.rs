use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};
use wacore::net::WHATSAPP_WEB_WS_URL;

/// The page that names the web client's current version. WhatsApp's own, wherever the socket is: it is about their
/// client.
pub(super) const VERSION_PAGE: &str = "https://web.whatsapp.com/sw.js";

/// A build for the sandbox accepts a certificate chain that nobody signed; so it may not leave this machine.
pub(super) const LOOPBACK_ONLY: bool = cfg!(feature = "web-sandbox");

/// Where WhatsApp is: the one place that knows its address. By default WhatsApp's own; the sandbox's if so set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    socket: Url,
    host: Host<String>,
    port: u16,
}

/// Why a text is no address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEndpoint {
    #[error("the server's URL cannot be read")]
    Unreadable(#[from] url::ParseError),
    #[error("the server's URL must begin with wss://; ws:// is for this machine only")]
    Scheme,
    #[error("the server's URL may not hold a user name, a password or a fragment")]
    Extra,
}

impl Endpoint {
    /// The URL of the websocket.
    #[must_use]
    pub fn socket(&self) -> &Url {
        &self.socket
    }

    pub(super) fn host(&self) -> &Host<String> {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn tls(&self) -> bool {
        self.socket.scheme() == "wss"
    }

    /// Is this the server that the operator configured?
    pub(super) fn is(&self, host: &Host<String>, port: u16) -> bool {
        (&self.host, self.port) == (host, port)
    }
}

impl FromStr for Endpoint {
    type Err = BadEndpoint;

    fn from_str(text: &str) -> Result<Self, BadEndpoint> {
        let socket = Url::parse(text)?;
        let host = socket.host().ok_or(url::ParseError::EmptyHost)?.to_owned();
        let port = socket.port_or_known_default().ok_or(BadEndpoint::Scheme)?;
        match socket.scheme() {
            "wss" => {}
            "ws" if is_here(&host) => {}
            _ => return Err(BadEndpoint::Scheme),
        }
        if !socket.username().is_empty() || socket.password().is_some() || socket.fragment().is_some() {
            return Err(BadEndpoint::Extra);
        }
        Ok(Self { socket, host, port })
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        WHATSAPP_WEB_WS_URL.parse().expect("the library's constant is a wss:// URL with a host")
    }
}

/// May a connection go to this address, where `only_here` tells whether the build is confined?
pub(super) fn permits(only_here: bool, address: IpAddr) -> bool {
    !only_here || address.to_canonical().is_loopback()
}

/// May a proxy be asked for this host? A confined build asks only for what is this machine beyond doubt.
pub(super) fn permits_host(only_here: bool, host: &Host<String>) -> bool {
    !only_here || is_here(host)
}

fn is_here(host: &Host<String>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.to_canonical().is_loopback(),
        Host::Domain(name) => name == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_whatsapp_unless_said_otherwise() {
        let whatsapp = Endpoint::default();
        assert_eq!(whatsapp.socket().as_str(), "wss://web.whatsapp.com/ws/chat");
        assert_eq!((whatsapp.port(), whatsapp.tls()), (443, true));
        for (text, port, tls) in [
            ("wss://127.0.0.1:9443/ws/chat", 9443, true),
            ("ws://localhost:9080/ws/chat", 9080, false),
            ("ws://[::1]/ws/chat", 80, false),
            ("wss://web.example/ws", 443, true),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.port(), endpoint.tls()), (port, tls), "{text}");
        }
        for text in ["ws://web.example/", "ws://10.0.0.1/", "https://web.example/", "file:///x", "mailto:x"] {
            assert!(Endpoint::from_str(text).is_err(), "{text}");
        }
        for text in ["wss://u@web.example/", "wss://:p@web.example/", "wss://web.example/#x"] {
            assert_eq!(Endpoint::from_str(text), Err(BadEndpoint::Extra), "{text}");
        }
    }

    #[test]
    fn a_confined_build_stays_on_this_machine() {
        for (host, here) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("10.0.0.1", false),
            ("[::ffff:10.0.0.1]", false),
            ("0.0.0.0", false),
            ("8.8.8.8", false),
        ] {
            let address: IpAddr = host.trim_matches(['[', ']']).parse().unwrap();
            assert_eq!(permits(true, address), here, "{host}");
            assert_eq!(permits_host(true, &Host::parse(host).unwrap()), here, "{host}");
            assert!(permits(false, address));
        }
        assert!(permits_host(true, &Host::parse("localhost").unwrap()));
        assert!(!permits_host(true, &Host::parse("localhost.example").unwrap()));
        assert!(permits_host(false, &Host::parse("web.whatsapp.com").unwrap()));
    }
}
