//! Mail relays: for each account a few open connections on which one mail goes after another.
//!
//! A connection that was used before may have been closed by the relay meanwhile. That shows when the next mail begins, and
//! costs nothing: until the end mark of a mail was sent, none of it was taken, so it goes out again on a new connection.

mod dial;
mod dialogue;
mod keeper;
mod secured;
mod trouble;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::Id;
use engine::provider::Account;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::letter::Letter;
use crate::return_path::ReturnPath;
use crate::{Config, Options, Secrets, Unusable};
pub(crate) use trouble::Trouble;

/// The relays of all accounts that have sent something.
pub(crate) struct Relays {
    options: Options,
    known: Mutex<HashMap<Id, Arc<Relay>>>,
}

/// The relay of an account, as the account stood when it was first used.
pub(crate) struct Relay {
    /// The account's two texts that all else was made of.
    made_of: (String, secrecy::SecretString),
    config: Config,
    secrets: Secrets,
    return_path: Option<ReturnPath>,
    tls: Arc<rustls::ClientConfig>,
    plain: net::AddressPolicy,
    /// A permit for each connection.
    room: Semaphore,
    /// The one used last at the end.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
    /// The last mail was refused in the middle: the relay has to forget it first.
    unfinished: bool,
}

impl Relays {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, known: Mutex::default() }
    }

    /// An account that was changed gets a new one; connections of the old one end with what is on them.
    pub(crate) fn of(&self, account: &Account) -> Result<Arc<Relay>, Unusable> {
        if let Some(relay) = lock(&self.known).get(&account.id)
            && relay.is_for(account)
        {
            return Ok(relay.clone());
        }
        let relay = Arc::new(Relay::new(account, &self.options)?);
        lock(&self.known).insert(account.id, relay.clone());
        Ok(relay)
    }
}

impl Relay {
    fn new(account: &Account, options: &Options) -> Result<Self, Unusable> {
        let (config, secrets) = (Config::of(account)?, Secrets::of(account)?);
        if config.username.is_some() && secrets.password.is_none() {
            return Err(Unusable::NoPassword);
        }
        let wrong = |error: &dyn std::error::Error| Unusable::Config(error.to_string());
        let pem = config.roots_pem.as_deref().unwrap_or_default();
        let roots = net::roots_from_pem(pem.as_bytes()).map_err(|error| wrong(&error))?;
        let return_path =
            config.return_path.as_deref().map(ReturnPath::parse).transpose().map_err(|error| wrong(&error))?;
        Ok(Self {
            made_of: (account.config.clone(), account.secrets.clone()),
            return_path,
            tls: Arc::new(net::tls_config(&roots).map_err(|error| wrong(&error))?),
            plain: options.plain.clone(),
            room: Semaphore::new(config.pool),
            idle: Mutex::default(),
            config,
            secrets,
        })
    }

    fn is_for(&self, account: &Account) -> bool {
        let (config, secrets) = &self.made_of;
        *config == account.config && secrets.expose_secret() == account.secrets.expose_secret()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(crate) fn return_path(&self) -> Option<&ReturnPath> {
        self.return_path.as_ref()
    }

    /// A connection without TLS may lead there.
    fn permits_plain(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.plain.check_plain(address).is_ok()
    }

    /// `Ok` when the relay has taken the mail.
    pub(crate) async fn hand_over(&self, letter: &Letter) -> Result<(), Trouble> {
        let ended = AtomicBool::new(false);
        let limit = Duration::from_secs(self.config.timeout_s);
        match tokio::time::timeout(limit, self.attempt(letter, &ended)).await {
            Ok(settled) => settled,
            Err(_) if ended.load(Ordering::Relaxed) => Err(Trouble::Unanswered("no answer in time".to_owned())),
            Err(_) => Err(Trouble::Unreached("it took too long".to_owned())),
        }
    }

    async fn attempt(&self, letter: &Letter, ended: &AtomicBool) -> Result<(), Trouble> {
        let _room = self.room.acquire().await.expect("the semaphore is never closed");
        while let Some(mut idle) = self.rested() {
            if idle.unfinished && !dialogue::begin_anew(&mut idle.connection).await {
                continue;
            }
            match dialogue::send(&mut idle.connection, letter, ended).await {
                Err(trouble) if trouble.is_of_the_line() => tracing::debug!(%trouble, "a connection had gone"),
                settled => return self.put_back(idle.connection, settled),
            }
        }
        let mut connection = self.open().await?;
        let settled = dialogue::send(&mut connection, letter, ended).await;
        self.put_back(connection, settled)
    }

    /// A new connection, ready for a mail.
    pub(crate) async fn open(&self) -> Result<AsyncSmtpConnection, Trouble> {
        dial::open(self).await
    }

    fn rested(&self) -> Option<Idle> {
        lock(&self.idle).pop()
    }

    /// Keeps a connection for the next mail if it may be good for one.
    fn put_back(&self, connection: AsyncSmtpConnection, settled: Result<(), Trouble>) -> Result<(), Trouble> {
        if settled.as_ref().err().is_none_or(Trouble::left_it_usable) {
            let unfinished = settled.is_err();
            lock(&self.idle).push(Idle { connection, since: Instant::now(), unfinished });
        }
        settled
    }
}

/// Whoever panicked in it left it as it was.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
