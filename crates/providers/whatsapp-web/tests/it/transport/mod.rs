//! The way out: socket and media, directly and through proxies, and everything that is refused on it.

pub(crate) mod proxies;
mod server;

use std::io::Read;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use net::{AddressPolicy, Looking, Lookup, Refusal};
use provider_whatsapp_web::transport::{Error, Http, Leash, Limits, Network, Party, Proxy, Settings, Stage};
use proxies::{Manner, Stub, closed_port};
use server::{Server, pattern, received};
use wacore::net::{DisconnectReason, HttpClient, HttpRequest, HttpResponse, TransportEvent, TransportFactory};
use whatsapp_rust::client::ConnectError;

/// Known to proxies only; a build that is confined to this machine asks for no such name.
const NAME: &str = if cfg!(feature = "web-sandbox") { "localhost" } else { "chat.example" };
/// Long enough for nothing but waiting: what it ends would never have come.
const SOON: Duration = Duration::from_millis(150);

/// Finds these addresses for every name, and counts how often it was asked.
#[derive(Clone, Default)]
struct Names(Vec<IpAddr>, Arc<AtomicUsize>);

impl Lookup for Names {
    fn lookup(&self, _host: &str) -> Looking {
        self.1.fetch_add(1, Ordering::SeqCst);
        let found = self.0.clone();
        Box::pin(async move { Ok(found) })
    }
}

impl Names {
    fn of(addresses: &[&str]) -> Self {
        Self(addresses.iter().map(|a| a.parse().unwrap()).collect(), Arc::default())
    }
}

/// Settings for a network whose WhatsApp is at `host` on the server's port.
fn settings(server: &Server, host: &str, names: &Names) -> Settings {
    Settings {
        endpoint: format!("wss://{host}:{}/ws/chat", server.port).parse().unwrap(),
        policy: AddressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()]),
        extra_roots: vec![server.root.clone()],
        lookup: Arc::new(names.clone()),
        limits: Limits::default(),
    }
}

/// Each way that works: its name, its proxy if any, and what counts the proxy's tunnels.
async fn ways(server: &Server) -> Vec<(&'static str, Option<Proxy>, Option<Stub>)> {
    let start = |manner| Stub::start(manner, server.port);
    let http = start(Manner::Connect(None)).await;
    let http_login = start(Manner::Connect(Some("zoe:s:ecret"))).await;
    let socks = start(Manner::Socks5(None)).await;
    let socks_login = start(Manner::Socks5(Some("zoe:s:ecret"))).await;
    vec![
        ("direct", None, None),
        ("http", Some(http.http("")), Some(http)),
        ("http with login", Some(http_login.http("zoe:s%3Aecret@")), Some(http_login)),
        ("socks5", Some(socks.socks5("")), Some(socks)),
        ("socks5 with login", Some(socks_login.socks5("zoe:s%3Aecret@")), Some(socks_login)),
    ]
}

#[tokio::test]
async fn the_socket_speaks_through_each_way() {
    let server = Server::start().await;
    for (i, (way, proxy, stub)) in ways(&server).await.into_iter().enumerate() {
        let names = Names::of(&["127.0.0.1"]);
        let network = Network::new(settings(&server, NAME, &names)).unwrap();
        let (transport, events) = network.socket(proxy.as_ref(), Leash::loose()).create_transport().await.unwrap();
        assert!(matches!(events.recv().await.unwrap(), TransportEvent::Connected), "{way}");
        for length in [1, 300_000] {
            let sent = Bytes::from(pattern(length));
            transport.send(sent.clone()).await.unwrap();
            match events.recv().await.unwrap() {
                TransportEvent::DataReceived(back) => assert_eq!(back, sent, "{way}"),
                other => panic!("{way}: {other:?}"),
            }
        }
        transport.disconnect().await;
        let last = events.recv().await.unwrap();
        assert!(matches!(last, TransportEvent::Disconnected(DisconnectReason::Unknown)), "{way}: {last:?}");

        assert_eq!(server.connections(), i + 1, "{way}");
        let target = format!("{NAME}:{}", server.port);
        assert!(stub.as_ref().is_none_or(|stub| stub.seen() == [target]), "{way}");
        // Behind a proxy, names are the proxy's business.
        assert_eq!(names.1.load(Ordering::SeqCst), usize::from(stub.is_none()), "{way}");
    }
}

