//! One connection for each account, as accounts come and go.
//!
//! Accounts are looked at every two seconds, and at once when somebody wants to send for one that is not known as it is: after
//! a new password, what waited must not meet the refusal that the old one got.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use engine::provider::Account;
use engine::{Engine, Id};
use secrecy::ExposeSecret;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::link::Link;
use super::{NAME, Options};

/// How often accounts are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How long a message waits for an account to be looked at.
const PATIENCE: Duration = Duration::from_secs(5);

/// The links of this process.
#[derive(Default)]
pub(super) struct Keeper {
    links: RwLock<HashMap<Id, Kept>>,
    /// Somebody asks for a look.
    wanted: Notify,
    /// How often was looked.
    looked: watch::Sender<u64>,
}

struct Kept {
    /// `None`: its settings cannot be used.
    link: Option<Arc<Link>>,
    account: Arc<Account>,
    stop: CancellationToken,
}

impl Keeper {
    /// The link of an account as it is now; `None` when there is none, or its settings cannot be used.
    pub(super) async fn link(&self, account: &Account, options: &Options) -> Option<Arc<Link>> {
        if let Some(link) = self.known(account) {
            return link;
        }
        let mut looked = self.looked.subscribe();
        self.wanted.notify_one();
        let found = async {
            // An error says that the keeper is gone, and it is not as long as it is asked.
            while looked.changed().await.is_ok() {
                if let Some(link) = self.known(account) {
                    return link;
                }
            }
            None
        };
        tokio::select! {
            link = found => link,
            () = options.clock.sleep(PATIENCE) => None,
        }
    }

    /// What is known of an account as it is now.
    fn known(&self, account: &Account) -> Option<Option<Arc<Link>>> {
        let links = self.links.read().unwrap_or_else(PoisonError::into_inner);
        let kept = links.get(&account.id).filter(|kept| is_same(account, &kept.account));
        kept.map(|kept| kept.link.clone())
    }

    /// Keeps links to all accounts' carriers until `stop`, then says goodbye to all of them.
    pub(super) async fn run(&self, engine: &Engine, options: &Options, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        while !stop.is_cancelled() {
            match engine.accounts_of(NAME).await {
                Ok(accounts) => self.follow(engine, options, &accounts, &tasks),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "accounts cannot be looked at");
                }
            }
            tokio::select! {
                () = options.clock.sleep(LOOK_EVERY) => {}
                () = self.wanted.notified() => {}
                () = stop.cancelled() => {}
            }
        }
        for kept in self.links().values() {
            kept.stop.cancel();
        }
        tasks.close();
        tasks.wait().await;
        self.links().clear();
    }

    /// Ends the links of accounts that are gone or changed, and begins those that are new or changed.
    fn follow(&self, engine: &Engine, options: &Options, accounts: &[Arc<Account>], tasks: &TaskTracker) {
        let mut links = self.links();
        links.retain(|id, kept| {
            let stays = accounts.iter().any(|account| account.id == *id && is_same(account, &kept.account));
            if !stays {
                kept.stop.cancel();
            }
            stays
        });
        for account in accounts {
            links.entry(account.id).or_insert_with(|| begin(engine, options, account, tasks));
        }
        drop(links);
        self.looked.send_modify(|count| *count += 1);
    }

    fn links(&self) -> RwLockWriteGuard<'_, HashMap<Id, Kept>> {
        // Whoever panicked left a whole map.
        self.links.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin(engine: &Engine, options: &Options, account: &Arc<Account>, tasks: &TaskTracker) -> Kept {
    let stop = CancellationToken::new();
    let link = match Link::new(Arc::clone(account), options.clone()) {
        Ok(link) => Some(Arc::new(link)),
        Err(error) => {
            let account = &account.external_id;
            tracing::error!(%account, error = &error as &dyn std::error::Error, "an account cannot be used");
            None
        }
    };
    if let Some(link) = &link {
        let (link, engine, stop) = (Arc::clone(link), engine.clone(), stop.clone());
        tasks.spawn(async move { link.run(&engine, &stop).await });
    }
    Kept { link, account: Arc::clone(account), stop }
}

fn is_same(account: &Account, known: &Account) -> bool {
    let secrets = |account: &Account| account.secrets.expose_secret().to_owned();
    account.config == known.config && secrets(account) == secrets(known) && account.external_id == known.external_id
}
