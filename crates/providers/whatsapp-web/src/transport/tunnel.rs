//! What is said to a proxy before its connection is ours: HTTP CONNECT, or SOCKS5. The host goes to it as it is, so
//! that the proxy resolves names.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;
use url::Host;

use super::proxy::{Kind, Login};
use super::{Error, Party, Proxy};

/// A proxy's answer to CONNECT has this much room.
const MAX_HEAD: usize = 8 * 1024;
const MAX_HEADERS: usize = 64;

/// Makes the connection to a proxy one to `host`.
pub(super) async fn open(stream: TcpStream, proxy: &Proxy, host: &Host<String>, port: u16) -> Result<TcpStream, Error> {
    match proxy.kind {
        Kind::Http => connect(stream, proxy.login.as_ref(), host, port).await,
        Kind::Socks5 => socks5(stream, proxy.login.as_ref(), host, port).await,
    }
}

async fn connect(
    mut stream: TcpStream,
    login: Option<&Login>,
    host: &Host<String>,
    port: u16,
) -> Result<TcpStream, Error> {
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some(Login { user, password }) = login {
        let secret = BASE64_STANDARD.encode(format!("{user}:{password}"));
        request.push_str(&format!("Proxy-Authorization: Basic {secret}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.map_err(lost)?;
    match status(&mut stream).await? {
        200..=299 => Ok(stream),
        407 => Err(Error::ProxyLogin),
        code => Err(Error::ProxyDeclined(format!("status {code}"))),
    }
}

/// Reads the head of the answer and nothing behind it.
async fn status(stream: &mut TcpStream) -> Result<u16, Error> {
    let mut head = Vec::with_capacity(512);
    while head.len() < MAX_HEAD {
        let room = (MAX_HEAD - head.len()) as u64;
        if stream.take(room).read_buf(&mut head).await.map_err(lost)? == 0 {
            return Err(nonsense("closed before it answered"));
        }
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut answer = httparse::Response::new(&mut headers);
        let parsed = answer.parse(&head).map_err(|source| Error::ProxyProtocol(source.into()))?;
        match (parsed, answer.code) {
            (httparse::Status::Partial, _) => {}
            // Behind success comes the server, which waits for us to speak first.
            (httparse::Status::Complete(length), Some(200..=299)) if length < head.len() => {
                return Err(nonsense("spoke before it was asked"));
            }
            (httparse::Status::Complete(_), code) => return code.ok_or_else(|| nonsense("no status")),
        }
    }
    Err(nonsense("the answer's head is too long"))
}

async fn socks5(stream: TcpStream, login: Option<&Login>, host: &Host<String>, port: u16) -> Result<TcpStream, Error> {
    let bare = match host {
        Host::Ipv6(address) => address.to_string(),
        other => other.to_string(),
    };
    let target = (bare.as_str(), port);
    let opened = match login {
        Some(Login { user, password }) => {
            Socks5Stream::connect_with_password_and_socket(stream, target, user, password).await
        }
        None => Socks5Stream::connect_with_socket(stream, target).await,
    };
    Ok(opened.map_err(refusal)?.into_inner())
}

fn refusal(error: tokio_socks::Error) -> Error {
    use tokio_socks::Error as Socks;
    match error {
        Socks::PasswordAuthFailure(_)
        | Socks::NoAcceptableAuthMethods
        | Socks::AuthorizationRequired
        | Socks::InvalidAuthValues(_) => Error::ProxyLogin,
        Socks::GeneralSocksServerFailure
        | Socks::ConnectionNotAllowedByRuleset
        | Socks::NetworkUnreachable
        | Socks::HostUnreachable
        | Socks::ConnectionRefused
        | Socks::TtlExpired
        | Socks::CommandNotSupported
        | Socks::AddressTypeNotSupported => Error::ProxyDeclined(error.to_string().to_lowercase()),
        Socks::Io(source) if source.kind() == std::io::ErrorKind::UnexpectedEof => Error::ProxyProtocol(source.into()),
        Socks::Io(source) => lost(source),
        other => Error::ProxyProtocol(other.into()),
    }
}

fn lost(source: std::io::Error) -> Error {
    Error::Unreachable(Party::Proxy, source)
}

fn nonsense(what: &'static str) -> Error {
    Error::ProxyProtocol(what.into())
}
