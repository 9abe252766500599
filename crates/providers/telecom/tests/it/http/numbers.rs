//! Numbers that are bought once, however often they are asked for, and given back.

use std::sync::Arc;
use std::time::Duration;

use engine::numbers::{Bought, Shop, Wish};
use engine::provider::{Account, CallError};
use engine::routes::AddSender;
use sandbox_carriers::{Call, Fault, Target};
use store::{Tx, Work};

use super::world::{Got, NOW, World};

async fn account(world: &World, carrier: &str) -> Arc<Account> {
    world.engine.accounts_of(carrier).await.unwrap().remove(0)
}

async fn buy(shop: &dyn Shop, account: &Account, order: &engine::Id, number: &str) -> Bought {
    // An order may take its time.
    for _ in 0..3 {
        let bought = shop.buy(account, order, number).await.unwrap();
        if bought != Bought::Pending {
            return bought;
        }
    }
    panic!("it never came to an end")
}

#[tokio::test]
async fn a_number_is_bought_once_heard_and_given_back() {
    let world = World::new().await;
    for (carrier, area) in [("twilio", "415"), ("telnyx", "646")] {
        assert!(world.provider(&format!("{carrier}-voice")).shop().is_none());
        let (shop, account) = (world.provider(carrier).shop().unwrap(), account(&world, carrier).await);
        let wish = Wish { prefix: Some(area.into()), ..Wish::default() };
        let offers = shop.available(&account, &wish, 3).await.unwrap();
        let number = offers[0].number.clone();
        assert_eq!(
            (offers.len(), offers[0].country.as_str(), number.starts_with(&format!("+1{area}"))),
            (3, "US", true)
        );
        let named = Wish { contains: Some(number.trim_start_matches('+').into()), ..Wish::default() };
        assert_eq!(shop.available(&account, &named, 3).await.unwrap()[0].number, number);
        let nowhere = Wish { country: "AQ".into(), ..Wish::default() };
        assert!(shop.available(&account, &nowhere, 3).await.unwrap().is_empty());

        let (order, other) = (world.engine.new_id(), world.engine.new_id());
        let reservation = shop.reserve(&account, &order, &number).await.unwrap();
        assert_eq!(reservation.is_some(), carrier == "telnyx");
        // The answer is lost; asked again, it is the same purchase.
        world.fault(Target::Numbers, Fault::Drop);
        assert!(matches!(shop.buy(&account, &order, &number).await, Err(CallError::Unreachable(_))));
        for _ in 0..2 {
            assert_eq!(buy(shop, &account, &order, &number).await, Bought::Ours);
        }
        assert!(matches!(buy(shop, &account, &other, &number).await, Bought::Gone { .. }), "{carrier}");
        assert!(!shop.available(&account, &wish, 50).await.unwrap().iter().any(|offer| offer.number == number));

        // What is written to it comes to us.
        let (engine, organization) = (world.engine.clone(), account.organization_id);
        let add = AddSender { engine, organization, account: account.id, address: number.clone(), name: None };
        let sender = world.engine.perform(add).await.unwrap().unwrap();
        world.carriers.text("+15550109999", &number, "Your code: 123-456").await.unwrap();
        let got =
            world.engine.messages(&organization, &sender.id, &engine::messages::Filter::default(), 10).await.unwrap();
        assert!(got[0].content.contains("123-456"), "{got:?}");
        assert!(world.carriers.sms().iter().any(|sms| sms.to == number && sms.text.contains("123-456")));

        shop.release(&account, &other, &number).await.unwrap();
        assert_eq!(buy(shop, &account, &order, &number).await, Bought::Ours, "nobody else gives it back");
        for _ in 0..2 {
            shop.release(&account, &order, &number).await.unwrap();
        }
        assert_eq!(shop.available(&account, &wish, 3).await.unwrap()[0].number, number);
    }
}

#[tokio::test]
async fn what_a_lost_purchase_took_is_ours_however_late_it_is_seen() {
    let world = World::new().await;
    for carrier in ["twilio", "telnyx"] {
        let (shop, account) = (world.provider(carrier).shop().unwrap(), account(&world, carrier).await);
        let offered = async || shop.available(&account, &Wish::default(), 1).await.unwrap().remove(0).number;
        let (order, other, number) = (world.engine.new_id(), world.engine.new_id(), offered().await);
        world.fault(Target::Numbers, Fault::Code("late".into()));
        assert!(matches!(shop.buy(&account, &order, &number).await, Err(CallError::Unreachable(_))));
        assert_eq!(shop.buy(&account, &order, &number).await.unwrap(), Bought::Ours, "{carrier}");
        assert!(matches!(shop.buy(&account, &other, &number).await.unwrap(), Bought::Gone { .. }), "{carrier}");

        // Telnyx knows the order before it lists the number.
        let released = shop.release(&account, &order, &number).await;
        assert_eq!(matches!(released, Err(CallError::Unreachable(_))), carrier == "telnyx", "{released:?}");
        assert_eq!(offered().await == number, released.is_ok(), "what is not given back is not said to be");
        world.clock.advance(Duration::from_secs(60 * 60));
        for _ in 0..2 {
            shop.release(&account, &order, &number).await.unwrap();
            assert_eq!(offered().await, number, "{carrier}");
        }
    }
}

