//! The web outside: files and pages on this machine.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{Html, Redirect};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{Stream, stream};
use image::codecs::gif::GifEncoder;
use image::{Frame, ImageFormat, RgbImage, RgbaImage};
use tokio::task::JoinHandle;

pub const MP4: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../media/tests/samples/clip.mp4"));
pub const OPUS: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../media/tests/samples/tone.opus"));
pub const PDF: &[u8] = b"%PDF-1.4\n%%EOF\n";

/// A file that nobody should take in whole: 200 MB.
pub const HUGE: u64 = 200 << 20;

pub struct Origin {
    address: SocketAddr,
    poured: Arc<AtomicU64>,
    serving: JoinHandle<()>,
}

impl Origin {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let poured = Arc::new(AtomicU64::new(0));
        let (endless, announced) = (poured.clone(), poured.clone());
        let routes = Router::new()
            .route("/endless", get(async move || Body::from_stream(zeros(HUGE, endless))))
            .route(
                "/announced",
                get(async move || ([(CONTENT_LENGTH, HUGE)], Body::from_stream(zeros(HUGE, announced)))),
            )
            .route("/inside", get(|| async { Redirect::temporary("http://10.1.2.3/secret") }))
            .route("/animation.gif", get(|| async { ([(CONTENT_TYPE, "image/gif")], animation()) }))
            .route("/cut.png", get(|| async { ([(CONTENT_TYPE, "image/png")], cut()) }))
            .route("/picture.png", get(|| async { ([(CONTENT_TYPE, "image/png")], picture(ImageFormat::Png)) }))
            .route("/photo.jpg", get(|| async { ([(CONTENT_TYPE, "image/jpeg")], picture(ImageFormat::Jpeg)) }))
            .route("/clip.mp4", get(|| async { ([(CONTENT_TYPE, "video/mp4")], MP4) }))
            .route("/file.pdf", get(|| async { ([(CONTENT_TYPE, "application/pdf")], PDF) }))
            .route("/page", get(|| async { Html(r#"<title>Shoes</title>"#) }));
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, poured, serving }
    }

    /// `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Bytes of huge files that were given out.
    pub fn poured(&self) -> u64 {
        self.poured.load(Ordering::Relaxed)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// So many zeros, made as they are asked for and counted.
pub fn zeros(length: u64, poured: Arc<AtomicU64>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    const CHUNK: u64 = 64 << 10;
    stream::iter((0..length / CHUNK).map(move |_| {
        poured.fetch_add(CHUNK, Ordering::Relaxed);
        Ok(Bytes::from_static(&[0; CHUNK as usize]))
    }))
}

/// Two frames.
pub fn animation() -> Vec<u8> {
    let mut bytes = Vec::new();
    let frames = [0, 255].map(|gray| Frame::new(RgbaImage::from_pixel(40, 20, image::Rgba([gray, gray, gray, 255]))));
    GifEncoder::new(&mut bytes).encode_frames(frames).unwrap();
    bytes
}

/// A picture that breaks off.
pub fn cut() -> Vec<u8> {
    let whole = picture(ImageFormat::Png);
    whole[..whole.len() / 2].to_vec()
}

pub fn picture(format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    RgbImage::new(40, 20).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub fn data_url(mime: &str, bytes: &[u8]) -> String {
    format!("data:{mime};base64,{}", STANDARD.encode(bytes))
}
