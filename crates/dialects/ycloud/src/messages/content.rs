//! The content of a message, by its type. Its inner words are Meta's: what more than one channel can carry becomes
//! neutral, all else is passed on once its outer shape was checked.

use api::At;
use engine::content::{
    Button, Buttons, Card, Content, List, Location, Media, MediaKind, Native, Row, Section, Source, Template,
};
use meta_wire::FORMAT;
use meta_wire::send::card::Card as MetaCard;
use meta_wire::send::interactive::Interactive;
use meta_wire::send::template::Component;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::errors::Error;

type Reader = fn(&At<'_>) -> Result<Content, Error>;

const TYPES: [(&str, Reader); 11] = [
    ("text", text),
    ("image", |at| media(at, MediaKind::Image)),
    ("video", |at| media(at, MediaKind::Video)),
    ("audio", |at| media(at, MediaKind::Audio)),
    ("document", |at| media(at, MediaKind::Document)),
    ("sticker", |at| media(at, MediaKind::Sticker)),
    ("location", location),
    ("contacts", contacts),
    ("reaction", reaction),
    ("template", template),
    ("interactive", interactive),
];

pub(super) fn read(at: &At<'_>) -> Result<Content, Error> {
    let kind = at.need("type")?;
    let reader = kind.word(&TYPES)?;
    reader(&at.need(kind.text(1..=32)?)?)
}

fn text(at: &At<'_>) -> Result<Content, Error> {
    let body = at.need("body")?.string(1..=4096)?;
    let preview = at.read_nullable("preview_url", |at| at.boolean())?.flatten().unwrap_or(false);
    Ok(Content::Text { body, preview })
}

fn media(at: &At<'_>, kind: MediaKind) -> Result<Content, Error> {
    let link = at.read_nullable("link", |at| at.web_address().map(str::to_owned))?.flatten();
    let id = at.read_nullable("id", |at| at.string(1..=255))?.flatten();
    // Of both the id counts.
    let source = match (id, link) {
        (Some(id), _) => Source::Id(id),
        (None, Some(link)) => Source::Link(link),
        (None, None) => {
            return Err(at.need("link").err().unwrap_or_else(|| at.refuse("needs a link")).into());
        }
    };
    Ok(Content::Media(Media {
        kind,
        source,
        caption: at.read_nullable("caption", |at| at.string(0..=1024))?.flatten(),
        filename: at.read_nullable("filename", |at| at.string(0..=255))?.flatten(),
        mime: None,
        voice: false,
    }))
}

fn degrees(at: &At<'_>, most: f64) -> Result<f64, Error> {
    let number = at.value().as_f64().filter(|number| number.abs() <= most);
    number.ok_or_else(|| at.refuse(format!("must be a number from -{most} to {most}")).into())
}

fn location(at: &At<'_>) -> Result<Content, Error> {
    Ok(Content::Location(Location {
        latitude: degrees(&at.need("latitude")?, 90.0)?,
        longitude: degrees(&at.need("longitude")?, 180.0)?,
        name: at.read_nullable("name", |at| at.string(0..=1000))?.flatten(),
        address: at.read_nullable("address", |at| at.string(0..=1000))?.flatten(),
    }))
}

fn contacts(at: &At<'_>) -> Result<Content, Error> {
    let card = |at: &At<'_>| -> Result<Card, Error> {
        let name = at.need("name")?.need("formatted_name")?.string(1..=1024)?;
        let native = Native { format: FORMAT.into(), name: "contact".into(), json: metas::<MetaCard>(at)?, text: None };
        Ok(Card { name, phones: Vec::new(), native: Some(native) })
    };
    Ok(Content::Contacts { cards: at.items(1..=257)?.iter().map(card).collect::<Result<_, _>>()? })
}

