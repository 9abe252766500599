//! `POST /chat/send/audio`: a voice note unless the caller says otherwise.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use media::convert::audio::OPUS;
use media::convert::{self, Medium, sniff};
use web_wire::send::{self as wire, Media, MediaKind};

use super::image::{LONGEST_CAPTION, plain, view_once};
use super::terms::short;
use super::{Draft, Terms};
use crate::body::Body;
use crate::errors::Error;
use crate::files::{Files, Given, LARGEST_AUDIO, Taken, unusable};

pub(super) async fn read(files: Files, mut body: Body) -> Result<Draft, Error> {
    let terms = Terms::read(&body)?.recorded();
    let caption = short(&body, &["Caption"], LONGEST_CAPTION)?;
    let view_once = view_once(&body, &terms)?;
    let voice = body.flag(&["PTT"])?.unwrap_or(true);
    let taken = files.take(Given::take(&mut body, "Audio")?, Medium::Audio, LARGEST_AUDIO).await?;
    let sound = match music(&taken) {
        Some(mime) if !voice => as_it_is(&files, taken.bytes, &mime).await?,
        _ => opus(&files, taken.bytes).await?,
    };
    Ok(terms.draft(wire::Body::Media(Media { caption, view_once, voice, ..sound })))
}

/// What phones play as it is, by its type.
fn music(taken: &Taken) -> Option<String> {
    let mime = sniff::sniff(&taken.bytes, taken.declared.as_deref()).mime;
    matches!(&*mime, "audio/mpeg" | "audio/aac" | "audio/mp4").then(|| mime.into_owned())
}

async fn as_it_is(files: &Files, bytes: Bytes, mime: &str) -> Result<Media, Error> {
    let heard = files.converter().listen(bytes.clone()).await.map_err(unusable)?;
    let blob = files.keep(bytes, mime).await?;
    Ok(Media { seconds: Some(heard.seconds), ..plain(MediaKind::Audio, blob, mime) })
}

async fn opus(files: &Files, bytes: Bytes) -> Result<Media, Error> {
    let made = match files.converter().voice(bytes.clone()).await {
        // What we cannot look into, a phone may yet be able to play.
        Err(convert::Error::Broken { .. }) if sniff::shown(&bytes) == Some("audio/ogg") => {
            let blob = files.keep(bytes, OPUS).await?;
            return Ok(plain(MediaKind::Audio, blob, OPUS));
        }
        made => made.map_err(unusable)?,
    };
    let blob = files.keep(made.bytes, OPUS).await?;
    Ok(Media {
        seconds: Some(made.seconds),
        waveform: Some(STANDARD.encode(made.waveform)),
        ..plain(MediaKind::Audio, blob, OPUS)
    })
}
