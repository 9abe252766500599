//! `POST /chat/send/list`. Older clients call some members otherwise, and give rows without sections.

use web_wire::send::{self as wire, Row, Section};

use super::terms::{needed, short};
use super::{Draft, Terms};
use crate::body::Body;
use crate::errors::Error;

const MOST_SECTIONS: usize = 10;
const MOST_ROWS: usize = 10;
const LONGEST_ROW_ID: usize = 200;

pub(super) fn read(body: &Body) -> Result<Draft, Error> {
    let terms = Terms::read(body)?;
    let list = wire::List {
        title: short(body, &["Title", "TopText"], 60)?,
        text: needed(body, &["Text", "Desc", "Description"], 1024)?,
        footer: short(body, &["Footer", "FooterText"], 60)?,
        button: needed(body, &["ButtonText"], 20)?,
        sections: sections(body)?,
    };
    Ok(terms.draft(wire::Body::List(list)))
}

fn sections(body: &Body) -> Result<Vec<Section>, Error> {
    let missing = || Error::bad("missing Sections in Payload");
    let Some(sections) = body.objects(&["Sections"])? else {
        let rows = body.objects(&["List"])?.ok_or_else(missing)?;
        return Ok(vec![Section { title: String::new(), rows: self::rows(&rows)? }]);
    };
    match sections.len() {
        0 => Err(missing()),
        1..=MOST_SECTIONS => sections.iter().map(section).collect(),
        _ => Err(Error::bad(format!("Sections has more than {MOST_SECTIONS} sections"))),
    }
}

fn section(body: &Body) -> Result<Section, Error> {
    let title = needed(body, &["Title"], 24)?;
    let rows = body.objects(&["Rows"])?.unwrap_or_default();
    Ok(Section { title, rows: self::rows(&rows)? })
}

fn rows(rows: &[Body]) -> Result<Vec<Row>, Error> {
    match rows.len() {
        0 => Err(Error::bad("missing Rows in Payload")),
        1..=MOST_ROWS => rows.iter().map(row).collect(),
        _ => Err(Error::bad(format!("Rows has more than {MOST_ROWS} rows"))),
    }
}

fn row(body: &Body) -> Result<Row, Error> {
    Ok(Row {
        id: needed(body, &["RowId"], LONGEST_ROW_ID)?,
        title: needed(body, &["Title"], 24)?,
        description: short(body, &["Description", "Desc"], 72)?.unwrap_or_default(),
    })
}
