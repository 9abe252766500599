use api::At;
use engine::content::Content;

use crate::errors::Error;

pub(super) fn read(at: &At<'_>) -> Result<Content, Error> {
    let body = at.need("body")?.string(1..=4096)?;
    let preview = at.read("preview_url", |at| at.boolean())?;
    Ok(Content::Text { body, preview: preview.unwrap_or(false) })
}
