//! The media that a message refers to: found while checking, resolved before it is shown.

use serde_json::{Map, Value, json};

use crate::graph::error::{Outcome, of};
use crate::media::{self, Stored};
use crate::state::State;
use crate::webhooks::Failure;
use crate::world::{Shared, World};

/// How long a fetched link is not fetched again.
pub(crate) const LINK_CACHE_MS: i64 = 10 * 60_000;

pub(crate) enum Source {
    Id(String),
    Link(String),
}

pub(crate) struct Wanted {
    /// JSON pointer to the media object within the shown content.
    pub(crate) pointer: String,
    /// What it is to be: a kind of media, or a narrower use of one.
    pub(crate) kind: &'static str,
    pub(crate) source: Source,
}

/// Puts known ids into the content. An unknown id is refused at once, one of the wrong kind makes the message fail later.
pub(crate) fn ids(
    world: &World,
    state: &State,
    number: &str,
    wanted: &[Wanted],
    content: &mut Map<String, Value>,
) -> Outcome<Option<Failure>> {
    let mut failure = None;
    for one in wanted {
        let Source::Id(id) = &one.source else {
            continue;
        };
        let known = state.media.get(id).filter(|media| *media.number == *number && media.until > world.clock.now());
        let Some(media) = known else {
            return Err(of(
                131009,
                format!("Media id {id} in {} does not exist or belongs to another number.", one.pointer),
            ));
        };
        if let Some(details) = media::misfit(one.kind, &media.mime, &media.file) {
            failure.get_or_insert(Failure { code: 131053, details });
        }
        fill(world, content, one, &media.file, &media.mime);
    }
    Ok(failure)
}

/// Fetches links into the content; the first that cannot be had makes the message fail.
pub(crate) async fn links(world: &Shared, wanted: &[Wanted], content: &mut Map<String, Value>) -> Option<Failure> {
    for one in wanted {
        let Source::Link(link) = &one.source else {
            continue;
        };
        let fetched = match world.cached_link(link) {
            Some(cached) => Ok(cached),
            None => world.outbound.fetch(link, &world.files, &world.ids.hex()).await,
        };
        let (file, mime) = match fetched {
            Ok(fetched) => fetched,
            Err(details) => {
                return Some(Failure { code: 131053, details: format!("Media upload error: {details}") });
            }
        };
        world.cache_link(link, &file, &mime);
        if let Some(details) = media::misfit(one.kind, &mime, &file) {
            return Some(Failure { code: 131053, details });
        }
        fill(world, content, one, &file, &mime);
    }
    None
}

fn fill(world: &World, content: &mut Map<String, Value>, one: &Wanted, file: &Stored, mime: &str) {
    let link = world.media_link(&file.sha256, mime);
    let mut steps = one.pointer.splitn(3, '/').skip(1);
    let (Some(first), rest) = (steps.next(), steps.next()) else {
        return;
    };
    let Some(top) = content.get_mut(first) else {
        return;
    };
    let place = match rest {
        None => Some(top),
        Some(rest) => top.pointer_mut(&format!("/{rest}")),
    };
    if let Some(Value::Object(object)) = place {
        object.insert("mime_type".to_owned(), json!(mime));
        object.insert("sha256".to_owned(), json!(file.sha256));
        object.insert("link".to_owned(), json!(link));
    }
}
