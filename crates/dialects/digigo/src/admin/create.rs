//! `POST /admin/users`: a user, his token and his webhook in one commit.

use engine::Refusal;
use engine::enrolment::Enrol;
use serde_json::{Map, Value, json};
use web_wire::config::{Config, Device, Rejection};

use super::view::shown;
use crate::answer::Answer;
use crate::body::Body;
use crate::call::{Admin, Handled};
use crate::errors::Error;
use crate::guard::User;
use crate::session::{proxy, transports};
use crate::settings::{RejectType, Settings};
use crate::webhook;

const LONGEST_NAME: usize = 255;
const LONGEST_TOKEN: usize = 255;

pub(crate) async fn create(call: Admin) -> Handled {
    let (engine, body) = (call.engine(), &call.body);
    let name = body.needed(&["name"], "missing name in payload")?;
    let token = body.needed(&["token"], "missing token in payload")?;
    if name.chars().count() > LONGEST_NAME {
        return Err(Error::bad("Name too long (max 255 characters)"));
    }
    if token.len() > LONGEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::bad("Token must be printable ASCII without spaces (max 255 characters)"));
    }
    let settings = settings(body)?;
    let config = config(body, &settings)?;
    let proxy = body.object(&["proxyConfig", "proxy_config"])?.unwrap_or_default();
    let proxy = match proxy.is(&["enabled"])? {
        true => Some(proxy.needed(&["proxyURL", "proxy_url"], "missing proxy url in payload")?),
        false => None,
    };
    if let Some(address) = &proxy {
        proxy::check(address)?;
    }
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

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Taken { field: "token" } => Error::conflict("user with this token already exists"),
        other => Error::bad(other.to_string()),
    }
}

fn settings(body: &Body) -> Result<Settings, Error> {
    let mut settings = Settings { echo: body.is(&["echoApiMessages"])?, ..Settings::default() };
    settings.skips.media = body.is(&["skipMedia", "skipMediaDownload"])?;
    settings.skips.groups = body.is(&["skipGroups"])?;
    settings.skips.newsletters = body.is(&["skipNewsletters"])?;
    settings.skips.broadcasts = body.is(&["skipBroadcasts"])?;
    settings.skips.own_messages = body.is(&["skipOwnMessages"])?;
    settings.skips.calls = body.is(&["skipCalls"])?;
    if let Some(message) = body.text(&["callRejectMessage"])?.filter(|text| !text.is_empty()) {
        settings.call_reject_message = message;
    }
    if let Some(kind) = body.text(&["callRejectType"])?.filter(|text| !text.is_empty()) {
        settings.call_reject_type = RejectType::parse(&kind)
            .ok_or_else(|| Error::bad("invalid reject_type, must be: busy, declined, or unavailable"))?;
    }
    if let Some(skips) = body.object(&["globalTransportSkips"])? {
        settings.global = transports::changed(settings.global, &skips)?;
    }
    Ok(settings)
}

fn config(body: &Body, settings: &Settings) -> Result<Config, Error> {
    let device = body.object(&["whatsappConfig", "whatsapp_config"])?.unwrap_or_default();
    let text = |name: &str| Ok::<_, Error>(device.text(&[name])?.unwrap_or_default());
    Ok(Config {
        proxy: None,
        leave_files: settings.skips.media,
        auto_unavailable: false,
        reject_calls: settings.skips.calls.then(|| rejection(settings)),
        device: Device {
            version: text("waVersion")?,
            platform: text("waPlatform")?,
            release_channel: text("waReleaseChannel")?,
            web_sub_platform: text("waWebSubPlatform")?,
            os_name: text("waOSName")?,
            os_version: text("waOSVersion")?,
            name: text("waDeviceName")?,
            manufacturer: text("waManufacturer")?,
            board: text("waDeviceBoard")?,
            language: text("waLocaleLanguage")?,
            country: text("waLocaleCountry")?,
            mcc: text("waMCC")?,
            mnc: text("waMNC")?,
            connect_type: text("waConnectType")?,
            platform_type: text("waPlatformType")?,
        },
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
    let config = Config::read(&sender.config);
    let device = &config.device;
    let mut whatsapp = Map::new();
    for (name, value) in [
        ("waVersion", &device.version),
        ("waPlatform", &device.platform),
        ("waReleaseChannel", &device.release_channel),
        ("waWebSubPlatform", &device.web_sub_platform),
        ("waOsName", &device.os_name),
        ("waOsVersion", &device.os_version),
        ("waDeviceName", &device.name),
        ("waManufacturer", &device.manufacturer),
        ("waDeviceBoard", &device.board),
        ("waLocaleLanguage", &device.language),
        ("waLocaleCountry", &device.country),
        ("waMcc", &device.mcc),
        ("waMnc", &device.mnc),
        ("waConnectType", &device.connect_type),
        ("waPlatformType", &device.platform_type),
    ] {
        whatsapp.insert(name.to_owned(), json!(value));
    }
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
