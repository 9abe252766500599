//! One template to many people: how a campaign is written, what can be done with it, and what becomes of each of them.

use std::collections::HashMap;
use std::time::Duration;

use engine::campaigns::{
    self, Addressee, Campaign, Change, Counts, Filter, Outcome, Refusal, Standing, State, Whose, Wish,
};
use engine::consent::{self, Wish as Consent};
use engine::contacts::{Address, PHONE};
use engine::content::Template;
use engine::events::{CAMPAIGN_UPDATED, MESSAGE_CREATED, MESSAGE_FAILED, MESSAGE_SUBMITTED};
use engine::explain::{Line, explain};
use engine::facts::TemplateState;
use engine::failure::{Code, SendError};
use engine::{Id, directory, templates};
use serde_json::json;
use store::{Result, Tx, Work};
use testkit::{DIALECT, House, Reply, on_both};

use crate::{millis, seconds};

pub const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub fn phone(value: &str) -> Address {
    Address { kind: PHONE.into(), value: value.into() }
}

/// One of many customers.
pub fn customer(number: usize) -> String {
    format!("+1555040{number:04}")
}

pub fn customers(count: usize) -> Vec<Addressee> {
    (0..count).map(|number| addressee(&customer(number))).collect()
}

pub fn addressee(value: &str) -> Addressee {
    let variables = json!({ "1": value }).as_object().unwrap().clone();
    Addressee { address: phone(value), name: None, variables }
}

/// Has the provider say that it has one template, in this state; or none.
pub async fn approve(house: &House, status: Option<&str>) {
    let account = house.engine.account(&house.account).await.unwrap().unwrap();
    let state = |status: &str| TemplateState {
        external_id: "1".into(),
        name: "sale".into(),
        language: "en".into(),
        category: "MARKETING".into(),
        status: status.into(),
        status_reason: None,
        quality: None,
        body: "Hello {{1}}".into(),
        variables: vec!["1".into()],
        components: "[]".into(),
    };
    let states = status.map(state).into_iter().collect();
    house.engine.perform(templates::Sync { engine: house.engine.clone(), account, states }).await.unwrap();
}

pub fn new(house: &House, recipients: Vec<Addressee>) -> campaigns::New {
    campaigns::New {
        organization: house.organization.id,
        sender: house.sender.clone(),
        origin: DIALECT,
        name: "Sale".into(),
        description: None,
        template: Template { name: "sale".into(), language: "en".into(), components: None },
        recipients,
    }
}

/// A draft for these people, with its template approved.
pub async fn draft(house: &House, recipients: Vec<Addressee>) -> Id {
    approve(house, Some(templates::APPROVED)).await;
    let create = campaigns::create(&house.engine, new(house, recipients));
    house.engine.perform(create).await.unwrap().id
}

pub fn whose(house: &House, id: &Id) -> Whose {
    Whose { organization: house.organization.id, id: *id }
}

pub async fn wish(house: &House, id: &Id, wish: Wish) -> Outcome<Campaign> {
    house.engine.perform(Change { engine: house.engine.clone(), whose: whose(house, id), wish }).await.unwrap()
}

pub async fn campaign(house: &House, id: &Id) -> Campaign {
    house.engine.campaign(&house.organization.id, id).await.unwrap().unwrap()
}

/// Everybody's standing, by address, after making sure that it is what the counts and the messages say.
pub async fn standings(house: &House, id: &Id) -> HashMap<String, Standing> {
    let it = campaign(house, id).await;
    let all = house.engine.campaign_recipients(&it, &[], 100_000, 0).await.unwrap();
    let mut counted = Counts::default();
    for person in &all {
        *counted.of(person.standing) += 1;
        if let Some(message) = person.message_id {
            let status = house.message(&message).await.status.as_str();
            let word = if person.standing == Standing::Queued { "pending" } else { person.standing.as_str() };
            assert_eq!(status, word, "{}", person.address.value);
        }
    }
    assert_eq!(it.counts, counted);
    all.into_iter().map(|person| (person.address.value, person.standing)).collect()
}

/// Until nothing more happens with it by itself.
pub async fn run(house: &House, id: &Id) -> Campaign {
    for _ in 0..10_000 {
        house.settle().await;
        let it = campaign(house, id).await;
        if it.state != State::Sending {
            return it;
        }
        house.advance(millis(250));
    }
    panic!("it never ended: {:?}", campaign(house, id).await);
}

pub async fn opt_out(house: &House, value: &str) {
    let wish = Consent {
        organization: house.organization.id,
        addresses: vec![phone(value)],
        channel: "whatsapp".into(),
        purpose: consent::MARKETING.into(),
        wanted: false,
        source: consent::BY_CALLER,
        proof: None,
        region: None,
    };
    house.engine.perform(consent::Enter { engine: house.engine.clone(), wish }).await.unwrap();
}

struct Block {
    organization: Id,
    id: Id,
}

impl Work for Block {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let found = store::contacts::get(tx, &self.organization, &self.id).await?.unwrap();
        store::contacts::update(tx, &store::contacts::Contact { blocked: true, ..found }).await
    }
}

