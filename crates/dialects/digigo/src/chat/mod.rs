//! `/chat`: what is done to chats and to messages that are there already.

mod download;
mod list;
mod message;
mod presence;
mod state;

use axum::Router;
use axum::routing::MethodFilter;
use web_wire::jid::Jid;

use crate::call::{A, Call, E, RAW, user};
use crate::errors::Error;
use crate::service::Digigo;

pub(crate) fn routes() -> Router<Digigo> {
    const POST: MethodFilter = MethodFilter::POST;
    Router::new()
        .route("/chat/delete", user(POST, A, message::delete))
        .route("/chat/react", user(POST, A, message::react))
        .route("/chat/markread", user(POST, A, message::mark_read))
        .route("/chat/star", user(POST, A, message::star))
        .route("/chat/presence", user(POST, A, presence::set))
        .route("/chat/downloadimage", user(POST, A, |call| download::download(call, "image")))
        .route("/chat/downloadvideo", user(POST, A, |call| download::download(call, "video")))
        .route("/chat/downloaddocument", user(POST, A, |call| download::download(call, "document")))
        .route("/chat/downloadaudio", user(POST, A, |call| download::download(call, "audio")))
        .route("/chat/downloadsticker", user(POST, A, |call| download::download(call, "sticker")))
        .route("/chat/pin", user(POST, A, state::pin))
        .route("/chat/archive", user(POST, A, state::archive))
        .route("/chat/mute", user(POST, A, state::mute))
        .route("/chat/delete-chat", user(POST, E, state::delete))
        .route("/chat/list", user(MethodFilter::GET, RAW, list::list))
}

/// An address under one of these names; `complaint` when there is none.
pub(crate) fn address(call: &Call, names: &[&str], complaint: &str) -> Result<Jid, Error> {
    let text = call.body.needed(names, complaint)?;
    Jid::of_text(&text).map_err(|_| Error::bad("could not parse Phone"))
}
