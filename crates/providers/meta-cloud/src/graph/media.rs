use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt};
use meta_wire::Success;
use meta_wire::media::{Media, Uploaded};
use reqwest::Body;
use reqwest::multipart::{Form, Part};
use url::Url;

use super::{Error, Graph, Result, TRANSFER};

/// A file on its way to Meta.
pub struct Upload<S> {
    pub mime: String,
    pub filename: String,
    /// Bytes.
    pub size: u64,
    pub bytes: S,
}

/// A file on its way from Meta.
pub struct Download {
    /// As announced, in bytes.
    pub size: Option<u64>,
    pub bytes: BoxStream<'static, std::result::Result<Bytes, net::Error>>,
}

impl Graph {
    /// Uploads a file; its id is good for 30 days.
    pub async fn upload_media<S, E>(&self, phone: &str, upload: Upload<S>) -> Result<Uploaded>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let part = Part::stream_with_length(Body::wrap_stream(upload.bytes), upload.size)
            .file_name(upload.filename)
            .mime_str(&upload.mime)
            .map_err(Error::of_transport)?;
        let form = Form::new().text("messaging_product", "whatsapp").text("type", upload.mime).part("file", part);
        let request = self.post(&[phone, "media"]).timeout(self.timeout * TRANSFER);
        self.call(request.multipart(form)).await
    }

    /// Where a file can be fetched, for five minutes.
    pub async fn media(&self, id: &str) -> Result<Media> {
        self.call(self.get(&[id])).await
    }

    /// Fetches what [`Graph::media`] named. The token goes along, so the caller must know the host.
    pub async fn download(&self, url: Url) -> Result<Download> {
        let request = self.client.get(url).timeout(self.timeout * TRANSFER);
        let response = self.open(request).await?;
        Ok(Download {
            size: response.content_length(),
            bytes: response.bytes_stream().map_err(net::Error::from).boxed(),
        })
    }

    pub async fn delete_media(&self, id: &str) -> Result<Success> {
        self.call(self.delete(&[id])).await
    }
}
