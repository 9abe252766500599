//! How a text becomes SMS: the alphabet it needs, the parts it falls into, and the octets that travel.
//!
//! A text goes out in GSM-7 when every character of it has a place there, else in UCS-2, in all its parts. A part has
//! room for 140 octets; when there are several, each gives up some of them to say where it belongs ([`Reference`]). What a
//! reader sees as one character is never cut in two, as carriers that count parts do not either ([`split`]).

mod clusters;
pub mod gsm7;
mod split;
pub mod ucs2;

pub use split::{Alphabet, Encoding, Part, Reference, Split, split, split_in};
