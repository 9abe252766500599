//! Files that customers sent. Their links stand in events: open to everybody for some minutes, and after that for
//! whoever has the organization's key, as long as the file is kept.

use std::sync::Arc;

use api::Asked;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use engine::media::{Media, PENDING};
use engine::messages::Direction;
use engine::{Engine, Id};

use crate::errors::{Code, Error};
use crate::guard;
use crate::ids::Noun;
use crate::options;
use crate::service::{Class, YCloud};

pub(crate) const PATH: &str = "/v2/whatsapp/media/download/{id}";
/// How long a link needs no key.
const OPEN_MS: i64 = 10 * 60 * 1000;

/// A link to the file of a message, told at a moment.
pub(crate) fn link(media: &options::Media, message: &Id, now: i64) -> String {
    let signed = media.links.sign(&message.hex24(), now + OPEN_MS);
    let query = signed.split_once('?').map_or("", |(_, query)| query);
    format!("{}{}?{query}", media.origin, PATH.replace("{id}", &message.hex24()))
}

/// Whether the query proves that the link is one of ours and still young.
fn is_open(ycloud: &YCloud, id: &Id, query: &str) -> bool {
    let part = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let (Some(expires), Some(signature)) = (part("e").and_then(|text| text.parse().ok()), part("s")) else {
        return false;
    };
    ycloud.options.media.links.verify(&id.hex24(), expires, signature, ycloud.engine.now()).is_ok()
}

fn unknown() -> Error {
    Error::not_found("file")
}

pub(crate) async fn download(
    State(ycloud): State<YCloud>,
    Extension(asked): Extension<Arc<Asked>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let id = Noun::Message.parse(&id).ok();
    let open = id.filter(|id| is_open(&ycloud, id, query.as_deref().unwrap_or_default()));
    if open.is_none() {
        let key = guard::admit(&ycloud, &asked, &headers, Class::Other).await?;
        let found = own(&ycloud.engine, &key.organization_id, id.as_ref()).await?.ok_or_else(unknown)?;
        if found.status == PENDING {
            return Err(Error::new(Code::Unavailable, "the file is being fetched; try again").retry_after(1));
        }
    }
    let id = id.ok_or_else(unknown)?;
    match ycloud.options.media.blobs.open(&id.hex24()).await {
        Ok(blob) => media::answer(blob, &headers).await.map_err(unreadable),
        Err(media::Error::NotFound | media::Error::BadId) => Err(unknown()),
        Err(error) => Err(unreadable(error)),
    }
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Internal, "something went wrong on our side").caused_by(error)
}

/// What is known of the file of a message that an organization got.
async fn own(engine: &Engine, organization: &Id, id: Option<&Id>) -> Result<Option<Media>, Error> {
    let Some(id) = id else { return Ok(None) };
    let message = engine.message_of(organization, id).await?;
    if message.is_none_or(|message| message.direction != Direction::Inbound) {
        return Ok(None);
    }
    Ok(engine.media(organization, id).await?)
}
