//! Numbers of the pool: kept proven, handed over to accounts, and deaths on the way.

use engine::events::{NUMBER_ACTIVATED, NUMBER_CODE_WANTED, NUMBER_MOVED};
use engine::numbers::{Adopt, Method, New, Order, Place, State, request_code, verify};
use engine::{Id, Refusal};
use testkit::on_both;

use super::world::{When, World, no};
use super::{kinds, nothing_is_kept, release, sender, with_till};
use crate::{DAY, MINUTE};

/// The waits of an order whose code does not come.
const IN_VAIN: usize = 4;

/// One that is proven, and paid for.
async fn pooled(world: &World) -> Order {
    let id = world.buy(New { place: Place::Pool, ..world.wish() }).await;
    world.settle().await;
    assert!(world.pay(&id).await);
    world.settle().await;
    let order = world.order(&id).await;
    assert_eq!((order.state, order.details.sender.is_none()), (State::Active, true));
    order
}

async fn adopt(world: &World, id: &Id) -> engine::Outcome<Order> {
    let (engine, organization) = (world.engine.clone(), world.organization);
    let wish = Adopt { engine, organization, id: *id, account: None, display_name: Some("Branch".into()) };
    world.engine.perform(wish).await.unwrap()
}

async fn in_vain(world: &World) {
    for _ in 0..IN_VAIN {
        world.settle().await;
        world.clock.advance(5 * MINUTE);
    }
}

/// Works while the process dies at a call; whether it did.
async fn die_at(world: &mut World, call: usize, when: When) -> bool {
    world.street.hang_at(call, when);
    let mut died = world.work_and_die().await;
    while world.bring().await {
        died |= world.work_and_die().await;
    }
    world.street.calm();
    world.settle().await;
    world.clock.advance(6 * MINUTE);
    world.settle().await;
    died
}

fn asked(world: &World) -> usize {
    world.street.state().calls.iter().filter(|call| **call == "request_code").count()
}

