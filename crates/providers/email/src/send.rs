//! Handing a mail to the account's relay.

use engine::content::Content;
use engine::failure::{Code, Retry, SendError};
use engine::provider::{Account, Outgoing, Sent};
use engine::senders::Sender;

use crate::letter::Letter;
use crate::{Smtp, Unusable};

impl From<Unusable> for SendError {
    fn from(error: Unusable) -> Self {
        Self { retry: Retry::Stop, ..Self::refused(Code::AccountProblem, error.to_string()) }
    }
}

impl Smtp {
    pub(crate) async fn send_mail(
        &self,
        account: &Account,
        sender: &Sender,
        message: &Outgoing,
    ) -> Result<Sent, SendError> {
        let Content::Email(email) = &message.content else {
            return Err(SendError::refused(Code::Rejected, "a mail account sends mails only"));
        };
        let relay = self.relays.of(account)?;
        let letter = Letter::write(relay.return_path(), sender, message, email)?;
        relay.hand_over(&letter).await?;
        // What stands before the `@` of its Message-ID, and in its return path.
        Ok(Sent::one(message.id.hex24()))
    }
}
