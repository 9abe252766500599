//! What stories are told with: a house with fakes on both sides of the engine, scratch databases of both
//! kinds, a receiver that records, and a published contract as a judge.

#![expect(clippy::unwrap_used, reason = "what cannot go on has failed its test")]

mod carrier;
pub mod cloud;
pub mod contract;
mod database;
mod house;
mod linked;
mod plain;
mod provider;
mod receiver;
mod sessions;
mod transport;

pub use carrier::{CARRIERS, FakeCarrier};
pub use contract::{ContractCheck, Operation};
pub use database::{Kind, Scratch, waited_for};
pub use house::{House, PROVIDER, START};
pub use linked::{Fetching, Line, Linked};
pub use plain::{DIALECT, dialect};
pub use provider::{Called, FakeProvider, Gate, Reply};
pub use receiver::{Receiver, Request, Response};
pub use sessions::{Manner, Run};
pub use transport::{Echo, FakeTransport, Posted};

/// What a story starts from and what is checked when it has been told.
pub trait Fixture: Sized {
    fn set_up(kind: Kind) -> impl Future<Output = Self>;
    /// Fails when the story left something that it should not have, then clears up.
    fn finish(self, told: bool) -> impl Future<Output = ()>;
}

/// Tells a story on one kind of database, on a runtime with several threads.
pub fn tell<F: Fixture>(kind: Kind, story: impl AsyncFnOnce(&mut F)) {
    use futures_util::FutureExt;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime can be made").block_on(async {
        let mut fixture = F::set_up(kind).await;
        let told = std::panic::AssertUnwindSafe(story(&mut fixture)).catch_unwind().await;
        fixture.finish(told.is_ok()).await;
        if let Err(panic) = told {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Makes a test on SQLite and one on PostgreSQL of each story:
/// `on_both! { async fn a_message_is_sent(house: &mut House) { … } }`.
#[macro_export]
macro_rules! on_both {
    ($($(#[$about:meta])* async fn $name:ident($fixture:ident: &mut $kind:ty) $story:block)*) => {$(
        $(#[$about])*
        mod $name {
            use super::*;

            async fn story($fixture: &mut $kind) $story

            #[test]
            fn sqlite() {
                $crate::tell($crate::Kind::Sqlite, async |fixture: &mut $kind| story(fixture).await);
            }

            #[test]
            fn postgres() {
                $crate::tell($crate::Kind::Postgres, async |fixture: &mut $kind| story(fixture).await);
            }
        }
    )*};
}
