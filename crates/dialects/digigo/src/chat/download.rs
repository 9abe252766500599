//! Files that lie encrypted with WhatsApp, handed out in a data URL.

use std::time::Duration;

use base64::Engine as _;
use serde_json::json;
use web_wire::ask::{Ask, Download, File};

use crate::answer::Answer;
use crate::asking::{ask_for, told_as};
use crate::call::{Call, Handled};
use crate::errors::Error;

/// Large files take their time.
const PATIENCE: Duration = Duration::from_secs(55);

pub(super) async fn download(call: Call, kind: &'static str) -> Handled {
    let body = &call.body;
    let mime = body.needed(&["Mimetype"], "missing Mimetype in Payload")?;
    let wanted = Download {
        kind: kind.into(),
        url: body.text(&["Url"])?,
        direct_path: body.text(&["DirectPath"])?.filter(|path| !path.is_empty()),
        media_key: body.needed(&["MediaKey"], "missing MediaKey in Payload")?,
        sha256: body.needed(&["FileSHA256"], "missing FileSHA256 in Payload")?,
        encrypted_sha256: body.text(&["FileEncSHA256"])?,
        length: body
            .integer(&["FileLength"])?
            .and_then(|length| u64::try_from(length).ok())
            .ok_or_else(|| Error::bad("missing FileLength in Payload"))?,
    };
    if wanted.url.as_deref().is_none_or(str::is_empty) && wanted.direct_path.is_none() {
        return Err(Error::bad("missing Url in Payload"));
    }
    let file: File =
        ask_for(&call, Ask::Download(wanted), PATIENCE).await.map_err(|error| told_as("failed to download", error))?;
    let data = read(&call, &file).await;
    // Only fetched to be handed out.
    let _ = call.digigo.options.blobs.delete(&file.blob).await;
    let data = data.map_err(|error| Error::failed(format!("failed to download: {error}")))?;
    Ok(Answer::of(json!({ "Data": format!("data:{mime};base64,{data}"), "Mimetype": mime })))
}

async fn read(call: &Call, file: &File) -> Result<String, media::Error> {
    let opened = call.digigo.options.blobs.open(&file.blob).await?;
    Ok(base64::engine::general_purpose::STANDARD.encode(opened.whole().await?))
}
