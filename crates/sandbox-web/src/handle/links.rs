//! Taking clients in and putting them out.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use super::Handle;
use crate::login::{CodeWait, removed, type_code};
use crate::number::{Address, Number};
use crate::phone::pair;
use crate::phone::passkey::{Passkey, PasskeyError};
use crate::state::World;
use crate::state::pairings::{LinkError, Linked};

/// How long a client has to finish a link.
const LINK_TIME: Duration = Duration::from_secs(10);

impl Handle {
    /// The phone scans what a client shows as a QR code. Answers when the client is linked, or was asked for a passkey.
    pub async fn link_by_qr(&self, number: &Number, text: &str) -> Result<Linked, LinkError> {
        let scan = pair::read_qr(text)?;
        let (done, wait) = oneshot::channel();
        {
            let mut world = self.0.world();
            world.account(number);
            world.scan(number, &scan, done);
        }
        finish(wait).await
    }

    /// A phone of nobody in particular scans: the one that earlier clients of the same push name were linked to, or a new one.
    pub async fn link_somebody(&self, text: &str) -> Result<(Number, Linked), LinkError> {
        let scan = pair::read_qr(text)?;
        let (done, wait) = oneshot::channel();
        let number = {
            let mut world = self.0.world();
            let (_, pairing) = world.pairings.with_reference(&scan.reference).ok_or(LinkError::NobodyWaits)?;
            let name = pairing.push_name.clone();
            let number = world.somebody(&name);
            world.scan(&number, &scan, done);
            number
        };
        finish(wait).await.map(|linked| (number, linked))
    }

    /// The phone types the code that a client shows. Answers as [`Handle::link_by_qr`] does.
    pub async fn link_by_code(&self, number: &Number, code: &str) -> Result<Linked, LinkError> {
        finish(type_code(Arc::clone(&self.0), number.clone(), code).await?).await
    }

    /// The phone takes a device off its list.
    pub fn unlink(&self, number: &Number, device: u16) -> bool {
        self.0.world().unlink(&Address::new(number, device), Some(removed()))
    }

    /// The account's owner has a passkey from now on, so that linking demands it; or has none.
    pub fn demand_passkey(&self, number: &Number, demand: bool) -> Result<(), PasskeyError> {
        let mut world = self.0.world();
        let passkey = &mut world.account(number).phone.passkey;
        match (demand, passkey.is_some()) {
            (true, false) => *passkey = Some(Passkey::generate()?),
            (false, _) => *passkey = None,
            (true, true) => {}
        }
        Ok(())
    }

    /// The owner's authenticator signs: the request options (or their challenge) in, the assertion out.
    pub fn assert_passkey(&self, number: &Number, options: &Value) -> Result<Value, PasskeyError> {
        let mut world = self.0.world();
        world.account(number).phone.passkey.as_mut().ok_or(PasskeyError::OtherPasskey)?.assert(options)
    }
}

async fn finish(wait: CodeWait) -> Result<Linked, LinkError> {
    match tokio::time::timeout(LINK_TIME, wait).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(LinkError::Gone),
        Err(_) => Err(LinkError::Late),
    }
}

impl World {
    /// Whose phone scans when nobody in particular does.
    fn somebody(&mut self, name: &str) -> Number {
        if let Some(known) = self.somebodies.get(name) {
            return known.clone();
        }
        let first = 15_559_000_000u64;
        let number = (first..)
            .filter_map(|candidate| candidate.to_string().parse::<Number>().ok())
            .find(|number| self.accounts.get(number).is_none())
            .expect("there are more numbers than accounts");
        self.account(&number);
        if !name.is_empty() {
            self.somebodies.insert(name.to_owned(), number.clone());
        }
        number
    }
}
