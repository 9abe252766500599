//! Who wants which events, and the secrets that sign them.

mod headers;

pub use headers::Headers;
use store::subscriptions as rows;
pub use store::subscriptions::{Secret, Status, Subscription};
use store::{Id, Result, Tx, Work, settings};

use crate::{Engine, Outcome, Refusal, UseCase};

/// What a subscriber asks for.
#[derive(Clone)]
pub struct New {
    pub organization: Id,
    /// Only what happens to this sender; `None`: to all of the organization.
    pub sender: Option<Id>,
    pub dialect: &'static str,
    pub transport: &'static str,
    pub url: String,
    pub description: Option<String>,
    /// The format's names of events.
    pub events: Vec<String>,
    pub ordered: bool,
    /// A JSON object of the dialect's own making.
    pub options: serde_json::Value,
    /// The dialect's spelling of a fresh secret; `None`: nothing is signed.
    pub secret: Option<String>,
    /// What goes along with every delivery; it takes the place of nothing that its dialect sends.
    pub headers: Headers,
    /// How many an organization may have in this dialect.
    pub most: Option<usize>,
}

pub struct Create {
    engine: Engine,
    new: New,
    kinds: Vec<String>,
    status: Status,
}

/// Refused when the address cannot be delivered to or an event is unknown.
pub fn create(engine: &Engine, new: New) -> Outcome<Create> {
    check_url(engine, new.transport, &new.url)?;
    let kinds = kinds_of(engine, new.dialect, &new.events)?;
    Ok(Create { engine: engine.clone(), new, kinds, status: Status::Active })
}

/// Makes a subscription unless one of no sender is there that will do; the answer is the one that stands.
pub struct CreateOne {
    create: Create,
    will_do: fn(&Subscription) -> bool,
}

#[must_use]
pub fn create_one(create: Create, will_do: fn(&Subscription) -> bool) -> CreateOne {
    CreateOne { create, will_do }
}

impl Work for CreateOne {
    type Output = Outcome<Subscription>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Subscription>> {
        let new = &self.create.new;
        // Others who would make one wait until this one is made.
        store::organizations::lock(tx, &new.organization).await?;
        let mut there = rows::of_no_sender(tx, new.dialect).await?.into_iter();
        match there.find(|row| row.organization_id == new.organization && (self.will_do)(row)) {
            Some(row) => Ok(Ok(row)),
            None => Ok(self.create.run(tx).await?.map(|(row, _)| row)),
        }
    }
}

impl UseCase for CreateOne {}

/// Sees to it that a dialect has a subscription to an address; one that is there stays as it is.
pub struct Ensure(Create);

/// Refused when the address cannot be delivered to or an event is unknown.
pub fn ensure(engine: &Engine, new: New) -> Outcome<Ensure> {
    create(engine, new).map(Ensure)
}

impl Work for Ensure {
    type Output = Outcome<()>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<()>> {
        let new = &self.0.new;
        store::organizations::lock(tx, &new.organization).await?;
        match rows::leads_to(tx, &new.organization, new.dialect, &new.url).await? {
            true => Ok(Ok(())),
            false => Ok(self.0.run(tx).await?.map(drop)),
        }
    }
}

impl UseCase for Ensure {}

fn check_url(engine: &Engine, transport: &str, url: &str) -> Outcome<()> {
    let transport = engine.transport(transport).ok_or(Refusal::NotFound("transport"))?;
    transport.check(url).map_err(|why| Refusal::Invalid { field: "url", why })
}

