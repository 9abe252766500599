use api::At;
use engine::content::Content;

use crate::errors::Error;

pub(super) fn read(at: &At<'_>) -> Result<Content, Error> {
    let body = at.need("body")?.text(1..=4096)?.to_owned();
    let preview = at
        .maybe("preview_url")?
        .map(|at| at.boolean())
        .transpose()?;
    Ok(Content::Text {
        body,
        preview: preview.unwrap_or(false),
    })
}