async fn block(house: &House, value: &str) {
    let create = directory::Create {
        engine: house.engine.clone(),
        organization: house.organization.id,
        phone: value.into(),
        change: directory::Change::default(),
    };
    let id = house.engine.perform(create).await.unwrap().unwrap().contact.id;
    house.engine.db.write(Block { organization: house.organization.id, id }).await.unwrap();
}

async fn told(house: &House, spelling: &str) -> Vec<String> {
    explain(&house.engine, spelling).await.unwrap().iter().map(Line::to_string).collect()
}

on_both! {
    async fn each_gets_a_message_or_has_a_reason(house: &mut House) {
        let (good, gone, silent, blocked, wrong) =
            ("+15550400001", "+15550400002", "+15550400003", "+15550400004", "+15");
        opt_out(house, silent).await;
        block(house, blocked).await;
        house.provider.will_to(gone, [Reply::Fails(SendError::refused(Code::RecipientUnreachable, "not on it"))]);
        let id = draft(house, [good, gone, silent, blocked, wrong].map(addressee).into()).await;
        house.settle().await;
        assert!(house.provider.calls().is_empty(), "a draft waits");
        assert_eq!(wish(house, &id, Wish::Start).await.unwrap().state, State::Sending);
        let done = run(house, &id).await;
        assert_eq!((done.state, done.reason), (State::Completed, None));
        assert!(done.started_at.is_some() && done.completed_at.is_some());
        assert_eq!(done.counts, Counts { sent: 1, failed: 4, ..Counts::default() });
        standings(house, &id).await;

        let calls = house.provider.calls();
        let to: Vec<_> = calls.iter().map(|call| (call.to.as_str(), call.components.clone().unwrap())).collect();
        assert_eq!(to, [(good, json!({"1": good})), (gone, json!({"1": gone}))]);
        let all = house.engine.campaign_recipients(&campaign(house, &id).await, &[], 10, 0).await.unwrap();
        let why: Vec<_> = all.iter().map(|person| campaigns::failure(person).map(|failure| failure.code)).collect();
        let unreachable = Some(Code::RecipientUnreachable);
        let opted_out = Some(Code::RecipientOptedOut);
        assert_eq!(why, [None, unreachable, opted_out, Some(Code::RecipientBlocked), unreachable]);
        let has_message: Vec<_> = all.iter().map(|person| person.message_id.is_some()).collect();
        assert_eq!(has_message, [true, true, false, false, false]);
        assert_eq!((all[0].sent_at.is_some(), all[0].failed_at), (true, None));
        assert_eq!((all[2].sent_at, all[2].failed_at.is_some()), (None, true));

        let [first, second] = [0, 1].map(|place: usize| all[place].message_id.unwrap());
        assert_eq!(house.story(&first).await, [MESSAGE_CREATED, MESSAGE_SUBMITTED]);
        assert_eq!(house.story(&second).await, [MESSAGE_CREATED, MESSAGE_FAILED]);
        assert_eq!(house.story(&id).await, [CAMPAIGN_UPDATED; 3], "drafted, started, completed");
        let story = told(house, &id.hex24()).await;
        assert!(story[0].contains("completed") && story[1].contains("5 recipients"), "{story:?}");
        let story = told(house, &first.hex24()).await;
        assert!(story[1].contains(&format!("recipient 1 of campaign {id}")), "{story:?}");
    }

    async fn nobody_stands_in_a_draft_twice(house: &mut House) {
        let id = draft(house, customers(3)).await;
        let add = async |recipients| {
            let add = campaigns::Add { engine: house.engine.clone(), whose: whose(house, &id), recipients };
            house.engine.perform(add).await.unwrap()
        };
        let mut some = customers(120);
        some.push(addressee(&customer(119)));
        let added = add(some).await.unwrap();
        assert_eq!((added.added, added.duplicates, added.total), (117, 4, 120));
        assert_eq!(add(customers(1001)).await.unwrap_err(), Refusal::TooMany { most: 1000 });
        let remove = campaigns::Remove {
            engine: house.engine.clone(),
            whose: whose(house, &id),
            addresses: vec![phone(&customer(0)), phone(&customer(119)), phone("+15559999999")],
        };
        let removed = house.engine.perform(remove).await.unwrap().unwrap();
        assert_eq!((removed.removed, removed.total), (2, 118));
        assert_eq!(add(customers(1)).await.unwrap().total, 119, "who was taken out can come back, to the end");
        let it = campaign(house, &id).await;
        let page = house.engine.campaign_recipients(&it, &[Standing::Pending], 2, 117).await.unwrap();
        let page: Vec<_> = page.into_iter().map(|person| person.address.value).collect();
        assert_eq!(page, [customer(118), customer(0)]);
        assert!(house.engine.campaign_recipients(&it, &[Standing::Sent], 10, 0).await.unwrap().is_empty());
        assert_eq!(standings(house, &id).await.len(), 119);
    }

    /// By whom it is seen, and in which order.
    async fn campaigns_are_their_organizations_own(house: &mut House) {
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(draft(house, customers(1)).await);
            house.advance(seconds(1));
        }
        wish(house, &ids[1], Wish::Start).await.unwrap();
        let list = async |filter: Filter, limit, offset| {
            let organization = &house.organization.id;
            let found = house.engine.campaigns(organization, &filter, limit, offset).await.unwrap();
            let count = house.engine.count_campaigns(organization, &filter).await.unwrap();
            (found.into_iter().map(|it| (it.id, it.counts.total())).collect::<Vec<_>>(), count)
        };
        assert_eq!(list(Filter::default(), 2, 0).await, (vec![(ids[2], 1), (ids[1], 1)], 3));
        assert_eq!(list(Filter::default(), 2, 2).await, (vec![(ids[0], 1)], 3));
        let sending = Filter { state: Some(State::Sending), sender: Some(house.sender.id) };
        assert_eq!(list(sending, 10, 0).await, (vec![(ids[1], 1)], 1));
        let others = Filter { sender: Some(house.second_sender.id), ..Filter::default() };
        assert_eq!(list(others, 10, 0).await, (vec![], 0));

        let (stranger, ..) = house.neighbour("Other").await;
        assert!(house.engine.campaign(&stranger.id, &ids[0]).await.unwrap().is_none());
        let whose = Whose { organization: stranger.id, id: ids[0] };
        let cancel = Change { engine: house.engine.clone(), whose, wish: Wish::Start };
        assert_eq!(house.engine.perform(cancel).await.unwrap().unwrap_err(), Refusal::NotFound);
        let add = campaigns::Add { engine: house.engine.clone(), whose, recipients: customers(2) };
        assert_eq!(house.engine.perform(add).await.unwrap().unwrap_err(), Refusal::NotFound);
        run(house, &ids[1]).await;
    }

    async fn what_can_be_done_depends_on_how_it_stands(house: &mut House) {
        use State::{Cancelled, Completed, Draft, Failed, Paused, Scheduled, Sending};
        house.settings.senders.messages_per_second = Some(1);
        house.restart().await;
        let schedule = Wish::Schedule { at: house.now() + 3_600_000, within: MONTH };
        let wishes = [schedule, Wish::Unschedule, Wish::Start, Wish::Pause, Wish::Resume, Wish::Cancel, Wish::Delete];
        // Where each leads, in that order.
        let table = [
            (Draft, [Some(Scheduled), None, Some(Sending), None, None, None, Some(Draft)]),
            (Scheduled, [Some(Scheduled), Some(Draft), Some(Sending), None, None, Some(Cancelled), None]),
            (Sending, [None, None, None, Some(Paused), None, Some(Cancelled), None]),
            (Paused, [None, None, None, None, Some(Sending), Some(Cancelled), None]),
            (Completed, [None; 7]),
            (Failed, [None; 7]),
            (Cancelled, [None, None, None, None, None, None, Some(Cancelled)]),
        ];
        for (state, row) in table {
            for (want, leads_to) in wishes.into_iter().zip(row) {
                let id = made(house, state, schedule).await;
                let outcome = wish(house, &id, want).await;
                match leads_to {
                    Some(then) => assert_eq!(outcome.unwrap().state, then, "{state:?} {want:?}"),
                    None => {
                        let refused = matches!(outcome, Err(Refusal::WrongState { state: it, .. }) if it == state);
                        assert!(refused, "{state:?} {want:?}");
                        assert_eq!(campaign(house, &id).await.state, state);
                    }
                }
                let there = house.engine.campaign(&house.organization.id, &id).await.unwrap();
                assert_eq!(there.is_none(), matches!(want, Wish::Delete) && leads_to.is_some());
                let edit = campaigns::Edit {
                    engine: house.engine.clone(),
                    whose: whose(house, &id),
                    name: Some("Other".into()),
                    description: Some(Some("words".into())),
                    template: None,
                };
                let is_draft = there.is_some_and(|it| it.state == Draft);
                let edited = house.engine.perform(edit).await.unwrap();
                assert_eq!(edited.is_ok_and(|it| it.name == "Other"), is_draft);
            }
        }
        for empty in [Wish::Start, schedule] {
            let id = draft(house, Vec::new()).await;
            assert_eq!(wish(house, &id, empty).await.unwrap_err(), Refusal::NoRecipients);
        }
        house.leave_work();
    }
}

/// A campaign that stands so.
async fn made(house: &House, state: State, schedule: Wish) -> Id {
    let recipient = if state == State::Failed { "+1" } else { "+15550400001" };
    let id = draft(house, vec![addressee(recipient)]).await;
    let wishes: &[Wish] = match state {
        State::Draft => &[],
        State::Scheduled => &[schedule],
        State::Sending | State::Completed | State::Failed => &[Wish::Start],
        State::Paused => &[Wish::Start, Wish::Pause],
        State::Cancelled => &[schedule, Wish::Cancel],
    };
    for it in wishes {
        wish(house, &id, *it).await.unwrap();
    }
    if matches!(state, State::Completed | State::Failed) {
        run(house, &id).await;
    }
    assert_eq!(campaign(house, &id).await.state, state);
    id
}
