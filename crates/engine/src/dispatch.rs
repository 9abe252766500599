//! Events to deliveries.
//!
//! An event that somebody may want is marked in its own row. One process at a time (a lease) takes marked
//! events in order, renders each once for every subscription that wants it, and commits the deliveries
//! together with taking the mark off. Killed before that commit it does the same again; the mark makes
//! sure that nothing is made twice even if two processes should believe that they hold the lease.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use store::deliveries::{Delivery, Status};
use store::events::Event;
use store::labels::Target;
use store::messages::Message;
use store::senders::Sender;
use store::subscriptions::{self, Subscription};
use store::{Id, Result, Tx, Work};
use tokio_util::sync::CancellationToken;

use crate::format::Context;
use crate::sessions::Session;
use crate::{Engine, UseCase, events};

const LEASE: &str = "dispatch";
const LEASE_MS: i64 = 10_000;
const BATCH: i64 = 200;
const LOOK_EVERY: Duration = Duration::from_millis(1000);

pub(crate) async fn run(engine: Engine, stop: CancellationToken) {
    let mut bell = engine.wake.dispatch.listen();
    while !stop.is_cancelled() {
        bell.mark();
        match step(&engine).await {
            Ok(done) if done == BATCH as usize => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "events could not be dispatched"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = bell.heard() => {}
            () = engine.clock.sleep(LOOK_EVERY) => {}
        }
    }
}

/// Dispatches one batch, if the lease is ours; returns how many events it held.
pub(crate) async fn step(engine: &Engine) -> Result<usize> {
    let found = store::events::pending(&mut *engine.db.reader().await?, BATCH).await?;
    if found.is_empty() || !engine.perform(Hold { engine: engine.clone() }).await? {
        return Ok(0);
    }
    let mut made = Vec::new();
    for event in &found {
        made.push((event.id, deliveries_of(engine, event, None).await?));
    }
    let count = found.len();
    engine.perform(Commit { engine: engine.clone(), made }).await?;
    Ok(count)
}

struct Hold {
    engine: Engine,
}

impl Work for Hold {
    type Output = bool;
    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        let (process, now) = (&self.engine.settings.process, self.engine.now());
        Ok(store::leases::take(tx, LEASE, process, now, now + LEASE_MS).await?.is_some())
    }
}

impl UseCase for Hold {}

/// What an event becomes, for one subscription or for all that want it.
pub(crate) async fn deliveries_of(
    engine: &Engine,
    event: &Event,
    only: Option<&Subscription>,
) -> Result<Vec<Delivery>> {
    let mut reader = engine.db.reader().await?;
    let wanting = match only {
        Some(only) => vec![only.clone()],
        None => {
            let (organization, sender) = (&event.organization_id, event.sender_id.as_ref());
            subscriptions::wanting(&mut reader, organization, &event.kind, sender).await?
        }
    };
    if wanting.is_empty() {
        return Ok(Vec::new());
    }
    let mut context = context(engine, &mut reader, event).await?;
    if context.message.is_some() && wanting.iter().any(|it| looks_back(engine, it)) {
        context.history = store::events::about(&mut reader, &event.subject_id).await?;
        context.history.retain(|earlier| earlier.id <= event.id);
    }
    context.referred = referred(engine, &mut reader, event, &context, &wanting).await?;
    drop(reader);
    let mut deliveries = Vec::new();
    for subscription in &wanting {
        deliveries.extend(render(engine, event, &context, subscription).await);
    }
    Ok(deliveries)
}

fn looks_back(engine: &Engine, subscription: &Subscription) -> bool {
    engine.dialect(&subscription.format).is_some_and(|dialect| dialect.format.looks_back())
}

/// The message that an event's message is about, if a format among those who want it tells of that one.
async fn referred(
    engine: &Engine,
    tx: &mut Tx,
    event: &Event,
    context: &Context,
    wanting: &[Subscription],
) -> Result<Option<Message>> {
    let Some(message) = &context.message else { return Ok(None) };
    let formats = wanting.iter().filter_map(|subscription| engine.dialect(&subscription.format));
    let Some(id) = formats.filter_map(|dialect| dialect.format.refers_to(event, message)).next() else {
        return Ok(None);
    };
    let found = store::messages::peek_by_provider_id(tx, &message.sender_id, &id).await?;
    Ok(found.filter(|found| found.organization_id == message.organization_id))
}

/// `None` when the format does not speak of such events, or cannot.
async fn render(engine: &Engine, event: &Event, context: &Context, subscription: &Subscription) -> Option<Delivery> {
    let format = &engine.dialect(&subscription.format)?.format;
    let name = format.event_name(event, context)?;
    if !format.wants(&subscription.events, name) {
        return None;
    }
    let rendered = match format.render(event, context, subscription).await {
        Ok(rendered) => rendered?,
        Err(error) => {
            tracing::error!(event = %event.id, error = &error as &dyn std::error::Error, "an event could not be rendered");
            return None;
        }
    };
    let id = engine.new_id();
    Some(Delivery {
        id,
        organization_id: event.organization_id,
        subscription_id: subscription.id,
        event_id: event.id,
        conversation_id: event.conversation_id,
        event_kind: event.kind.clone(),
        name: name.into(),
        fact_id: rendered.fact_id,
        body: rendered.body,
        headers: serde_json::to_string(&rendered.headers).unwrap_or_else(|_| "[]".into()),
        status: Status::Pending,
        ordered: subscription.ordered && event.conversation_id.is_some(),
        attempt_count: 0,
        last_attempt_at: None,
        next_attempt_at: Some(id.millis()),
        response_status: None,
        response_snippet: None,
        error: None,
        duration_ms: None,
        replayed_from: None,
        replayed: false,
        created_at: id.millis(),
        updated_at: id.millis(),
    })
}

