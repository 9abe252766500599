//! Opening a connection: the address, TLS, hello, the log-in.

use std::io;
use std::net::SocketAddr;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::Relay;
use super::secured::Secured;
use super::trouble::{Trouble, told};
use crate::Security;
use crate::reply::{Reply, Step};

/// The first we know is taken.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
/// Octets of a reply's line, and lines of a reply, before there is TLS.
const LONGEST_LINE: u64 = 1000;
const MOST_LINES: usize = 100;

pub(super) async fn open(relay: &Relay) -> Result<AsyncSmtpConnection, Trouble> {
    let tcp = connect(relay).await?;
    let hello = hello(relay, &tcp);
    let mut connection = match relay.config.security {
        Security::None => AsyncSmtpConnection::connect_with_transport(Box::new(tcp), &hello).await,
        Security::Tls => {
            let secured = Secured::greeting_to_come(handshake(relay, tcp).await?);
            AsyncSmtpConnection::connect_with_transport(Box::new(secured), &hello).await
        }
        Security::Starttls => {
            let tcp = ask_for_tls(tcp, &hello).await?;
            let secured = Secured::greeted_before(handshake(relay, tcp).await?);
            AsyncSmtpConnection::connect_with_transport(Box::new(secured), &hello).await
        }
    }
    .map_err(Trouble::at(Step::Greeting))?;
    log_in(relay, &mut connection).await?;
    Ok(connection)
}

async fn connect(relay: &Relay) -> Result<TcpStream, Trouble> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses(relay).await? {
        match TcpStream::connect(address).await {
            Ok(tcp) => {
                // Only a matter of speed.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Err(error) => last = error,
        }
    }
    Err(unreached(&last))
}

async fn addresses(relay: &Relay) -> Result<Vec<SocketAddr>, Trouble> {
    let found = tokio::net::lookup_host((host(relay), relay.config.port)).await.map_err(|error| unreached(&error))?;
    let found: Vec<_> = found.collect();
    let refused = |address: &&SocketAddr| !relay.permits_plain(address.ip());
    match found.iter().find(refused) {
        Some(address) if relay.config.security == Security::None => {
            Err(Trouble::Unreached(format!("no connection without TLS may lead to {}", address.ip())))
        }
        _ => Ok(found),
    }
}

/// Without the brackets in which an IPv6 address may stand.
fn host(relay: &Relay) -> &str {
    relay.config.host.trim_matches(['[', ']'])
}

/// Our name for ourselves, or the address we come from.
fn hello(relay: &Relay, tcp: &TcpStream) -> ClientId {
    match (&relay.config.hello, tcp.local_addr()) {
        (Some(name), _) => ClientId::Domain(name.clone()),
        (None, Ok(SocketAddr::V4(address))) => ClientId::Ipv4(*address.ip()),
        (None, Ok(SocketAddr::V6(address))) => ClientId::Ipv6(*address.ip()),
        (None, Err(_)) => ClientId::default(),
    }
}

async fn handshake(relay: &Relay, tcp: TcpStream) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Trouble> {
    let name = ServerName::try_from(host(relay).to_owned())
        .map_err(|_| Trouble::Unreached("its name cannot stand in a certificate".to_owned()))?;
    let connector = tokio_rustls::TlsConnector::from(relay.tls.clone());
    connector.connect(name, tcp).await.map_err(|error| unreached(&error))
}

/// Speaks without TLS until the relay is ready for it. What came before is forgotten: somebody on the way may have said it.
async fn ask_for_tls(tcp: TcpStream, hello: &ClientId) -> Result<TcpStream, Trouble> {
    let mut line = BufReader::new(tcp);
    answer(&mut line).await?;
    let offers = ask(&mut line, &format!("EHLO {hello}\r\n")).await?;
    if !offers.lines().any(|offer| offer.eq_ignore_ascii_case("STARTTLS")) {
        return Err(Trouble::Unreached("it does not offer STARTTLS".to_owned()));
    }
    ask(&mut line, "STARTTLS\r\n").await?;
    match line.buffer() {
        [] => Ok(line.into_inner()),
        _ => Err(Trouble::Unreached("something was said between STARTTLS and TLS".to_owned())),
    }
}

async fn ask(line: &mut BufReader<TcpStream>, question: &str) -> Result<String, Trouble> {
    line.get_mut().write_all(question.as_bytes()).await.map_err(|error| unreached(&error))?;
    answer(line).await
}

/// The words of a good reply, line by line.
async fn answer(line: &mut BufReader<TcpStream>) -> Result<String, Trouble> {
    let garbled = || Trouble::Unreached("what it says is not SMTP".to_owned());
    let mut words = String::new();
    for _ in 0..MOST_LINES {
        let mut read = Vec::new();
        line.take(LONGEST_LINE).read_until(b'\n', &mut read).await.map_err(|error| unreached(&error))?;
        let text = String::from_utf8(read).map_err(|_| garbled())?;
        let (code, rest) = text.split_at_checked(3).ok_or_else(garbled)?;
        let code: u16 = code.parse().map_err(|_| garbled())?;
        let (last, rest) = (!rest.starts_with('-'), rest.get(1..).unwrap_or_default().trim_end());
        words.extend([rest, "\n"]);
        match (last, code) {
            (true, 200..400) => return Ok(words),
            (true, _) => return Err(Trouble::Refused(Step::Greeting, Reply::new(code, &words))),
            (false, _) => {}
        }
    }
    Err(garbled())
}

async fn log_in(relay: &Relay, connection: &mut AsyncSmtpConnection) -> Result<(), Trouble> {
    let (Some(name), Some(password)) = (&relay.config.username, &relay.secrets.password) else { return Ok(()) };
    if connection.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
        return Err(Trouble::NoLogin);
    }
    let credentials = Credentials::new(name.clone(), password.expose_secret().to_owned());
    connection.auth(&MECHANISMS, &credentials).await.map_err(Trouble::at(Step::Login)).map(drop)
}

fn unreached(error: &dyn std::error::Error) -> Trouble {
    Trouble::Unreached(told(error))
}
