//! Media made fit for sending: what callers bring (data URLs, files of any kind) into what phones show.
//!
//! Who acts: everything below [`Converter`] is a function of its bytes and of [`Limits`], without network or clock; the
//! converter runs it on blocking threads, a few at a time. Promised: memory and time are bounded by the limits, whatever
//! the bytes claim to be; a library that panics is an [`Error`], not a crash; the caller's fault is told from ours.
//! Only [`Ffmpeg`] leaves the process: where it is not installed, what needs it is refused by name. A crash leaves
//! nothing but files in ffmpeg's scratch directory, emptied at the next start.

pub mod audio;
mod converter;
pub mod data_url;
mod error;
mod ffmpeg;
mod limits;
pub mod picture;
pub mod preview;
pub mod sniff;
pub mod sticker;
pub mod video;

pub use converter::{Converter, Tools};
pub use error::{Error, Medium};
pub use ffmpeg::Ffmpeg;
pub use limits::Limits;
