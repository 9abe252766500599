//! What may be sent within the service window: the fields and limits of each type.

use serde_json::Value;

use super::interactive;
use super::wanted::{Source, Wanted};
use crate::graph::check::At;
use crate::graph::error::{Outcome, of};

/// The types that Meta takes to a person.
pub(super) const TYPES: [&str; 13] = [
    "text",
    "image",
    "audio",
    "video",
    "document",
    "sticker",
    "location",
    "contacts",
    "interactive",
    "template",
    "reaction",
    "pin",
    "hsm",
];

const CAPTION: usize = 1024;
const CONTACTS: usize = 257;

/// Checks the type's own object and notes the media it refers to.
pub(super) fn check(kind: &'static str, body: &Value, wanted: &mut Vec<Wanted>) -> Outcome<()> {
    let at = At::root(body.get(kind).filter(|value| !value.is_null()), kind);
    match kind {
        "text" => text(at.object()?),
        "image" | "video" | "audio" | "document" | "sticker" => media(&at, kind, &format!("/{kind}"), wanted),
        "location" => location(at.object()?),
        "contacts" => contacts(&at),
        "reaction" => reaction(at.object()?),
        "interactive" => interactive::check(&at, wanted),
        "pin" => Err(of(131009, "Param type pin is for groups only")),
        other => Err(of(131051, format!("Message type {other} is not supported"))),
    }
}

fn text(at: At<'_>) -> Outcome<()> {
    let body = at.get("body");
    let words = body.text(usize::MAX)?;
    let length = words.chars().count();
    if length > 4096 {
        return Err(of(100, format!("Param text['body'] must be at most 4096 characters long, and has {length}.")));
    }
    let preview = at.get("preview_url").maybe_flag()?.unwrap_or(false);
    if preview && !(words.contains("http://") || words.contains("https://")) {
        return Err(body.wrong("must contain a URL that starts with http:// or https:// when preview_url is set."));
    }
    Ok(())
}

/// `id` or `link`, and what its kind may have beside.
pub(crate) fn media(at: &At<'_>, kind: &'static str, pointer: &str, wanted: &mut Vec<Wanted>) -> Outcome<()> {
    at.object()?;
    let (id, link) = (at.get("id"), at.get("link"));
    let source = match (id.is_there(), link.is_there()) {
        (true, true) => return Err(at.wrong("must have either 'id' or 'link', not both.")),
        (false, false) => {
            return Err(of(131008, format!("The parameter {} or {} is required.", id.path(), link.path())));
        }
        (true, false) => Source::Id(media_id(&id)?),
        (false, true) => Source::Link(link.link(2048)?.to_owned()),
    };
    let caption = at.get("caption");
    if matches!(kind, "audio" | "sticker") {
        caption.absent("is not allowed for this media type.")?;
    }
    caption.maybe_text(CAPTION)?;
    if kind == "document" {
        at.get("filename").maybe_text(240)?;
    } else {
        at.get("filename").absent("is allowed for documents only.")?;
    }
    let voice = at.get("voice").maybe_flag()? == Some(true);
    let kind = if kind == "audio" && voice { "voice" } else { kind };
    wanted.push(Wanted { pointer: pointer.to_owned(), kind, source });
    Ok(())
}

fn media_id(at: &At<'_>) -> Outcome<String> {
    match at.value() {
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => at.text(64).map(str::to_owned),
    }
}

pub(crate) fn location(at: At<'_>) -> Outcome<()> {
    at.get("latitude").number(-90.0, 90.0)?;
    at.get("longitude").number(-180.0, 180.0)?;
    at.get("name").maybe_text(1000)?;
    at.get("address").maybe_text(1000)?;
    Ok(())
}

fn reaction(at: At<'_>) -> Outcome<()> {
    at.get("message_id").text(512)?;
    let emoji = at.get("emoji");
    let text = emoji.maybe_text(32)?.ok_or_else(|| emoji.missing())?;
    if text.chars().any(|c| c.is_ascii_alphabetic()) {
        return Err(emoji.wrong("must be one emoji."));
    }
    Ok(())
}

fn contacts(at: &At<'_>) -> Outcome<()> {
    for card in at.items(1, CONTACTS)? {
        card.object()?;
        let name = card.get("name");
        name.object()?;
        name.get("formatted_name").text(1000)?;
        let parts = ["first_name", "last_name", "middle_name", "prefix", "suffix"];
        let mut named = false;
        for part in parts {
            named |= name.get(part).maybe_text(1000)?.is_some();
        }
        if !named {
            return Err(of(
                131008,
                format!("Beside formatted_name, one of {} is required in {}.", parts.join(", "), name.path()),
            ));
        }
        card_lists(&card)?;
    }
    Ok(())
}

fn card_lists(card: &At<'_>) -> Outcome<()> {
    for (list, member) in [("phones", "phone"), ("emails", "email"), ("urls", "url"), ("addresses", "city")] {
        let entries = card.get(list);
        if entries.is_there() {
            for entry in entries.items(0, 100)? {
                entry.object()?;
                entry.get("type").maybe_text(100)?;
                entry.get(member).maybe_text(2000)?;
            }
        }
    }
    let org = card.get("org");
    if org.is_there() {
        org.object()?;
    }
    let birthday = card.get("birthday");
    if let Some(day) = birthday.maybe_text(10)?
        && chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").is_err()
    {
        return Err(birthday.wrong("must be a date as YYYY-MM-DD."));
    }
    Ok(())
}