#[tokio::test]
async fn refusals_and_outages_are_told_apart() {
    let world = World::new().await;
    for carrier in ["twilio", "telnyx"] {
        let (shop, account) = (world.provider(carrier).shop().unwrap(), account(&world, carrier).await);
        let number = shop.available(&account, &Wish::default(), 1).await.unwrap().remove(0).number;
        let order = world.engine.new_id();
        for (status, refused) in [(400, true), (500, false), (429, false)] {
            world.fault(Target::Numbers, Fault::Status(status));
            let error = shop.buy(&account, &order, &number).await.unwrap_err();
            assert_eq!(matches!(error, CallError::Refused { .. }), refused, "{carrier} {status}: {error}");
            assert_eq!(matches!(error, CallError::Unreachable(_)), !refused, "{carrier} {status}: {error}");
        }
        let wrong = Account { secrets: account.secrets.clone(), config: "{}".into(), ..Account::clone(&account) };
        let error = shop.buy(&wrong, &order, &number).await.unwrap_err();
        assert!(matches!(error, CallError::Unauthorized { .. }), "{error}");
        shop.release(&account, &order, &number).await.unwrap();
    }
}

/// An order for a number that waits for its code.
struct Waiting(store::numbers::Order);

impl Work for Waiting {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> store::Result<bool> {
        store::numbers::insert(tx, &self.0).await
    }
}

impl Waiting {
    fn of(account: &Account, order: engine::Id, number: &str) -> Self {
        Self(store::numbers::Order {
            id: order,
            organization_id: account.organization_id,
            origin: "plain".into(),
            profile: "p".into(),
            intent: None,
            state: "awaiting_code".into(),
            open: true,
            number: Some(number.into()),
            account_id: account.id,
            carrier_id: account.id,
            details: "{}".into(),
            code: None,
            created_at: NOW,
            updated_at: NOW,
        })
    }
}

/// How a call ended, and how often it was listened to.
async fn call(world: &World, to: &str, words: &str) -> (String, u64) {
    world.carriers.speak("+15550109999", to, words).await;
    let Call { status, more, .. } = world.carriers.voice().pop().unwrap();
    (status, more.get("listened").and_then(serde_json::Value::as_u64).unwrap_or_default())
}

#[tokio::test]
async fn calls_are_listened_to_for_a_code_and_declined_otherwise() {
    let world = World::new().await;
    let (shop, seller) = (world.provider("twilio").shop().unwrap(), account(&world, "twilio").await);
    assert!(shop.hears_calls() && !world.provider("telnyx").shop().unwrap().hears_calls());
    let number = shop.available(&seller, &Wish::default(), 1).await.unwrap().remove(0).number;
    let order = world.engine.new_id();
    assert_eq!(buy(shop, &seller, &order, &number).await, Bought::Ours);
    assert_eq!(call(&world, &number, "Your code is 1, 2, 3, 4, 5, 6.").await, ("busy".into(), 0));

    assert!(world.engine.db.write(Waiting::of(&seller, order, &number)).await.unwrap());
    let code = async || {
        let found = store::numbers::find(&mut world.engine.db.reader().await.unwrap(), &order).await.unwrap();
        found.unwrap().code
    };
    assert_eq!(call(&world, &number, "hello, is anybody there?").await, ("completed".into(), 3));
    assert!(code().await.is_none());
    assert_eq!(call(&world, &number, "Your code is 1, 2, 3, 4, 5, 6.").await, ("completed".into(), 3));
    assert!(code().await.is_some());

    // What was said is believed as the carrier signed it.
    let got = world.pushes("twilio").pop().unwrap();
    assert!(got.url.ends_with("?listened=3") && String::from_utf8_lossy(&got.body).contains("SpeechResult=Your"));
    let body = String::from_utf8_lossy(&got.body).replace("1+2+3", "3+2+1").into();
    assert_eq!(world.push(&Got { body, ..got.clone() }).await, 403);
    assert_eq!(world.push(&Got { url: got.url.replace("=3", "=2"), ..got.clone() }).await, 403);
    assert_eq!(world.push(&got).await, 200);
}