/// What stands around an event now.
async fn context(engine: &Engine, tx: &mut Tx, event: &Event) -> Result<Context> {
    let organization = &event.organization_id;
    let sender = match &event.sender_id {
        Some(id) => engine.sender_by_id(id).await?,
        None => None,
    };
    let account = match &sender {
        Some(sender) => engine.account(&sender.account_id).await?.map(|account| account.external_id.clone()),
        None => None,
    };
    let message = match event.kind.starts_with("message.") {
        true => store::messages::get(tx, organization, &event.subject_id).await?,
        false => None,
    };
    let conversation = match &event.conversation_id {
        Some(id) => store::conversations::get(tx, organization, id).await?,
        None => None,
    };
    let contact = match (&conversation, event.kind.starts_with("contact.")) {
        (Some(conversation), _) => store::contacts::get(tx, organization, &conversation.contact_id).await?,
        (None, true) => store::contacts::get(tx, organization, &event.subject_id).await?,
        (None, false) => None,
    };
    let inbound = [events::MESSAGE_RECEIVED, events::MESSAGE_ECHOED].contains(&event.kind.as_str());
    let labels = match (&contact, &conversation) {
        (Some(contact), Some(conversation)) if inbound => labels(tx, &contact.id, &conversation.id).await?,
        _ => Vec::new(),
    };
    let media = match inbound && message.as_ref().is_some_and(|message| message.content.contains("\"media\"")) {
        true => store::media::get(tx, organization, &event.subject_id).await?,
        false => None,
    };
    let (session, token) = match &sender {
        Some(sender) => own(engine, tx, sender).await?,
        None => (None, None),
    };
    let addresses = match (&session, &contact) {
        (Some(_), Some(contact)) => store::contacts::addresses(tx, &contact.id).await?,
        _ => Vec::new(),
    };
    let senders = match (event.kind.as_str(), &sender) {
        (events::TEMPLATE_UPDATED | events::ACCOUNT_NOTICE, None) => senders_of(tx, &event.subject_id).await?,
        _ => Vec::new(),
    };
    let live = !engine.settings.sandbox;
    let history = Vec::new();
    Ok(Context {
        sender,
        account,
        conversation,
        contact,
        history,
        addresses,
        labels,
        message,
        referred: None,
        senders,
        media,
        session,
        token,
        live,
    })
}

/// Those of an account, or of the account that a template belongs to.
async fn senders_of(tx: &mut Tx, subject: &Id) -> Result<Vec<Sender>> {
    let account = store::templates::account_of(tx, subject).await?.unwrap_or(*subject);
    store::senders::list(tx, None, Some(&account)).await
}

/// The session and the key of a sender that has its own.
async fn own(engine: &Engine, tx: &mut Tx, sender: &Sender) -> Result<(Option<Session>, Option<SecretString>)> {
    if engine.provider(&sender.provider).is_none_or(|provider| provider.sessions().is_none()) {
        return Ok((None, None));
    }
    let session = store::sessions::get(tx, &sender.id).await?.map(|row| Session::of(&row, engine.now()));
    let key = store::keys::of_sender(tx, &sender.id).await?.into_iter().next();
    let token = key.map(|key| engine.token(&key)).transpose()?.flatten();
    Ok((session, token.map(SecretString::from)))
}

async fn labels(tx: &mut Tx, contact: &Id, conversation: &Id) -> Result<Vec<store::labels::Label>> {
    let mut labels = store::labels::on(tx, Target::Contact, contact).await?;
    for label in store::labels::on(tx, Target::Conversation, conversation).await? {
        if !labels.iter().any(|known| known.id == label.id) {
            labels.push(label);
        }
    }
    Ok(labels)
}

struct Commit {
    engine: Engine,
    made: Vec<(Id, Vec<Delivery>)>,
}

impl Work for Commit {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        for (event, deliveries) in &self.made {
            if !store::events::dispatched(tx, event).await? {
                continue;
            }
            for delivery in deliveries {
                insert(tx, &self.engine, delivery).await?;
            }
        }
        Ok(())
    }
}

/// The subscription may have been deleted or disabled since it was read.
async fn insert(tx: &mut Tx, engine: &Engine, delivery: &Delivery) -> Result<()> {
    let Some(subscription) = subscriptions::find_for_update(tx, &delivery.subscription_id).await? else {
        return Ok(());
    };
    if subscription.status == subscriptions::Status::Disabled {
        return Ok(());
    }
    // Given here, so that deliveries of one conversation are numbered in the order of their events.
    let delivery = Delivery { id: engine.new_id(), ..delivery.clone() };
    store::deliveries::insert(tx, &delivery).await
}

impl UseCase for Commit {
    fn committed(&self, engine: &Engine, (): &()) {
        for delivery in self.made.iter().flat_map(|(_, deliveries)| deliveries) {
            engine.wake.subscriptions.ring(delivery.subscription_id);
        }
    }
}

/// Makes deliveries of past events again, for one subscription, whatever else was delivered.
pub(crate) struct Again {
    pub engine: Engine,
    pub deliveries: Arc<Vec<Delivery>>,
}

impl Work for Again {
    type Output = usize;
    async fn run(&self, tx: &mut Tx) -> Result<usize> {
        for delivery in self.deliveries.iter() {
            insert(tx, &self.engine, delivery).await?;
        }
        Ok(self.deliveries.len())
    }
}

impl UseCase for Again {
    fn committed(&self, engine: &Engine, _: &usize) {
        engine.wake.subscriptions.ring_all();
    }
}