/// The engine's kinds behind a format's names.
fn kinds_of(engine: &Engine, dialect: &str, events: &[String]) -> Outcome<Vec<String>> {
    let format = &engine.dialect(dialect).ok_or(Refusal::NotFound("dialect"))?.format;
    let mut kinds: Vec<String> = Vec::new();
    for name in events {
        let unknown = || Refusal::Invalid { field: "events", why: format!("there is no event {name:?}") };
        let found = format.kinds(name).ok_or_else(unknown)?;
        kinds.extend(found.iter().map(|kind| (*kind).to_owned()));
    }
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

impl Create {
    /// Only what happens to this sender.
    #[must_use]
    pub(crate) fn for_sender(mut self, sender: Id) -> Self {
        self.new.sender = Some(sender);
        self
    }

    /// Nothing is told before it is switched on.
    #[must_use]
    pub fn switched_off(mut self) -> Self {
        self.status = Status::Disabled;
        self
    }
}

impl Work for Create {
    type Output = Outcome<(Subscription, Vec<Secret>)>;
    async fn run(&self, tx: &mut Tx) -> Result<Self::Output> {
        let (engine, new, id) = (&self.engine, &self.new, self.engine.new_id());
        let subscription = Subscription {
            id,
            organization_id: new.organization,
            sender_id: new.sender,
            dialect: new.dialect.into(),
            transport: new.transport.into(),
            format: new.dialect.into(),
            url: new.url.clone(),
            description: new.description.clone(),
            events: new.events.clone(),
            kinds: self.kinds.clone(),
            status: self.status,
            disabled_reason: None,
            consecutive_failures: 0,
            ordered: new.ordered,
            options: new.options.to_string(),
            suspended_until: 0,
            headers: headers::seal(engine, &id, &new.headers)?,
            enabled_at: id.millis(),
            succeeded_at: None,
            failing_since: None,
            created_at: id.millis(),
            updated_at: id.millis(),
        };
        if let Some(most) = new.most {
            // Others wait until this one is counted.
            store::organizations::lock(tx, &new.organization).await?;
            let limit = i64::try_from(most).unwrap_or(i64::MAX);
            if rows::list(tx, &new.organization, new.dialect, None, None, limit).await?.len() >= most {
                return Ok(Err(Refusal::Full("subscriptions")));
            }
        }
        rows::insert(tx, &subscription).await?;
        let mut secrets = Vec::new();
        if let Some(secret) = &new.secret {
            secrets.push(add_secret(tx, engine, &id, secret, None).await?);
        }
        settings::touch_caches(tx).await?;
        Ok(Ok((subscription, secrets)))
    }
}

impl UseCase for Create {}

fn purpose(subscription: &Id, secret: &Id) -> String {
    format!("subscription/{subscription}/{secret}")
}

async fn add_secret(
    tx: &mut Tx,
    engine: &Engine,
    subscription: &Id,
    text: &str,
    expires_at: Option<i64>,
) -> Result<Secret> {
    let id = engine.new_id();
    let sealed = engine.key.seal(&purpose(subscription, &id), text.as_bytes())?;
    let secret = Secret { id, subscription_id: *subscription, sealed, created_at: id.millis(), expires_at };
    rows::add_secret(tx, &secret).await?;
    Ok(secret)
}

/// `None`: as it was.
pub struct Update {
    engine: Engine,
    target: Target,
    change: Change,
    kinds: Option<Vec<String>>,
}

/// A subscription of a caller.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub organization: Id,
    pub dialect: &'static str,
    pub id: Id,
}

#[derive(Clone, Default)]
pub struct Change {
    pub url: Option<String>,
    pub description: Option<Option<String>>,
    pub events: Option<Vec<String>>,
    pub status: Option<Status>,
    pub ordered: Option<bool>,
    pub options: Option<serde_json::Value>,
    /// The only one from now on; `Some(None)`: nothing is signed any more.
    pub secret: Option<Option<String>>,
    pub headers: Option<Headers>,
}

pub fn update(engine: &Engine, target: Target, change: Change) -> Outcome<Update> {
    if let Some(url) = &change.url {
        check_url(engine, crate::subscriptions::WEBHOOK, url)?;
    }
    let kinds = change.events.as_deref().map(|events| kinds_of(engine, target.dialect, events)).transpose()?;
    Ok(Update { engine: engine.clone(), target, change, kinds })
}

