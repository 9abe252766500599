//! Accepting messages to be sent, and telling what became of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use store::contacts::Address;
use store::conversations::With;
use store::jobs::{Job, State};
pub use store::messages::{Direction, Filter, Message, Span, Status};
use store::senders::Sender;
use store::templates::Template;
use store::{Id, Result, Tx, Work};

use crate::billing::{self, Bill};
use crate::content::Content;
use crate::events::{self, MessageData, Note};
use crate::failure::{Code, Failure};
use crate::provider::{CallError, ReadReceipts};
use crate::{Engine, Outcome, Refusal, UseCase, campaigns, consent, contacts, outbound, senders, templates};

/// What a caller wants to be sent.
pub struct New {
    pub sender: Arc<Sender>,
    pub to: Address,
    pub content: Content,
    /// The provider's id of the message that this one answers.
    pub reply_to: Option<String>,
    /// The provider's id for it, where the provider lets us choose it: a repeated attempt is then the same message.
    pub provider_id: Option<String>,
    /// The dialect it came through.
    pub origin: &'static str,
    pub request_id: String,
    pub terms: Terms,
}

/// On what terms a message is taken: its dialect's policy, and the caller's wishes that are handed back.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// When it matters that the recipient opted out.
    pub opted_out: Consult,
    /// When it matters that we blocked the recipient.
    pub blocked: Consult,
    /// Templates that are not approved now are refused.
    pub approved_only: bool,
    pub echo: Echo,
}

/// When something that speaks against a message is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consult {
    #[default]
    Never,
    /// For templates of the category marketing: they are refused.
    Marketing,
    /// Always: the message is refused.
    Always,
    /// Always: the message is taken, and has failed.
    Afterwards,
}

/// What the caller wants handed back with everything that is told about a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Echo {
    /// The caller's own name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Where its receipts are told besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// The verification whose code it carries, 24 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<String>,
    /// What it is one piece of: a mail to several, 24 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Which recipient of a campaign it is for: the campaign, 24 hexadecimal digits, `/`, and the place in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
}

impl Echo {
    /// As it stands with a message.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        message.echo.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    fn to_json(&self) -> Option<String> {
        (*self != Self::default()).then(|| serde_json::to_string(self).expect("texts are JSON"))
    }
}

/// Accepts a message: the message, its event and the job that will carry it, in one commit.
pub struct Send {
    engine: Engine,
    /// Boxed, for a wish is passed on from future to future, and each is as large as what it holds.
    new: Box<New>,
    kind: String,
    content: String,
    /// The template that it is made from, where that was looked up before.
    template: Option<Arc<Template>>,
    /// Somebody waits to be told.
    told: AtomicBool,
}

#[must_use]
pub fn send(engine: &Engine, new: New) -> Send {
    let (kind, content) = (new.content.kind().to_owned(), new.content.to_json());
    Send { engine: engine.clone(), new: Box::new(new), kind, content, template: None, told: AtomicBool::new(false) }
}

