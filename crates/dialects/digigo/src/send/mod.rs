//! `/chat/send/*`: everything that can be sent.
//!
//! An operation reads its body into a [`Draft`]: to whom, on what terms ([`Terms`]: typing, expiry, reply, …), and the
//! message itself. Drafts are handed over by [`deliver`], which answers when WhatsApp has taken the message or when it
//! is certain that nothing of it will be sent. Files that a draft has brought along are removed when it fails.

mod audio;
mod buttons;
mod carousel;
mod contact;
mod context;
mod deliver;
mod document;
mod edit;
mod event;
mod flow;
mod header;
mod image;
mod link;
mod list;
mod location;
mod native;
mod payment;
mod poll;
mod sticker;
mod terms;
mod text;
mod video;

use std::future::{Future, ready};

use axum::Router;
use axum::routing::{MethodFilter, MethodRouter};
use serde_json::json;
use web_wire::jid::Jid;
use web_wire::send as wire;

use crate::answer::Answer;
use crate::body::Body;
use crate::call::{A, Call, Rule, user};
use crate::errors::Error;
use crate::files::{Files, LARGEST, LARGEST_AUDIO, LARGEST_IMAGE};
use crate::service::Digigo;

pub(crate) use deliver::{deliver, wanted};
use terms::Terms;

/// A message that is ready to go.
#[derive(Clone, Debug, PartialEq)]
struct Draft {
    to: Jid,
    /// Chosen by the caller.
    id: Option<String>,
    outgoing: wire::Outgoing,
    told: Told,
}

/// How an operation tells that it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// With the time.
    Sent,
    /// Without.
    Only(&'static str),
}

impl Draft {
    fn telling(self, told: Told) -> Self {
        Self { told, ..self }
    }
}

pub(crate) fn routes() -> Router<Digigo> {
    let file = A.with_files(LARGEST);
    Router::new()
        .route("/chat/send/text", sending(A, text::read))
        .route("/chat/send/link", sending(A, link::read))
        .route("/chat/send/edit", user(MethodFilter::POST, A, edit::edit))
        .route("/chat/send/image", sending(A.with_files(LARGEST_IMAGE), image::read))
        .route("/chat/send/audio", sending(A.with_files(LARGEST_AUDIO), audio::read))
        .route("/chat/send/document", sending(file, document::read))
        .route("/chat/send/video", sending(file, video::read))
        .route("/chat/send/ptv", sending(file, video::read_note))
        .route("/chat/send/sticker", sending(A.with_files(LARGEST_IMAGE), sticker::read))
        .route("/chat/send/location", sending(A, |_, body| ready(location::read(&body))))
        .route("/chat/send/contact", sending(A, |_, body| ready(contact::read(&body))))
        .route("/chat/send/list", sending(A, |_, body| ready(list::read(&body))))
        .route("/chat/send/poll", sending(A, |_, body| ready(poll::read(&body))))
        .route("/chat/send/event", sending(A, |_, body| ready(event::read(&body))))
        .route("/chat/send/buttons", sending(file, buttons::read))
        .route("/chat/send/flow", sending(file, flow::read))
        .route("/chat/send/carousel", sending(file, carousel::read))
}

/// An operation that sends what it reads.
fn sending<F, Fut>(rule: Rule, read: F) -> MethodRouter<Digigo>
where
    F: Fn(Files, Body) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Draft, Error>> + Send,
{
    user(MethodFilter::POST, rule, move |mut call: Call| {
        let read = read.clone();
        async move {
            wanted(&call).await?;
            let (files, body) = (Files::of(&call), std::mem::take(&mut call.body));
            match read(files.clone(), body).await {
                Ok(draft) => post(&call, draft).await,
                Err(error) => {
                    files.forget().await;
                    Err(error)
                }
            }
        }
    })
}

async fn post(call: &Call, draft: Draft) -> Result<Answer, Error> {
    let Draft { to, id, mut outgoing, told } = draft;
    outgoing.echo |= call.digigo.options.echo && call.user.settings.echo;
    let delivered = deliver(call, to, outgoing, id).await?;
    Ok(match told {
        Told::Sent => delivered.answer(&call.digigo.options),
        Told::Only(details) => Answer::of(json!({ "Details": details, "Id": delivered.id })),
    })
}

#[cfg(test)]
mod tests;
