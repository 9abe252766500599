//! Looks at the sandbox's connections all the time: an account has one, or none, never two.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::parts::Linked;

const EVERY: Duration = Duration::from_millis(50);

/// Ends when it is dropped.
pub struct Watch {
    most: Arc<Mutex<BTreeMap<String, u64>>>,
    task: JoinHandle<()>,
}

impl Watch {
    pub fn start(linked: &Linked) -> Self {
        let most = Arc::new(Mutex::new(BTreeMap::new()));
        let (seen, linked) = (most.clone(), linked.clone());
        let task = tokio::spawn(async move {
            loop {
                // The sandbox lives on; whoever else needs its answer finds out if not.
                for (phone, count) in linked.sockets().await.map(|found| found.sockets).unwrap_or_default() {
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    let most = seen.entry(phone).or_insert(0_u64);
                    *most = count.max(*most);
                }
                tokio::time::sleep(EVERY).await;
            }
        });
        Self { most, task }
    }

    /// Accounts that had more than one connection at some time.
    pub fn doubled(&self) -> Vec<String> {
        let seen = self.most.lock().unwrap_or_else(PoisonError::into_inner);
        let doubled = seen.iter().filter(|(_, most)| **most > 1);
        doubled.map(|(phone, most)| format!("{phone} had {most} connections at a time")).collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
