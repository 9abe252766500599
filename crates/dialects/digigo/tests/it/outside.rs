//! The web outside: files and pages on this machine.

use std::net::SocketAddr;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, RgbImage};
use tokio::task::JoinHandle;

pub const MP4: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../media/tests/samples/clip.mp4"));
pub const OPUS: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../media/tests/samples/tone.opus"));
pub const PDF: &[u8] = b"%PDF-1.4\n%%EOF\n";

pub struct Origin {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Origin {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new()
            .route("/picture.png", get(|| async { ([(CONTENT_TYPE, "image/png")], picture(ImageFormat::Png)) }))
            .route("/photo.jpg", get(|| async { ([(CONTENT_TYPE, "image/jpeg")], picture(ImageFormat::Jpeg)) }))
            .route("/clip.mp4", get(|| async { ([(CONTENT_TYPE, "video/mp4")], MP4) }))
            .route("/file.pdf", get(|| async { ([(CONTENT_TYPE, "application/pdf")], PDF) }))
            .route("/page", get(|| async { Html(r#"<title>Shoes</title>"#) }));
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, serving }
    }

    /// `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub fn picture(format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    RgbImage::new(40, 20).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub fn data_url(mime: &str, bytes: &[u8]) -> String {
    format!("data:{mime};base64,{}", STANDARD.encode(bytes))
}
