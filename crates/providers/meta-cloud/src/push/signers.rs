//! Who may sign pushes: the apps of our accounts, remembered for a second, for pushes come by the thousand.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use engine::provider::{Account, PushError};
use engine::{Engine, Id};
use meta_wire::signature;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use crate::{MetaCloud, Secrets};

const KEPT_MS: i64 = 1000;

/// All of them, as they stood a moment ago.
#[derive(Default)]
pub(crate) struct Signers(Mutex<Option<(i64, Arc<Known>)>>);

impl Signers {
    /// As they are now.
    pub(super) async fn fresh(&self, engine: &Engine) -> Result<Arc<Known>, PushError> {
        let at = engine.now();
        let accounts = engine.accounts_of(MetaCloud::NAME).await?;
        let known = Arc::new(Known::of(accounts.iter().map(AsRef::as_ref)));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, known.clone()));
        Ok(known)
    }

    /// As they were at most a second ago.
    pub(super) async fn known(&self, engine: &Engine) -> Result<Arc<Known>, PushError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match kept {
            Some((at, known)) if (at..at + KEPT_MS).contains(&engine.now()) => Ok(known),
            _ => self.fresh(engine).await,
        }
    }
}

pub(super) struct Known(Vec<Signer>);

/// An account with the secrets of its app.
pub(super) struct Signer {
    id: Id,
    waba: String,
    secrets: Secrets,
}

impl Known {
    pub(super) fn of<'a>(accounts: impl Iterator<Item = &'a Account>) -> Self {
        Self(accounts.filter_map(Signer::of).collect())
    }

    /// All of them, or the one that a path names, by our id or Meta's.
    pub(super) fn named(&self, account: Option<&str>) -> Result<impl Iterator<Item = &Signer>, PushError> {
        let named = move |signer: &&Signer| account.is_none_or(|name| signer.is(name));
        match account {
            Some(_) if !self.0.iter().any(|signer| named(&signer)) => Err(PushError::UnknownAccount),
            _ => Ok(self.0.iter().filter(named)),
        }
    }

    /// Meta's ids of all accounts under the app that has signed these bytes: the app of the account that the path names,
    /// or any. An app has one address for all its accounts, so a path does not exclude the others.
    pub(super) fn signed_by(
        &self,
        account: Option<&str>,
        body: &[u8],
        header: &str,
    ) -> Result<BTreeSet<&str>, PushError> {
        let secrets: BTreeSet<&str> = self.named(account)?.filter_map(Signer::app).collect();
        let app = secrets.into_iter().find(|secret| signature::verify(secret.as_bytes(), body, header));
        let app = app.ok_or(PushError::Refused)?;
        let under = self.0.iter().filter(|signer| signer.app() == Some(app));
        Ok(under.map(|signer| signer.waba.as_str()).collect())
    }
}

impl Signer {
    fn of(account: &Account) -> Option<Self> {
        match Secrets::of(account) {
            Ok(secrets) => Some(Self { id: account.id, waba: account.external_id.clone(), secrets }),
            Err(error) => {
                tracing::warn!(account = %account.id, %error, "an account cannot get pushes");
                None
            }
        }
    }

    /// The secret of its app; an empty one signs nothing.
    fn app(&self) -> Option<&str> {
        Some(self.secrets.app_secret.expose_secret()).filter(|secret| !secret.is_empty())
    }

    fn is(&self, name: &str) -> bool {
        self.waba == name || Id::parse_hex24(name) == Some(self.id)
    }

    /// Is this the word that we gave to Meta?
    pub(super) fn verifies(&self, token: &str) -> bool {
        let ours = self.secrets.verify_token.expose_secret();
        !ours.is_empty() && bool::from(ours.as_bytes().ct_eq(token.as_bytes()))
    }
}
