//! Who may send, and where their bounces are brought.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use subtle::ConstantTimeEq;

/// Somebody who may log in.
#[derive(Clone)]
pub struct User {
    pub name: String,
    pub password: String,
    pub bounces: Option<Bounces>,
}

/// Where a user's reports are posted, as raw mails.
#[derive(Clone)]
pub struct Bounces {
    pub url: String,
    /// Shown as `Authorization: Bearer`.
    pub secret: String,
}

impl fmt::Debug for User {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("User").field("name", &self.name).field("bounces", &self.bounces).finish_non_exhaustive()
    }
}

impl fmt::Debug for Bounces {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Bounces").field("url", &self.url).finish_non_exhaustive()
    }
}

#[derive(Default)]
pub(super) struct Users(Mutex<HashMap<String, User>>);

impl Users {
    pub(super) fn admit(&self, user: User) {
        self.known().insert(user.name.clone(), user);
    }

    /// No log-in is needed.
    pub(super) fn is_open(&self) -> bool {
        self.known().is_empty()
    }

    /// Whom name and password belong to.
    pub(super) fn find(&self, name: &str, password: &str) -> Option<User> {
        let known = self.known();
        if known.is_empty() {
            return Some(User { name: name.to_owned(), password: String::new(), bounces: None });
        }
        let user = known.get(name)?;
        bool::from(user.password.as_bytes().ct_eq(password.as_bytes())).then(|| user.clone())
    }

    /// Whoever panicked in it left it as it was.
    fn known(&self) -> MutexGuard<'_, HashMap<String, User>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
