//! Phone numbers that are bought, proven to be ours, registered and given back.
//!
//! An order is one row from the search to the release, and a job that says when it is to be looked at again. Whoever
//! claims the job ([`work`]) does the one thing that its state names (`steps`: one call outside, or a look and a call) and
//! commits what came of it together with the next state (`record`). The code that proves the number comes as an ordinary
//! text or in a call (`heard`), the news of a payment as a push; each is one commit as well. In a pool a proof holds for a
//! while: the job wakes up some days before its end, and the number is proven once more.
//!
//! Promised: every state is on the disk before what it names is done, and everything that is done outside carries the
//! order's id or is looked for before it is done again, so a step that was cut short is simply done once more. Money is
//! never kept without a number: what cannot go on goes through [`State::Failing`] (give back what was got) and
//! [`State::Refunding`] (give back what was paid), and neither gives up. A payment that is heard of late, by an order that
//! has failed, goes that way too. A number that could be used once is never given back because something about it fails later:
//! it stays, and says what is wrong.
//!
//! On a crash the claim runs out and the step is done again.

mod code;
mod heard;
mod order;
mod pool;
mod purchase;
mod record;
mod steps;
mod story;
mod trade;
mod wishes;
mod work;

pub use heard::{Paid, Spoken, expects_code};
pub use order::{Details, Order, Payment, Place, Reason, State, Why};
pub use pool::Adopt;
pub use purchase::{New, Purchase, Purchased, available, purchase};
pub use trade::{Bill, Bought, Method, Offer, Onboarding, Payments, Proof, Refund, Session, Shop, Standing, Wish};
pub use wishes::{Approve, Decline, Error, Release, pin, request_code, verify};
pub use work::drive;

pub(crate) use heard::heard;
pub(crate) use story::tell;
pub(crate) use work::{KIND, run, step};
