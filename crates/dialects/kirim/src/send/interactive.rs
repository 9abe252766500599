//! Interactive messages: lists, which more than one channel can carry, and buttons that open a page and
//! carousels of cards, which are passed on in Meta's words once they are checked.

use api::At;
use engine::content::{Content, List, Native, Row, Section};

use crate::META;
use crate::errors::Error;

#[derive(Clone, Copy)]
enum Kind {
    CtaUrl,
    List,
    Carousel,
}

pub(super) fn read(at: &At<'_>) -> Result<Content, Error> {
    let words = [("cta_url", Kind::CtaUrl), ("list", Kind::List), ("carousel", Kind::Carousel)];
    let kind = at.need("type")?.word(&words)?;
    let body = at.need("body")?.need("text")?.text(1..=1024)?;
    let action = at.need("action")?;
    match kind {
        Kind::List => return list(at, body, &action),
        Kind::CtaUrl => check_cta_url(&action)?,
        Kind::Carousel => {
            for card in action.need("cards")?.items(2..=10)? {
                check_card(&card)?;
            }
        }
    }
    let (name, json) = ("interactive".to_owned(), at.value().clone());
    Ok(Content::Native(Native { format: META.into(), name, json, text: Some(body.to_owned()) }))
}

fn check_cta_url(action: &At<'_>) -> Result<(), Error> {
    action.need("name")?.word(&[("cta_url", ())])?;
    let parameters = action.need("parameters")?;
    parameters.need("display_text")?.text(1..=20)?;
    parameters.need("url")?.web_address()?;
    Ok(())
}

fn check_card(card: &At<'_>) -> Result<(), Error> {
    card.read("card_index", |at| at.integer(0..=i64::MAX))?;
    card.read("type", |at| at.word(&[("cta_url", ())]))?;
    let header = card.need("header")?;
    let kind = header.need("type")?.word(&[("image", "image"), ("video", "video")])?;
    header.need(kind)?.need("link")?.web_address()?;
    card.read("body", |at| at.need("text")?.string(0..=160))?;
    check_card_action(&card.need("action")?)
}

/// A button that opens a page, or buttons that answer.
fn check_card_action(action: &At<'_>) -> Result<(), Error> {
    let Some(buttons) = action.maybe("buttons")? else {
        return check_cta_url(action);
    };
    for button in buttons.items(1..=10)? {
        button.need("type")?.word(&[("quick_reply", ())])?;
        let reply = button.need("quick_reply")?;
        reply.need("id")?.text(1..=256)?;
        reply.need("title")?.text(1..=20)?;
    }
    Ok(())
}

fn list(at: &At<'_>, body: &str, action: &At<'_>) -> Result<Content, Error> {
    let header = at.read("header", |at| {
        at.need("type")?.word(&[("text", ())])?;
        at.need("text")?.string(1..=60)
    })?;
    let sections = action.need("sections")?.items(1..=100)?;
    Ok(Content::List(List {
        header,
        body: body.to_owned(),
        footer: at.read("footer", |at| at.need("text")?.string(1..=60))?,
        button: action.need("button")?.string(1..=20)?,
        sections: sections.iter().map(section).collect::<Result<_, _>>()?,
    }))
}

fn section(at: &At<'_>) -> Result<Section, Error> {
    let title = at.read("title", |at| at.string(0..=24))?;
    let rows = at.need("rows")?.items(1..=100)?;
    Ok(Section { title, rows: rows.iter().map(row).collect::<Result<_, _>>()? })
}

fn row(at: &At<'_>) -> Result<Row, Error> {
    Ok(Row {
        id: at.need("id")?.string(1..=200)?,
        title: at.need("title")?.string(1..=24)?,
        description: at.read("description", |at| at.string(0..=72))?,
    })
}
