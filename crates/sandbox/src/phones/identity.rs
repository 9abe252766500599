//! The keys behind a phone, as the hash by which businesses notice that somebody else may have taken it over. They are new
//! whenever the number is registered anew.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::accounts::Number;
use crate::ids::{Seed, sign};
use crate::state::State;

/// The hash of this phone's present keys.
pub(crate) fn of(seed: &Seed, state: &State, phone: &str) -> String {
    let turn = state.phones.get(phone).map_or(0, |phone| phone.registrations);
    STANDARD.encode(&sign(&seed.derive("identity"), format!("{phone}/{turn}").as_bytes())[..8])
}

/// Whether this business number has asked to be told.
pub(crate) fn is_told_to(number: &Number) -> bool {
    let setting = number.settings.get("user_identity_change");
    setting.is_some_and(|setting| setting["enable_identity_key_check"] == Value::Bool(true))
}
