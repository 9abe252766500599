//! The shop settings of a number.

use crate::loose::MetaId;

wire! {
    /// Answered inside a list of one.
    Settings {
        id?: MetaId,
        is_cart_enabled?: bool,
        is_catalog_visible?: bool,
    }
}
