//! Cards, buttons and lists.

use engine::content as neutral;
use engine::failure::SendError;
use meta_wire::send::card::{Card, Name, Phone};
use meta_wire::send::interactive::{Action, Button, Header, Interactive, Kind, Reply, Row, Section, Words};

use super::content;

pub(super) fn card(card: &neutral::Card) -> Result<Card, SendError> {
    let Some(native) = &card.native else {
        return Ok(plain_card(card));
    };
    let whole: Card = content::read(native)?;
    // What only received cards have.
    Ok(Card { vcard: None, origin: None, ..whole })
}

/// Meta wants one more name beside the whole one.
fn plain_card(card: &neutral::Card) -> Card {
    let name = Name { formatted_name: card.name.clone(), first_name: Some(card.name.clone()), ..Name::default() };
    let phone = |number: &String| Phone { phone: Some(number.clone()), ..Phone::default() };
    Card { name, phones: card.phones.iter().map(phone).collect(), ..Card::default() }
}

pub(super) fn buttons(buttons: &neutral::Buttons) -> Interactive {
    let button = |button: &neutral::Button| Button {
        kind: "reply".to_owned(),
        reply: Some(Reply { id: button.id.clone(), title: button.title.clone(), ..Reply::default() }),
        ..Button::default()
    };
    let action = Action { buttons: buttons.buttons.iter().map(button).collect(), ..Action::default() };
    interactive(Kind::Button, buttons.header.as_deref(), &buttons.body, buttons.footer.as_deref(), action)
}

pub(super) fn list(list: &neutral::List) -> Interactive {
    let action = Action {
        button: Some(list.button.clone()),
        sections: list.sections.iter().map(section).collect(),
        ..Action::default()
    };
    interactive(Kind::List, list.header.as_deref(), &list.body, list.footer.as_deref(), action)
}

fn section(section: &neutral::Section) -> Section {
    let row = |row: &neutral::Row| Row {
        id: row.id.clone(),
        title: row.title.clone(),
        description: row.description.clone(),
        ..Row::default()
    };
    Section { title: section.title.clone(), rows: section.rows.iter().map(row).collect(), ..Section::default() }
}

fn interactive(kind: Kind, header: Option<&str>, body: &str, footer: Option<&str>, action: Action) -> Interactive {
    Interactive {
        kind,
        header: header.map(|text| Header::Text(text.to_owned()).into()),
        body: Some(Words::new(body)),
        footer: footer.map(Words::new),
        action: Some(action),
        ..Interactive::default()
    }
}
