//! Questions to a running session: what is asked ([`web_wire::ask`]) and what WhatsApp says.

mod chats;
mod contacts;
mod errors;
mod files;
mod link;
mod people;
mod picture;
mod profile;
mod refresh;

use engine::sessions::CallError;
use serde::Serialize;
use serde_json::Value;
use web_wire::ask::Ask;

use crate::Options;
use crate::live::Connection;

pub(crate) use files::fetch;
pub use files::sweep;
pub(crate) use link::hyphened;

pub(crate) type Answered = Result<Value, CallError>;

/// Answers one question. What only works while the account is logged in says so.
pub(crate) async fn answer(options: &Options, live: &Connection, name: &str, fields: Value) -> Answered {
    let ask = Ask::of_parts(name, fields).map_err(|error| CallError::Invalid(error.to_string()))?;
    if !works_unlinked(&ask) && !live.client.is_logged_in() {
        return Err(CallError::NotConnected);
    }
    let client = &live.client;
    match ask {
        Ask::PairingCode { phone } => told(link::pairing_code(client, phone).await?),
        Ask::PasskeyResponse { credential } => told(link::passkey_response(live, credential).await?),
        Ask::PasskeyConfirm => told(link::passkey_confirm(live).await?),
        Ask::Logout => {
            link::logout(client).await;
            told(())
        }
        Ask::Refresh(wanted) => told(refresh::refresh(live, wanted).await),
        Ask::CheckNumbers { phones } => told(people::check(client, &phones).await?),
        Ask::People { addresses } => told(people::people(client, &addresses).await?),
        Ask::Picture(wanted) => told(picture::picture(client, &wanted).await?),
        Ask::Business { address } => told(people::business(client, &address).await?),
        Ask::BothAddresses { address } => told(people::both(client, &address).await?),
        Ask::KnownPairs { limit, offset } => told(people::pairs(client, limit, offset).await?),
        Ask::SaveContact { address, full_name } => told(people::save(client, &address, full_name).await?),
        Ask::RemoveContact { address } => told(contacts::remove(client, &address).await?),
        Ask::SetPicture { blob } => told(profile::set_picture(client, &options.blobs, &blob).await?),
        Ask::RemovePicture => told(profile::remove_picture(client).await?),
        Ask::SetPushName { push_name } => told(profile::set_push_name(client, &push_name).await?),
        Ask::About => told(profile::about(client).await?),
        Ask::SetAbout { text } => told(profile::set_about(client, &text).await?),
        Ask::Presence { available } => told(profile::presence(client, available).await?),
        Ask::Privacy => told(profile::privacy(client).await?),
        Ask::Typing { chat, typing, recording } => told(chats::typing(client, &chat, typing, recording).await?),
        Ask::MarkRead { chat, author, ids } => told(chats::mark_read(client, &chat, author.as_ref(), &ids).await?),
        Ask::Pin { chat, pinned } => told(chats::pin(client, &chat, pinned).await?),
        Ask::Archive { chat, archived, last } => told(chats::archive(client, &chat, archived, last).await?),
        Ask::Mute { chat, muted, until } => told(chats::mute(client, &chat, muted, until).await?),
        Ask::Star { chat, id, author, own, starred } => {
            told(chats::star(client, &chat, &id, author.as_ref(), own, starred).await?)
        }
        Ask::DeleteChat { chat, last } => told(chats::delete(client, &chat, last).await?),
        Ask::RejectCall { call_id, from } => told(chats::reject_call(live, &call_id, &from).await?),
        Ask::Download(wanted) => told(files::download(options, live, &wanted).await?),
    }
}

/// What is asked before the account is linked.
fn works_unlinked(ask: &Ask) -> bool {
    matches!(ask, Ask::PairingCode { .. } | Ask::PasskeyResponse { .. } | Ask::PasskeyConfirm | Ask::Refresh(_))
}

fn told(answer: impl Serialize) -> Answered {
    serde_json::to_value(answer).map_err(|error| CallError::Invalid(error.to_string()))
}
