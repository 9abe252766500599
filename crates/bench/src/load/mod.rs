//! Load over HTTP/1.1, with as little work of our own as can be.

mod connection;
mod drive;
mod receiver;
mod request;
mod through_ycloud;

pub use connection::Connection;
pub use drive::{Tally, Until, drive};
pub use receiver::{Post, Receiver, Reply};
pub use request::{Pushes, Sends, address_of, customer, hmac_hex};
pub use through_ycloud::ThroughYcloud;
