//! `/{phone_number_id}/messages`: what was sent and received.

pub(crate) mod failure;
pub(crate) mod media;
pub(crate) mod shape;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use engine::Id;
use engine::content::Content;
use engine::messages::{Direction, Filter, Message, Status};
use engine::senders::Sender;

use crate::call::{Call, Handled};
use crate::errors::{Code, Error};
use crate::ids::Noun;
use crate::paging::Page;

/// Newest first.
pub(crate) async fn list(call: Call) -> Handled {
    let sender = call.sender().await?;
    let query = call.query()?;
    let page: Page<Id> = call.page(&query)?;
    let filter = Filter { before: page.after, ..narrowed(&query)? };
    let mut rows = Vec::new();
    for message in call.engine().messages(&call.organization(), &sender.id, &filter, page.rows()).await? {
        let content = Content::parse(&message.content)?;
        let link = media::link(&call, &message, &content, media::LISTED_MS).await?;
        rows.push((message, content, link));
    }
    let item = |(message, content, link): &(Message, Content, Option<String>)| {
        shape::item(message, &sender, content, link.clone())
    };
    Ok(call.paged(&page, rows, |(message, ..)| message.id, item))
}

fn narrowed(query: &api::query::Query) -> Result<Filter, Error> {
    let at = query.at();
    let directions = [("inbound", Direction::Inbound), ("outbound", Direction::Outbound)];
    let statuses: [(&str, &[Status]); 5] = [
        ("pending", &[Status::Pending]),
        ("sent", &[Status::Sent]),
        ("delivered", &[Status::Delivered]),
        ("read", &[Status::Read, Status::Played]),
        ("failed", &[Status::Failed]),
    ];
    Ok(Filter {
        conversation: Noun::Conversation.narrowing(&at, "conversation_id")?,
        direction: at.read("direction", |at| at.word(&directions))?,
        statuses: at.read("status", |at| at.word(&statuses))?.unwrap_or_default().to_vec(),
        created_after: at.read("created_after", |at| at.time())?,
        created_before: at.read("created_before", |at| at.time())?,
        before: None,
    })
}

pub(crate) async fn get(call: Call) -> Handled {
    let (sender, id) = (call.sender().await?, call.id(Noun::Message, "id")?);
    let found = call.engine().message(&call.organization(), &sender.id, &id).await?;
    Ok(call.one(&shape::message(&found.ok_or_else(|| Noun::Message.not_found())?, &sender.address)))
}

/// Sends the caller on to the message's file.
pub(crate) async fn media(call: Call) -> Result<Response, Error> {
    let sender = call.sender().await?;
    let message = by_either_id(&call, &sender).await?.ok_or_else(|| Noun::Message.not_found())?;
    let content = Content::parse(&message.content)?;
    let link = media::link(&call, &message, &content, media::REDIRECT_MS).await?;
    let link = link.ok_or_else(|| Error::not_found("file, or it is still being fetched"))?;
    let location = HeaderValue::try_from(link).map_err(|_| Error::not_found("file"))?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// A message by our id or by WhatsApp's.
async fn by_either_id(call: &Call, sender: &Sender) -> Result<Option<Message>, Error> {
    let (text, organization) = (call.param("id"), call.organization());
    if !text.starts_with("wamid.") {
        let id = call.id(Noun::Message, "id")?;
        return Ok(call.engine().message(&organization, &sender.id, &id).await?);
    }
    if text.len() > 512 || text.contains('\0') {
        return Err(Error::new(Code::InvalidFieldValue, "id must be the id of a message").at("id"));
    }
    Ok(call.engine().message_by_provider_id(&organization, &sender.id, text).await?)
}