/// The transport of HTTP posts.
pub const WEBHOOK: &str = "webhook";

impl Work for Update {
    type Output = Outcome<(Subscription, Vec<Secret>)>;
    async fn run(&self, tx: &mut Tx) -> Result<Self::Output> {
        let (target, change, now) = (&self.target, &self.change, self.engine.now());
        let found = rows::get(tx, &target.organization, target.dialect, &target.id).await?;
        let Some(mut row) = found else { return Ok(Err(Refusal::NotFound("subscription"))) };
        row.url = change.url.clone().unwrap_or(row.url);
        row.description = change.description.clone().unwrap_or(row.description);
        row.events = change.events.clone().unwrap_or(row.events);
        row.kinds = self.kinds.clone().unwrap_or(row.kinds);
        row.ordered = change.ordered.unwrap_or(row.ordered);
        row.options = change.options.as_ref().map_or(row.options, serde_json::Value::to_string);
        if let Some(status) = change.status {
            row.status = status;
            if status == Status::Active {
                (row.disabled_reason, row.consecutive_failures) = (None, 0);
                (row.enabled_at, row.failing_since) = (now, None);
            }
        }
        if let Some(headers) = &change.headers {
            row.headers = headers::seal(&self.engine, &row.id, headers)?;
        }
        if let Some(secret) = &change.secret {
            rows::delete_secrets(tx, &row.id).await?;
            if let Some(text) = secret {
                add_secret(tx, &self.engine, &row.id, text, None).await?;
            }
        }
        row.updated_at = now;
        rows::update(tx, &row).await?;
        settings::touch_caches(tx).await?;
        let secrets = rows::live_secrets(tx, &row.id, now).await?;
        Ok(Ok((row, secrets)))
    }
}

impl UseCase for Update {
    fn committed(&self, engine: &Engine, _: &Self::Output) {
        engine.wake.subscriptions.ring_all();
    }
}

/// Deletes a subscription with its deliveries.
pub struct Delete(pub Target);

impl Work for Delete {
    type Output = Outcome<()>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<()>> {
        let Target { organization, dialect, id } = &self.0;
        let deleted = rows::delete(tx, organization, dialect, id).await?;
        settings::touch_caches(tx).await?;
        Ok(if deleted { Ok(()) } else { Err(Refusal::NotFound("subscription")) })
    }
}

impl UseCase for Delete {}

/// One more secret that signs from now on.
pub struct AddSecret {
    pub engine: Engine,
    pub target: Target,
    pub secret: String,
    pub expires_at: Option<i64>,
}

impl Work for AddSecret {
    type Output = Outcome<Secret>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Secret>> {
        let Target { organization, dialect, id } = &self.target;
        let Some(row) = rows::get(tx, organization, dialect, id).await? else {
            return Ok(Err(Refusal::NotFound("subscription")));
        };
        if row.status == Status::Disabled {
            return Ok(Err(Refusal::Disabled));
        }
        Ok(Ok(add_secret(tx, &self.engine, id, &self.secret, self.expires_at).await?))
    }
}

impl UseCase for AddSecret {}

/// Puts a new secret in the place of all others, at once.
pub struct Rotate {
    pub engine: Engine,
    pub target: Target,
    pub secret: String,
}

impl Work for Rotate {
    type Output = Outcome<Subscription>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Subscription>> {
        let Target { organization, dialect, id } = &self.target;
        let Some(mut row) = rows::get(tx, organization, dialect, id).await? else {
            return Ok(Err(Refusal::NotFound("subscription")));
        };
        for secret in rows::live_secrets(tx, id, self.engine.now()).await? {
            rows::delete_secret(tx, id, &secret.id).await?;
        }
        add_secret(tx, &self.engine, id, &self.secret, None).await?;
        row.updated_at = self.engine.now();
        rows::update(tx, &row).await?;
        Ok(Ok(row))
    }
}

impl UseCase for Rotate {}

