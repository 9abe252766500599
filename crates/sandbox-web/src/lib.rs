//! A WhatsApp Web server on loopback: what linked accounts talk to in the sandbox.
//!
//! It speaks the multi-device protocol as its clients expect it: Noise over WebSocket, linking by QR code, by pairing code and
//! with a passkey, log-in, Signal keys, contact look-ups, messages with receipts and retries, queues for devices that are away,
//! presence, app state, media, profiles, groups and calls. Behind every account stands a simulated phone (`phone`), which
//! vouches for linked devices, reads what is sent to it and writes what it is told to.
//!
//! Who acts: each connection has two tasks, one reading and one writing; whoever plays the phones acts through a [`Handle`].
//! All of them change one world under one lock, which is never held across a wait.
//!
//! Promised: what a device has not confirmed is sent again when it comes back, in order; a device has one connection, the
//! newest; with a data directory, a restarted server has the same keys, accounts, links and groups. A crash loses at most the
//! last second or two of that. Not promised: that WhatsApp's own servers behave the same in all that clients do not look at.
//!
//! Not here: communities, channels, bots and catalogues (questions about them get an empty list or the error WhatsApp gives for what
//! does not exist), broadcast lists, app-state snapshots, group calls and the sound of calls. A question that nobody here knows is
//! answered with 501 and counted, never met with silence.
//!
//! Its certificates lead up to a root of its own (`socket::chain`), not to WhatsApp's, so only a client that was told to accept
//! that can connect, and the server listens on loopback addresses only.

mod admin;
mod arrivals;
mod clock;
mod faults;
mod handle;
mod iq;
mod login;
mod media;
mod number;
pub mod phone;
mod relay;
mod saved;
mod server;
mod socket;
mod stanza;
mod state;
mod stats;
mod tls;

pub use arrivals::{Arrival, Chat, Tick};
pub use clock::Clock;
pub use faults::{Fault, Kind};
pub use handle::{Group, Handle};
pub use number::{NotANumber, Number};
pub use relay::phones::SpeakError;
pub use saved::Error as SavedError;
pub use server::{Options, StartError, WebServer};
pub use state::business::{Business, Day};
pub use state::pairings::{LinkError, Linked};
pub use stats::Stats;
pub use tls::TlsError;
