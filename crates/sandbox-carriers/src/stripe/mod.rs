//! Stripe, as far as selling single things by Checkout needs it: sessions, their page, refunds, events.
//!
//! Who acts: a request is checked as Stripe checks it and done once for its key ([`calls`]); the books ([`books`]) know what
//! became of each session; a buyer pays or goes away on a page ([`page`]), or whoever tells a story does it for him
//! ([`Till::pay`], [`Till::expire`]). A task closes sessions whose time is over by the sandbox's clock. Each change is told
//! to its account's platform in a signed event ([`events`]), again and again until it is taken.
//!
//! What goes wrong is drawn for calls (`Target::Till`) and for buyers (`Target::Buyer`): `Code("expired")` has the session
//! end while he types, `Code("failed")` has his bank refuse what Stripe had taken already, `Duplicate` tells it all twice;
//! `Code("refund-late")` and `Code("refund-failed")` let him pay, and have his bank think about a refund first
//! ([`refunds`]). An error of the server's is what a key gets from then on, as it is at Stripe.
//!
//! Not here: everything else that Stripe sells, several endpoints for events, partial refunds, taxes, customers.

mod books;
mod calls;
mod events;
mod page;
mod refunds;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_util::task::TaskTracker;

use crate::outside::{Fault, Target};
use crate::world::World;
use crate::{StartError, serve};
use books::{Books, Session, Standing};
use refunds::Bank;

#[derive(Clone, Debug)]
pub struct Options {
    pub listen: SocketAddr,
}

impl Default for Options {
    fn default() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 0).into() }
    }
}

/// Somebody who takes money by it.
#[derive(Clone)]
pub struct Account {
    /// `sk_test_…`
    pub secret_key: String,
    /// `whsec_…`: signs events.
    pub webhook_secret: String,
    /// Where events go.
    pub webhook_url: String,
}

impl Account {
    /// The same for the same seed.
    #[must_use]
    pub fn derived(seed: &str, webhook_url: String) -> Self {
        let [key, secret] = ["key", "events"].map(|what| hex::encode(Sha256::digest(format!("stripe/{what}/{seed}"))));
        Self { secret_key: format!("sk_test_{key}"), webhook_secret: format!("whsec_{}", &secret[..32]), webhook_url }
    }
}

/// Tells no secret.
impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "stripe({})", self.webhook_url)
    }
}

/// Why nobody can pay, or end, a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmoved {
    #[error("there is no such session")]
    Unknown,
    #[error("the session is over")]
    Over,
}

/// The stand-in while it runs.
pub struct Till(Arc<Desk>);

struct Desk {
    world: Arc<World>,
    url: String,
    accounts: Mutex<Vec<Arc<Account>>>,
    books: Mutex<Books>,
}

/// How often it is looked for sessions whose time is over.
const LOOK_EVERY: Duration = Duration::from_millis(200);

impl Till {
    pub(crate) async fn start(options: Options, world: &Arc<World>) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen { address: options.listen, source };
        let (listener, url) = serve::bind(options.listen).await.map_err(listen)?;
        let desk = Desk { world: Arc::clone(world), url, accounts: Mutex::default(), books: Mutex::default() };
        let desk = Arc::new(desk);
        let router = calls::routes().merge(refunds::routes()).merge(page::routes()).with_state(Arc::clone(&desk));
        tokio::spawn(serve::run(listener, router, world.stop.clone(), TaskTracker::new()));
        tokio::spawn(close_what_is_over(Arc::clone(&desk)));
        Ok(Self(desk))
    }

    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Opens an account, or changes the one with the same key.
    pub fn put(&self, account: Account) {
        let mut accounts = self.0.accounts();
        accounts.retain(|known| known.secret_key != account.secret_key);
        accounts.push(Arc::new(account));
    }

    /// All sessions as Stripe shows them, oldest first, with the `refunds` of each.
    #[must_use]
    pub fn payments(&self) -> Vec<Value> {
        self.0.close();
        let now = self.0.now();
        self.0.books().sessions().map(|session| session.with_refunds(now)).collect()
    }

    /// A buyer pays, or what is to go wrong befalls him.
    pub fn pay(&self, session: &str) -> Result<Value, Unmoved> {
        self.0.pay(session).map(|session| session.with_refunds(self.0.now()))
    }

    /// Nobody can pay any more.
    pub fn expire(&self, session: &str) -> Result<Value, Unmoved> {
        self.0.move_on(session, Standing::Expired, false).map(|session| session.with_refunds(self.0.now()))
    }
}

async fn close_what_is_over(desk: Arc<Desk>) {
    while desk.world.pause(LOOK_EVERY).await {
        desk.close();
    }
}

impl Desk {
    fn accounts(&self) -> MutexGuard<'_, Vec<Arc<Account>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds since 1970.
    fn now(&self) -> i64 {
        self.world.now() / 1000
    }

    fn close(self: &Arc<Self>) {
        let over = self.books().close(self.now());
        for session in over {
            self.tell(&session, false);
        }
    }

    fn pay(self: &Arc<Self>, id: &str) -> Result<Session, Unmoved> {
        self.close();
        if self.books().find(id).ok_or(Unmoved::Unknown)?.standing != Standing::Open {
            return Err(Unmoved::Over);
        }
        let intent = self.books().fresh("pi_", self.world.now());
        match self.world.outside.fault(Target::Buyer) {
            Some(Fault::Code(word)) if word == "expired" => {
                self.move_on(id, Standing::Expired, false)?;
                Err(Unmoved::Over)
            }
            Some(Fault::Code(word)) => match Bank::of(&word) {
                None => self.move_on(id, Standing::Declined { intent }, false),
                Some(bank) => {
                    self.books().banks_with(id, bank);
                    self.move_on(id, Standing::Paid { intent }, false)
                }
            },
            fault => self.move_on(id, Standing::Paid { intent }, fault == Some(Fault::Duplicate)),
        }
    }

    /// Ends an open session and tells of it.
    fn move_on(self: &Arc<Self>, id: &str, standing: Standing, twice: bool) -> Result<Session, Unmoved> {
        self.close();
        let moved = self.books().move_on(id, standing)?;
        self.tell(&moved, twice);
        Ok(moved)
    }

    /// Of what the session came to, to whom it belongs.
    fn tell(self: &Arc<Self>, session: &Session, twice: bool) {
        let account = self.accounts().iter().find(|account| account.secret_key == session.account).cloned();
        let Some(account) = account else { return };
        let kinds = session.standing.told();
        let kinds: Vec<&str> = if twice { [kinds, kinds].concat() } else { kinds.to_vec() };
        let mut books = self.books();
        let told = kinds.into_iter().map(|kind| events::Event {
            id: books.fresh("evt_", self.world.now()),
            kind,
            created: self.now(),
            object: session.shown(),
        });
        let told = told.collect();
        drop(books);
        tokio::spawn(events::tell(Arc::clone(&self.world), account, told));
    }
}
