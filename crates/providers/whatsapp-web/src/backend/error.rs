//! Our store's errors in the library's words, the source kept.

use std::error::Error;

use wacore::store::error::StoreError;

pub(super) fn tell(error: store::Error) -> StoreError {
    match error {
        store::Error::Unavailable(_) | store::Error::Contended(_) => StoreError::Connection(Box::new(error)),
        store::Error::Corrupt(_) => StoreError::Serialization(Box::new(error)),
        other => StoreError::Database(Box::new(other)),
    }
}

/// Whether an error, wherever it surfaced, means that the session's lease is not ours any more.
#[must_use]
pub fn is_lease_lost(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(store::Error::LeaseLost) = error.downcast_ref() {
            return true;
        }
        next = error.source();
    }
    false
}