impl Work for Send {
    type Output = Outcome<Message>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Message>> {
        let (engine, new) = (&self.engine, &self.new);
        let template = match self.sendable(tx).await? {
            Ok(template) => template,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let sender = &*new.sender;
        let objection = self.objection(tx, template.as_deref()).await?;
        if let Some((refusal, false)) = objection {
            return Ok(Err(refusal));
        }
        let (organization, to) = (&sender.organization_id, &new.to);
        // What is taken all the same and never sent costs nothing.
        let bill = self.bill(tx, template.as_deref()).await?;
        let bill = if objection.is_some() { bill.map(Bill::unreserved) } else { bill };
        // The balance is locked before the conversation, as by everybody who sends.
        if let Some(bill) = bill.as_ref().filter(|bill| bill.is_reserved())
            && !billing::take(tx, engine, organization, bill).await?
        {
            return Ok(Err(Refusal::BalanceTooLow));
        }
        let known = store::conversations::with_address(tx, organization, &sender.id, &to.kind, &to.value).await?;
        let with = match known {
            Some(with) => with,
            None => self.begin(tx).await?,
        };
        // Made when the conversation is locked, so that ids grow within it.
        let message = self.message(engine.new_id(), with, bill.as_ref());
        store::conversations::wrote(tx, &with.conversation, &message.id, message.created_at).await?;
        if !store::messages::insert(tx, &message, with.last_message.as_ref()).await? {
            return Err(store::Error::Exists("messages_by_provider_id".into()));
        }
        if let Some(bill) = bill.filter(Bill::is_reserved) {
            billing::reserved(tx, engine, &message, &bill).await?;
        }
        let data = MessageData { request_id: message.request_id.clone(), ..MessageData::default() };
        let note = Note::about(organization, events::MESSAGE_CREATED, &message);
        self.tell(events::append(tx, engine, note, &data).await?);
        match objection {
            Some((refusal, _)) => self.fail(tx, &message, &refusal).await?,
            None => store::jobs::insert(tx, &job(&message)).await?,
        }
        Ok(Ok(message))
    }
}

/// Accepts several messages, or none of them.
pub struct SendAll(Vec<Send>);

#[must_use]
pub fn send_all(engine: &Engine, news: Vec<New>) -> SendAll {
    SendAll(news.into_iter().map(|new| send(engine, new)).collect())
}

impl Work for SendAll {
    type Output = Outcome<Vec<Message>>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Vec<Message>>> {
        if !self.is_covered(tx).await? {
            return Ok(Err(Refusal::BalanceTooLow));
        }
        let mut messages = Vec::with_capacity(self.0.len());
        for send in &self.0 {
            match send.run(tx).await? {
                Ok(message) => messages.push(message),
                // What was written before is undone with the transaction.
                Err(refusal) if messages.is_empty() => return Ok(Err(refusal)),
                Err(refusal) => return Err(store::Error::Refused(refusal.to_string())),
            }
        }
        Ok(Ok(messages))
    }
}

impl SendAll {
    /// Whether there is money for all of them.
    async fn is_covered(&self, tx: &mut Tx) -> Result<bool> {
        let Some(first) = self.0.first().filter(|first| first.engine.settings.billing.metering) else {
            return Ok(true);
        };
        let mut bills = Vec::with_capacity(self.0.len());
        for send in &self.0 {
            // What is refused for another reason says so itself.
            let Ok(template) = send.sendable(tx).await? else { return Ok(true) };
            bills.extend(send.bill(tx, template.as_deref()).await?.filter(Bill::is_reserved));
        }
        billing::covers(tx, &first.new.sender.organization_id, &bills).await
    }
}

impl UseCase for SendAll {
    fn committed(&self, engine: &Engine, output: &Outcome<Vec<Message>>) {
        let Ok(messages) = output else { return };
        for (send, message) in self.0.iter().zip(messages) {
            send.committed(engine, &Ok(message.clone()));
        }
    }
}

fn job(message: &Message) -> Job {
    Job {
        id: message.id,
        organization_id: message.organization_id,
        kind: outbound::SEND.into(),
        lane: message.sender_id,
        state: State::Ready,
        attempts: 0,
        due_at: message.created_at,
        called_at: None,
        created_at: message.created_at,
    }
}

impl Send {
    /// The same for one of many in one transaction: their template is looked up once.
    #[must_use]
    pub(crate) fn of(self, template: Arc<Template>) -> Self {
        Self { template: Some(template), ..self }
    }

    fn tell(&self, pending: bool) {
        self.told.fetch_or(pending, Ordering::Relaxed);
    }

