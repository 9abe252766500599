//! An SMSC: what a carrier with SMPP looks like from outside.
//!
//! Who acts: one task listens, each connection has two (reading, writing) and one that brings deliveries while it is bound.
//! Promised: what is to be delivered to a system (receipts, answers from phones) waits for a connection of its own and is brought
//! again until it is acknowledged, however often connections break. Not promised: order between receipts, and anything after
//! the process ends.
//!
//! A message goes through `intake`: checked, its text read, its parts put together as a phone would. `fate` decides what
//! becomes of it and says so in receipts. Texts are counted as repeated by sender, recipient, words and, where it has several
//! parts, their reference: SMPP has no other name for a message before it is taken.

mod fate;
mod intake;
mod outbox;
mod parcel;
mod session;

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;

use crate::world::World;
use crate::{ReplyError, StartError};
use intake::Joining;
use outbox::Outbox;

/// How the SMSC is started.
#[derive(Clone, Debug)]
pub struct Options {
    pub listen: SocketAddr,
    /// Who may bind; more can be let in later, see [`Smsc::admit`].
    pub systems: Vec<System>,
    pub ids: Ids,
    pub receipts: Receipts,
    /// Before a message is answered.
    pub latency: Duration,
    /// Between a message's answer and its receipt.
    pub receipt_delay: Duration,
    /// Deliveries on a connection that may wait for their acknowledgement.
    pub window: usize,
}

impl Default for Options {
    /// Any port of the loopback address, at once, as the book has it.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            systems: vec![System {
                system_id: "sandbox".to_owned(),
                password: "sandbox".to_owned(),
                addresses: Vec::new(),
            }],
            ids: Ids::Same,
            receipts: Receipts::Both,
            latency: Duration::ZERO,
            receipt_delay: Duration::ZERO,
            window: 10,
        }
    }
}

/// Somebody who may bind, perhaps with several connections.
#[derive(Clone)]
pub struct System {
    pub system_id: String,
    pub password: String,
    /// Its numbers (E.164 with `+`) and names. Empty: whatever nobody else has.
    pub addresses: Vec<String>,
}

/// Tells no secret.
impl fmt::Debug for System {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("System")
            .field("system_id", &self.system_id)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// How messages are called, first and in receipts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ids {
    #[default]
    Same,
    HexThenDecimal,
    DecimalThenHex,
}

/// Where receipts say what they have to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Receipts {
    #[default]
    Both,
    Parameters,
    Text,
}

/// A running SMSC.
pub struct Smsc {
    address: SocketAddr,
    centre: Arc<Centre>,
}

/// What all connections share.
struct Centre {
    world: Arc<World>,
    options: Options,
    last_id: AtomicU64,
    members: Mutex<Vec<Arc<Member>>>,
    joining: Joining,
}

/// A system, and what waits for it.
struct Member {
    system: System,
    outbox: Arc<Outbox>,
}

impl Smsc {
    pub(crate) async fn start(options: Options, world: &Arc<World>) -> Result<Self, StartError> {
        let refused = |source| StartError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        // Names must not come again when the carrier is started again.
        let first_id = world.now().unsigned_abs() << 20;
        let systems = options.systems.clone();
        let centre = Arc::new(Centre {
            world: Arc::clone(world),
            options,
            last_id: AtomicU64::new(first_id),
            members: Mutex::default(),
            joining: Joining::default(),
        });
        systems.into_iter().for_each(|system| centre.admit(system));
        tokio::spawn(listen(Arc::clone(&centre), listener));
        Ok(Self { address, centre })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets somebody bind, or brings what is known of them up to date; what waits for them goes on waiting.
    pub fn admit(&self, system: System) {
        self.centre.admit(system);
    }

    /// How many connections are bound now.
    pub fn bound(&self) -> usize {
        self.centre.members().iter().map(|member| member.outbox.takers()).sum()
    }

    /// Whether an address is somebody's by name.
    pub(crate) fn knows(&self, address: &str) -> bool {
        self.centre.members().iter().any(|member| member.system.addresses.iter().any(|own| own == address))
    }

    /// [`ReplyError::UnknownSender`] when nobody has the address.
    pub(crate) async fn reply(&self, from: &str, to: &str, text: &str) -> Result<String, ReplyError> {
        let member = self.centre.owner(to).ok_or(ReplyError::UnknownSender)?;
        let id = self.centre.next_id();
        let parcels = parcel::texts(from, to, text, id).ok_or(ReplyError::UnknownSender)?;
        for parcel in parcels {
            member.outbox.put(parcel);
        }
        Ok(id.to_string())
    }
}

impl Centre {
    fn admit(&self, system: System) {
        let mut members = self.members();
        let known = members.iter().position(|member| member.system.system_id == system.system_id);
        let known = known.map(|place| members.remove(place));
        let outbox = known.map_or_else(Arc::default, |known| Arc::clone(&known.outbox));
        members.push(Arc::new(Member { system, outbox }));
    }

    fn member(&self, system_id: &str) -> Option<Arc<Member>> {
        self.members().iter().find(|member| member.system.system_id == system_id).cloned()
    }

    /// Whose address it is: of several, who was let in last and is bound; of nobody's, who takes all.
    fn owner(&self, address: &str) -> Option<Arc<Member>> {
        let members = self.members();
        let mut owners: Vec<&Arc<Member>> =
            members.iter().filter(|member| member.system.addresses.iter().any(|own| own == address)).collect();
        if owners.is_empty() {
            owners = members.iter().filter(|member| member.system.addresses.is_empty()).collect();
        }
        let bound = owners.iter().rev().find(|member| member.outbox.takers() > 0);
        bound.or(owners.last()).map(|member| Arc::clone(member))
    }

    fn members(&self) -> MutexGuard<'_, Vec<Arc<Member>>> {
        // Whoever panicked left a whole list.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What the answer to a submission calls a message.
    fn first_name(&self, id: u64) -> String {
        match self.options.ids {
            Ids::Same | Ids::DecimalThenHex => id.to_string(),
            Ids::HexThenDecimal => format!("{id:X}"),
        }
    }

    /// What receipts call it; padded, as some do.
    fn later_name(&self, id: u64) -> String {
        match self.options.ids {
            Ids::Same => id.to_string(),
            Ids::HexThenDecimal => format!("{id:020}"),
            Ids::DecimalThenHex => format!("{id:016x}"),
        }
    }
}

async fn listen(centre: Arc<Centre>, listener: TcpListener) {
    let stop = centre.world.stop.clone();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(session::serve(Arc::clone(&centre), stream));
                }
                Err(error) => tracing::warn!(%error, "a connection to the SMSC was not accepted"),
            },
        }
    }
}
