//! `POST /chat/send/carousel`: cards side by side.

use serde_json::Value;
use web_wire::send::{self as wire, Interactive, Media, NativeButton};

use super::buttons::LONGEST_ID;
use super::header::{self, Kind};
use super::terms::{needed, short};
use super::{Draft, Terms, native};
use crate::body::Body;
use crate::errors::Error;
use crate::files::{Files, Given};

const MOST_CARDS: usize = 10;
const MOST_BUTTONS: usize = 3;
const LONGEST_TEXT: usize = 1024;
const LONGEST_LABEL: usize = 256;

pub(super) async fn read(files: Files, mut body: Body) -> Result<Draft, Error> {
    let terms = Terms::read(&body)?;
    let text = short(&body, &["Message"], LONGEST_TEXT)?.filter(|text| !text.trim().is_empty());
    let given = given(&mut body)?;
    let text = text.filter(|_| !given.is_empty());
    let text = text.ok_or_else(|| Error::bad("Missing required field: Message or Carousel"))?;
    if given.len() > MOST_CARDS {
        return Err(Error::bad(format!("Carousel has more than {MOST_CARDS} cards")));
    }
    // Every card is read before the first file is fetched.
    let wanted = given.into_iter().map(Wanted::read).collect::<Result<Vec<_>, _>>()?;
    let mut cards = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        cards.push(wanted.bring(&files).await?);
    }
    Ok(terms.draft(wire::Body::Carousel { text, cards }))
}

/// The cards, taken out: their files can be large.
fn given(body: &mut Body) -> Result<Vec<Value>, Error> {
    match body.take(&["Carousel"]) {
        None => Ok(Vec::new()),
        Some(Value::Array(cards)) => Ok(cards),
        Some(_) => Err(Error::undecodable()),
    }
}

/// A card whose file is not here yet.
struct Wanted {
    card: Interactive,
    file: Option<(Kind, Given)>,
    body: Body,
}

impl Wanted {
    fn read(card: Value) -> Result<Self, Error> {
        let mut body = Body::of(Some(card))?;
        let card = Interactive {
            text: Some(needed(&body, &["Text"], LONGEST_TEXT)?),
            buttons: buttons(&body)?,
            called: "carousel".into(),
            ..Interactive::default()
        };
        let file = match Given::maybe(&mut body, "MediaUrl")? {
            None => None,
            Some(given) => Some((kind(&body)?, given)),
        };
        Ok(Self { card, file, body })
    }

    async fn bring(self, files: &Files) -> Result<Interactive, Error> {
        let Self { mut card, file, body } = self;
        if let Some((kind, given)) = file {
            let caption = short(&body, &["Caption"], super::image::LONGEST_CAPTION)?;
            let brought = header::file(files, kind, given, &body).await?;
            header::put(&mut card, None, Some(Media { caption, ..brought }));
        }
        Ok(card)
    }
}

fn kind(body: &Body) -> Result<Kind, Error> {
    let kind = body.text(&["MediaType"])?.as_deref().and_then(Kind::parse);
    kind.ok_or_else(|| Error::bad("invalid MediaType, must be: image, video, or document"))
}

fn buttons(body: &Body) -> Result<Vec<NativeButton>, Error> {
    let buttons = body.objects(&["Buttons"])?.unwrap_or_default();
    match buttons.len() {
        0 => Err(Error::bad("missing Buttons in Carousel")),
        1..=MOST_BUTTONS => buttons.iter().map(button).collect(),
        _ => Err(Error::bad(format!("a card has more than {MOST_BUTTONS} buttons"))),
    }
}

/// `Id` is what the button stands for: an answer, a code, a number.
fn button(body: &Body) -> Result<NativeButton, Error> {
    let label = needed(body, &["Label"], LONGEST_LABEL)?;
    let kind = needed(body, &["Type"], 32)?;
    let id = || needed(body, &["Id"], LONGEST_ID);
    match kind.to_ascii_lowercase().as_str() {
        "reply" => Ok(native::reply(&label, &short(body, &["Id"], LONGEST_ID)?.unwrap_or_else(|| label.clone()))),
        "url" => {
            let url = needed(body, &["Url"], 2048)?;
            native::page(&label, &url, &url)
        }
        "copy" => Ok(native::copy(&label, &id()?)),
        "call" => Ok(native::call(&label, &id()?)),
        _ => Err(Error::bad("invalid button type, must be: reply, url, copy, or call")),
    }
}
