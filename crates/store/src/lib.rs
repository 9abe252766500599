//! The only place that knows SQL: records, ids, statements, migrations, encryption at rest.
//!
//! One file per noun holds its record and its statements, each taking the transaction it runs in and,
//! where a caller's data is touched, the organization. Which statements make up a use case is the
//! engine's business; it hands them over as [`Work`].

mod db;
mod id;
mod migrations;
mod seal;
mod select;

pub mod accounts;
pub mod attempts;
pub mod billing;
pub mod calls;
pub mod campaigns;
pub mod contacts;
pub mod conversations;
pub mod custom_events;
pub mod deliveries;
pub mod events;
pub mod idempotency;
pub mod jobs;
pub mod keys;
pub mod labels;
pub mod lanes;
pub mod leases;
pub mod media;
pub mod messages;
pub mod numbers;
pub mod opt_outs;
pub mod organizations;
pub mod parts;
pub mod people;
pub mod retention;
pub mod roster;
pub mod routes;
pub mod senders;
pub mod session_state;
pub mod sessions;
pub mod settings;
pub mod subscriptions;
pub mod templates;
pub mod verifications;

pub use db::{Db, Error, FromCell, Location, Reader, Result, Row, Tx, Value, Work};
pub use id::{Id, Ids};
pub use migrations::{latest as latest_schema, run as migrate, version as schema_version};
pub use seal::SecretKey;
