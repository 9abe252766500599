use std::error::Error as StdError;
use std::{fmt, io};

type Source = Box<dyn StdError + Send + Sync>;

/// Why there is no connection, or no complete answer. Safe to show to the caller who chose the proxy: addresses,
/// user names, passwords and URLs are left out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not permitted, or not to be found.
    #[error("the address of {0} cannot be used")]
    Address(Party, #[source] net::Error),
    /// A build for the sandbox was asked for an address elsewhere.
    #[error("this build reaches this machine only, and {0} is not on it")]
    Elsewhere(Party),
    #[error("{0} cannot be reached")]
    Unreachable(Party, #[source] io::Error),
    #[error("the proxy does not accept the user name and password, or wants some")]
    ProxyLogin,
    /// The proxy works, and will not or cannot reach the server: its status or its reason.
    #[error("the proxy made no connection: {0}")]
    ProxyDeclined(String),
    #[error("the proxy does not speak its protocol")]
    ProxyProtocol(#[source] Source),
    #[error("no trusted TLS connection to the server")]
    Tls(#[source] io::Error),
    #[error("the server did not open a websocket")]
    Upgrade(#[source] Source),
    #[error("timed out: {0}")]
    Timeout(Stage),
    /// A request that cannot be made; nothing was sent.
    #[error("bad request: {0}")]
    Request(&'static str),
    /// The exchange broke off; what is inside says where.
    #[error("the HTTP exchange failed")]
    Exchange(#[source] Source),
    #[error("the answer is longer than {limit} bytes")]
    TooLarge { limit: u64 },
}

/// Who was being reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    Proxy,
    Server,
}

/// What took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The look-up of a name.
    Lookup(Party),
    /// The TCP connection.
    Connect(Party),
    /// The proxy's part between its connection and the server's.
    Tunnel,
    Tls,
    Upgrade,
    /// An HTTP exchange that stood still, or lasted too long.
    Exchange,
}

impl Error {
    /// True if another proxy, or none, could help. An error of an exchange blames nobody: ask its [`Error::cause`].
    #[must_use]
    pub fn blames_proxy(&self) -> bool {
        matches!(
            self,
            Self::Address(Party::Proxy, _)
                | Self::Elsewhere(Party::Proxy)
                | Self::Unreachable(Party::Proxy, _)
                | Self::ProxyLogin
                | Self::ProxyDeclined(_)
                | Self::ProxyProtocol(_)
                | Self::Timeout(Stage::Lookup(Party::Proxy) | Stage::Connect(Party::Proxy) | Stage::Tunnel)
        )
    }

    /// Finds the innermost error of this module among the causes of the library's, or of one of this module.
    #[must_use]
    pub fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut found = None;
        let mut next = Some(error);
        while let Some(cause) = next {
            found = cause.downcast_ref().or(found);
            // An `io::Error` hides what it wraps.
            next = match cause.downcast_ref::<io::Error>() {
                Some(wrapper) => wrapper.get_ref().map(|inner| inner as _),
                None => cause.source(),
            };
        }
        found
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proxy => "the proxy",
            Self::Server => "the server",
        })
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup(party) => write!(f, "looking up {party}"),
            Self::Connect(party) => write!(f, "connecting to {party}"),
            Self::Tunnel => f.write_str("waiting for the proxy to connect"),
            Self::Tls => f.write_str("TLS with the server"),
            Self::Upgrade => f.write_str("opening the websocket"),
            Self::Exchange => f.write_str("the HTTP exchange"),
        }
    }
}