on_both! {
    async fn a_proof_is_renewed_before_it_runs_out(world: &mut World) {
        with_till(world).await;
        let Order { id, number, details, .. } = pooled(world).await;
        world.clock.advance(82 * DAY);
        world.settle().await;
        assert_eq!((world.state(&id).await, asked(world)), ("active", 1));
        world.clock.advance(DAY);
        world.settle().await;
        let order = world.order(&id).await;
        assert_eq!((order.state, asked(world), order.details.method), (State::Active, 2, Method::Sms));
        let later = order.details.verified_until.unwrap() - details.verified_until.unwrap();
        assert_eq!((later, order.details.provisioned_at), (83 * 24 * 60 * 60 * 1000, details.provisioned_at));

        // Nobody answers: it is tried each day, and works until its proof has run out.
        world.street.state().silent = true;
        world.clock.advance(83 * DAY);
        in_vain(world).await;
        let order = world.order(&id).await;
        assert_eq!((order.state, order.details.trouble.as_deref(), asked(world)), (State::Active, Some("no code came"), 5));
        let told = store::events::about(&mut world.engine.db.reader().await.unwrap(), &id).await.unwrap().pop().unwrap();
        assert!(told.kind == NUMBER_MOVED && told.data.contains("no code came"), "{}", told.data);
        let taken = verify(&world.engine, &world.organization, &id, "123456".to_owned().into()).await;
        assert!(taken.is_err(), "it was proven once, but not by this code");
        world.settle().await;
        assert_eq!(asked(world), 5);
        for _ in 0..8 {
            world.clock.advance(DAY);
            in_vain(world).await;
        }
        let order = world.order(&id).await;
        assert_eq!((order.state, order.details.trouble.as_deref()), (State::Lapsed, Some("no code came")));
        assert!(asked(world) >= 5 + 3 * 7, "{}", asked(world));
        assert_eq!(kinds(world, &id).await.pop().as_deref(), Some(NUMBER_MOVED));
        assert!(matches!(adopt(world, &id).await, Err(Refusal::Invalid { field: "state", .. })));
        let taken = verify(&world.engine, &world.organization, &id, "123456".to_owned().into()).await;
        assert!(taken.is_err(), "a number whose proof has run out is not verified");
        assert!(world.street.state().sold.contains_key(number.as_ref().unwrap()) && world.street.state().refunds.is_empty());

        // It comes back by itself, or because somebody asks.
        world.street.state().silent = false;
        request_code(&world.engine, &world.organization, &id, Method::Voice).await.unwrap();
        world.settle().await;
        let order = world.order(&id).await;
        assert_eq!((order.state, order.details.trouble.is_none(), order.details.method), (State::Active, true, Method::Voice));
        world.street.state().silent = true;
        for _ in 0..9 {
            world.clock.advance(if world.state(&id).await == "active" { 12 * DAY } else { DAY });
            in_vain(world).await;
        }
        assert_eq!(world.state(&id).await, "lapsed");
        world.street.state().silent = false;
        world.clock.advance(DAY);
        world.settle().await;
        assert_eq!((world.state(&id).await, kinds(world, &id).await.pop().as_deref()), ("active", Some(NUMBER_ACTIVATED)));

        // Nobody had to help but the first time.
        assert_eq!(kinds(world, &id).await.iter().filter(|kind| *kind == NUMBER_CODE_WANTED).count(), 1);

        // Whoever does not want it any more gets rid of it also then, and has had it.
        world.clock.advance(83 * DAY);
        world.street.state().silent = true;
        world.settle().await;
        assert_eq!(world.state(&id).await, "awaiting_code");
        release(world, &id).await.unwrap();
        world.settle().await;
        assert_eq!((world.state(&id).await, world.street.state().refunds.len()), ("released", 0));
        assert!(world.street.state().sold.is_empty() && world.street.state().known.is_empty());
    }

    async fn a_proof_is_renewed_when_somebody_asks(world: &mut World) {
        with_till(world).await;
        let Order { id, details, .. } = pooled(world).await;
        world.clock.advance(DAY);
        let asked_for = request_code(&world.engine, &world.organization, &id, Method::Sms).await.unwrap();
        assert_eq!((asked_for.state, asked(world)), (State::AwaitingCode, 2));
        world.settle().await;
        let order = world.order(&id).await;
        let later = order.details.verified_until.unwrap() - details.verified_until.unwrap();
        assert_eq!((order.state, later), (State::Active, 24 * 60 * 60 * 1000));

        // What does not work out leaves it as it was, with the reason.
        let refusals = (0..3).map(|_| no("not now")).collect();
        world.street.state().errors.insert("request_code", refusals);
        assert!(request_code(&world.engine, &world.organization, &id, Method::Sms).await.is_err());
        in_vain(world).await;
        let (before, order) = (order, world.order(&id).await);
        assert_eq!((order.state, order.details.trouble.as_deref(), asked(world)), (State::Active, Some("not now"), 5));
        assert_eq!(order.details.verified_until, before.details.verified_until);
        // One that is on its way out is left alone.
        release(world, &id).await.unwrap();
        assert!(request_code(&world.engine, &world.organization, &id, Method::Sms).await.is_err());
    }

    async fn a_number_of_the_pool_becomes_a_sender(world: &mut World) {
        with_till(world).await;
        let Order { id, number, .. } = pooled(world).await;
        let number = number.unwrap();
        // What does not work out changes nothing.
        world.street.state().errors.insert("adopt", vec![no("not to this account")].into());
        assert_eq!(adopt(world, &id).await.unwrap().state, State::Adopting);
        assert!(adopt(world, &id).await.is_err());
        world.settle().await;
        let order = world.order(&id).await;
        assert_eq!((order.state, order.details.place, order.details.trouble.as_deref()), (State::Active, Place::Pool, Some("not to this account")));
        world.street.state().errors.insert("register", vec![no("not today")].into());
        adopt(world, &id).await.unwrap();
        world.settle().await;
        let order = world.order(&id).await;
        assert_eq!((order.state, order.details.place, order.details.trouble.as_deref()), (State::Active, Place::Account, Some("not today")));
        adopt(world, &id).await.unwrap();
        world.settle().await;
        let order = world.order(&id).await;
        assert_eq!((order.state, order.details.trouble, order.details.verified_until), (State::Active, None, None));
        let sender = sender(world, "whatsapp", &number).await;
        assert_eq!((order.details.sender, order.details.provider_number), (Some(sender.id.hex24()), Some(sender.external_id)));
        assert_eq!(world.street.state().calls.iter().filter(|call| **call == "adopt").count(), 2);
        assert!(matches!(adopt(world, &id).await, Err(Refusal::Invalid { field: "state", .. })));
        // Its proof holds for good.
        let codes = asked(world);
        world.clock.advance(200 * DAY);
        world.settle().await;
        assert_eq!((world.state(&id).await, asked(world)), ("active", codes));
        release(world, &id).await.unwrap();
        world.settle().await;
        assert_eq!(world.state(&id).await, "released");
        assert!(world.street.state().refunds.is_empty());
        world.street.state().sessions.clear();
        nothing_is_kept(world);

        // Nobody adopts what is not his, or to where it cannot be.
        let Order { id, .. } = pooled(world).await;
        let (engine, organization) = (world.engine.clone(), world.organization);
        let wish = |organization, account| Adopt { engine: engine.clone(), organization, id, account, display_name: None };
        let other = engine.perform(engine::organizations::create(&engine, "Other")).await.unwrap().id;
        assert_eq!(engine.perform(wish(other, None)).await.unwrap().unwrap_err(), Refusal::NotFound("number"));
        let carrier = world.order(&id).await.carrier_id;
        for account in [carrier, other] {
            let refused = engine.perform(wish(organization, Some(account))).await.unwrap().unwrap_err();
            assert_eq!(refused, Refusal::NotFound("account"));
        }
        // He may think better of it on the way.
        engine.perform(wish(organization, None)).await.unwrap().unwrap();
        release(world, &id).await.unwrap();
        world.settle().await;
        assert_eq!((world.state(&id).await, world.street.state().refunds.len()), ("released", 0));
    }

    /// The process dies at each call of a renewal and of an adoption, before it is heard and after.
    async fn whoever_dies_with_a_number_of_the_pool_goes_on(world: &mut World) {
        with_till(world).await;
        let mut deaths = 0;
        for when in [When::Before, When::After] {
            for call in 0..6 {
                let Order { id, number, details, .. } = pooled(world).await;
                world.clock.advance(83 * DAY);
                deaths += usize::from(die_at(world, call, when).await);
                let order = world.order(&id).await;
                assert_eq!((order.state, order.details.trouble.as_deref()), (State::Active, None), "{call} {when:?}");
                assert!(order.details.verified_until > details.verified_until, "{call} {when:?}");
                assert_eq!(order.details.provider_number, details.provider_number);

                adopt(world, &id).await.unwrap();
                deaths += usize::from(die_at(world, call, when).await);
                let order = world.order(&id).await;
                assert_eq!((order.state, order.details.place, order.details.trouble), (State::Active, Place::Account, None), "{call} {when:?}");
                assert_eq!(order.details.sender, Some(sender(world, "whatsapp", number.as_ref().unwrap()).await.id.hex24()));
                release(world, &id).await.unwrap();
                world.settle().await;
                assert!(world.street.state().known.is_empty() && world.street.state().sold.is_empty());
            }
        }
        // Four and two calls.
        assert_eq!(deaths, 2 * (4 + 2));
        assert!(world.street.state().refunds.is_empty());
    }
}
