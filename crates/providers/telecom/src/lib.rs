//! SMS and spoken codes through carriers: SMPP ([`smpp`]) and the HTTP APIs of three carriers ([`http`]).

pub mod http;
pub mod smpp;
