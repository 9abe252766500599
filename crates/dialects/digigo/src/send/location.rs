//! `POST /chat/send/location`.

use web_wire::send as wire;

use super::terms::short;
use super::{Draft, Terms};
use crate::body::Body;
use crate::errors::Error;

const LONGEST_NAME: usize = 1024;

pub(super) fn read(body: &Body) -> Result<Draft, Error> {
    let terms = Terms::read(body)?;
    let latitude = degrees(body, "Latitude", 90.0)?.ok_or_else(|| Error::bad("missing Latitude in Payload"))?;
    let longitude = degrees(body, "Longitude", 180.0)?.ok_or_else(|| Error::bad("missing Longitude in Payload"))?;
    let name = short(body, &["Name"], LONGEST_NAME)?;
    Ok(terms.draft(wire::Body::Location { latitude, longitude, name }))
}

pub(super) fn degrees(body: &Body, field: &str, most: f64) -> Result<Option<f64>, Error> {
    match body.number(&[field])? {
        Some(degrees) if degrees.abs() > most => Err(Error::bad(format!("{field} must be between -{most} and {most}"))),
        degrees => Ok(degrees),
    }
}
