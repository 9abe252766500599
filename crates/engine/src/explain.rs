//! The whole story of a message, event, delivery, verification, campaign, contact or template, from the rows that it left.

use store::campaigns::Campaign;
use store::deliveries::Delivery;
use store::events::Event;
use store::messages::Message;
use store::verifications::Verification;
use store::{Id, Reader, Result};

use crate::events::{MessageData, NumberData, SessionData};
use crate::{Engine, billing, campaigns, clock};

/// One line of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Milliseconds.
    pub at: i64,
    pub text: String,
    /// How far it is set in.
    pub depth: usize,
}

impl Line {
    pub(crate) fn new(at: i64, depth: usize, text: impl Into<String>) -> Self {
        Self { at, depth, text: text.into() }
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}  {}{}", clock::rfc3339(self.at), "  ".repeat(self.depth), self.text)
    }
}

/// Tells the story behind an id in any spelling: with or without a dialect's prefix, the provider's own, or what
/// subscribers are told of a receipt: a message's id, a colon and the status. Empty: nothing is known of it.
pub async fn explain(engine: &Engine, spelling: &str) -> Result<Vec<Line>> {
    let lines = behind(engine, spelling).await?;
    match spelling.rsplit_once(':') {
        Some((message, _)) if lines.is_empty() => behind(engine, message).await,
        _ => Ok(lines),
    }
}

async fn behind(engine: &Engine, spelling: &str) -> Result<Vec<Line>> {
    let mut reader = engine.db.reader().await?;
    if let Some(message) = store::messages::anywhere_by_provider_id(&mut reader, spelling).await?.first() {
        return story(engine, &mut reader, message).await;
    }
    let Some(id) = parse(spelling) else { return Ok(Vec::new()) };
    if let Some(message) = store::messages::find(&mut reader, &id).await? {
        return story(engine, &mut reader, &message).await;
    }
    if let Some(delivery) = store::deliveries::find(&mut reader, &id).await? {
        return about_delivery(engine, &mut reader, &delivery).await;
    }
    if let Some(event) = store::events::get(&mut reader, &id).await? {
        return about_event(engine, &mut reader, &event).await;
    }
    if let Some(verification) = store::verifications::find(&mut reader, &id).await? {
        return about_verification(engine, &mut reader, &verification).await;
    }
    if let Some(campaign) = store::campaigns::find(&mut reader, &id).await? {
        return about_campaign(&mut reader, &campaign).await;
    }
    let mut lines = match store::numbers::find(&mut reader, &id).await? {
        Some(order) => crate::numbers::tell(&mut reader, order).await?,
        None => Vec::new(),
    };
    for event in store::events::about(&mut reader, &id).await? {
        tell_event(&mut reader, &event, &mut lines).await?;
    }
    Ok(lines)
}

/// All spellings of an id.
fn parse(spelling: &str) -> Option<Id> {
    let bare = spelling.rsplit('_').next().unwrap_or(spelling);
    Id::parse_hex24(bare).or_else(|| Id::parse_ulid(&bare.to_uppercase())).or_else(|| Id::parse_hex32(bare))
}

async fn story(engine: &Engine, reader: &mut Reader, message: &Message) -> Result<Vec<Line>> {
    let mut lines = vec![Line::new(message.created_at, 0, headline(message))];
    if let Some((campaign, position)) = campaigns::of_message(message) {
        lines.push(Line::new(message.created_at, 0, format!("it is for recipient {position} of campaign {campaign}")));
    }
    for event in store::events::about(reader, &message.id).await? {
        tell_event(reader, &event, &mut lines).await?;
    }
    if let Some(job) = store::jobs::about(reader, &message.id).await? {
        let state = match job.state {
            store::jobs::State::Ready => "waits for its next attempt",
            store::jobs::State::Reserved => "waits behind another message of its conversation",
            store::jobs::State::Called => "is with the provider; no answer is recorded",
            store::jobs::State::Unknown => "waits for a receipt: what came of the last attempt is unknown",
        };
        lines.push(Line::new(
            job.due_at,
            0,
            format!("next: {} job {state} (attempts so far: {})", job.kind, job.attempts),
        ));
    }
    hold(engine, reader, message, &mut lines).await?;
    for entry in store::billing::entries_about(reader, &message.id).await? {
        let amount = billing::spelt(entry.amount);
        lines.push(Line::new(entry.created_at, 0, format!("money {}: {amount} {}", entry.kind, entry.currency)));
    }
    if let Some(media) = store::media::get(reader, &message.organization_id, &message.id).await? {
        let reason = media.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        lines.push(Line::new(media.updated_at, 0, format!("its file ({}) is {}{reason}", media.mime, media.status)));
    }
    Ok(lines)
}