/// Takes a secret back. One always stays, and the last of those left never expires.
pub struct RevokeSecret {
    pub target: Target,
    pub secret: Id,
    pub now: i64,
}

impl Work for RevokeSecret {
    type Output = Outcome<()>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<()>> {
        let Target { organization, dialect, id } = &self.target;
        if rows::get(tx, organization, dialect, id).await?.is_none() {
            return Ok(Err(Refusal::NotFound("subscription")));
        }
        let live = rows::live_secrets(tx, id, self.now).await?;
        if !live.iter().any(|secret| secret.id == self.secret) {
            return Ok(Err(Refusal::NotFound("secret")));
        }
        // One without an end counts as the last to go.
        let left = live.iter().filter(|secret| secret.id != self.secret);
        let Some(last) = left.max_by_key(|secret| secret.expires_at.unwrap_or(i64::MAX)) else {
            return Ok(Err(Refusal::LastSecret));
        };
        rows::keep_secret(tx, &last.id).await?;
        rows::delete_secret(tx, id, &self.secret).await?;
        Ok(Ok(()))
    }
}

impl UseCase for RevokeSecret {}

impl Engine {
    pub async fn subscription(&self, target: &Target) -> Result<Option<(Subscription, Vec<Secret>)>> {
        let mut reader = self.db.reader().await?;
        let Some(row) = rows::read_only(&mut reader, &target.organization, target.dialect, &target.id).await? else {
            return Ok(None);
        };
        let secrets = rows::live_secrets(&mut reader, &row.id, self.now()).await?;
        Ok(Some((row, secrets)))
    }

    /// Newest first.
    pub async fn subscriptions(
        &self,
        organization: &Id,
        dialect: &str,
        status: Option<Status>,
        before: Option<&Id>,
        limit: i64,
    ) -> Result<Vec<(Subscription, Vec<Secret>)>> {
        let (mut reader, mut answer) = (self.db.reader().await?, Vec::new());
        for row in rows::list(&mut reader, organization, dialect, status, before, limit).await? {
            let secrets = rows::live_secrets(&mut reader, &row.id, self.now()).await?;
            answer.push((row, secrets));
        }
        Ok(answer)
    }

    /// Those that hear of one sender only, oldest first.
    pub async fn subscriptions_of(&self, sender: &Id, dialect: &str) -> Result<Vec<Subscription>> {
        rows::of_sender(&mut *self.db.reader().await?, dialect, sender).await
    }

    /// Those of a dialect, whosever, that hear of all senders of their organization; oldest first.
    pub async fn subscriptions_of_no_sender(&self, dialect: &str) -> Result<Vec<Subscription>> {
        rows::of_no_sender(&mut *self.db.reader().await?, dialect).await
    }

    /// Everybody's subscriptions that were disabled: for operators.
    pub async fn disabled_subscriptions(&self) -> Result<Vec<Subscription>> {
        rows::all_disabled(&mut *self.db.reader().await?).await
    }

    /// The live secrets in the clear, oldest first: for dialects that show them again.
    pub async fn secrets_shown(&self, subscription: &Id) -> Result<Vec<String>> {
        self.signing_secrets(&mut *self.db.reader().await?, subscription).await
    }

    /// How many an organization has in a dialect.
    pub async fn count_subscriptions(&self, organization: &Id, dialect: &str) -> Result<usize> {
        let all = rows::list(&mut *self.db.reader().await?, organization, dialect, None, None, 100_000).await?;
        Ok(all.len())
    }

    /// The live secrets in the clear, oldest first.
    pub(crate) async fn signing_secrets(&self, tx: &mut Tx, subscription: &Id) -> Result<Vec<String>> {
        let sealed = rows::live_secrets(tx, subscription, self.now()).await?;
        let open = |secret: &Secret| {
            let plain = self.key.open(&purpose(subscription, &secret.id), &secret.sealed)?;
            String::from_utf8(plain).map_err(|_| store::Error::corrupt("a subscription's secret"))
        };
        sealed.iter().map(open).collect()
    }
}
