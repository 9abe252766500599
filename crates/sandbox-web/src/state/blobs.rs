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
    /// What uploads have to show.
    pub(crate) auth: String,
    /// A status that requests for media get instead of an answer, and how often.
    refusal: Option<(u16, u64)>,
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

    /// Forgets one, as a media server does after some weeks.
    pub(crate) fn remove(&mut self, path: &str) -> bool {
        let removed = self.by_path.remove(path);
        self.size -= removed.as_ref().map_or(0, Bytes::len);
        self.order.retain(|kept| kept != path);
        removed.is_some()
    }

    pub(crate) fn refuse(&mut self, status: u16, times: u64) {
        self.refusal = (times > 0).then_some((status, times));
    }

    pub(crate) fn take_refusal(&mut self) -> Option<u16> {
        let (status, times) = self.refusal.take()?;
        self.refuse(status, times - 1);
        Some(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_give_way_and_refusals_are_counted() {
        let mut blobs = Blobs::default();
        let half = Bytes::from(vec![0; ROOM / 2]);
        for path in ["/a", "/b", "/c"] {
            blobs.put(path.to_owned(), half.clone());
        }
        assert!(blobs.get("/a").is_none() && blobs.get("/b").is_some() && blobs.get("/c").is_some());
        assert!(blobs.remove("/b") && !blobs.remove("/b"));
        blobs.refuse(410, 2);
        assert_eq!([blobs.take_refusal(), blobs.take_refusal(), blobs.take_refusal()], [Some(410), Some(410), None]);
    }
}
