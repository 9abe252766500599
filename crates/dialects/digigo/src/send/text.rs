//! `POST /chat/send/text`.

use web_wire::send as wire;

use super::terms::needed;
use super::{Draft, Terms};
use crate::body::Body;
use crate::errors::Error;
use crate::files::{Files, first_link};

/// Characters.
pub(super) const LONGEST: usize = 4096;

pub(super) async fn read(files: Files, body: Body) -> Result<Draft, Error> {
    let terms = Terms::read(&body)?;
    let text = needed(&body, &["Body"], LONGEST)?;
    let preview = match first_link(&text) {
        Some(link) if body.is(&["LinkPreview"])? => Some(files.preview(link).await),
        _ => None,
    };
    Ok(terms.draft(wire::Body::Text { text, preview }))
}