/// A part in Meta's words, as far as Meta's shapes are known; members that are null are as good as absent.
fn metas<T: DeserializeOwned + Serialize>(at: &At<'_>) -> Result<Value, Error> {
    let mut value = at.value().clone();
    without_nulls(&mut value);
    let typed: T =
        serde_json::from_value(value).map_err(|error| at.refuse(format!("has not the right shape: {error}")))?;
    serde_json::to_value(typed).map_err(|error| at.refuse(error.to_string()).into())
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

fn reaction(at: &At<'_>) -> Result<Content, Error> {
    let target = at.need("message_id")?.string(1..=512)?;
    let emoji = at.read_nullable("emoji", |at| at.string(0..=64))?.flatten().unwrap_or_default();
    Ok(Content::Reaction { target, emoji })
}

fn template(at: &At<'_>) -> Result<Content, Error> {
    let name = at.need("name")?.string(1..=512)?;
    let language = at.need("language")?;
    language.read_nullable("policy", |at| at.string(0..=64))?;
    let language = language.need("code")?.string(2..=15)?;
    let components = at.read_nullable("components", |at| components(&at))?.flatten();
    Ok(Content::Template(Template { name, language, components }))
}

/// A parameter's types, and whether its value is a text; all others are objects.
const PARAMETERS: [(&str, bool); 10] = [
    ("text", true),
    ("payload", true),
    ("coupon_code", true),
    ("image", false),
    ("video", false),
    ("document", false),
    ("limited_time_offer", false),
    ("action", false),
    ("order_status", false),
    ("location", false),
];

fn parameter(at: &At<'_>) -> Result<(), Error> {
    let kind = at.need("type")?;
    let is_text = kind.word(&PARAMETERS)?;
    let value = at.need(kind.text(1..=32)?)?;
    match is_text {
        true => value.text(0..=32_768).map(drop)?,
        false => value.object().map(drop)?,
    }
    Ok(())
}

fn components(at: &At<'_>) -> Result<Native, Error> {
    let words = ["header", "body", "button", "limited_time_offer", "carousel", "order_status"].map(|word| (word, ()));
    for component in at.items(0..=20)? {
        component.need("type")?.word(&words)?;
        if let Some(Some(parameters)) = component.read_nullable("parameters", |at| at.items(0..=100))? {
            parameters.iter().try_for_each(parameter)?;
        }
    }
    Ok(Native { format: FORMAT.into(), name: "components".into(), json: metas::<Vec<Component>>(at)?, text: None })
}

/// Types whose body may be missing.
const WORDLESS: [&str; 1] = ["product"];

fn interactive(at: &At<'_>) -> Result<Content, Error> {
    let kind = at.need("type")?.string(1..=64)?;
    let words = at.read_nullable("body", |at| at.need("text")?.string(1..=1024))?.flatten();
    if words.is_none() && !WORDLESS.contains(&kind.as_str()) {
        return Err(at.need("body").err().unwrap_or_else(|| at.refuse("needs a body")).into());
    }
    let footer = at.read_nullable("footer", |at| at.need("text")?.string(1..=60))?.flatten();
    let action = at.need("action")?;
    action.object()?;
    let header = header(at)?;
    let body = words.clone().unwrap_or_default();
    match (kind.as_str(), header) {
        ("button", Header::None) => {
            Ok(Content::Buttons(Buttons { header: None, body, footer, buttons: buttons(&action)? }))
        }
        ("button", Header::Text(text)) => {
            Ok(Content::Buttons(Buttons { header: Some(text), body, footer, buttons: buttons(&action)? }))
        }
        ("list", Header::None) => list(None, body, footer, &action),
        ("list", Header::Text(text)) => list(Some(text), body, footer, &action),
        (kind, _) => {
            if kind == "button" {
                buttons(&action)?;
            }
            Ok(Content::Native(Native {
                format: FORMAT.into(),
                name: "interactive".into(),
                json: metas::<Interactive>(at)?,
                text: words,
            }))
        }
    }
}

enum Header {
    None,
    Text(String),
    /// A file.
    Other,
}

fn header(at: &At<'_>) -> Result<Header, Error> {
    let Some(Some(header)) = at.read_nullable("header", Ok::<_, Error>)? else { return Ok(Header::None) };
    let words = ["text", "image", "video", "document"].map(|word| (word, word));
    match header.need("type")?.word(&words)? {
        "text" => Ok(Header::Text(header.need("text")?.string(1..=60)?)),
        kind => {
            let file = header.need(kind)?;
            let has = |name: &str| file.value().get(name).is_some_and(Value::is_string);
            if !has("link") && !has("id") {
                file.need("link")?;
            }
            Ok(Header::Other)
        }
    }
}

fn buttons(action: &At<'_>) -> Result<Vec<Button>, Error> {
    let button = |at: &At<'_>| -> Result<Button, Error> {
        at.need("type")?.word(&[("reply", ())])?;
        let reply = at.need("reply")?;
        Ok(Button { id: reply.need("id")?.string(1..=256)?, title: reply.need("title")?.string(1..=20)? })
    };
    action.need("buttons")?.items(1..=3)?.iter().map(button).collect()
}

fn list(header: Option<String>, body: String, footer: Option<String>, action: &At<'_>) -> Result<Content, Error> {
    let row = |at: &At<'_>| -> Result<Row, Error> {
        Ok(Row {
            id: at.need("id")?.string(1..=200)?,
            title: at.need("title")?.string(1..=24)?,
            description: at.read_nullable("description", |at| at.string(0..=72))?.flatten(),
        })
    };
    let place = action.need("sections")?;
    let given = place.items(1..=10)?;
    let mut sections = Vec::with_capacity(given.len());
    for section in &given {
        let title = section.read_nullable("title", |at| at.string(0..=24))?.flatten();
        if title.is_none() && given.len() > 1 {
            section.need("title")?;
        }
        let rows = section.need("rows")?.items(1..=10)?;
        sections.push(Section { title, rows: rows.iter().map(row).collect::<Result<_, _>>()? });
    }
    if sections.iter().map(|section| section.rows.len()).sum::<usize>() > 10 {
        return Err(place.refuse("must have at most 10 rows in all").into());
    }
    let button = action.need("button")?.string(1..=20)?;
    Ok(Content::List(List { header, body, footer, button, sections }))
}
