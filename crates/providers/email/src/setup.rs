//! Connecting an account: can the relay be reached, does it know us, and what should an operator know?

use std::time::Duration;

use engine::provider::{Account, CallError, Connected, FoundSender, Setup};
use engine::senders::CONNECTED;
use futures_util::future::BoxFuture;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::Extension;

use crate::relay::{Relay, Trouble};
use crate::return_path::ReturnPath;
use crate::{Config, Security, Smtp, Unusable, address};

impl From<Unusable> for CallError {
    fn from(error: Unusable) -> Self {
        Self::Refused { message: error.to_string(), code: None, details: None }
    }
}

impl Setup for Smtp {
    fn connect<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Connected, CallError>> {
        Box::pin(self.connect_account(account))
    }

    fn register<'a>(
        &'a self,
        _account: &'a Account,
        _number: &'a str,
        _pin: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        let message = "a mailbox needs no registration".to_owned();
        Box::pin(async { Err(CallError::Refused { message, code: None, details: None }) })
    }
}

impl Smtp {
    async fn connect_account(&self, account: &Account) -> Result<Connected, CallError> {
        let relay = self.relays.of(account)?;
        let senders = relay.config().from.iter().map(|text| sender(text)).collect::<Result<_, _>>()?;
        let limit = Duration::from_secs(relay.config().timeout_s);
        let opened = tokio::time::timeout(limit, relay.open()).await;
        let mut connection = opened.unwrap_or_else(|_| Err(Trouble::Unreached("it took too long".to_owned())))?;
        let remarks = remarks(&relay, &connection);
        // It was good; whether it says good-bye changes nothing.
        let _ = tokio::time::timeout(limit, connection.quit()).await;
        Ok(Connected { name: account.name.clone(), senders, templates: Vec::new(), remarks })
    }
}

fn sender(text: &str) -> Result<FoundSender, CallError> {
    let wrong = |_| Unusable::Config(format!("`from` has something that is no mail address: {text:?}"));
    let address = address::parse(text).map_err(wrong)?.to_string();
    Ok(FoundSender {
        external_id: address.clone(),
        address,
        name: None,
        status: CONNECTED.to_owned(),
        status_reason: None,
        config: "{}".to_owned(),
    })
}

fn remarks(relay: &Relay, connection: &AsyncSmtpConnection) -> Vec<String> {
    let Config { security, username, .. } = relay.config();
    let checks = [
        (*security == Security::None, "Mails go to the relay without TLS."),
        (username.is_none(), "Nobody logs in: the relay must know us by our address."),
        (
            relay.secrets().webhook_secret.is_none(),
            "Without a webhook secret nobody can bring us bounces, so a mail that comes back stays `sent`.",
        ),
        (
            !relay.return_path().is_some_and(ReturnPath::varies),
            "Without a return path that has a `{}`, only bounces that quote the mail's head are understood.",
        ),
        (
            !connection.server_info().supports_feature(Extension::SmtpUtfEight),
            "The relay does not carry addresses with letters beyond ASCII before the `@`.",
        ),
    ];
    checks.into_iter().filter(|(holds, _)| *holds).map(|(_, remark)| remark.to_owned()).collect()
}
