//! What the settings want of DIGIGO's organization, put into the database at start: its administrator's token, and the
//! webhook that hears of all its users.
//!
//! The token becomes an API key, and the one before it stops being good. So a token that was changed once does not come
//! back.

use dialect_digigo::{GlobalWebhook, GlobalWebhookError, Options};
use engine::keys::{self, Check};
use engine::{Engine, Id, organizations};
use secrecy::ExposeSecret;

use crate::settings::{Digigo, DigigoWebhooks, Settings};

/// What the settings' key is called among others.
const LABEL: &str = "digigo.admin_token";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("digigo.admin_token and webhooks.digigo.global_url need an organization: `hermod org create NAME`")]
    NoOrganization,
    #[error("digigo.organization must name one: there are several")]
    Unnamed,
    #[error("digigo.organization names no organization: make {0:?} with `hermod org create`")]
    Unknown(String),
    #[error("digigo.organization names several organizations: give the id instead of {0:?}")]
    Ambiguous(String),
    #[error("digigo.admin_token was in use before, for something else or until it was taken back: choose another")]
    Used,
    #[error("webhooks.digigo.global_url cannot be used")]
    Webhook(#[from] GlobalWebhookError),
    #[error("the database failed")]
    Store(#[from] store::Error),
}

/// Makes it so. In a sandbox the organization is made too.
pub async fn settle(engine: &Engine, settings: &Settings, options: &Options, sandbox: bool) -> Result<(), Error> {
    administrator(engine, &settings.digigo, sandbox).await?;
    let wanted = match settings.webhooks.digigo.global_url.as_str() {
        "" => None,
        url => Some(GlobalWebhook {
            organization: organization(engine, &settings.digigo.organization, sandbox).await?,
            url: url.to_owned(),
            events: events(&settings.webhooks.digigo),
        }),
    };
    Ok(dialect_digigo::settle_global(engine, wanted, options).await?)
}

fn events(settings: &DigigoWebhooks) -> Vec<String> {
    settings.global_events.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Makes the settings' token good, and no other that stood there before.
async fn administrator(engine: &Engine, settings: &Digigo, sandbox: bool) -> Result<(), Error> {
    let token = settings.admin_token.expose_secret();
    let wanted = match token {
        "" => None,
        token => Some(put(engine, settings, token, sandbox).await?),
    };
    for key in engine.keys(None).await? {
        let ours = key.dialect == dialect_digigo::NAME && key.label == LABEL && key.sender_id.is_none();
        if ours && key.revoked_at.is_none() && Some(key.id) != wanted {
            engine.perform(keys::Revoke { id: key.id, now: engine.now() }).await?;
        }
    }
    Ok(())
}

async fn put(engine: &Engine, settings: &Digigo, token: &str, sandbox: bool) -> Result<Id, Error> {
    let organization = organization(engine, &settings.organization, sandbox).await?;
    let create = keys::create(engine, organization, dialect_digigo::NAME, LABEL, token, !sandbox, None);
    engine.perform(create).await?;
    // A key that was there already has stayed as it was.
    match engine.check_key(dialect_digigo::NAME, token).await? {
        Check::Good(key) if key.organization_id == organization && key.sender_id.is_none() => Ok(key.id),
        _ => Err(Error::Used),
    }
}

/// The organization that the settings name.
pub async fn organization(engine: &Engine, named: &str, sandbox: bool) -> Result<Id, Error> {
    let known = engine.organizations().await?;
    let id = Id::parse_hex24(named);
    let mut fitting = known.iter().filter(|known| named.is_empty() || Some(known.id) == id || known.name == named);
    match (fitting.next(), fitting.next()) {
        (Some(found), None) => Ok(found.id),
        // The sandbox's first.
        (Some(found), Some(_)) if named.is_empty() && sandbox => Ok(found.id),
        (Some(_), Some(_)) if named.is_empty() => Err(Error::Unnamed),
        (Some(_), Some(_)) => Err(Error::Ambiguous(named.to_owned())),
        (None, _) if named.is_empty() => Err(Error::NoOrganization),
        (None, _) if sandbox => Ok(engine.perform(organizations::create(engine, named)).await?.id),
        (None, _) => Err(Error::Unknown(named.to_owned())),
    }
}

/// A fresh token, or a sandbox's from its secret.
#[must_use]
pub fn new_token(random: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(random))
}

/// A sandbox's token, the same whenever it is derived from the same secret.
#[must_use]
pub fn derive_token(secret: [u8; 32]) -> String {
    let mut random = [0; 16];
    random.copy_from_slice(&secret[..16]);
    new_token(random)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use store::{Db, Ids, Location, SecretKey};

    use super::*;

    async fn engine(dir: &tempfile::TempDir) -> Engine {
        let db = Db::open(&Location::Sqlite(dir.path().join("db"))).await.unwrap();
        store::migrate(&db).await.unwrap();
        Engine::new(engine::Parts {
            db,
            clock: engine::Clock::manual(1_795_000_000_000),
            ids: Arc::new(Ids::seeded(1)),
            key: SecretKey::new([1; 32]),
            settings: engine::Settings::default(),
            providers: Vec::new(),
            dialects: Vec::new(),
            transports: Vec::new(),
            wake: engine::wake::Wake::default(),
            cache: engine::cache::Cache::default(),
        })
    }

    fn settings(organization: &str, token: &str) -> Digigo {
        let (host, organization, admin_token) = (String::new(), organization.to_owned(), token.to_owned().into());
        Digigo {
            host,
            organization,
            admin_token,
            echo: false,
            skip_media: false,
            time_zone: dialect_digigo::Zone::UTC,
            environment: String::new(),
            region: String::new(),
            users: dialect_digigo::NewUsers::default(),
        }
    }

    async fn whose(engine: &Engine, token: &str) -> Option<Id> {
        match engine.check_key(dialect_digigo::NAME, token).await.unwrap() {
            Check::Good(key) => Some(key.organization_id),
            _ => None,
        }
    }

    #[tokio::test]
    async fn the_settings_token_belongs_to_the_organization_they_name() {
        let dir = tempfile::tempdir().unwrap();
        let engine = engine(&dir).await;
        let settle =
            async |organization, token, sandbox| administrator(&engine, &settings(organization, token), sandbox).await;
        assert!(settle("", "", false).await.is_ok());
        assert!(matches!(settle("", "one", false).await, Err(Error::NoOrganization)));
        let first = engine.perform(organizations::create(&engine, "First")).await.unwrap().id;
        settle("", "one", false).await.unwrap();
        settle("First", "one", false).await.unwrap();
        assert_eq!(whose(&engine, "one").await, Some(first));

        let second = engine.perform(organizations::create(&engine, "Second")).await.unwrap().id;
        assert!(matches!(settle("", "two", false).await, Err(Error::Unnamed)));
        assert!(matches!(settle("Third", "two", false).await, Err(Error::Unknown(_))));
        assert_eq!(whose(&engine, "one").await, Some(first), "a failed start takes nothing back");
        settle("Second", "two", false).await.unwrap();
        assert_eq!((whose(&engine, "one").await, whose(&engine, "two").await), (None, Some(second)));
        for (organization, token) in [("First", "two"), ("First", "one")] {
            assert!(matches!(settle(organization, token, false).await, Err(Error::Used)), "{organization} {token}");
        }
        settle("Third", "three", true).await.unwrap();
        assert!(whose(&engine, "three").await.is_some_and(|third| third != first && third != second));
        settle("", "", false).await.unwrap();
        assert_eq!(whose(&engine, "three").await, None);
    }
}
