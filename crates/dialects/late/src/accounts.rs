//! The business account behind a connected number, and the provider that knows it.

use std::sync::Arc;

use engine::provider::{Account, Numbers, Provider};
use engine::senders::Sender;

use crate::call::Call;
use crate::errors::Error;

pub(crate) struct Business {
    pub(crate) account: Arc<Account>,
    pub(crate) provider: Arc<dyn Provider>,
}

pub(crate) async fn behind(call: &Call, sender: &Sender) -> Result<Business, Error> {
    let none = || Error::invalid("This account has no WhatsApp Business account").at("accountId");
    let account = call.engine().account(&sender.account_id).await?.ok_or_else(none)?;
    let provider = call.engine().provider(&account.provider).ok_or_else(none)?.clone();
    Ok(Business { account, provider })
}

impl Business {
    pub(crate) fn numbers(&self) -> Result<&dyn Numbers, Error> {
        let none = || Error::invalid("This account has no WhatsApp phone number").at("accountId");
        self.provider.numbers().ok_or_else(none)
    }
}
