//! Files that Meta keeps for an app: pictures of profiles, samples of templates.

use bytes::Bytes;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{Error, Graph, Result, TRANSFER, answer};

#[derive(Deserialize)]
struct Begun {
    id: String,
}

#[derive(Deserialize)]
struct Done {
    h: String,
}

impl Graph {
    /// Uploads a file in one piece; returns the handle that other calls know it by.
    pub async fn upload(&self, app: &str, mime: &str, file: Bytes) -> Result<String> {
        let asked = [("file_length", file.len().to_string()), ("file_type", mime.to_owned())];
        let begun: Begun = self.call(self.post(&[app, "uploads"]).query(&asked)).await?;
        // This one call wants another word before the token.
        let token = format!("OAuth {}", self.token.expose_secret());
        let mut token = HeaderValue::try_from(token).map_err(|_| Error::Unreadable("the token is no text".into()))?;
        token.set_sensitive(true);
        let request = self.post(&[&begun.id]).header(AUTHORIZATION, token).header("file_offset", "0");
        let request = request.timeout(self.timeout * TRANSFER).body(file);
        let done: Done = answer::read(Self::answered(request).await?).await?;
        Ok(done.h)
    }
}
