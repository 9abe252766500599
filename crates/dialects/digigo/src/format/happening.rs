//! What an event says happened.

use engine::events::{self, Event, SessionData};
use engine::format::{Context, RenderError};
use web_wire::event::Happening;

use super::echo;
use crate::options::Options;
use crate::qr;
use crate::settings::Settings;

/// The family's name for an event, without reading all of it.
pub(super) fn name_of(event: &Event) -> Option<String> {
    match event.kind.as_str() {
        events::MESSAGE_RECEIVED | events::MESSAGE_ECHOED | events::MESSAGE_SUBMITTED => Some("Message".into()),
        events::SESSION_NOTICE => serde_json::from_str::<SessionData>(&event.data).ok()?.name,
        _ => None,
    }
}

/// `None`: users do not hear of it.
pub(super) async fn of(
    options: &Options,
    settings: &Settings,
    event: &Event,
    context: &Context,
) -> Result<Option<Happening>, RenderError> {
    if event.kind == events::MESSAGE_SUBMITTED {
        return Ok(echo::of(options, settings, event, context).await);
    }
    let document = event.document.as_ref().filter(|document| document.format == web_wire::FORMAT);
    let Some(document) = document else { return Ok(None) };
    let happening: Happening =
        serde_json::from_slice(&document.bytes).map_err(|error| RenderError(format!("a document: {error}")))?;
    Ok(Some(with_picture(happening)))
}

/// A code to be scanned is told with its picture.
fn with_picture(happening: Happening) -> Happening {
    if happening.kind != "QR" {
        return happening;
    }
    let picture = happening.extras.get("code").and_then(|code| code.as_str()).and_then(qr::data_url);
    happening.with("qrCodeBase64", picture.unwrap_or_default())
}
