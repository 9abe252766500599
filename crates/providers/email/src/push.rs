//! Bounces that somebody brings us: `POST /webhooks/smtp/{account}` with a raw mail (RFC 5322) as its body and
//! `Authorization: Bearer` with the account's webhook secret. With Postfix, a pipe in `master.cf` does that; a file holds the
//! header, and 75 makes Postfix try again:
//!
//! ```text
//! bounces unix - n n - - pipe flags=DORX user=nobody null_sender=
//!   argv=/bin/sh -c { curl -fsS -H @/etc/hermod/bounces.header --data-binary @-
//!   https://HOST/webhooks/smtp/ACCOUNT || exit 75 }
//! ```
//!
//! Who acts: whoever receives the return path's mails posts each of them. A report (RFC 3464) that a mail of ours failed or
//! arrived becomes a fact; everything else that comes to a return path (delays, absence notices) is taken and forgotten,
//! for who brings it has nothing better to do with it. The 200 is given once the fact is committed; a mail that is
//! brought again changes nothing.

use std::sync::Arc;

use engine::Engine;
use engine::facts::{Fact, PartReceipt};
use engine::messages::Status;
use engine::provider::{Account, Push, PushError, Pushed};
use engine::receive::Received;
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use crate::report::{Outcome, Report};
use crate::return_path::ReturnPath;
use crate::{Config, Secrets, Smtp};

impl Push for Smtp {
    /// Nobody asks: there is nothing to prove.
    fn handshake<'a>(
        &'a self,
        _engine: &'a Engine,
        _account: Option<&'a str>,
        _query: &'a [(String, String)],
    ) -> BoxFuture<'a, Result<String, PushError>> {
        Box::pin(async { Err(PushError::Refused) })
    }

    fn receive<'a>(&'a self, engine: &'a Engine, push: Pushed<'a>) -> BoxFuture<'a, Result<(), PushError>> {
        Box::pin(take(engine, push))
    }
}

async fn take(engine: &Engine, push: Pushed<'_>) -> Result<(), PushError> {
    let account = named(engine, push.account).await?;
    let shown = (push.header)("authorization").unwrap_or_default();
    if !is_secret_of(&account, &shown) {
        return Err(PushError::Refused);
    }
    let Some(report) = read(&account, &push.body)? else {
        tracing::info!(account = %account.id, "a mail came to the return path that is no report about a mail of ours");
        return Ok(());
    };
    let Some(fact) = fact(&account, report, engine.now()) else { return Ok(()) };
    let received = Received { facts: vec![fact], accounts: vec![account.external_id.clone()] };
    Ok(engine.receive(Smtp::NAME, received).await?)
}

/// By its own name or by our id.
async fn named(engine: &Engine, name: Option<&str>) -> Result<Arc<Account>, PushError> {
    let name = name.ok_or(PushError::UnknownAccount)?;
    let accounts = engine.accounts_of(Smtp::NAME).await?;
    let is_named = |account: &Arc<Account>| account.external_id == name || account.id.hex24() == name;
    accounts.into_iter().find(is_named).ok_or(PushError::UnknownAccount)
}

fn is_secret_of(account: &Account, header: &str) -> bool {
    let (scheme, shown) = header.split_once(' ').unwrap_or_default();
    let Ok(Secrets { webhook_secret: Some(secret), .. }) = Secrets::of(account) else { return false };
    let same: bool = secret.expose_secret().as_bytes().ct_eq(shown.trim().as_bytes()).into();
    same && scheme.eq_ignore_ascii_case("bearer")
}

fn read(account: &Account, mail: &[u8]) -> Result<Option<Report>, PushError> {
    let config = Config::of(account).map_err(|error| PushError::Unreadable(error.to_string()))?;
    let path = config.return_path.as_deref().and_then(|text| ReturnPath::parse(text).ok());
    Ok(Report::read(mail, path.as_ref()))
}

fn fact(account: &Account, report: Report, now: i64) -> Option<Fact> {
    let (status, failure) = match report.outcome {
        Outcome::Failed(failure) => (Status::Failed, Some(failure)),
        Outcome::Delivered => (Status::Delivered, None),
        Outcome::Open => return None,
    };
    Some(Fact::Part(Box::new(PartReceipt {
        account: account.external_id.clone(),
        provider_id: report.message.hex24(),
        message: Some(report.message),
        status,
        at: now,
        failure,
    })))
}
