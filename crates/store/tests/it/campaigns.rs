//! Campaigns' rows: each address once, counts in shares, and many at them at a time.

use store::campaigns::counts::{self, Counts, OWN, share};
use store::campaigns::recipients::{self, New, Standing};
use store::campaigns::{self, Campaign, State};
use store::contacts::Address;
use store::organizations::{self, Organization};
use store::{Db, Id, Result, Tx, Work};
use testkit::{Scratch, on_both};

fn campaign(number: u64) -> Campaign {
    Campaign {
        id: Id::from_parts(1, number),
        organization_id: Id::from_parts(1, 0),
        sender_id: Id::from_parts(1, 0),
        origin: "plain".into(),
        name: "n".into(),
        description: None,
        content: "{}".into(),
        state: State::Sending,
        reason: None,
        resumes_at: None,
        scheduled_at: None,
        started_at: None,
        completed_at: None,
        last_position: 0,
        taken: 0,
        told_at: 0,
        created_at: 1,
        updated_at: 1,
        counts: Counts::default(),
    }
}

/// Makes a campaign for some people.
struct Make {
    campaign: Campaign,
    people: Vec<New>,
}

impl Work for Make {
    type Output = i64;
    async fn run(&self, tx: &mut Tx) -> Result<i64> {
        let organization = Organization { id: self.campaign.organization_id, name: "o".into(), created_at: 1 };
        organizations::insert(tx, &organization).await?;
        campaigns::insert(tx, &self.campaign).await?;
        let added = recipients::add(tx, &self.campaign.id, 0, &self.people).await?;
        counts::add(tx, &self.campaign.id, OWN, &Counts { pending: added, ..Counts::default() }).await?;
        Ok(added)
    }
}

/// What comes of one of them.
struct Step {
    campaign: Id,
    position: i64,
    to: Standing,
}

impl Work for Step {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let Some(mut it) = recipients::get_for_update(tx, &self.campaign, self.position).await? else { return Ok(()) };
        let mut difference = Counts::default();
        difference.step(it.standing, self.to);
        it.standing = self.to;
        recipients::update(tx, &self.campaign, &it).await?;
        let message = Id::from_parts(2, self.position as u64);
        counts::add(tx, &self.campaign, share(&message), &difference).await
    }
}

fn people(count: usize) -> Vec<New> {
    let person = |number: usize| New {
        address: Address { kind: "phone".into(), value: format!("+1{number}") },
        name: number.is_multiple_of(2).then(|| "Ann".into()),
        variables: "{}".into(),
    };
    (0..count).map(person).collect()
}

async fn listed(db: &Db, id: &Id, standings: &[Standing]) -> Vec<i64> {
    let found = recipients::list(&mut db.reader().await.unwrap(), id, standings, 1000, 0).await.unwrap();
    found.into_iter().map(|it| it.position).collect()
}

on_both! {
    async fn an_address_stands_in_a_campaign_once(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        let mut twice = people(130);
        twice.extend(people(3));
        assert_eq!(db.write(Make { campaign: campaign(1), people: twice }).await.unwrap(), 130);
        assert_eq!(listed(&db, &campaign(1).id, &[]).await, (1..=130).collect::<Vec<_>>());
    }

    async fn shares_add_up_whoever_writes_at_a_time(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        let id = campaign(1).id;
        db.write(Make { campaign: campaign(1), people: people(60) }).await.unwrap();
        let mut tasks = Vec::new();
        for position in 1..=60 {
            let db = db.clone();
            tasks.push(tokio::spawn(async move {
                for to in [Standing::Queued, Standing::Sent, Standing::Delivered] {
                    if to < Standing::Delivered || position % 3 == 0 {
                        db.write(Step { campaign: id, position, to }).await.unwrap();
                    }
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let mut reader = db.reader().await.unwrap();
        let found = campaigns::find(&mut reader, &id).await.unwrap().unwrap().counts;
        assert_eq!(found, Counts { sent: 40, delivered: 20, ..Counts::default() });
        assert_eq!((found.total(), found.waiting(), found.sent_in_all(), found.delivered_in_all()), (60, 0, 60, 20));
        assert_eq!(listed(&db, &id, &[Standing::Delivered]).await.len(), 20);
    }
}
