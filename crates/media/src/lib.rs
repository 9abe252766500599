//! Media: kept in a [`Blobs`] store, reached through signed links that expire ([`Links`], [`router`]), and made fit for
//! sending ([`convert`]).

mod blobs;
pub mod convert;
mod directory;
mod format;
mod links;
mod range;
mod serve;

pub use blobs::{Blobs, Error, Opened, Stored};
pub use format::Meta;
pub use links::{Denied, Links};
pub use serve::{Now, answer, router};
