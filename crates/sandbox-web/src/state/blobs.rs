//! Media as clients left them: sealed, under a path that cannot be guessed.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

/// What is kept at most, in bytes; the oldest go first.
const ROOM: usize = 1 << 30;

/// All media.
#[derive(Default)]
pub(crate) struct Blobs {
    by_path: HashMap<String, Bytes>,
    order: VecDeque<String>,
    size: usize,
    /// What only phones still have.
    at_phones: HashMap<String, Bytes>,
    /// What uploads have to show.
    pub(crate) auth: String,
}

impl Blobs {
    /// Keeps `body` under `path`; what was there is replaced.
    pub(crate) fn put(&mut self, path: String, body: Bytes) {
        self.size += body.len();
        match self.by_path.insert(path.clone(), body) {
            Some(old) => self.size -= old.len(),
            None => self.order.push_back(path),
        }
        while self.size > ROOM
            && let Some(oldest) = self.order.pop_front()
        {
            self.remove(&oldest);
        }
    }

    pub(crate) fn get(&self, path: &str) -> Option<Bytes> {
        self.by_path.get(path).cloned()
    }

    pub(crate) fn remove(&mut self, path: &str) -> bool {
        self.take(path).is_some()
    }

    /// Forgets one, as a media server does after some weeks; phones still have it.
    pub(crate) fn forget(&mut self, path: &str) -> bool {
        let taken = self.take(path);
        let forgotten = taken.is_some();
        self.at_phones.extend(taken.map(|body| (path.to_owned(), body)));
        forgotten
    }

    /// What a phone has of it.
    pub(crate) fn at_phone(&self, path: &str) -> Option<Bytes> {
        self.get(path).or_else(|| self.at_phones.get(path).cloned())
    }

    fn take(&mut self, path: &str) -> Option<Bytes> {
        let removed = self.by_path.remove(path);
        self.size -= removed.as_ref().map_or(0, Bytes::len);
        self.order.retain(|kept| kept != path);
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_give_way() {
        let mut blobs = Blobs::default();
        let half = Bytes::from(vec![0; ROOM / 2]);
        for path in ["/a", "/b", "/c"] {
            blobs.put(path.to_owned(), half.clone());
        }
        assert!(blobs.get("/a").is_none() && blobs.get("/b").is_some() && blobs.get("/c").is_some());
        assert!(blobs.remove("/b") && !blobs.remove("/b"));
        assert!(blobs.forget("/c") && blobs.get("/c").is_none() && blobs.at_phone("/c").is_some());
    }
}
