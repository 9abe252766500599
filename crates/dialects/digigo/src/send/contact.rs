//! `POST /chat/send/contact`.

use web_wire::send as wire;

use super::terms::needed;
use super::{Draft, Terms};
use crate::body::Body;
use crate::errors::Error;

const LONGEST_NAME: usize = 1024;
const LONGEST_CARD: usize = 65_536;

pub(super) fn read(body: &Body) -> Result<Draft, Error> {
    let terms = Terms::read(body)?;
    let name = needed(body, &["Name"], LONGEST_NAME)?;
    let vcard = needed(body, &["Vcard"], LONGEST_CARD)?;
    Ok(terms.draft(wire::Body::Contact { name, vcard }))
}
