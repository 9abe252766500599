//! Proxies of both kinds, honest and otherwise. All tunnels lead to the same port, whatever was asked for.

use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use provider_whatsapp_web::transport::Proxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// `user:password`, where the proxy wants them.
type Login = Option<&'static str>;

#[derive(Clone, Copy)]
pub(crate) enum Manner {
    Connect(Login),
    Socks5(Login),
    /// Reads the request and answers these bytes, then closes.
    Answers(&'static [u8]),
    /// Tells a caller of SOCKS5 that no login is needed, then answers its request with these bytes.
    Replies(&'static [u8]),
    /// Reads and never says anything.
    Silent,
    /// Says that the tunnel stands, and leads nowhere.
    Nowhere,
}

pub(crate) struct Stub {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    pub(crate) async fn start(manner: Manner, target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let entry = log.lock().unwrap().len();
                log.lock().unwrap().push(String::new());
                let log = log.clone();
                tokio::spawn(async move {
                    let note = |what: String| log.lock().unwrap()[entry] = what;
                    serve(manner, stream, target, note).await
                });
            }
        });
        Self { port, seen }
    }

    /// `login` is what the caller uses: `user:password@` or nothing.
    pub(crate) fn http(&self, login: &str) -> Proxy {
        format!("http://{login}127.0.0.1:{}", self.port).parse().unwrap()
    }

    pub(crate) fn socks5(&self, login: &str) -> Proxy {
        format!("socks5://{login}127.0.0.1:{}", self.port).parse().unwrap()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// For each connection the target that was asked for; empty where none was.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// A port that nobody listens on.
pub(crate) async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn serve(manner: Manner, mut stream: TcpStream, target: u16, note: impl Fn(String)) -> io::Result<()> {
    match manner {
        Manner::Connect(login) => {
            let head = read_head(&mut stream).await?;
            note(head.split(' ').nth(1).unwrap_or_default().to_owned());
            let given = head.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: Basic "));
            if given.map(str::to_owned) != login.map(|l| BASE64_STANDARD.encode(l)) {
                return stream.write_all(b"HTTP/1.1 407 Who are you\r\ncontent-length: 2\r\n\r\nno").await;
            }
            stream.write_all(b"HTTP/1.1 200 Go ahead\r\nvia: stub\r\n\r\n").await?;
            join(stream, target).await
        }
        Manner::Socks5(login) => {
            let accepted = greet(&mut stream, login).await?;
            if !accepted {
                return Ok(());
            }
            note(read_target(&mut stream).await?);
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
            join(stream, target).await
        }
        Manner::Answers(bytes) => {
            read_some(&mut stream).await?;
            stream.write_all(bytes).await?;
            stream.shutdown().await
        }
        Manner::Replies(bytes) => {
            greet(&mut stream, None).await?;
            note(read_target(&mut stream).await?);
            stream.write_all(bytes).await
        }
        Manner::Silent => loop {
            read_some(&mut stream).await?;
        },
        Manner::Nowhere => {
            note(read_head(&mut stream).await?);
            stream.write_all(b"HTTP/1.1 200 Go ahead\r\n\r\n").await?;
            loop {
                read_some(&mut stream).await?;
            }
        }
    }
}

async fn join(mut stream: TcpStream, target: u16) -> io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", target)).await?;
    copy_bidirectional(&mut stream, &mut server).await.map(drop)
}

async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(head).unwrap())
}

async fn read_some(stream: &mut TcpStream) -> io::Result<()> {
    match stream.read(&mut [0; 4096]).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// RFC 1928 §3 and RFC 1929. False: the caller was turned away.
async fn greet(stream: &mut TcpStream, login: Login) -> io::Result<bool> {
    assert_eq!(stream.read_u8().await?, 5);
    let mut methods = vec![0; stream.read_u8().await?.into()];
    stream.read_exact(&mut methods).await?;
    let wanted = if login.is_some() { 2 } else { 0 };
    if !methods.contains(&wanted) {
        stream.write_all(&[5, 0xff]).await?;
        return Ok(false);
    }
    stream.write_all(&[5, wanted]).await?;
    let Some(login) = login else { return Ok(true) };
    assert_eq!(stream.read_u8().await?, 1);
    let given = format!("{}:{}", read_word(stream).await?, read_word(stream).await?);
    stream.write_all(&[1, u8::from(given != login)]).await?;
    Ok(given == login)
}

async fn read_word(stream: &mut TcpStream) -> io::Result<String> {
    let mut word = vec![0; stream.read_u8().await?.into()];
    stream.read_exact(&mut word).await?;
    Ok(String::from_utf8(word).unwrap())
}

/// RFC 1928 §4.
async fn read_target(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    assert_eq!(head[..3], [5, 1, 0]);
    let host = match head[3] {
        1 => std::net::Ipv4Addr::from(stream.read_u32().await?).to_string(),
        3 => read_word(stream).await?,
        4 => format!("[{}]", std::net::Ipv6Addr::from(stream.read_u128().await?)),
        other => panic!("address type {other}"),
    };
    Ok(format!("{host}:{}", stream.read_u16().await?))
}
