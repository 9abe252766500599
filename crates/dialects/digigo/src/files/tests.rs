use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body as HttpBody;
use axum::http::header;
use axum::response::{Html, Redirect};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::TryStreamExt;
use image::{ImageFormat, RgbImage};
use media::convert::{Converter, Tools};
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// Everything that taking files in needs, with an origin on this machine to fetch from.
pub(crate) struct House {
    pub(crate) options: Options,
    pub(crate) origin: String,
    _directory: TempDir,
}

pub(crate) const NOW: i64 = 1_700_000_000_000;
/// What the operator allows: less than we would.
const LARGEST_HERE: u64 = 6 << 20;

impl House {
    pub(crate) async fn new() -> Self {
        net::install_crypto();
        let policy = net::AddressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let directory = tempfile::tempdir().unwrap();
        let count = AtomicU64::new(0);
        let options = Options {
            public_url: "http://127.0.0.1".into(),
            webhooks: crate::Webhooks::default(),
            zone: crate::Zone::UTC,
            users: crate::NewUsers::default(),
            echo: false,
            skip_media: false,
            largest_file: LARGEST_HERE,
            fetch_timeout: Duration::from_secs(20),
            client: net::GuardedClient::new(net::Settings { policy, ..net::Settings::default() }).unwrap(),
            blobs: Blobs::directory(directory.path(), 64 << 20).unwrap(),
            converter: Converter::new(Tools::default(), 2),
            random: Arc::new(move |bytes: &mut [u8]| {
                let number = count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                bytes.iter_mut().rev().zip(number.iter().rev()).for_each(|(byte, digit)| *byte = *digit);
            }),
            version: "0",
            commit: None,
            compiler: "rustc",
            installation: "test".into(),
            environment: String::new(),
            region: String::new(),
        };
        Self { options, origin: serve().await, _directory: directory }
    }

    pub(crate) fn files(&self) -> Files {
        Files::new(self.options.clone(), NOW)
    }

    /// What a blob holds, and what it is called.
    pub(crate) async fn blob(&self, id: &str) -> Option<(String, Vec<u8>)> {
        let opened = self.options.blobs.open(id).await.ok()?;
        let (mime, size) = (opened.meta.mime.clone(), opened.size);
        let chunks: Vec<Bytes> = opened.read(0..size).await.unwrap().try_collect().await.unwrap();
        Some((mime, chunks.concat()))
    }
}

async fn serve() -> String {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let page = format!(
        r#"<title>Plain</title><meta property="og:title" content="Shoes"><meta property="og:description" content="Red ones">
        <meta property="og:image" content="{origin}/picture.png">"#
    );
    let endless = || async {
        let chunk = Ok::<_, Infallible>(Bytes::from(vec![0; 64 * 1024]));
        HttpBody::from_stream(stream::iter(std::iter::repeat_n(chunk, 200)))
    };
    let app = Router::new()
        .route("/picture.png", get(|| async { ([(header::CONTENT_TYPE, "image/png")], png(40, 20)) }))
        .route("/list.csv", get(|| async { ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], "a,b\n1,2\n") }))
        .route("/page", get(move || async { Html(page) }))
        .route("/moved", get(|| async { Redirect::temporary("/picture.png") }))
        .route("/round", get(|| async { Redirect::temporary("/round") }))
        .route("/inside", get(|| async { Redirect::temporary("http://10.1.2.3/secret") }))
        .route("/endless", get(endless));
    tokio::spawn(async move { axum::serve(listener, app).await });
    origin
}

pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    RgbImage::new(width, height).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

pub(crate) fn data_url(mime: &str, bytes: &[u8]) -> String {
    format!("data:{mime};base64,{}", STANDARD.encode(bytes))
}

fn given(text: impl Into<String>) -> Given {
    Given::of("Image", text.into())
}

#[tokio::test]
async fn files_come_inline_or_from_an_address() {
    let (house, picture) = (House::new().await, png(40, 20));
    let files = house.files();
    let inline = files.take(given(data_url("image/jpeg", &picture)), Medium::Image, LARGEST_IMAGE).await.unwrap();
    assert_eq!((&inline.bytes[..], inline.declared.as_deref(), inline.name), (&picture[..], Some("image/jpeg"), None));
    for path in ["picture.png", "moved"] {
        let address = format!("{}/{path}", house.origin);
        let fetched = files.take(given(address), Medium::Image, LARGEST_IMAGE).await.unwrap();
        assert_eq!((&fetched.bytes[..], fetched.declared.as_deref()), (&picture[..], Some("image/png")), "{path}");
        assert_eq!(fetched.name.as_deref(), Some("picture.png"));
    }
}