/// How it stands, and what carried its code.
async fn about_verification(engine: &Engine, reader: &mut Reader, it: &Verification) -> Result<Vec<Line>> {
    let text = format!(
        "verification {} of {} over {}: {}, wrong answers so far: {}, good until {}",
        it.id,
        it.address.value,
        it.channel,
        it.status,
        it.wrong,
        clock::rfc3339(it.expires_at),
    );
    let mut lines = vec![Line::new(it.created_at, 0, text)];
    for id in it.message_id.iter().chain(&it.fallback_id) {
        if let Some(message) = store::messages::find(reader, id).await? {
            lines.extend(story(engine, reader, &message).await?);
        }
    }
    Ok(lines)
}

/// How it stands, and what happened to it; its messages have stories of their own.
async fn about_campaign(reader: &mut Reader, it: &Campaign) -> Result<Vec<Line>> {
    let because = it.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let text = format!("campaign {} {:?} of sender {}: {}{because}", it.id, it.name, it.sender_id, it.state.as_str());
    let counts = &it.counts;
    let people = format!(
        "{} recipients: {} pending, {} queued, {} sent ({} delivered, {} read), {} failed",
        counts.total(),
        counts.pending,
        counts.queued,
        counts.sent_in_all(),
        counts.delivered_in_all(),
        counts.read,
        counts.failed
    );
    let mut lines = vec![Line::new(it.created_at, 0, text), Line::new(it.updated_at, 0, people)];
    for event in store::events::about(reader, &it.id).await? {
        let told: campaigns::Told = serde_json::from_str(&event.data).unwrap_or_default();
        let because = told.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        let text = format!("{} (event {}), {}{because}", event.kind, event.id, told.state);
        lines.push(Line::new(event.created_at, 1, text));
        for delivery in store::deliveries::of_event(reader, &event.id).await? {
            tell_delivery(reader, &delivery, &mut lines).await?;
        }
    }
    if let Some(job) = store::jobs::about(reader, &it.id).await? {
        let what = if it.state == campaigns::State::Scheduled { "it begins" } else { "its next turn" };
        lines.push(Line::new(it.resumes_at.unwrap_or(job.due_at), 0, format!("next: {what}")));
    }
    Ok(lines)
}

/// Why nothing of its sender moves, if so.
async fn hold(engine: &Engine, reader: &mut Reader, message: &Message, lines: &mut Vec<Line>) -> Result<()> {
    if message.status != store::messages::Status::Pending {
        return Ok(());
    }
    for (sender, until, reason) in store::lanes::held(reader, engine.now()).await? {
        if sender == message.sender_id {
            let reason = reason.unwrap_or_else(|| "no reason given".into());
            lines.push(Line::new(until, 0, format!("its sender is held until then: {reason}")));
        }
    }
    Ok(())
}

fn headline(message: &Message) -> String {
    let way = match message.direction {
        store::messages::Direction::Outbound => "to",
        store::messages::Direction::Inbound => "from",
    };
    let provider_id = message.provider_id.as_deref().unwrap_or("not known to the provider");
    format!(
        "message {} {way} {}: {}, now {} ({provider_id}), came through {}",
        message.id,
        message.address,
        message.kind,
        message.status.as_str(),
        message.origin,
    )
}

