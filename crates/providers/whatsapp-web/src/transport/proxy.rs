use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// Longer URLs are refused unread.
const MAX_URL: usize = 1024;
/// What a SOCKS5 greeting has room for.
const MAX_WORD: usize = 255;

/// A proxy that a caller chose: `http://` or `socks5://` (`socks5h://` is the same: names are always resolved by the
/// proxy), with user name and password where it wants them. Prints without them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    pub(super) kind: Kind,
    pub(super) host: Host<String>,
    pub(super) port: u16,
    pub(super) login: Option<Login>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// HTTP CONNECT.
    Http,
    Socks5,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

/// Why a text is no proxy. Safe to show: it repeats nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProxy {
    #[error("the proxy URL is longer than {MAX_URL} characters")]
    TooLong,
    #[error("the proxy URL cannot be read: {0}")]
    Unreadable(#[from] url::ParseError),
    #[error("the proxy URL must begin with http:// or socks5://")]
    Scheme,
    #[error("the proxy URL names no host")]
    NoHost,
    #[error("port 0 is no port of a proxy")]
    Port,
    #[error("the proxy URL must end after the port")]
    Extra,
    #[error("the proxy's user name or password cannot be used: {0}")]
    Login(&'static str),
}

impl FromStr for Proxy {
    type Err = BadProxy;

    fn from_str(text: &str) -> Result<Self, BadProxy> {
        if text.len() > MAX_URL {
            return Err(BadProxy::TooLong);
        }
        // The parser would drop some of these silently.
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(BadProxy::Unreadable(url::ParseError::InvalidDomainCharacter));
        }
        let url = Url::parse(text)?;
        let kind = kind(&url)?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(BadProxy::Extra);
        }
        let port = url.port_or_known_default().unwrap_or(kind.default_port());
        if port == 0 {
            return Err(BadProxy::Port);
        }
        Ok(Self { kind, host: host(&url)?, port, login: login(kind, &url)? })
    }
}

impl Kind {
    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Socks5 => 1080,
        }
    }
}

fn kind(url: &Url) -> Result<Kind, BadProxy> {
    match url.scheme() {
        "http" => Ok(Kind::Http),
        "socks5" | "socks5h" => Ok(Kind::Socks5),
        _ => Err(BadProxy::Scheme),
    }
}

fn host(url: &Url) -> Result<Host<String>, BadProxy> {
    match url.host_str() {
        None | Some("") => Err(BadProxy::NoHost),
        // Read once more: under schemes that the URL standard does not know, `127.1` would pass for a name.
        Some(text) => Ok(Host::parse(text)?),
    }
}

fn login(kind: Kind, url: &Url) -> Result<Option<Login>, BadProxy> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let (user, password) = (word(url.username())?, word(url.password().unwrap_or_default())?);
    match kind {
        Kind::Http if user.contains(':') => Err(BadProxy::Login("the user name contains a colon")),
        Kind::Socks5 if user.is_empty() || password.is_empty() => Err(BadProxy::Login("SOCKS5 needs both")),
        _ => Ok(Some(Login { user, password })),
    }
}

fn word(encoded: &str) -> Result<String, BadProxy> {
    let word = percent_encoding::percent_decode_str(encoded).decode_utf8().map_err(|_| BadProxy::Login("not UTF-8"))?;
    if word.len() > MAX_WORD {
        return Err(BadProxy::Login("longer than 255 bytes"));
    }
    if word.chars().any(char::is_control) {
        return Err(BadProxy::Login("control characters"));
    }
    Ok(word.into_owned())
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Socks5 => "socks5",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self}{})", if self.login.is_some() { ", with login" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Proxy, BadProxy> {
        text.parse()
    }

    #[test]
    fn both_kinds_are_read_and_print_without_their_login() {
        for (text, printed, login) in [
            ("http://proxy.example:3128", "http://proxy.example:3128", None),
            ("HTTP://Proxy.Example/", "http://proxy.example:80", None),
            ("http://ann:s%3Acr%C3%A9t@10.0.0.1:80", "http://10.0.0.1:80", Some(("ann", "s:crét"))),
            ("http://ann@10.0.0.1:8080", "http://10.0.0.1:8080", Some(("ann", ""))),
            ("socks5://a%40b:p%25@proxy.example", "socks5://proxy.example:1080", Some(("a@b", "p%"))),
            ("socks5h://[::1]:9050", "socks5://[::1]:9050", None),
            // Each spelling of an address is that address, so that the policy sees it.
            ("socks5://127.1:9050", "socks5://127.0.0.1:9050", None),
            ("socks5://0x7f000001:9050", "socks5://127.0.0.1:9050", None),
        ] {
            let proxy = read(text).unwrap();
            assert_eq!(proxy.to_string(), printed, "{text}");
            let found = proxy.login.as_ref().map(|l| (l.user.as_str(), l.password.as_str()));
            assert_eq!(found, login, "{text}");
            let debug = format!("{proxy:?}");
            assert!(!debug.contains("ann") && !debug.contains("crét"), "{debug}");
        }
        assert_ne!(read("http://a:1@h.example").unwrap(), read("http://a:2@h.example").unwrap());
    }

    #[test]
    fn what_is_no_proxy_says_why_and_repeats_nothing() {
        let long = format!("http://{}.example", "a".repeat(MAX_URL));
        let wide = format!("socks5://u:hush{}@h.example", "a".repeat(252));
        let login = |text: &str| matches!(read(text), Err(BadProxy::Login(_)));
        assert_eq!(read(&long), Err(BadProxy::TooLong));
        for text in ["https://h.example:1", "socks4://h.example:1", "h.example:3128", "ftp://u:hush@h.example"] {
            assert_eq!(read(text), Err(BadProxy::Scheme), "{text}");
        }
        for text in ["http://h.example/x", "http://h.example?x", "http://h.example#x", "socks5://h.example/x"] {
            assert_eq!(read(text), Err(BadProxy::Extra), "{text}");
        }
        for text in
            ["", "proxy", "http://", "http://h.example:99999", "socks5://h%00:1", "http://h .example", "http:\\\\h"]
        {
            assert!(matches!(read(text), Err(BadProxy::Unreadable(_))), "{text}");
        }
        assert_eq!(read("socks5://"), Err(BadProxy::NoHost));
        assert_eq!(read("http://h.example:0"), Err(BadProxy::Port));
        for text in [
            "socks5://u@h.example",
            "http://a%3Ab:c@h.example",
            "http://u:%ff@h.example",
            "http://u:%0d%0ax@h.example",
            &wide,
        ] {
            assert!(login(text), "{text}");
        }
        assert!(!format!("{:?}", read(&wide)).contains("hush"));
    }
}