#[tokio::test]
async fn what_cannot_be_had_is_told_in_words() {
    let house = House::new().await;
    let files = house.files();
    let at = |path: &str| format!("{}/{path}", house.origin);
    let both = r#"Image must be a base64 data URL ("data:image/jpeg;base64,...") or an HTTP/HTTPS URL"#;
    let download = "could not download image from URL: ";
    for (text, status, complaint) in [
        ("iVBORw0KGgo".to_owned(), 400, both.to_owned()),
        ("ftp://127.0.0.1/a".into(), 400, both.into()),
        ("data:image/png;base64,*".into(), 400, "could not decode base64 encoded data from payload".into()),
        ("data:image/png,abc".into(), 400, "could not decode base64 encoded data from payload".into()),
        (data_url("image/png", &[0; 2000]), 413, "the image is larger than 1000 bytes".into()),
        (at("missing"), 400, format!("{download}HTTP error 404 when downloading from URL")),
        (at("round"), 400, format!("{download}too many redirects")),
        (at("inside"), 400, format!("{download}the address 10.1.2.3 is not permitted (private)")),
        ("http://169.254.169.254/latest".into(), 400, format!("{download}the address 169.254.169.254")),
        ("https://user:secret@127.0.0.1/".into(), 400, format!("{download}a user name or password")),
        ("http://127.0.0.1:1/".into(), 400, format!("{download}could not connect")),
        (at("endless"), 413, "the file is larger than 1000 bytes".into()),
    ] {
        let error = files.take(given(text.clone()), Medium::Image, 1000).await.map(drop).unwrap_err();
        assert!(error.status == status && error.text.starts_with(&complaint), "{text}: {error:?}");
    }
}

#[tokio::test]
async fn a_document_passes_through_to_the_store_and_is_forgotten_on_demand() {
    let house = House::new().await;
    let files = house.files();
    let stored = files.store(given(format!("{}/list.csv", house.origin)), None).await.unwrap();
    assert_eq!((stored.mime.as_str(), stored.name.as_deref()), ("text/csv", Some("list.csv")));
    assert_eq!(house.blob(&stored.blob).await, Some(("text/csv".into(), b"a,b\n1,2\n".to_vec())));
    let named = files.store(given(data_url("text/csv", b"x")), Some("application/x-thing")).await.unwrap();
    assert_eq!(house.blob(&named.blob).await.unwrap().0, "application/x-thing");
    assert!(Id::parse_hex24(named.blob.strip_prefix(PREFIX).unwrap()).is_some_and(|id| id.millis() == NOW));
    assert_ne!(stored.blob, named.blob);

    let before = house.options.blobs.usage();
    let error = files.store(given(format!("{}/endless", house.origin)), None).await.map(drop).unwrap_err();
    assert_eq!((error.status.as_u16(), error.text.as_str()), (413, "the file is larger than 6291456 bytes"));
    assert_eq!(house.options.blobs.usage(), before);
    files.forget().await;
    assert_eq!((house.blob(&stored.blob).await, house.options.blobs.usage()), (None, 0));
}

#[tokio::test]
async fn links_are_previewed_by_their_page_or_not_at_all() {
    let house = House::new().await;
    let (files, link) = (house.files(), format!("{}/page", house.origin));
    let page = files.preview(&link).await;
    assert_eq!((page.title.as_deref(), page.description.as_deref()), (Some("Shoes"), Some("Red ones")));
    let thumbnail = STANDARD.decode(page.thumbnail.unwrap()).unwrap();
    assert_eq!((page.url, image::guess_format(&thumbnail).unwrap()), (link, ImageFormat::Jpeg));
    for link in [format!("{}/missing", house.origin), "http://10.0.0.1/".into(), "nonsense".into()] {
        let bare = files.preview(&link).await;
        assert_eq!((bare.url, bare.title, bare.description, bare.thumbnail), (link, None, None, None));
    }
}

#[test]
fn a_file_must_be_there_and_be_text() {
    let body = |value| Body::of(Some(value)).unwrap();
    let missing = Error::bad("missing Image in Payload");
    for value in [json!({}), json!({ "Image": null }), json!({ "image": " " })] {
        assert_eq!(Given::take(&mut body(value), "Image").map(drop), Err(missing.clone()));
    }
    assert_eq!(Given::take(&mut body(json!({ "Image": 7 })), "Image").map(drop), Err(Error::undecodable()));
    assert_eq!(Given::take(&mut body(json!({ "iMAGE": "x" })), "Image").unwrap().text, "x");
}
