//! Over which account a message goes.
//!
//! A sender has one account, and may have others that carry for it where the first cannot: routes, by the recipient's
//! country. What an account's provider did not take because it could not be reached goes to the next at once; what it
//! may have taken does not. A carrier that failed is left alone for a while, and then tried by one message.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use store::routes::Route as Row;
use store::senders::Sender;
use store::{Id, Result};

use crate::failure::{Code, Retry, SendError};
use crate::provider::{Account, Provider};
use crate::{Engine, regions};

/// How long an account that could not be reached is passed over where there is another.
const REST_MS: i64 = 30_000;

/// One way for a sender's messages.
#[derive(Clone)]
pub(super) struct Way {
    pub account: Arc<Account>,
    pub provider: Arc<dyn Provider>,
}

/// All ways of a sender; the first is its own account's.
#[derive(Clone)]
pub(super) struct Ways {
    own: Way,
    routes: Arc<[(String, Way)]>,
}

impl Ways {
    /// `None` when the sender's own account or provider is gone.
    pub(super) async fn of(engine: &Engine, sender: &Sender) -> Result<Option<Self>> {
        let Some(own) = way(engine, &sender.account_id).await? else { return Ok(None) };
        // Providers that know our senders by names of their own cannot carry for another account's.
        if !own.provider.by_address() {
            return Ok(Some(Self { own, routes: Arc::new([]) }));
        }
        let rows = store::routes::of_sender(&mut *engine.db.reader().await?, &sender.id).await?;
        let mut routes = Vec::with_capacity(rows.len());
        for Row { region, account_id, .. } in rows {
            if let Some(way) = way(engine, &account_id).await?
                && way.provider.channel() == own.provider.channel()
                && way.account.organization_id == sender.organization_id
            {
                routes.push((region, way));
            }
        }
        Ok(Some(Self { own, routes: routes.into() }))
    }

    pub(super) fn own(&self) -> &Way {
        &self.own
    }

    /// The ways to an address, in the order in which they are tried: routes to its country, else those to everywhere
    /// else, else the sender's own account. Those that rest come last.
    pub(super) fn to(&self, address: &str, resting: &Resting, now: i64) -> Vec<Way> {
        let for_region = |wanted: &str| -> Vec<Way> {
            self.routes.iter().filter(|(region, _)| region == wanted).map(|(_, way)| way.clone()).collect()
        };
        let named = match self.routes.iter().any(|(region, _)| !region.is_empty()) {
            true => regions::of_number(address).map_or_else(Vec::new, |region| for_region(&region)),
            false => Vec::new(),
        };
        let mut ways = if named.is_empty() { for_region("") } else { named };
        if ways.is_empty() {
            ways.push(self.own.clone());
        }
        ways.sort_by_key(|way| resting.rests(&way.account.id, now));
        ways
    }
}

async fn way(engine: &Engine, account: &Id) -> Result<Option<Way>> {
    let Some(account) = engine.account(account).await? else { return Ok(None) };
    let Some(row) = engine.provider(&account.provider).cloned() else { return Ok(None) };
    Ok(Some(Way { account, provider: row }))
}

/// Accounts that could not be reached, and until when they are passed over. Known to this process only.
#[derive(Default)]
pub struct Resting(Mutex<HashMap<Id, i64>>);

impl Resting {
    fn rests(&self, account: &Id, now: i64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(account).is_some_and(|until| *until > now)
    }

    /// What an attempt over an account says about it; whether its rest begins with this one.
    pub(super) fn learn(&self, account: &Id, error: Option<&SendError>, now: i64) -> bool {
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(error) if may_go_elsewhere(error) => {
                resting.insert(*account, now + REST_MS).is_none_or(|until| until <= now)
            }
            _ => {
                resting.remove(account);
                false
            }
        }
    }
}

/// Whether nothing was taken, for a reason that another carrier need not share.
pub(super) fn may_go_elsewhere(error: &SendError) -> bool {
    match error.retry {
        Retry::Stop => true,
        Retry::BackOff => error.failure.code == Code::ProviderUnavailable,
        _ => false,
    }
}
