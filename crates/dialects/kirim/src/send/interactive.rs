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
    let words = [
        ("cta_url", Kind::CtaUrl),
        ("list", Kind::List),
        ("carousel", Kind::Carousel),
    ];
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
    Ok(Content::Native(Native {
        format: META.into(),
        name,
        json,
        text: Some(body.to_owned()),
    }))
}

fn check_cta_url(action: &At<'_>) -> Result<(), Error> {
    action.need("name")?.word(&[("cta_url", ())])?;
    let parameters = action.need("parameters")?;
    parameters.need("display_text")?.text(1..=20)?;
    parameters.need("url")?.web_address()?;
    Ok(())
}

fn check_card(card: &At<'_>) -> Result<(), Error> {
    if let Some(at) = card.maybe("card_index")? {
        at.integer(0..=i64::MAX)?;
    }
    if let Some(at) = card.maybe("type")? {
        at.word(&[("cta_url", ())])?;
    }
    let header = card.need("header")?;
    let kind = header
        .need("type")?
        .word(&[("image", "image"), ("video", "video")])?;
    header.need(kind)?.need("link")?.web_address()?;
    if let Some(body) = card.maybe("body")? {
        body.need("text")?.text(0..=160)?;
    }
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
    let header = at.maybe("header")?;
    if let Some(header) = &header {
        header.need("type")?.word(&[("text", ())])?;
    }
    let titled = |at: Option<At<'_>>| {
        at.map(|at| Ok::<_, Error>(at.need("text")?.text(1..=60)?.to_owned()))
            .transpose()
    };
    let sections = action.need("sections")?.items(1..=100)?;
    Ok(Content::List(List {
        header: titled(header)?,
        body: body.to_owned(),
        footer: titled(at.maybe("footer")?)?,
        button: action.need("button")?.text(1..=20)?.to_owned(),
        sections: sections.iter().map(section).collect::<Result<_, _>>()?,
    }))
}

fn section(at: &At<'_>) -> Result<Section, Error> {
    let title = at
        .maybe("title")?
        .map(|at| at.text(0..=24).map(str::to_owned))
        .transpose()?;
    let rows = at.need("rows")?.items(1..=100)?;
    Ok(Section {
        title,
        rows: rows.iter().map(row).collect::<Result<_, _>>()?,
    })
}

fn row(at: &At<'_>) -> Result<Row, Error> {
    Ok(Row {
        id: at.need("id")?.text(1..=200)?.to_owned(),
        title: at.need("title")?.text(1..=24)?.to_owned(),
        description: at
            .maybe("description")?
            .map(|at| at.text(0..=72).map(str::to_owned))
            .transpose()?,
    })
}