#[tokio::test]
async fn media_passes_through_each_way_byte_for_byte() {
    const LENGTH: usize = (1 << 20) + 7;
    let server = Server::start().await;
    for (way, proxy, stub) in ways(&server).await {
        let before = server.connections();
        let network = Network::new(settings(&server, NAME, &Names::of(&["127.0.0.1"]))).unwrap();
        let http = network.http(proxy.as_ref());
        let url = |path: &str| format!("https://{NAME}:{}/{path}", server.port);

        let got = http.execute(HttpRequest::get(url("media/70000"))).await.unwrap();
        assert!((got.status_code, &got.body[..]) == (200, &pattern(70_000)[..]), "{way}");
        for body in [pattern(200_000), Vec::new()] {
            let request = HttpRequest::post(url("upload")).with_header("Origin", "x").with_body(body.clone());
            let told = http.execute(request).await.unwrap().body_string().unwrap();
            assert_eq!(told, received(Some(&body.len().to_string()), false, &body), "{way}");
        }
        for (path, status, body) in
            [("status/404", 404, "why"), ("status/500", 500, "why"), ("moved", 302, "over there")]
        {
            let answer = http.execute(HttpRequest::get(url(path))).await.unwrap();
            assert_eq!((answer.status_code, &*answer.body_string().unwrap()), (status, body), "{way}");
        }

        let (up, down) = (url("upload"), url(&format!("media/{LENGTH}")));
        let (told, status, body) = blocking(http, move |http| {
            let told = http.execute_upload(
                HttpRequest::post(up),
                Box::new(std::io::Cursor::new(pattern(LENGTH + 9))),
                LENGTH as u64,
            );
            let mut answer = http.execute_streaming(HttpRequest::get(down)).unwrap();
            let mut body = Vec::new();
            answer.body.read_to_end(&mut body).unwrap();
            (told.unwrap(), answer.status_code, body)
        })
        .await;
        assert_eq!(told.body_string().unwrap(), received(Some(&LENGTH.to_string()), false, &pattern(LENGTH)), "{way}");
        assert!(status == 200 && body == pattern(LENGTH), "{way}");

        let came = server.connections() - before;
        assert!(came > 0 && stub.is_none_or(|stub| stub.seen().len() == came), "{way}");
    }
}

