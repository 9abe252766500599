//! `POST /chat/send/event`: something to come to, for the calendar.

use web_wire::send::{self as wire, Place};

use super::location::degrees;
use super::terms::short;
use super::{Draft, Terms};
use crate::body::Body;
use crate::errors::Error;

const LONGEST_NAME: usize = 255;
const LONGEST_DESCRIPTION: usize = 1024;

pub(super) fn read(body: &Body) -> Result<Draft, Error> {
    let terms = Terms::read(body)?;
    let (name, starts_at) = (short(body, &["Name"], LONGEST_NAME)?, time(body, "StartTime")?);
    let name = name.filter(|name| !name.trim().is_empty());
    let (name, starts_at) =
        name.zip(starts_at).ok_or_else(|| Error::bad("Missing required field: Name or StartTime"))?;
    let ends_at = time(body, "EndTime")?;
    if ends_at.is_some_and(|ends_at| ends_at < starts_at) {
        return Err(Error::bad("EndTime is before StartTime"));
    }
    let event = wire::Event {
        name,
        starts_at,
        ends_at,
        description: short(body, &["Description"], LONGEST_DESCRIPTION)?,
        place: body.object(&["Location"])?.map(|place| self::place(&place)).transpose()?.flatten(),
        extra_guests: body.is(&["ExtraGuestsAllowed"])?,
        cancelled: body.is(&["IsCanceled"])?,
        call: body.is(&["IsScheduleCall"])?,
    };
    Ok(terms.draft(wire::Body::Event(Box::new(event))))
}

/// Unix seconds; 0 stands for none.
fn time(body: &Body, field: &str) -> Result<Option<i64>, Error> {
    match body.integer(&[field])? {
        Some(time) if time < 0 => Err(Error::bad(format!("{field} must be a Unix time in seconds"))),
        time => Ok(time.filter(|time| *time > 0)),
    }
}

fn place(body: &Body) -> Result<Option<Place>, Error> {
    let place = Place {
        name: short(body, &["Name"], LONGEST_NAME)?,
        latitude: degrees(body, "DegreesLatitude", 90.0)?,
        longitude: degrees(body, "DegreesLongitude", 180.0)?,
    };
    let said = place.name.is_some() || place.latitude.is_some() || place.longitude.is_some();
    Ok(said.then_some(place))
}
