//! How an account's owner has his chats, and what his address book calls people: told by the session that is linked to
//! his phone, read by everybody.

pub use store::people::{Chat, Names, Person, Standing};
use store::{Id, Result};

use crate::Engine;

impl Engine {
    /// Of one sender, by address.
    pub async fn chats(&self, sender: &Id) -> Result<Vec<Chat>> {
        store::people::chats(&mut *self.db.reader().await?, sender).await
    }

    /// Of one sender, by address.
    pub async fn people(&self, sender: &Id) -> Result<Vec<Person>> {
        store::people::of_sender(&mut *self.db.reader().await?, sender).await
    }
}