#[tokio::test]
async fn a_broken_proxy_is_an_error_and_never_a_direct_connection() {
    const ODD: &[u8] = b"SSH-2.0-none\r\n\r\n";
    const EAGER: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n<html>";
    const LONG: &[u8] = &[b'H'; 9000];
    let server = Server::start().await;
    let stub = |manner| Stub::start(manner, server.port);
    let (http, socks) = (stub(Manner::Connect(Some("zoe:hush"))).await, stub(Manner::Socks5(Some("zoe:hush"))).await);
    let answers = async |bytes| stub(Manner::Answers(bytes)).await.http("");
    let replies = async |bytes| stub(Manner::Replies(bytes)).await.socks5("");
    let gone = closed_port().await;
    let proxy = |text: String| text.parse::<Proxy>().unwrap();

    type Expected = fn(&Error) -> bool;
    let unreachable: Expected = |e| matches!(e, Error::Unreachable(Party::Proxy, _));
    let login: Expected = |e| matches!(e, Error::ProxyLogin);
    let protocol: Expected = |e| matches!(e, Error::ProxyProtocol(_));
    let refused: Expected = |e| matches!(e, Error::ProxyDeclined(why) if ["status 503", "status 302", "connection refused", "connection not allowed by ruleset"].contains(&&**why));
    let table: Vec<(&str, Proxy, Expected)> = vec![
        ("closed", proxy(format!("http://127.0.0.1:{gone}")), unreachable),
        ("closed socks", proxy(format!("socks5://127.0.0.1:{gone}")), unreachable),
        ("no login", http.http(""), login),
        ("wrong login", http.http("zoe:hash@"), login),
        ("no login, socks", socks.socks5(""), login),
        ("wrong login, socks", socks.socks5("bob:hush@"), login),
        ("503", answers(b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy").await, refused),
        ("redirect", answers(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\n\r\n").await, refused),
        ("cannot connect", replies(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]).await, refused),
        ("may not connect", replies(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).await, refused),
        ("not HTTP", answers(ODD).await, protocol),
        ("a page instead of a tunnel", answers(EAGER).await, protocol),
        ("endless head", answers(LONG).await, protocol),
        ("hangs up", answers(b"").await, protocol),
        ("hangs up, socks", stub(Manner::Answers(b"")).await.socks5(""), protocol),
        ("not SOCKS5", stub(Manner::Answers(b"HTTP/1.1 400 Bad\r\n\r\n")).await.socks5(""), protocol),
        ("half a reply", replies(&[5, 0, 0, 1]).await, protocol),
    ];
    let network = Network::new(settings(&server, NAME, &Names::of(&["127.0.0.1"]))).unwrap();
    for (case, proxy, expected) in &table {
        for error in both(&network, Some(proxy), &server).await {
            let found = Error::cause(error.as_ref()).unwrap();
            assert!(expected(found) && found.blames_proxy(), "{case}: {found:?}");
        }
    }

    let mut hasty = settings(&server, NAME, &Names::default());
    hasty.limits.connect = SOON;
    let hasty = Network::new(hasty).unwrap();
    let silent = stub(Manner::Silent).await;
    let nowhere = stub(Manner::Nowhere).await;
    for (case, proxy) in [("silent", silent.http("")), ("silent", silent.socks5("")), ("nowhere", nowhere.http(""))] {
        for error in both(&hasty, Some(&proxy), &server).await {
            let found = Error::cause(error.as_ref()).unwrap();
            assert!(matches!(found, Error::Timeout(_)), "{case}: {found:?}");
            assert!(found.blames_proxy() || case == "nowhere", "{case}: {found:?}");
        }
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn addresses_that_callers_and_peers_name_are_vetted_before_anything_connects() {
    let server = Server::start().await;
    let stub = Stub::start(Manner::Connect(None), server.port).await;
    let proxy = |host: &str| format!("http://{host}:{}", stub.port()).parse::<Proxy>().unwrap();
    let network = |names: &Names| {
        let strict = Settings { policy: AddressPolicy::default(), ..settings(&server, "127.0.0.1", names) };
        Network::new(strict).unwrap()
    };
    let refused = |error: &Error, by: Party| match error {
        Error::Address(party, net::Error::Refused(Refusal::Address { .. })) => *party == by,
        _ => false,
    };
    for host in ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "localhost", "proxy.example", "10.0.0.1"] {
        let inside = network(&Names::of(&["93.184.215.14", "127.0.0.1"]));
        for error in both(&inside, Some(&proxy(host)), &server).await {
            let found = Error::cause(error.as_ref()).unwrap();
            assert!(refused(found, Party::Proxy) && found.blames_proxy(), "{host}: {found:?}");
        }
    }
    assert!(stub.seen().is_empty());

    // Without a proxy: the operator's server is where he says, but a message may name any host.
    let names = Names::of(&["127.0.0.1"]);
    let http = network(&names).http(None);
    let own = http.execute(HttpRequest::get(format!("https://127.0.0.1:{}/media/1", server.port))).await;
    assert_eq!(own.unwrap().status_code, 200);
    for host in [format!("127.0.0.1:{}", stub.port()), format!("cdn.example:{}", server.port), "169.254.169.254".into()]
    {
        let error = http.execute(HttpRequest::get(format!("https://{host}/media/1"))).await.unwrap_err();
        let found = Error::cause(error.as_ref()).unwrap();
        assert!(refused(found, Party::Server) && !found.blames_proxy(), "{host}: {found:?}");
    }
    for url in ["http://127.0.0.1/", "https://cdn.example@127.0.0.1/x", "https:///", "ftp://x/", "cdn.example/x", ""] {
        let error = http.execute(HttpRequest::get(url)).await.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(Error::Request(_))), "{url}: {error:?}");
    }
    assert_eq!((server.connections(), stub.seen().len()), (1, 0));
}

#[tokio::test]
async fn a_server_that_is_not_whatsapp_is_told_apart() {
    let server = Server::start().await;
    let names = Names::of(&["127.0.0.1"]);
    let stub = Stub::start(Manner::Socks5(None), server.port).await;
    let there = |settings: Settings| Network::new(settings).unwrap();
    let untrusted = there(Settings { extra_roots: Vec::new(), ..settings(&server, NAME, &names) });
    // A confined build has no other name to give.
    let misnamed = (NAME != "localhost").then(|| there(settings(&server, "other.example", &names)));
    for network in [untrusted].into_iter().chain(misnamed) {
        for proxy in [None, Some(stub.socks5(""))] {
            for error in both(&network, proxy.as_ref(), &server).await {
                let found = Error::cause(error.as_ref()).unwrap();
                assert!(matches!(found, Error::Tls(_)) && !found.blames_proxy(), "{found:?}");
            }
        }
    }
    let mut elsewhere = settings(&server, NAME, &names);
    elsewhere.endpoint = format!("wss://{NAME}:{}/media/3", server.port).parse().unwrap();
    let error = there(elsewhere).socket(None, Leash::loose()).create_transport().await.err().unwrap();
    assert!(matches!(error.downcast_ref(), Some(Error::Upgrade(_))), "{error:?}");

    let mut gone = settings(&server, NAME, &names);
    gone.endpoint = format!("wss://{NAME}:{}/ws/chat", closed_port().await).parse().unwrap();
    let error = there(gone).socket(None, Leash::loose()).create_transport().await.err().unwrap();
    assert!(matches!(error.downcast_ref(), Some(Error::Unreachable(Party::Server, _))), "{error:?}");
}

#[tokio::test]
async fn exchanges_that_are_too_long_or_stand_still_come_to_an_end() {
    let server = Server::start().await;
    let http = |limits: Limits| {
        let settings = settings(&server, "127.0.0.1", &Names::default());
        Network::new(Settings { limits, ..settings }).unwrap().http(None)
    };
    let roomy = http(Limits { max_answer: 5000, max_download: 100_000, ..Limits::default() });
    let hasty = http(Limits { idle: SOON, ..Limits::default() });
    let url = move |path: &str| format!("https://127.0.0.1:{}/{path}", server.port);

    assert_eq!(roomy.execute(HttpRequest::get(url("media/5000"))).await.unwrap().body.len(), 5000);
    for path in ["media/5001", "endless"] {
        let error = roomy.execute(HttpRequest::get(url(path))).await.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(Error::TooLarge { limit: 5000 })), "{path}: {error:?}");
    }
    for path in ["silent", "halting"] {
        let error = hasty.execute(HttpRequest::get(url(path))).await.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(Error::Timeout(Stage::Exchange))), "{path}: {error:?}");
    }

    blocking(roomy, move |roomy| {
        let endless = read(&roomy, &url("endless")).unwrap_err();
        assert!(matches!(Error::cause(endless.as_ref()), Some(Error::TooLarge { limit: 100_000 })), "{endless:?}");
        assert_eq!(read(&roomy, &url("media/100000")).unwrap().len(), 100_000);
        let stuck = upload(&hasty, &url("silent"), Box::new(std::io::repeat(7)), 1 << 40).map(|_| Vec::new());
        for stands in [read(&hasty, &url("halting")), stuck] {
            let error = stands.unwrap_err();
            assert!(matches!(Error::cause(error.as_ref()), Some(Error::Timeout(Stage::Exchange))), "{error:?}");
        }

        // A reader that has less than it promised spoils the request; an answer that comes first is the answer.
        let short = upload(&roomy, &url("upload"), Box::new(&b"half"[..]), 8);
        assert!(matches!(short.as_ref().unwrap_err().downcast_ref(), Some(Error::Exchange(_))), "{short:?}");
        let early = upload(&roomy, &url("refused"), Box::new(std::io::repeat(7)), 1 << 40).unwrap();
        assert_eq!((early.status_code, &early.body[..]), (401, &b"no"[..]));
    })
    .await;
}