async fn tell_event(reader: &mut Reader, event: &Event, lines: &mut Vec<Line>) -> Result<()> {
    lines.push(Line::new(event.created_at, 1, describe(event)));
    for delivery in store::deliveries::of_event(reader, &event.id).await? {
        tell_delivery(reader, &delivery, lines).await?;
    }
    Ok(())
}

fn describe(event: &Event) -> String {
    let data: MessageData = serde_json::from_str(&event.data).unwrap_or_default();
    let mut text = format!("{} (event {})", event.kind, event.id);
    let mut add = |part: Option<String>| text.extend(part.map(|part| format!(", {part}")));
    if event.kind.starts_with("session.") {
        let session: SessionData = serde_json::from_str(&event.data).unwrap_or_default();
        add(session.name);
        add(session.state.map(|state| format!("now {state}")));
        add(session.previous.map(|state| format!("before {state}")));
        add(session.next_step.map(|step| format!("next: {step}")));
    }
    if event.kind.starts_with("number.") {
        let number: NumberData = serde_json::from_str(&event.data).unwrap_or_default();
        add(number.number);
        add(Some(format!("now {}", number.state)));
        add(number.previous.map(|state| format!("before {state}")));
    }
    add(data.late.then(|| "it came after an outage".to_owned()));
    add(data.attempt.map(|attempt| format!("attempt {attempt}")));
    add(data.provider_id.map(|id| format!("provider's id {id}")));
    add(data.failure.map(|failure| {
        let code = failure.provider_code.map(|code| format!(" [{code}]")).unwrap_or_default();
        let details = failure.details.map(|details| format!(" — {details}")).unwrap_or_default();
        format!("{}{code}{details}", failure.message)
    }));
    add(data.reason);
    add(data.request_id.map(|id| format!("request {id}")));
    add(data.next_at.map(|at| format!("next try at {}", clock::rfc3339(at))));
    add(event.pending.then(|| "waits to be dispatched".to_owned()));
    text
}

async fn tell_delivery(reader: &mut Reader, delivery: &Delivery, lines: &mut Vec<Line>) -> Result<()> {
    let again = delivery.replayed_from.map(|id| format!(", a replay of {id}")).unwrap_or_default();
    let target = store::subscriptions::find(reader, &delivery.subscription_id).await?;
    let url = target.map_or_else(|| "a deleted subscription".to_owned(), |target| target.url);
    let text = format!("webhook {} ({}) to {url}: {}{again}", delivery.id, delivery.name, delivery.status.as_str());
    lines.push(Line::new(delivery.created_at, 2, text));
    let attempts = store::deliveries::attempts(reader, &delivery.id).await?;
    let told = attempts.len();
    for attempt in attempts {
        let text = format!("attempt {}: {} ({} ms)", attempt.number, attempt.outcome, attempt.duration_ms);
        lines.push(Line::new(attempt.started_at, 3, text));
    }
    if told == 0 && delivery.status == store::deliveries::Status::Succeeded {
        let status = delivery.response_status.unwrap_or(0);
        let text = format!("attempt 1: delivered, answered {status} ({} ms)", delivery.duration_ms.unwrap_or(0));
        lines.push(Line::new(delivery.last_attempt_at.unwrap_or(delivery.updated_at), 3, text));
    }
    if let Some(next) = delivery.next_attempt_at {
        lines.push(Line::new(next, 3, "next attempt"));
    }
    Ok(())
}

async fn about_event(engine: &Engine, reader: &mut Reader, event: &Event) -> Result<Vec<Line>> {
    if let Some(message) = store::messages::find(reader, &event.subject_id).await? {
        return story(engine, reader, &message).await;
    }
    let mut lines = Vec::new();
    tell_event(reader, event, &mut lines).await?;
    Ok(lines)
}

async fn about_delivery(engine: &Engine, reader: &mut Reader, delivery: &Delivery) -> Result<Vec<Line>> {
    match store::events::get(reader, &delivery.event_id).await? {
        Some(event) => about_event(engine, reader, &event).await,
        None => {
            let mut lines = Vec::new();
            tell_delivery(reader, delivery, &mut lines).await?;
            Ok(lines)
        }
    }
}
