//! `/admin/users`: listing, showing and removing.

use engine::senders::{Remove, Sender};
use engine::{Id, sessions};
use serde_json::{Value, json};

use super::view::{Shown, shown, token};
use crate::answer::Answer;
use crate::avatar;
use crate::call::{Admin, Handled};
use crate::errors::Error;
use crate::guard::User;
use crate::service::Digigo;

pub(crate) async fn list(call: Admin) -> Handled {
    let mut users = Vec::new();
    for sender in members(&call.digigo, &call.organization).await? {
        let seen = of(&call.digigo, sender).await?;
        users.push(seen.user(&call.digigo, &avatar::known(&call.digigo, &seen)));
    }
    Ok(Answer::of(Value::Array(users)))
}

pub(crate) async fn show(call: Admin) -> Handled {
    let sender = find(&call).await?;
    let seen = of(&call.digigo, sender).await?;
    let user = seen.user(&call.digigo, &avatar::look(&call.digigo, &seen).await);
    Ok(Answer::of(json!([user])))
}

/// The row with its credentials, without a word to WhatsApp (notes §24).
pub(crate) async fn delete(call: Admin) -> Handled {
    let sender = find(&call).await?;
    remove(&call.digigo, &sender).await?;
    Ok(Answer::of(json!({ "id": sender.id.hex32() })).beside("details", "User deleted successfully"))
}

/// Unlinked at WhatsApp first, as far as it can be reached.
pub(crate) async fn delete_whole(call: Admin) -> Handled {
    let sender = find(&call).await?;
    let seen = of(&call.digigo, sender).await?;
    if seen.logged_in() {
        let (name, ask) = web_wire::ask::Ask::Logout.into_parts();
        let engine = call.engine();
        if let Err(error) = sessions::call(engine, &seen.user.sender.id, &name, ask, crate::session::UNLINK).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a deleted user could not be unlinked");
        }
    }
    let (jid, name) = (seen.jid(), seen.user.sender.name.clone());
    remove(&call.digigo, &seen.user.sender).await?;
    let data = json!({ "id": seen.user.id(), "jid": jid, "name": name });
    Ok(Answer::of(data).beside("details", "User instance removed completely"))
}

async fn remove(digigo: &Digigo, sender: &Sender) -> Result<(), Error> {
    if digigo.engine.session(&sender.id).await?.is_some_and(|session| session.wanted) {
        sessions::close(&digigo.engine, sender, "the user was deleted").await?;
    }
    digigo.engine.perform(Remove(sender.id)).await?;
    digigo.avatars.forget(&sender.id);
    Ok(())
}

/// An organization's users, oldest first.
pub(crate) async fn members(digigo: &Digigo, organization: &Id) -> Result<Vec<Sender>, Error> {
    let all = digigo.engine.senders(organization).await?;
    Ok(all.into_iter().filter(|sender| sender.provider == crate::PROVIDER).collect())
}

/// The user that the path names.
async fn find(call: &Admin) -> Result<Sender, Error> {
    let unknown = || Error::not_found("user not found");
    let id = Id::parse_hex32(&call.id.to_ascii_lowercase()).ok_or_else(unknown)?;
    let found = call.engine().sender_by_id(&id).await?.ok_or_else(unknown)?;
    let own = found.organization_id == call.organization && found.provider == crate::PROVIDER;
    if own { Ok((*found).clone()) } else { Err(unknown()) }
}

pub(crate) async fn of(digigo: &Digigo, sender: Sender) -> Result<Shown, Error> {
    let token = token(digigo, &sender.id).await?;
    shown(digigo, User::of(sender.into(), token)).await
}