    /// Whether the sender may send; with the template where it is one.
    pub(crate) async fn sendable(&self, tx: &mut Tx) -> Result<Outcome<Option<Arc<Template>>>> {
        let sender = &*self.new.sender;
        if sender.status != senders::CONNECTED {
            let (status, reason) = (sender.status.clone(), sender.status_reason.clone());
            return Ok(Err(Refusal::NotConnected { status, reason }));
        }
        let Content::Template(wanted) = &self.new.content else { return Ok(Ok(None)) };
        let found = match &self.template {
            Some(template) => Some(template.clone()),
            None => {
                let (account, name, language) = (&sender.account_id, &wanted.name, &wanted.language);
                store::templates::find(tx, account, None, name, language).await?.map(Arc::new)
            }
        };
        let good = |it: &Arc<Template>| !self.new.terms.approved_only || it.status == templates::APPROVED;
        Ok(found.filter(good).map(Some).ok_or(Refusal::UnknownTemplate))
    }

    /// What speaks against the message by the terms on which it is taken, and whether it is taken all the same.
    async fn objection(&self, tx: &mut Tx, template: Option<&Template>) -> Result<Option<(Refusal, bool)>> {
        let (sender, to, terms) = (&*self.new.sender, &self.new.to, &self.new.terms);
        let marketing = template.is_some_and(|it| it.category.eq_ignore_ascii_case(templates::MARKETING));
        let looks = |consult| match consult {
            Consult::Never => false,
            Consult::Marketing => marketing,
            Consult::Always | Consult::Afterwards => true,
        };
        if looks(terms.opted_out)
            && store::opt_outs::exists(tx, &sender.organization_id, to, &sender.channel, consent::MARKETING).await?
        {
            return Ok(Some((Refusal::OptedOut, terms.opted_out == Consult::Afterwards)));
        }
        if looks(terms.blocked) && store::contacts::is_blocked(tx, &sender.organization_id, to).await? {
            return Ok(Some((Refusal::Blocked, terms.blocked == Consult::Afterwards)));
        }
        Ok(None)
    }

    /// What it costs.
    async fn bill(&self, tx: &mut Tx, template: Option<&Template>) -> Result<Option<Bill>> {
        let (sender, category) = (&*self.new.sender, template.map(|template| template.category.as_str()));
        billing::estimate(tx, &self.engine, sender, &self.new.to, &self.new.content, category).await
    }

    /// Taken, and never to be sent. The caller still hears of it as of a message that waits: the failure is told.
    async fn fail(&self, tx: &mut Tx, message: &Message, refusal: &Refusal) -> Result<()> {
        let code = match refusal {
            Refusal::Blocked => Code::RecipientBlocked,
            _ => Code::RecipientOptedOut,
        };
        let failure = Failure { code, message: refusal.to_string(), provider_code: None, details: None };
        let failed = Message {
            status: Status::Failed,
            receipts: Status::Failed.bit(),
            error: serde_json::to_string(&failure).ok(),
            ..message.clone()
        };
        store::messages::advance(tx, &failed).await?;
        let data = MessageData { failure: Some(failure), ..MessageData::default() };
        let note = Note::about(&message.organization_id, events::MESSAGE_FAILED, message);
        let told = events::append(tx, &self.engine, note, &data).await?;
        self.tell(told);
        Ok(())
    }

    /// The first conversation of the sender with somebody, whom we may not know either.
    async fn begin(&self, tx: &mut Tx) -> Result<With> {
        let (engine, sender, to) = (&self.engine, &*self.new.sender, &self.new.to);
        let organization = &sender.organization_id;
        let (contact, fresh) = contacts::ensure(tx, engine, sender, std::slice::from_ref(to), None).await?;
        let id = engine.new_id();
        let conversation =
            store::conversations::ensure(tx, &id, organization, &sender.id, &contact, id.millis()).await?;
        store::contacts::ensure_link(tx, &contact, &sender.id).await?;
        if fresh {
            let note = Note::new(organization, events::CONTACT_CREATED, &contact).of_sender(&sender.id);
            self.tell(events::append(tx, engine, note, &serde_json::json!({ "source": "outbound" })).await?);
        }
        if conversation.id == id {
            let note = Note::new(organization, events::CONVERSATION_STARTED, &id).in_conversation(&conversation);
            self.tell(events::append_if_wanted(tx, engine, note, &serde_json::json!({})).await?);
        }
        Ok(With { conversation: conversation.id, contact, last_message: conversation.last_message })
    }

