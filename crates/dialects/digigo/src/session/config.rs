//! Settings of a connection that are on or off.

use engine::senders::Update;
use serde_json::{Value, json};
use web_wire::config::Config;

use super::proxy::change_config;
use crate::admin::create::rejection;
use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::settings::{RejectType, Settings};

/// The body's one field.
fn enabled(call: &Call) -> Result<bool, Error> {
    call.body.flag(&["enabled"])?.ok_or_else(|| Error::bad("missing enabled in payload"))
}

/// Keeps changed settings of the caller.
pub(super) async fn keep(call: &Call, settings: &Settings) -> Result<(), Error> {
    let value = serde_json::to_value(settings).map_err(|error| Error::failed(error.to_string()))?;
    let update = Update { settings: Some((crate::NAME, value)), ..Update::new(call.engine(), call.user.sender.id) };
    call.engine().perform(update).await?.map_err(|refusal| Error::failed(refusal.to_string()))?;
    Ok(())
}

async fn change(call: &Call, with: impl FnOnce(&mut Settings)) -> Result<(), Error> {
    let mut settings = call.user.settings.clone();
    with(&mut settings);
    keep(call, &settings).await
}

/// What the connection itself must know.
async fn change_connection(call: &Call, with: impl FnOnce(&mut Config)) -> Result<(), Error> {
    let mut config = Config::read(&call.user.sender.config);
    with(&mut config);
    change_config(&call.digigo, &call.user.sender, &config).await
}

fn told(details: &str, name: &str, value: impl Into<Value>) -> Handled {
    let mut data = json!({ "Details": details });
    data[name] = value.into();
    Ok(Answer::of(data))
}

pub(crate) async fn set_echo(call: Call) -> Handled {
    let on = enabled(&call)?;
    change(&call, |settings| settings.echo = on).await?;
    told("Echo API messages configuration updated successfully", "EchoAPIMessages", on)
}

pub(crate) async fn echo(call: Call) -> Handled {
    told("Echo API messages configuration retrieved successfully", "EchoAPIMessages", call.user.settings.echo)
}

pub(crate) async fn set_media(call: Call) -> Handled {
    let on = enabled(&call)?;
    change(&call, |settings| settings.skips.media = on).await?;
    change_connection(&call, |config| config.leave_files = on).await?;
    told("Skip media download configuration updated successfully", "SkipMediaDownload", on)
}

pub(crate) async fn media(call: Call) -> Handled {
    Ok(Answer::of(json!({
        "UserSkipMediaDownload": call.user.settings.skips.media,
        "GlobalSkipMediaDownload": call.digigo.options.skip_media,
        "Details": "Skip media download configuration retrieved successfully",
    })))
}

pub(crate) async fn set_groups(call: Call) -> Handled {
    let on = enabled(&call)?;
    change(&call, |settings| settings.skips.groups = on).await?;
    told("Skip groups configuration updated successfully", "SkipGroups", on)
}

pub(crate) async fn groups(call: Call) -> Handled {
    told("Skip groups configuration retrieved successfully", "UserSkipGroups", call.user.settings.skips.groups)
}

pub(crate) async fn set_newsletters(call: Call) -> Handled {
    let on = enabled(&call)?;
    change(&call, |settings| settings.skips.newsletters = on).await?;
    told("Skip newsletters configuration updated successfully", "SkipNewsletters", on)
}

pub(crate) async fn newsletters(call: Call) -> Handled {
    told(
        "Skip newsletters configuration retrieved successfully",
        "SkipNewsletters",
        call.user.settings.skips.newsletters,
    )
}

pub(crate) async fn set_broadcasts(call: Call) -> Handled {
    let on = enabled(&call)?;
    change(&call, |settings| settings.skips.broadcasts = on).await?;
    told("Skip broadcasts configuration updated successfully", "SkipBroadcasts", on)
}

pub(crate) async fn broadcasts(call: Call) -> Handled {
    told("Skip broadcasts configuration retrieved successfully", "SkipBroadcasts", call.user.settings.skips.broadcasts)
}

pub(crate) async fn set_own(call: Call) -> Handled {
    let on = enabled(&call)?;
    change(&call, |settings| settings.skips.own_messages = on).await?;
    told("Skip own messages configuration updated successfully", "SkipOwnMessages", on)
}

pub(crate) async fn own(call: Call) -> Handled {
    told(
        "Skip own messages configuration retrieved successfully",
        "SkipOwnMessages",
        call.user.settings.skips.own_messages,
    )
}

pub(crate) async fn set_calls(call: Call) -> Handled {
    let on = enabled(&call)?;
    let mut settings = call.user.settings.clone();
    settings.skips.calls = on;
    let said = |name: &str| Ok::<_, Error>(call.body.text(&[name])?.filter(|text| !text.is_empty()));
    let usual = &call.digigo.options.users;
    settings.call_reject_message = said("reject_message")?.unwrap_or_else(|| usual.call_reject_message.clone());
    if let Some(kind) = said("reject_type")? {
        settings.call_reject_type = RejectType::read(&kind)?;
    }
    keep(&call, &settings).await?;
    change_connection(&call, |config| config.reject_calls = on.then(|| rejection(&settings))).await?;
    calls_of(&settings, "Skip calls configuration updated successfully")
}

pub(crate) async fn calls(call: Call) -> Handled {
    calls_of(&call.user.settings, "Skip calls configuration retrieved successfully")
}

fn calls_of(settings: &Settings, details: &str) -> Handled {
    Ok(Answer::of(json!({
        "Details": details, "SkipCalls": settings.skips.calls, "RejectMessage": settings.call_reject_message,
        "RejectType": settings.call_reject_type,
    })))
}

pub(crate) async fn set_presence(call: Call) -> Handled {
    let on = enabled(&call)?;
    change(&call, |settings| settings.auto_unavailable = on).await?;
    change_connection(&call, |config| config.auto_unavailable = on).await?;
    told("Auto presence unavailable configuration updated successfully", "AutoPresenceUnavailable", on)
}

pub(crate) async fn presence(call: Call) -> Handled {
    let on = call.user.settings.auto_unavailable;
    told("Auto presence unavailable configuration retrieved successfully", "AutoPresenceUnavailable", on)
}
