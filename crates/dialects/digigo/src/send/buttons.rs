//! `POST /chat/send/buttons`: a card with buttons of several kinds. Older clients send replies without a type.

use web_wire::send::{self as wire, Interactive, Media, NativeButton};

use super::header::{self, Kind};
use super::terms::{needed, short};
use super::{Draft, Terms, native, payment};
use crate::body::Body;
use crate::errors::Error;
use crate::files::{Files, Given};

const MOST: usize = 10;
const LONGEST_TEXT: usize = 4096;
const LONGEST_TITLE: usize = 1024;
const LONGEST_LABEL: usize = 256;
/// What is said, under the names that it goes by, best first.
const ALONE: [&str; 3] = ["body", "text", "caption"];
const BESIDE_FILE: [&str; 3] = ["caption", "text", "body"];
pub(super) const LONGEST_ID: usize = 256;

pub(super) async fn read(files: Files, mut body: Body) -> Result<Draft, Error> {
    let terms = Terms::lenient(&mut body)?;
    let buttons = buttons(&body)?;
    let mut title = short(&body, &["title"], LONGEST_TITLE)?;
    let wanted = wanted(&mut body)?;
    let text = short(&body, if wanted.is_some() { &BESIDE_FILE } else { &ALONE }, LONGEST_TEXT)?;
    // With nothing else to say, the title is what is said.
    let text = text.or_else(|| title.take().filter(|_| wanted.is_none()));
    if text.is_none() && wanted.is_none() {
        return Err(Error::bad("missing Body in Payload"));
    }
    let footer = short(&body, &["footer"], LONGEST_TITLE)?;
    let mut card = Interactive { text, footer, buttons, called: "buttons".into(), ..Interactive::default() };
    header::put(&mut card, title, brought(&files, wanted).await?);
    Ok(terms.draft(wire::Body::Interactive(Box::new(card))))
}

/// A file that shall stand on top.
struct Wanted {
    kind: Kind,
    given: Given,
    about: Body,
}

fn wanted(body: &mut Body) -> Result<Option<Wanted>, Error> {
    for kind in Kind::ALL {
        let name = kind.name();
        let (given, about) = match body.take(&[name]) {
            None => continue,
            Some(serde_json::Value::String(url)) => (Some(Given::of(name, url)), Body::default()),
            Some(object) => {
                let mut about = Body::of(Some(object))?;
                let url = about.take(&["url"]).and_then(|url| url.as_str().map(str::to_owned));
                (url.map(|url| Given::of(name, url)), about)
            }
        };
        let given = given.ok_or_else(|| Error::bad(format!("missing url in {name}")))?;
        return Ok(Some(Wanted { kind, given, about }));
    }
    Ok(None)
}

async fn brought(files: &Files, wanted: Option<Wanted>) -> Result<Option<Media>, Error> {
    match wanted {
        None => Ok(None),
        Some(Wanted { kind, given, about }) => header::file(files, kind, given, &about).await.map(Some),
    }
}

fn buttons(body: &Body) -> Result<Vec<NativeButton>, Error> {
    let buttons = body.objects(&["buttons"])?.unwrap_or_default();
    match buttons.len() {
        0 => Err(Error::bad("missing Buttons in Payload")),
        1..=MOST => buttons.iter().map(button).collect(),
        _ => Err(Error::bad(format!("Buttons has more than {MOST} buttons"))),
    }
}

fn button(body: &Body) -> Result<NativeButton, Error> {
    let (label, id) = (label(body)?, needed(body, &["buttonId", "id"], LONGEST_ID)?);
    let kind = body.text(&["type"])?.unwrap_or_else(|| "reply".into());
    match kind.to_ascii_lowercase().as_str() {
        "reply" | "quick_reply" => Ok(native::reply(&label, &id)),
        "url" | "cta_url" => {
            let url = needed(body, &["url", "merchant_url"], 2048)?;
            let merchant = short(body, &["merchant_url"], 2048)?.unwrap_or_else(|| url.clone());
            native::page(&label, &url, &merchant)
        }
        "call" | "cta_call" => Ok(native::call(&label, &needed(body, &["phone"], 32)?)),
        "copy" | "cta_copy" => Ok(native::copy(&label, &needed(body, &["code"], LONGEST_ID)?)),
        "pix" | "pix_payment" | "payment_info" => payment::pix(body, &id),
        "review_and_pay" => payment::review_and_pay(body, &id),
        _ => Err(Error::bad(format!("invalid button type: {}", kind.chars().take(32).collect::<String>()))),
    }
}

/// `buttonText` is the label, or an object around it.
fn label(body: &Body) -> Result<String, Error> {
    match body.get(&["buttonText"]) {
        Some(serde_json::Value::Object(_)) => {
            needed(&body.object(&["buttonText"])?.unwrap_or_default(), &["displayText"], LONGEST_LABEL)
        }
        _ => needed(body, &["buttonText", "displayText"], LONGEST_LABEL),
    }
}