    fn message(&self, id: Id, with: With, bill: Option<&Bill>) -> Message {
        let new = &self.new;
        Message {
            id,
            organization_id: new.sender.organization_id,
            sender_id: new.sender.id,
            conversation_id: with.conversation,
            contact_id: with.contact,
            direction: Direction::Outbound,
            kind: self.kind.clone(),
            content: self.content.clone(),
            reply_to: new.reply_to.clone(),
            address: new.to.value.clone(),
            status: Status::Pending,
            receipts: 0,
            error: None,
            provider_id: new.provider_id.clone(),
            chat: String::new(),
            author: String::new(),
            origin: new.origin.into(),
            request_id: Some(new.request_id.clone()),
            echo: new.terms.echo.to_json(),
            billing: bill.map(Bill::to_json),
            created_at: id.millis(),
            updated_at: id.millis(),
        }
    }
}

impl UseCase for Send {
    fn committed(&self, engine: &Engine, output: &Outcome<Message>) {
        if output.is_ok() {
            crate::metrics::accepted(self.new.origin);
            engine.wake.senders.ring(self.new.sender.id);
            if self.told.load(Ordering::Relaxed) {
                engine.wake.dispatch.ring();
            }
        }
    }
}

/// Why a message could not be marked as read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("there is no such message")]
    UnknownMessage,
    #[error("this channel has no read receipts")]
    Unsupported,
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Tells a person that what they wrote was read, up to this message; then counts what is still unread.
pub async fn mark_read(
    engine: &Engine,
    sender: &Sender,
    provider_id: &str,
    typing: bool,
) -> std::result::Result<Message, ReadError> {
    if sender.status != senders::CONNECTED {
        let (status, reason) = (sender.status.clone(), sender.status_reason.clone());
        return Err(Refusal::NotConnected { status, reason }.into());
    }
    let found = store::messages::peek_by_provider_id(&mut *engine.db.reader().await?, &sender.id, provider_id).await?;
    let inbound = |message: &Message| message.direction == Direction::Inbound;
    let mut message = found.filter(inbound).ok_or(ReadError::UnknownMessage)?;
    let provider = engine.provider(&sender.provider).ok_or(ReadError::Unsupported)?;
    let receipts: &dyn ReadReceipts = provider.read_receipts().ok_or(ReadError::Unsupported)?;
    let account = engine.account(&sender.account_id).await?.ok_or(ReadError::UnknownMessage)?;
    receipts.mark_read(&account, sender, provider_id, typing).await?;
    engine.perform(ReadUpTo { conversation: message.conversation_id, message: message.id, now: engine.now() }).await?;
    message.status = Status::Read;
    Ok(message)
}

struct ReadUpTo {
    conversation: Id,
    message: Id,
    now: i64,
}

impl Work for ReadUpTo {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        store::conversations::lock(tx, &self.conversation).await?;
        let unread = store::messages::read_up_to(tx, &self.conversation, &self.message, self.now).await?;
        store::conversations::set_unread(tx, &self.conversation, unread).await
    }
}

impl UseCase for ReadUpTo {}

/// A message as it stands once its sending was answered, for good or ill, or when the time is over: then it is pending
/// still.
pub async fn settled(engine: &Engine, id: &Id, timeout: Duration) -> Result<Message> {
    let deadline = engine.now() + i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX / 4);
    let mut bell = engine.wake.settled.listen(*id);
    loop {
        bell.mark();
        let found = store::messages::find(&mut *engine.db.reader().await?, id).await?;
        let message = found.ok_or(store::Error::Dangling)?;
        if message.status != Status::Pending || engine.now() >= deadline {
            return Ok(message);
        }
        let look = deadline.min(engine.now() + LOOK_EVERY_MS);
        tokio::select! {
            () = bell.heard() => {}
            () = engine.clock.sleep_until(look) => {}
        }
    }
}

/// How often a message is looked at whose answer another process records.
const LOOK_EVERY_MS: i64 = 500;

