//! Where the file of a message can be had.

use engine::Id;
use engine::content::{Content, Source};
use engine::media::{Media, READY};
use engine::messages::{Direction, Message};

use crate::call::Call;
use crate::errors::Error;
use crate::options::Options;

/// How long a link works to which a caller is sent on at once.
pub(crate) const REDIRECT_MS: i64 = 15 * 60 * 1000;
/// How long a link works that stands in a list.
pub(crate) const LISTED_MS: i64 = 60 * 60 * 1000;
/// How long a link works that stands in an event, which may be delivered late.
pub(crate) const TOLD_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// What was sent has its own link; what came in has one of ours once it was fetched.
pub(crate) async fn link(
    call: &Call,
    message: &Message,
    content: &Content,
    life_ms: i64,
) -> Result<Option<String>, Error> {
    let Some(described) = content.media() else {
        return Ok(None);
    };
    if message.direction == Direction::Outbound {
        return Ok(match &described.source {
            Source::Link(link) => Some(link.clone()),
            Source::Id(_) => None,
        });
    }
    let media = call.engine().media(&call.organization(), &message.id).await?;
    Ok(ready(&call.kirim.options, &message.id, media.as_ref(), call.engine().now() + life_ms))
}

pub(crate) fn ready(options: &Options, message: &Id, media: Option<&Media>, expires_at: i64) -> Option<String> {
    let fetched = media.is_some_and(|media| media.status == READY);
    fetched.then(|| (options.media_links)(message, expires_at))
}
