//! `POST /admin/users`: a user, his token and his webhook in one commit.

use axum::http::StatusCode;
use engine::enrolment::Enrol;
use engine::{Engine, Refusal};
use serde_json::{Map, Value, json};
use web_wire::config::{Config, Rejection};

use super::device;
use super::view::shown;
use crate::answer::Answer;
use crate::body::Body;
use crate::call::{Admin, Handled};
use crate::errors::Error;
use crate::guard::User;
use crate::options::NewUsers;
use crate::session::{proxy, transports};
use crate::settings::{GlobalSkips, RejectType, Settings, Skips};
use crate::webhook;

const LONGEST_NAME: usize = 255;
const LONGEST_TOKEN: usize = 255;

pub(crate) async fn create(call: Admin) -> Handled {
    let (engine, body) = (call.engine(), &call.body);
    carried(engine)?;
    let (name, token) = named(body)?;
    let settings = settings(body, &call.digigo.options.users)?;
    let config = config(body, &settings)?;
    let proxy = proxy_of(body)?;
    let subscription = webhook::wanted(&call.digigo, call.organization, body)?;
    let enrol = Enrol {
        engine: engine.clone(),
        organization: call.organization,
        provider: crate::PROVIDER,
        dialect: crate::NAME,
        name,
        token: token.clone(),
        config: serde_json::to_string(&config).map_err(|error| Error::failed(error.to_string()))?,
        settings: serde_json::to_value(&settings).map_err(|error| Error::failed(error.to_string()))?,
        subscription,
    };
    let sender = engine.perform(enrol).await?.map_err(refused)?;
    if let Some(address) = &proxy {
        proxy::keep(&call.digigo, &sender, Some(address)).await?;
    }
    let found = engine.sender_by_id(&sender.id).await?.unwrap_or_else(|| sender.into());
    let seen = shown(&call.digigo, User::of(found, token)).await?;
    Ok(Answer::of(answer(&seen, proxy)).created().beside("success", true))
}

/// A user whom nothing could connect is not made.
fn carried(engine: &Engine) -> Result<(), Error> {
    if engine.provider(crate::PROVIDER).is_some() {
        return Ok(());
    }
    let why = match engine.settings.sandbox {
        true => "this sandbox has no WhatsApp Web to link accounts with: build hermod with --features web-sandbox",
        false => "this build cannot link WhatsApp accounts: build hermod with --features whatsapp-web",
    };
    Err(Error::new(StatusCode::NOT_IMPLEMENTED, why))
}

fn named(body: &Body) -> Result<(String, String), Error> {
    let name = body.needed(&["name"], "missing name in payload")?;
    let token = body.needed(&["token"], "missing token in payload")?;
    check_name(&name)?;
    check_token(&token)?;
    Ok((name, token))
}

pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    match name.chars().count() {
        0..=LONGEST_NAME => Ok(()),
        _ => Err(Error::bad("Name too long (max 255 characters)")),
    }
}

pub(crate) fn check_token(token: &str) -> Result<(), Error> {
    match token.len() <= LONGEST_TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(Error::bad("Token must be printable ASCII without spaces (max 255 characters)")),
    }
}

fn proxy_of(body: &Body) -> Result<Option<String>, Error> {
    let proxy = body.object(&["proxyConfig"])?.unwrap_or_default();
    if !proxy.is(&["enabled"])? {
        return Ok(None);
    }
    let address = proxy.needed(&["proxyURL"], "missing proxy url in payload")?;
    proxy::check(&address)?;
    Ok(Some(address))
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Taken { field: "token" } => Error::conflict("user with this token already exists"),
        other => Error::bad(other.to_string()),
    }
}

fn settings(body: &Body, usual: &NewUsers) -> Result<Settings, Error> {
    let flag = |names: &[&str], usual: bool| Ok::<_, Error>(body.flag(names)?.unwrap_or(usual));
    let said = |name: &str| Ok::<_, Error>(body.text(&[name])?.filter(|text| !text.is_empty()));
    Ok(Settings {
        skips: Skips {
            media: flag(&["skipMedia", "skipMediaDownload"], false)?,
            groups: flag(&["skipGroups"], usual.skip_groups)?,
            newsletters: flag(&["skipNewsletters"], usual.skip_newsletters)?,
            broadcasts: flag(&["skipBroadcasts"], usual.skip_broadcasts)?,
            own_messages: flag(&["skipOwnMessages"], usual.skip_own_messages)?,
            calls: flag(&["skipCalls"], usual.skip_calls)?,
        },
        echo: flag(&["echoApiMessages"], false)?,
        call_reject_message: said("callRejectMessage")?.unwrap_or_else(|| usual.call_reject_message.clone()),
        call_reject_type: match said("callRejectType")? {
            Some(kind) => RejectType::read(&kind)?,
            None => usual.call_reject_type,
        },
        global: match body.object(&["globalTransportSkips"])? {
            Some(skips) => transports::changed(GlobalSkips::default(), &skips)?,
            None => GlobalSkips::default(),
        },
        ..Settings::default()
    })
}

fn config(body: &Body, settings: &Settings) -> Result<Config, Error> {
    Ok(Config {
        proxy: None,
        leave_files: settings.skips.media,
        auto_unavailable: false,
        reject_calls: settings.skips.calls.then(|| rejection(settings)),
        device: device::read(&body.object(&["whatsappConfig"])?.unwrap_or_default())?,
    })
}

/// How calls are turned away, as the connection must know it.
pub(crate) fn rejection(settings: &Settings) -> Rejection {
    Rejection {
        message: Some(settings.call_reject_message.clone()).filter(|text| !text.is_empty()),
        reason: settings.call_reject_type.as_str().to_owned(),
    }
}

/// This one answer is in camel case (notes §23).
fn answer(seen: &super::Shown, proxy: Option<String>) -> Value {
    let (settings, sender) = (&seen.user.settings, &seen.user.sender);
    let device = Config::read(&sender.config).device;
    let set = device::NAMES.iter().map(|names| (names.camel.to_owned(), json!((names.of)(&device))));
    let whatsapp: Map<String, Value> = set.collect();
    json!({
        "id": seen.user.id(), "name": sender.name, "token": seen.user.token,
        "echoApiMessages": settings.echo, "skipMediaDownload": settings.skips.media,
        "skipGroups": settings.skips.groups, "skipNewsletters": settings.skips.newsletters,
        "skipBroadcasts": settings.skips.broadcasts, "skipOwnMessages": settings.skips.own_messages,
        "globalTransportSkips": settings.global, "isFromAPI": settings.echo, "skipCalls": settings.skips.calls,
        "callRejectMessage": settings.call_reject_message, "callRejectType": settings.call_reject_type,
        "webhook": seen.webhook, "events": seen.events(),
        "proxyConfig": { "enabled": proxy.is_some(), "proxyURL": proxy.unwrap_or_default() },
        "s3Config": { "enabled": false }, "rabbitmqConfig": { "enabled": false }, "whatsappConfig": whatsapp,
    })
}