/// Takes a message back that was not handed over. `true`: nothing of it was or will be sent, and it failed as
/// withdrawn, and the id that was chosen for it is free again; `false`: it may be on its way.
pub async fn withdraw(engine: &Engine, id: &Id) -> Result<bool> {
    engine.perform(Withdraw { engine: engine.clone(), id: *id }).await
}

struct Withdraw {
    engine: Engine,
    id: Id,
}

impl Work for Withdraw {
    type Output = bool;
    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        // The message's lock comes first, as in a claim: whoever is second sees what the first did.
        let Some(mut message) = store::messages::get_for_update(tx, &self.id).await? else { return Ok(false) };
        let Some(job) = store::jobs::about(tx, &self.id).await? else { return Ok(false) };
        let may_be_out = job.state == State::Called || job.called_at.is_some();
        if job.kind != outbound::SEND || may_be_out || !store::jobs::is_at(tx, &job).await? {
            return Ok(false);
        }
        store::jobs::delete(tx, &self.id).await?;
        let failure = Failure {
            code: Code::Withdrawn,
            message: "It was withdrawn before it was sent.".into(),
            provider_code: None,
            details: None,
        };
        (message.status, message.error) = (Status::Failed, serde_json::to_string(&failure).ok());
        (message.receipts, message.updated_at) = (message.receipts | Status::Failed.bit(), self.engine.now());
        store::messages::advance(tx, &message).await?;
        billing::settle(tx, &self.engine, &message, None).await?;
        store::messages::unname(tx, &self.id).await?;
        let data = MessageData { failure: Some(failure), ..MessageData::default() };
        let note = Note::about(&message.organization_id, events::MESSAGE_FAILED, &message);
        events::append(tx, &self.engine, note, &data).await?;
        campaigns::Moves::of(tx, &message).await?;
        Ok(true)
    }
}

impl UseCase for Withdraw {
    fn committed(&self, engine: &Engine, _: &bool) {
        engine.wake.settled.ring(&self.id);
        engine.wake.dispatch.ring();
    }
}

impl Engine {
    /// A message of a sender.
    pub async fn message(&self, organization: &Id, sender: &Id, id: &Id) -> Result<Option<Message>> {
        let found = store::messages::get(&mut *self.db.reader().await?, organization, id).await?;
        Ok(found.filter(|message| message.sender_id == *sender))
    }

    /// A message of any of an organization's senders.
    pub async fn message_of(&self, organization: &Id, id: &Id) -> Result<Option<Message>> {
        store::messages::get(&mut *self.db.reader().await?, organization, id).await
    }

    /// What an organization sent over a channel, newest first.
    pub async fn sent_on(
        &self,
        organization: &Id,
        channel: &str,
        span: &Span,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Message>> {
        store::messages::sent_on(&mut *self.db.reader().await?, organization, channel, span, limit, offset).await
    }

    pub async fn count_sent_on(&self, organization: &Id, channel: &str, span: &Span) -> Result<i64> {
        store::messages::count_sent_on(&mut *self.db.reader().await?, organization, channel, span).await
    }

    /// What happened to a message, oldest first; whose it is the caller knows.
    pub async fn message_events(&self, id: &Id) -> Result<Vec<events::Event>> {
        store::events::about(&mut *self.db.reader().await?, id).await
    }

    /// A message of a sender by the provider's id for it.
    pub async fn message_by_provider_id(
        &self,
        organization: &Id,
        sender: &Id,
        provider_id: &str,
    ) -> Result<Option<Message>> {
        let found = store::messages::peek_by_provider_id(&mut *self.db.reader().await?, sender, provider_id).await?;
        Ok(found.filter(|message| message.organization_id == *organization))
    }

    /// Newest first.
    pub async fn messages(&self, organization: &Id, sender: &Id, filter: &Filter, limit: i64) -> Result<Vec<Message>> {
        store::messages::list(&mut *self.db.reader().await?, organization, sender, filter, limit).await
    }
}
