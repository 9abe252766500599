//! `POST /chat/send/flow`: a card whose buttons and parameters are the caller's own words for WhatsApp.

use serde_json::{Map, Value};
use web_wire::send::{self as wire, Interactive, Media, NativeButton};

use super::header::{self, Kind};
use super::terms::{needed, short};
use super::{Draft, Terms};
use crate::body::Body;
use crate::errors::Error;
use crate::files::{Files, Given};

const MOST: usize = 10;
const LONGEST_TEXT: usize = 4096;
const LONGEST_TITLE: usize = 1024;

pub(super) async fn read(files: Files, mut body: Body) -> Result<Draft, Error> {
    let terms = Terms::read(&body)?;
    let buttons = buttons(&body)?;
    let text = needed(&body, &["Body", "Text", "Message"], LONGEST_TEXT)?;
    let mut card = Interactive {
        text: Some(text),
        footer: short(&body, &["Footer"], LONGEST_TITLE)?,
        buttons,
        version: version(&body)?,
        params: params(&body, "MessageParams")?.map(|params| Value::Object(params).to_string()),
        called: "flow".into(),
        ..Interactive::default()
    };
    let mut top = Body::of(body.take(&["Header"]))?;
    card.subtitle = short(&top, &["Subtitle"], LONGEST_TITLE)?;
    let title = short(&top, &["Title"], LONGEST_TITLE)?;
    let file = file(&files, &mut top, &body).await?;
    header::put(&mut card, title, file);
    Ok(terms.draft(wire::Body::Interactive(Box::new(card))))
}

fn version(body: &Body) -> Result<Option<i32>, Error> {
    let version = body.integer(&["MessageVersion"])?;
    version.map(|version| i32::try_from(version).map_err(|_| Error::undecodable())).transpose()
}

async fn file(files: &Files, top: &mut Body, body: &Body) -> Result<Option<Media>, Error> {
    let Some(media) = top.take(&["Media"]) else { return Ok(None) };
    let mut media = Body::of(Some(media))?;
    let kind = media.text(&["Type"])?.as_deref().and_then(Kind::parse);
    let kind = kind.ok_or_else(|| Error::bad("invalid Header.Media.Type, must be: image, video, or document"))?;
    let Some(given) = Given::maybe(&mut media, "Url")? else { return Err(Error::bad("missing Url in Header.Media")) };
    let caption = match short(&media, &["Caption"], super::image::LONGEST_CAPTION)? {
        None => short(body, &["Caption"], super::image::LONGEST_CAPTION)?,
        caption => caption,
    };
    let brought = header::file(files, kind, given, &media).await?;
    Ok(Some(Media { caption, ..brought }))
}

fn buttons(body: &Body) -> Result<Vec<NativeButton>, Error> {
    let buttons = body.objects(&["Buttons"])?.unwrap_or_default();
    match buttons.len() {
        0 => Err(Error::bad("missing Buttons in Payload")),
        1..=MOST => buttons.iter().map(button).collect(),
        _ => Err(Error::bad(format!("Buttons has more than {MOST} buttons"))),
    }
}

/// WhatsApp knows one set of parameters: what stands in `Params` joins it.
fn button(body: &Body) -> Result<NativeButton, Error> {
    let name = needed(body, &["Name"], 128)?;
    let mut all = params(body, "ButtonParams")?.unwrap_or_default();
    for (key, value) in params(body, "Params")?.unwrap_or_default() {
        all.entry(key).or_insert(value);
    }
    Ok(NativeButton { name, params: Value::Object(all).to_string() })
}

/// An object, or its text in the member whose name ends in `JSON`.
fn params(body: &Body, field: &str) -> Result<Option<Map<String, Value>>, Error> {
    let written = format!("{field}JSON");
    match body.get(&[field]) {
        Some(Value::Object(params)) => return Ok(Some(params.clone())),
        Some(_) => return Err(Error::undecodable()),
        None => {}
    }
    let Some(text) = body.text(&[&written])?.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let read = api::json::parse(text.as_bytes()).ok();
    match read {
        Some(Value::Object(params)) => Ok(Some(params)),
        _ => Err(Error::bad(format!("{written} is not a JSON object"))),
    }
}
