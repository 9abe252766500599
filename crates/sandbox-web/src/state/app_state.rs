//! Collections of app state: patches nobody here can read, one after the other.

use serde::{Deserialize, Serialize};

use crate::phone::blob::Blob;

/// One collection of one account. The patch at place `n` led to version `n + 1`.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Collection {
    patches: Vec<Blob>,
}

/// Somebody else was faster; what the client's base lacks.
pub(crate) struct Conflict;

impl Collection {
    pub(crate) fn version(&self) -> u64 {
        self.patches.len() as u64
    }

    /// Everything newer than `base`; all of it if the base is from the future.
    pub(crate) fn since(&self, base: u64) -> &[Blob] {
        usize::try_from(base).ok().and_then(|base| self.patches.get(base..)).unwrap_or(&self.patches)
    }

    /// Adds what was made on top of `base`.
    pub(crate) fn add(&mut self, base: u64, patch: Vec<u8>) -> Result<u64, Conflict> {
        if base != self.version() {
            return Err(Conflict);
        }
        self.patches.push(Blob(patch));
        Ok(self.version())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_base_is_built_upon() {
        let mut collection = Collection::default();
        assert!(matches!(collection.add(0, vec![1]), Ok(1)));
        assert!(collection.add(0, vec![2]).is_err());
        assert!(matches!(collection.add(1, vec![2]), Ok(2)));
        assert_eq!(collection.since(1).len(), 1);
        assert_eq!(collection.since(2).len(), 0);
        assert_eq!(collection.since(9).len(), 2, "a base from elsewhere is told all");
    }
}