#[cfg(feature = "web-sandbox")]
#[tokio::test]
async fn a_build_for_the_sandbox_reaches_this_machine_only() {
    let server = Server::start().await;
    let stub = Stub::start(Manner::Connect(None), server.port).await;
    let names = Names::of(&["93.184.215.14"]);
    let network = |host: &str| {
        let policy = AddressPolicy::new(vec!["0.0.0.0/0".parse().unwrap()]);
        Network::new(Settings { policy, ..settings(&server, host, &names) }).unwrap()
    };
    let near = stub.http("");
    let far: Proxy = "socks5://10.0.0.1:1080".parse().unwrap();
    let named: Proxy = "http://proxy.example:1080".parse().unwrap();
    for (host, proxy, party) in [
        ("chat.example", None, Party::Server),
        ("chat.example", Some(&near), Party::Server),
        ("localhost", Some(&far), Party::Proxy),
        ("localhost", Some(&named), Party::Proxy),
    ] {
        for error in both(&network(host), proxy, &server).await {
            assert!(
                matches!(Error::cause(error.as_ref()), Some(Error::Elsewhere(p)) if *p == party),
                "{proxy:?}: {error:?}"
            );
        }
    }
    assert_eq!((server.connections(), stub.seen().len()), (0, 0));
}

/// The errors of a socket, as the library wraps them, and of a request to the endpoint; both must fail.
async fn both(network: &Network, proxy: Option<&Proxy>, server: &Server) -> [anyhow::Error; 2] {
    let socket = network.socket(proxy, Leash::loose()).create_transport().await.err().unwrap();
    let host = network.endpoint().socket().host_str().unwrap().to_owned();
    let request = HttpRequest::get(format!("https://{host}:{}/media/1", server.port));
    let http = network.http(proxy).execute(request).await.unwrap_err();
    let errors = [ConnectError::Transport(socket).into(), http];
    for error in &errors {
        // What a caller may be shown tells nothing of logins.
        let told = format!("{error:?}");
        assert!(["zoe", "bob", "hush", "hash"].iter().all(|word| !told.contains(word)), "{told}");
    }
    errors
}

fn read(http: &Http, url: &str) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    http.execute_streaming(HttpRequest::get(url))?.body.read_to_end(&mut body)?;
    Ok(body)
}

fn upload(http: &Http, url: &str, body: Box<dyn Read + Send>, length: u64) -> anyhow::Result<HttpResponse> {
    http.execute_upload(HttpRequest::post(url), body, length)
}

async fn blocking<T: Send + 'static>(http: Http, work: impl FnOnce(Http) -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(move || work(http)).await.unwrap()
}
