//! `POST /chat/send/poll`. `Group` may be a person, too, and is then often called `Phone`.

use std::collections::HashSet;

use web_wire::send as wire;

use super::terms::{Terms, needed, recipient};
use super::{Draft, Told};
use crate::body::Body;
use crate::errors::Error;

const LONGEST_QUESTION: usize = 255;
const LONGEST_OPTION: usize = 100;

pub(super) fn read(body: &Body) -> Result<Draft, Error> {
    let terms = Terms::to(recipient(body, &["Group", "Phone"])?, body)?;
    let question = needed(body, &["Header", "Question"], LONGEST_QUESTION)?;
    // One may be chosen, or as many as there are.
    let choices = u32::from(body.integer(&["MaxAnswer"])? == Some(1));
    let poll = wire::Body::Poll { question, options: options(body)?, choices };
    Ok(terms.draft(poll).telling(Told::Only("Poll sent successfully")))
}

fn options(body: &Body) -> Result<Vec<String>, Error> {
    let options = body.texts(&["Options"])?.ok_or_else(|| Error::bad("missing Options in Payload"))?;
    if !(2..=12).contains(&options.len()) {
        return Err(Error::bad("Options must have 2 to 12 options"));
    }
    let fits = |option: &String| !option.trim().is_empty() && option.chars().count() <= LONGEST_OPTION;
    if !options.iter().all(fits) {
        return Err(Error::bad(format!("each of Options must have 1 to {LONGEST_OPTION} characters")));
    }
    // Votes name an option by its text.
    if options.iter().collect::<HashSet<_>>().len() < options.len() {
        return Err(Error::bad("Options must differ from each other"));
    }
    Ok(options)
}
