//! How linking and the connection go. What becomes of a code to type is the session's to tell (`session::linking`).

use wacore::types::events::Event;
use web_wire::event::{self, Bare, Happening, PairPasskeyRequest, PairSuccess, Time};

use super::convert;
use crate::jids::ours;

pub(super) fn happening(event: &Event, now: i64) -> Option<Happening> {
    bare(event).map(Happening::from).or_else(|| linking(event, now)).or_else(|| trouble(event))
}

fn bare(event: &Event) -> Option<Bare> {
    Some(match event {
        Event::Connected(_) => Bare::Connected,
        Event::Disconnected(_) => Bare::Disconnected,
        Event::StreamReplaced(_) => Bare::StreamReplaced,
        Event::ClientOutdated(_) => Bare::ClientOutdated,
        Event::QrScannedWithoutMultidevice(_) => Bare::QrScannedWithoutMultidevice,
        Event::PairingQrCodesExhausted(end) if end.disconnected => Bare::QrTimeout,
        _ => return None,
    })
}

fn linking(event: &Event, now: i64) -> Option<Happening> {
    Some(match event {
        Event::PairingQrCode(code) => event::Qr { code: code.code.clone(), picture: None }.into(),
        Event::PairSuccess(paired) => PairSuccess {
            id: ours(&paired.id),
            lid: ours(&paired.lid),
            business_name: paired.business_name.clone(),
            platform: paired.platform.clone(),
            props: None,
        }
        .into(),
        Event::PairError(failed) => event::PairError::new(PairSuccess {
            id: ours(&failed.id),
            lid: ours(&failed.lid),
            business_name: failed.business_name.clone(),
            platform: failed.platform.clone(),
            props: None,
        })
        .into(),
        Event::PairPasskeyRequest(asked) => {
            let (challenge, expires) = challenge(&asked.request_options_json, now);
            PairPasskeyRequest { challenge, expires: Time::from_millis(expires) }.into()
        }
        _ => return None,
    })
}

fn trouble(event: &Event) -> Option<Happening> {
    Some(match event {
        Event::LoggedOut(out) => {
            event::LoggedOut { on_connect: out.on_connect, reason: i64::from(out.reason.code()) }.into()
        }
        Event::TemporaryBan(ban) => {
            event::TemporaryBan { code: i64::from(ban.code.code()), expire: ban.expire.to_std().unwrap_or_default() }
                .into()
        }
        Event::ConnectFailure(failure) => event::ConnectFailure {
            reason: i64::from(failure.reason.code()),
            message: failure.message.clone().unwrap_or_default(),
            raw: failure.raw.as_ref().map(convert::node),
        }
        .into(),
        Event::StreamError(error) => {
            event::StreamError { code: error.code.clone(), raw: error.raw.as_ref().map(convert::node) }.into()
        }
        _ => return None,
    })
}

/// How long a passkey's challenge is good where it does not say.
pub(crate) const PASSKEY_MS: i64 = 120_000;

/// What the owner's passkey has to sign, and until when.
pub(crate) fn challenge(json: &str, now: i64) -> (serde_json::Value, i64) {
    let challenge: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let lasts = challenge["timeout"].as_i64().filter(|lasts| *lasts > 0).unwrap_or(PASSKEY_MS);
    (challenge, now.saturating_add(lasts))
}
