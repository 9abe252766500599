//! Looking for numbers, and ordering one.

use store::accounts::Account as AccountRow;
use store::jobs::{Job, State as JobState};
use store::{Id, Result, Tx, Work, numbers as rows};

use super::order::{Details, Order, Payment, Place, State};
use super::{Error, KIND, Offer, Wish, record};
use crate::accounts::ACTIVE;
use crate::provider::Provider;
use crate::{Engine, Outcome, Refusal, UseCase};

/// Longer than any name, prefix or number.
const LONGEST: usize = 100;
/// Orders that a list shows.
const LISTED: i64 = 10_000;

/// What a caller wants to buy.
#[derive(Clone, Debug)]
pub struct New {
    pub organization: Id,
    /// The dialect it came through.
    pub origin: &'static str,
    /// Whose it is to be within the organization, in the dialect's spelling.
    pub profile: String,
    pub wish: Wish,
    /// E.164 with `+`; `None`: the first that is like the wish.
    pub number: Option<String>,
    /// The account that it is brought to; `None`: the organization's first that takes numbers.
    pub account: Option<Id>,
    pub place: Place,
    /// What customers see; `None`: the organization's name.
    pub display_name: Option<String>,
    /// The caller's own name for this purchase: asked for twice, it is one.
    pub intent: Option<String>,
    /// Also when the profile has just bought one.
    pub allow_multiple: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Purchased {
    Placed(Box<Order>),
    /// The profile has just bought one: this is probably a mistake. Nothing is stored; at this moment it is none any more.
    TooSoon {
        again_at: i64,
    },
}

pub struct Purchase {
    engine: Engine,
    new: New,
}

#[must_use]
pub fn purchase(engine: &Engine, new: New) -> Purchase {
    Purchase { engine: engine.clone(), new }
}

impl Work for Purchase {
    type Output = Outcome<Purchased>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Purchased>> {
        let new = &self.new;
        if let Err(refusal) = check(new) {
            return Ok(Err(refusal));
        }
        if let Some(known) = self.known(tx).await? {
            return Ok(Ok(Purchased::Placed(Box::new(known))));
        }
        let order = match self.order(tx).await? {
            Ok(order) => order,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let row = order.row()?;
        if let Err(again_at) = self.guard(tx, &row).await? {
            return Ok(Ok(Purchased::TooSoon { again_at }));
        }
        if !rows::insert(tx, &row).await? {
            // Somebody had the same intent at the same moment.
            rows::forget_purchase(tx, &order.id).await?;
            let known = self.known(tx).await?.ok_or(store::Error::Dangling)?;
            return Ok(Ok(Purchased::Placed(Box::new(known))));
        }
        store::jobs::insert(tx, &job(&order, order.created_at)).await?;
        record::tell(tx, &self.engine, &order, None).await?;
        Ok(Ok(Purchased::Placed(Box::new(order))))
    }
}

impl UseCase for Purchase {
    fn committed(&self, engine: &Engine, _: &Outcome<Purchased>) {
        engine.wake.jobs.ring();
        engine.wake.dispatch.ring();
    }
}

fn check(new: &New) -> std::result::Result<(), Refusal> {
    let invalid = |field, why: &str| Err(Refusal::Invalid { field, why: why.to_owned() });
    let Wish { country, prefix, locality, contains } = &new.wish;
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return invalid("country", "a country is two capital letters");
    }
    let texts = [prefix, locality, contains, &new.number, &new.display_name, &new.intent].into_iter().flatten();
    if texts.chain([&new.profile]).any(|text| text.len() > LONGEST || text.contains('\0')) {
        return invalid("wish", "a value is too long, or cannot be stored");
    }
    let is_number = |number: &String| {
        number.strip_prefix('+').is_some_and(|rest| rest.len() > 6 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match new.number.as_ref().is_none_or(is_number) {
        true => Ok(()),
        false => invalid("number", "a number begins with + and its country's digits"),
    }
}

impl Purchase {
    async fn known(&self, tx: &mut Tx) -> Result<Option<Order>> {
        let Some(intent) = &self.new.intent else { return Ok(None) };
        rows::by_intent(tx, &self.new.organization, intent).await?.map(Order::of).transpose()
    }

    async fn guard(&self, tx: &mut Tx, row: &rows::Order) -> Result<std::result::Result<(), i64>> {
        let guard = i64::try_from(self.engine.settings.numbers.purchase_guard.as_millis()).unwrap_or(i64::MAX / 4);
        let since = if self.new.allow_multiple { i64::MAX } else { row.created_at - guard };
        Ok(rows::note_purchase(tx, row, since).await?.map_err(|at| at + guard))
    }

    async fn order(&self, tx: &mut Tx) -> Result<Outcome<Order>> {
        let (engine, new) = (&self.engine, &self.new);
        let accounts = store::accounts::list(tx, Some(&new.organization), None).await?;
        let takes = |row: &&AccountRow| new.account.is_none_or(|id| id == row.id);
        let account = first(engine, accounts.iter().filter(takes), |it| it.onboarding().is_some());
        let Some(account) = account else { return Ok(Err(Refusal::NotFound("account"))) };
        let Some(carrier) = first(engine, accounts.iter(), |it| it.shop().is_some()) else {
            return Ok(Err(Refusal::NotFound("carrier")));
        };
        if engine.settings.numbers.payment == Payment::Checkout && till(engine).is_none() {
            return Ok(Err(Refusal::NotFound("till")));
        }
        let organization = store::organizations::get(tx, &new.organization).await?;
        let name = organization.map(|found| found.name).unwrap_or_default();
        Ok(Ok(self.placed(account.id, carrier.id, new.display_name.clone().unwrap_or(name))))
    }

    fn placed(&self, account_id: Id, carrier_id: Id, display_name: String) -> Order {
        let (new, settings, id) = (&self.new, &self.engine.settings.numbers, self.engine.new_id());
        let digits = |number: &String| number.trim_start_matches('+').to_owned();
        let contains = new.number.as_ref().map(digits).or_else(|| new.wish.contains.clone());
        let details = Details {
            country: new.wish.country.clone(),
            place: new.place,
            wish: Wish { contains, ..new.wish.clone() },
            chosen: new.number.clone(),
            display_name,
            since: id.millis(),
            payment: settings.payment,
            amount: settings.price,
            currency: settings.currency.clone(),
            ..Details::default()
        };
        Order {
            id,
            organization_id: new.organization,
            origin: new.origin.into(),
            profile: new.profile.clone(),
            intent: new.intent.clone(),
            state: State::Searching,
            number: None,
            account_id,
            carrier_id,
            details,
            created_at: id.millis(),
            updated_at: id.millis(),
            code: None,
        }
    }
}

/// The first account that works and whose provider has a capability.
fn first<'a>(
    engine: &Engine,
    mut accounts: impl Iterator<Item = &'a AccountRow>,
    has: impl Fn(&dyn Provider) -> bool,
) -> Option<&'a AccountRow> {
    accounts.find(|row| row.status == ACTIVE && engine.provider(&row.provider).is_some_and(|it| has(&**it)))
}

/// Whoever takes money here.
pub(super) fn till(engine: &Engine) -> Option<&dyn super::Payments> {
    engine.providers.iter().find_map(|provider| provider.payments())
}

/// What says when an order is to be looked at again.
pub(super) fn job(order: &Order, due_at: i64) -> Job {
    Job {
        id: order.id,
        organization_id: order.organization_id,
        kind: KIND.into(),
        lane: order.account_id,
        state: JobState::Ready,
        attempts: 0,
        due_at,
        called_at: None,
        created_at: order.created_at,
    }
}

/// What an organization's carrier has to sell.
pub async fn available(
    engine: &Engine,
    organization: &Id,
    wish: &Wish,
    limit: usize,
) -> std::result::Result<Vec<Offer>, Error> {
    let accounts = store::accounts::list(&mut *engine.db.reader().await?, Some(organization), None).await?;
    let row = first(engine, accounts.iter(), |it| it.shop().is_some()).ok_or(Refusal::NotFound("carrier"))?;
    let account = engine.account(&row.id).await?.ok_or(Refusal::NotFound("carrier"))?;
    let shop = engine.provider(&row.provider).and_then(|it| it.shop()).ok_or(Refusal::NotFound("carrier"))?;
    Ok(shop.available(&account, wish, limit).await?)
}

impl Engine {
    /// A caller's order.
    pub async fn number_order(&self, organization: &Id, id: &Id) -> Result<Option<Order>> {
        let found = rows::find(&mut *self.db.reader().await?, id).await?;
        found.filter(|found| found.organization_id == *organization).map(Order::of).transpose()
    }

    /// A caller's orders, newest first, in any state unless some are named.
    pub async fn number_orders(
        &self,
        organization: &Id,
        profile: Option<&str>,
        states: &[State],
    ) -> Result<Vec<Order>> {
        let states: Vec<String> = states.iter().map(|state| state.as_str().to_owned()).collect();
        let filter = rows::Filter { organization: Some(organization), profile, states: &states };
        let found = rows::list(&mut *self.db.reader().await?, &filter, LISTED).await?;
        found.into_iter().map(Order::of).collect()
    }

    /// Anybody's order: for operators.
    pub async fn any_number_order(&self, id: &Id) -> Result<Option<Order>> {
        rows::find(&mut *self.db.reader().await?, id).await?.map(Order::of).transpose()
    }

    /// Everybody's orders, newest first: for operators.
    pub async fn all_number_orders(&self) -> Result<Vec<Order>> {
        let found = rows::list(&mut *self.db.reader().await?, &rows::Filter::default(), LISTED).await?;
        found.into_iter().map(Order::of).collect()
    }
}
