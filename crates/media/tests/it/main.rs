//! Blobs on a real disk, and the links that open them.

#![expect(clippy::unwrap_used, reason = "tests may")]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use media::{Blobs, Error, Links, Meta, router};
use tempfile::TempDir;
use tower::ServiceExt;

const ID: &str = "0123456789abcdef01234567";
const OTHER: &str = "0123456789abcdef01234568";

fn chunks(parts: &[&'static str]) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    let parts: Vec<_> = parts.iter().map(|part| Ok(Bytes::from_static(part.as_bytes()))).collect();
    stream::iter(parts)
}

fn meta(mime: &str, filename: Option<&str>) -> Meta {
    Meta { mime: mime.to_owned(), filename: filename.map(str::to_owned) }
}

async fn bytes(blobs: &Blobs, id: &str, range: std::ops::Range<u64>) -> Vec<u8> {
    let parts: Vec<Bytes> = blobs.open(id).await.unwrap().read(range).await.unwrap().try_collect().await.unwrap();
    parts.concat()
}

fn files(directory: &TempDir, folder: &str) -> usize {
    std::fs::read_dir(directory.path().join(folder)).unwrap().count()
}

#[tokio::test]
async fn a_blob_is_kept_read_replaced_and_removed() {
    let directory = TempDir::new().unwrap();
    let blobs = Blobs::directory(directory.path(), 10_000).unwrap();
    let stored = blobs.put(ID, meta("text/plain", Some("ä.txt")), chunks(&["hello ", "world"]), 11).await.unwrap();
    assert_eq!(stored.size, 11);
    assert_eq!(hex::encode(stored.sha256), "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
    let opened = blobs.open(ID).await.unwrap();
    assert_eq!((&opened.meta, opened.size, opened.sha256), (&meta("text/plain", Some("ä.txt")), 11, stored.sha256));
    assert_eq!(bytes(&blobs, ID, 0..11).await, b"hello world");
    assert_eq!(bytes(&blobs, ID, 6..8).await, b"wo");
    assert_eq!(bytes(&blobs, ID, 6..u64::MAX).await, b"world");
    assert_eq!(bytes(&blobs, ID, 20..30).await, b"");

    let before = blobs.usage();
    blobs.put(ID, meta("text/plain", Some("ä.txt")), chunks(&["bye"]), 11).await.unwrap();
    assert_eq!((bytes(&blobs, ID, 0..3).await, blobs.usage()), (b"bye".to_vec(), before - 8));
    let again = Blobs::directory(directory.path(), 10_000).unwrap();
    assert_eq!(again.usage(), blobs.usage());
    assert!(blobs.delete(ID).await.unwrap());
    assert!(!blobs.delete(ID).await.unwrap());
    assert!(matches!(blobs.open(ID).await, Err(Error::NotFound)));
    assert_eq!(blobs.usage(), 0);
}

#[tokio::test]
async fn old_blobs_with_a_prefix_are_swept() {
    let directory = TempDir::new().unwrap();
    let blobs = Blobs::directory(directory.path(), 10_000).unwrap();
    // 16 ms apart.
    let (old, new) = ("0123456789a0000000000001", "0123456789b0000000000001");
    let ids = [format!("out-{old}"), format!("out-{new}"), format!("dl-{old}"), old.to_owned()];
    for id in &ids {
        blobs.put(id, meta("a/b", None), chunks(&["x"]), 1).await.unwrap();
    }
    let (used, now) = (blobs.usage(), 0x0123_4567_89b0);
    assert_eq!(blobs.sweep("out-", now).await.unwrap(), 1);
    assert!(matches!(blobs.open(&ids[0]).await, Err(Error::NotFound)));
    for id in &ids[1..] {
        blobs.open(id).await.unwrap();
    }
    assert_eq!(blobs.usage(), used / 4 * 3);
    assert_eq!(blobs.sweep("out-", now).await.unwrap(), 0);
    assert_eq!(blobs.sweep("out-", now + 1).await.unwrap(), 1);
    // Without a prefix those that have none, and nothing else that lies there.
    std::fs::write(directory.path().join("01").join("-23456789a0000000000001"), "x").unwrap();
    assert_eq!(blobs.sweep("", now).await.unwrap(), 1);
    assert!(matches!(blobs.open(old).await, Err(Error::NotFound)));
    blobs.open(&ids[2]).await.unwrap();
    assert!(directory.path().join("01").join("-23456789a0000000000001").exists());
}

#[tokio::test]
async fn what_fails_leaves_nothing_behind() {
    let directory = TempDir::new().unwrap();
    let blobs = Blobs::directory(directory.path(), 200).unwrap();
    let put = async |id: &str, parts: &[&'static str], max| blobs.put(id, meta("a/b", None), chunks(parts), max).await;
    put(ID, &["kept"], 100).await.unwrap();
    let used = blobs.usage();

    assert!(matches!(put(OTHER, &["123", "45"], 4).await, Err(Error::TooLarge { limit: 4 })));
    let long: &'static str = "x".repeat(200).leak();
    assert!(matches!(put(OTHER, &[long], 1_000).await, Err(Error::Quota { quota: 200 })));
    let broken = chunks(&["abc"]).chain(stream::iter([Err(io::Error::other("lost"))]));
    assert!(matches!(blobs.put(ID, meta("a/b", None), broken, 9).await, Err(Error::Source(_))));
    for id in [
        "",
        "..",
        "../../../../etc/passwd--",
        "0123456789ABCDEF01234567",
        "0123456789abcdef0123456",
        "é123456789abcdef0123456",
    ] {
        assert!(matches!(put(id, &["x"], 9).await, Err(Error::BadId)), "{id}");
        assert!(matches!(blobs.open(id).await, Err(Error::BadId)));
    }
    // Given up half-way, as when the client goes away.
    let mut hanging = Box::pin(blobs.put(OTHER, meta("a/b", None), chunks(&["abc"]).chain(stream::pending()), 9));
    while blobs.usage() < used + 3 {
        assert!(futures_util::poll!(hanging.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    drop(hanging);

    assert_eq!((blobs.usage(), files(&directory, "incoming"), files(&directory, "68")), (used, 0, 0));
    assert_eq!(bytes(&blobs, ID, 0..4).await, b"kept");
}

fn millis(at: std::time::SystemTime) -> i64 {
    at.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

#[tokio::test]
async fn what_a_crash_left_is_swept_once_it_is_old_and_foreign_files_are_not_served() {
    let directory = TempDir::new().unwrap();
    drop(Blobs::directory(directory.path(), 100).unwrap());
    let half = directory.path().join(format!("incoming/{ID}.0"));
    std::fs::write(&half, "half").unwrap();
    std::fs::write(directory.path().join("67").join(ID), "no blob of ours, though long enough for a head").unwrap();
    let blobs = Blobs::directory(directory.path(), 300).unwrap();
    assert_eq!((blobs.usage(), files(&directory, "incoming")), (46, 1));
    assert!(matches!(blobs.open(ID).await, Err(Error::Io(_))));

    // The same file comes again, and what is in its way may be another process's.
    blobs.put(ID, meta("a/b", None), chunks(&["whole"]), 9).await.unwrap();
    let written = millis(std::fs::metadata(&half).unwrap().modified().unwrap());
    assert_eq!(blobs.sweep_incoming(written).await.unwrap(), 0);
    assert_eq!(std::fs::read(&half).unwrap(), b"half");
    assert_eq!(blobs.sweep_incoming(written + 1).await.unwrap(), 1);
    assert_eq!((files(&directory, "incoming"), bytes(&blobs, ID, 0..9).await), (0, b"whole".to_vec()));
}

#[tokio::test]
async fn whoever_works_beside_changes_nothing_and_counts_when_asked() {
    let directory = TempDir::new().unwrap();
    let nowhere = directory.path().join("nowhere");
    let beside = Blobs::beside(&nowhere, 100);
    beside.recount().await.unwrap();
    assert_eq!((beside.usage(), beside.quota(), beside.sweep_incoming(i64::MAX).await.unwrap()), (0, 100, 0));
    assert!(matches!(beside.open(ID).await, Err(Error::NotFound)) && !nowhere.exists());

    let (one, two) =
        (Blobs::directory(directory.path(), 1_000).unwrap(), Blobs::directory(directory.path(), 1_000).unwrap());
    one.put(ID, meta("a/b", None), chunks(&["hello"]), 9).await.unwrap();
    two.put(OTHER, meta("a/b", None), chunks(&["hello"]), 9).await.unwrap();
    assert_eq!(one.usage(), two.usage());
    two.recount().await.unwrap();
    assert_eq!(two.usage(), 2 * one.usage());
    // What the other brought was never counted here, and is not taken off.
    assert!(one.delete(ID).await.unwrap() && one.delete(OTHER).await.unwrap());
    assert_eq!(one.usage(), 0);
    two.recount().await.unwrap();
    assert_eq!(two.usage(), 0);
}

struct Served {
    links: Links,
    clock: Arc<AtomicI64>,
    router: Router,
    _directory: TempDir,
}

async fn served(blobs: &[(&str, Meta)]) -> Served {
    let directory = TempDir::new().unwrap();
    let store = Blobs::directory(directory.path(), 10_000).unwrap();
    for (id, meta) in blobs {
        store.put(id, meta.clone(), chunks(&["0123456789"]), 10).await.unwrap();
    }
    let links = Links::new([1; 32], "");
    let clock = Arc::new(AtomicI64::new(0));
    let now = clock.clone();
    let router = router(store, links.clone(), Arc::new(move || now.load(Ordering::Relaxed)));
    Served { links, clock, router, _directory: directory }
}

impl Served {
    async fn ask(&self, method: &str, uri: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Bytes) {
        let request = headers.iter().fold(Request::builder().method(method).uri(uri), |r, (k, v)| r.header(*k, *v));
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
    }
}

#[tokio::test]
async fn links_open_blobs_in_whole_and_in_part() {
    let served = served(&[(ID, meta("image/png", None))]).await;
    let link = served.links.sign(ID, 100);
    let (status, headers, body) = served.ask("GET", &link, &[]).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"0123456789"[..]));
    assert_eq!(
        (&headers["content-type"], &headers["content-length"]),
        (&"image/png".parse().unwrap(), &"10".parse().unwrap())
    );
    let (status, head, body) = served.ask("HEAD", &link, &[]).await;
    assert_eq!((status, head["content-length"].to_str().unwrap(), body.len()), (StatusCode::OK, "10", 0));

    let tag = headers["etag"].to_str().unwrap();
    let (status, part, body) = served.ask("GET", &link, &[("range", "bytes=2-4"), ("if-range", tag)]).await;
    assert_eq!((status, &body[..]), (StatusCode::PARTIAL_CONTENT, &b"234"[..]));
    assert_eq!(part["content-range"], "bytes 2-4/10");
    let other = served.ask("GET", &link, &[("range", "bytes=2-4"), ("if-range", "\"old\"")]).await;
    assert_eq!((other.0, other.2.len()), (StatusCode::OK, 10));
    let beyond = served.ask("GET", &link, &[("range", "bytes=10-")]).await;
    assert_eq!(
        (beyond.0, beyond.1["content-range"].to_str().unwrap()),
        (StatusCode::RANGE_NOT_SATISFIABLE, "bytes */10")
    );
    assert_eq!(served.ask("GET", &link, &[("if-none-match", tag)]).await.0, StatusCode::NOT_MODIFIED);
    assert_eq!(served.ask("POST", &link, &[]).await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn bad_old_and_empty_links_have_their_status() {
    let served = served(&[(ID, meta("image/png", None))]).await;
    let link = served.links.sign(ID, 100);
    for forged in [
        format!("/media/{ID}"),
        format!("/media/{ID}?e=100"),
        format!("/media/{ID}?e=x&s=y"),
        link.replace(ID, OTHER),
        link.replace("e=100", "e=200"),
        served.links.sign("../secret", 100).replace("../secret", "%2e%2e%2fother"),
    ] {
        assert_eq!(served.ask("GET", &forged, &[]).await.0, StatusCode::FORBIDDEN, "{forged}");
    }
    assert_eq!(served.ask("GET", &served.links.sign(OTHER, 100), &[]).await.0, StatusCode::NOT_FOUND);
    assert_eq!(served.ask("GET", &served.links.sign("x", 100), &[]).await.0, StatusCode::NOT_FOUND);
    served.clock.store(100, Ordering::Relaxed);
    assert_eq!(served.ask("GET", &link, &[]).await.0, StatusCode::GONE);
}

#[tokio::test]
async fn strangers_files_do_nothing_in_a_browser() {
    for (mime, filename, kind, disposition) in [
        ("image/png", None, "image/png", "inline"),
        ("audio/ogg; codecs=opus", None, "audio/ogg; codecs=opus", "inline"),
        ("text/html", Some("a\"b\r\nä.html"), "text/html", "attachment; filename*=UTF-8''a%22b%0D%0A%C3%A4.html"),
        ("image/svg+xml", None, "image/svg+xml", "attachment"),
        ("IMAGE/SVG+XML", None, "IMAGE/SVG+XML", "attachment"),
        ("image/png\r\nset-cookie: a=b", None, "application/octet-stream", "attachment"),
    ] {
        let served = served(&[(ID, meta(mime, filename))]).await;
        let (_, headers, _) = served.ask("GET", &served.links.sign(ID, 1), &[]).await;
        assert_eq!(
            (headers["content-type"].to_str().unwrap(), headers["content-disposition"].to_str().unwrap()),
            (kind, disposition)
        );
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["content-security-policy"], "default-src 'none'; sandbox");
        assert!(!headers.contains_key("set-cookie"));
    }
}
