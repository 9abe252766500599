//! Linking to a phone, by picture or by code, and unlinking.

use std::time::Duration;

use engine::sessions::{self, CallError, State};
use serde_json::{Value, json};
use web_wire::ask::{Ask, Code};

use super::UNLINK;
use crate::answer::Answer;
use crate::asking::{ask_for, told};
use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::qr;

/// How long making a code may take.
const CODE: Duration = Duration::from_secs(30);

pub(crate) async fn qr(call: Call) -> Handled {
    let session = call.engine().session(&call.user.sender.id).await?.filter(|session| session.wanted);
    let session = session.ok_or_else(Error::no_session)?;
    let text = session.offer.as_ref().and_then(|offer| offer["qr"].as_str());
    if text.is_none() && session.state != State::Connected {
        return Err(Error::failed("not connected"));
    }
    Ok(Answer::of(json!({ "QRCode": text.and_then(qr::data_url).unwrap_or_default() })))
}

pub(crate) async fn pair_phone(call: Call) -> Handled {
    let phone = call.body.needed(&["Phone"], "missing Phone in Payload")?;
    web_wire::jid::Jid::of_phone(&phone).map_err(|_| Error::bad("could not parse Phone"))?;
    let session = call.engine().session(&call.user.sender.id).await?.filter(|session| session.wanted);
    let session = session.ok_or_else(Error::no_session)?;
    if !super::jid(&session).is_empty() && !session.state.awaits() {
        return Err(Error::bad("already paired"));
    }
    let code: Code = ask_for(&call, Ask::PairingCode { phone }, CODE).await.map_err(told)?;
    Ok(Answer::of(json!({ "LinkingCode": code.code })))
}

pub(crate) async fn logout(call: Call) -> Handled {
    let (engine, sender) = (call.engine(), &call.user.sender);
    let session = engine.session(&sender.id).await?.filter(|session| session.wanted);
    session.ok_or_else(Error::no_session)?;
    match ask_for::<Value>(&call, Ask::Logout, UNLINK).await {
        Ok(_) => {}
        Err(CallError::NotConnected) => return Err(Error::failed("not connected")),
        Err(error) => return Err(told(error)),
    }
    let gone = |session: &sessions::Session| session.state == State::Unlinked;
    sessions::wait_until(engine, &sender.id, UNLINK, gone).await?;
    sessions::close(engine, sender, "logged out by its owner").await?;
    Ok(Answer::details("Logged out"))
}
