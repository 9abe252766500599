//! Numbers that are bought: the way there, the way back, and deaths on both.

mod pool;
mod world;

use engine::accounts::Remove;
use engine::events::{
    NUMBER_ACTIVATED, NUMBER_CODE_WANTED, NUMBER_FAILED, NUMBER_MOVED, NUMBER_PAYMENT_WANTED, NUMBER_RELEASED,
};
use engine::numbers::{
    Approve, Bought, Decline, Error, Method, New, Payment, Place, Purchased, Release, Standing, State, Why, drive,
    expects_code, request_code, verify,
};
use engine::provider::CallError;
use engine::{Id, Refusal, workers};
use testkit::{Kind, on_both, tell};
use world::{When, World, away, no};

use crate::{DAY, HOUR, MINUTE, seconds};

const FIRST: &str = "+12125550000";

async fn with_till(world: &mut World) {
    world.settings.numbers.payment = Payment::Checkout;
    (world.settings.numbers.price, world.settings.numbers.currency) = (2_000_000, "EUR".into());
    world.restart().await;
}

async fn release(world: &World, id: &Id) -> engine::Outcome<()> {
    let wish = Release { engine: world.engine.clone(), organization: world.organization, id: *id };
    world.engine.perform(wish).await.unwrap().map(drop)
}

async fn kinds(world: &World, id: &Id) -> Vec<String> {
    let events = store::events::about(&mut world.engine.db.reader().await.unwrap(), id).await.unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

async fn why(world: &World, id: &Id) -> Why {
    world.order(id).await.reason().unwrap().code
}

async fn sender(world: &World, channel: &str, address: &str) -> engine::senders::Sender {
    let all = world.engine.senders(&world.organization).await.unwrap();
    all.into_iter().find(|it| it.channel == channel && it.address == address).unwrap()
}

/// Nothing outside is ours, and nobody's money is kept.
fn nothing_is_kept(world: &World) {
    let state = world.street.state();
    assert!(state.sold.is_empty() && state.held.is_empty() && state.known.is_empty(), "{:?}", state.calls);
    let paid = |standing: &Standing| matches!(standing, Standing::Paid { .. });
    let paid = state.sessions.iter().filter(|(_, (_, standing))| paid(standing)).map(|(order, _)| *order);
    let mut refunds = state.refunds.clone();
    refunds.sort_unstable();
    assert_eq!(refunds, paid.collect::<Vec<_>>());
}

on_both! {
    async fn a_number_is_bought_proven_used_and_given_back(world: &mut World) {
        let id = world.buy(world.wish()).await;
        world.settle().await;
        let order = world.order(&id).await;
        assert_eq!((order.state, order.number.as_deref()), (State::Active, Some(FIRST)));
        assert!(order.details.verified_at.is_some() && order.details.provisioned_at.is_some());
        let calls = world.street.state().calls.join(" ");
        assert_eq!(calls, "available reserve buy add proof request_code proof verify_code proof register");
        let story = kinds(world, &id).await;
        assert_eq!(story.iter().filter(|kind| *kind == NUMBER_MOVED).count(), story.len() - 2);
        assert_eq!((story.contains(&NUMBER_CODE_WANTED.to_owned()), story.last().unwrap().as_str()), (true, NUMBER_ACTIVATED));
        let whatsapp = sender(world, "whatsapp", FIRST).await;
        assert_eq!(order.details.sender, Some(whatsapp.id.hex24()));
        assert_eq!(sender(world, "sms", FIRST).await.status, engine::senders::CONNECTED);
        // Its story can be told, and has no secret in it.
        let lines = engine::explain::explain(&world.engine, &id.hex24()).await.unwrap();
        let told: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert!(told[0].contains(FIRST) && told[0].contains("active"), "{told:?}");
        let code = &world.street.state().known.values().next().unwrap().clone();
        assert!(code.registered && !told.iter().any(|line| line.contains("100")  && line.contains("code:")), "{told:?}");

        release(world, &id).await.unwrap();
        assert_eq!(world.state(&id).await, "releasing");
        assert_eq!(release(world, &id).await, Err(Refusal::Taken { field: "state" }));
        world.settle().await;
        assert_eq!((world.state(&id).await, kinds(world, &id).await.pop().as_deref()), ("released", Some(NUMBER_RELEASED)));
        assert_eq!(sender(world, "whatsapp", FIRST).await.status, engine::senders::DISCONNECTED);
        assert_eq!(sender(world, "sms", FIRST).await.status, engine::senders::DISCONNECTED);
        nothing_is_kept(world);
        // Somebody may buy it again.
        let again = world.buy(New { number: Some(FIRST.into()), ..world.wish() }).await;
        world.settle().await;
        assert_eq!(world.order(&again).await.number.as_deref(), Some(FIRST));
    }

    /// The process dies at each call, before it is heard and after: it goes on, and nothing is done twice.
    async fn whoever_dies_at_a_step_takes_it_up_again(world: &mut World) {
        with_till(world).await;
        let mut deaths = 0;
        for when in [When::Before, When::After] {
            for call in 0..12 {
                let before = world.street.state().sales;
                let id = world.buy(world.wish()).await;
                world.street.hang_at(call, when);
                let mut died = world.work_and_die().await;
                world.settle().await;
                assert_eq!(world.state(&id).await, "pending_payment", "{call} {when:?}");
                assert!(world.pay(&id).await);
                while !died {
                    died = world.work_and_die().await;
                    let text = world.street.state().texts.pop_front();
                    let Some((to, body)) = text else { break };
                    world.text(&to, &body).await;
                }
                world.street.calm();
                world.settle().await;
                world.clock.advance(6 * MINUTE);
                world.settle().await;
                let order = world.order(&id).await;
                assert_eq!(order.state, State::Active, "{call} {when:?}: {:?}", order.details);
                let state = world.street.state();
                assert_eq!(state.sales, before + 1, "{call} {when:?}");
                assert_eq!(state.sold[order.number.as_ref().unwrap()], id);
                assert!(state.held.is_empty() && state.refunds.is_empty());
                deaths += usize::from(died);
            }
        }
        assert_eq!(deaths, 2 * 11, "every call was died at");
        let sessions = world.street.state().sessions.len();
        assert_eq!(sessions, 2 * 12);
    }

    /// The same on the way back, where the code never came.
    async fn whoever_dies_while_undoing_goes_on_undoing(world: &mut World) {
        with_till(world).await;
        world.street.state().silent = true;
        let mut deaths = 0;
        for when in [When::Before, When::After] {
            for call in 0..4 {
                let id = world.buy(world.wish()).await;
                world.settle().await;
                world.pay(&id).await;
                world.settle().await;
                for _ in 0..3 {
                    assert_eq!(world.state(&id).await, "awaiting_code");
                    world.clock.advance(4 * MINUTE);
                    world.settle().await;
                    assert_eq!(world.state(&id).await, "awaiting_code");
                    world.clock.advance(MINUTE);
                    if world.order(&id).await.details.codes_asked == 3 {
                        world.street.hang_at(call, when);
                        deaths += usize::from(world.work_and_die().await);
                        world.street.calm();
                    }
                    world.settle().await;
                }
                assert_eq!((world.state(&id).await, why(world, &id).await), ("failed", Why::CodeNeverArrived), "{call} {when:?}");
                assert_eq!(kinds(world, &id).await.pop().as_deref(), Some(NUMBER_FAILED));
                let order = world.order(&id).await;
                assert!(order.details.refunded_at.is_some() && order.details.refund.is_some());
            }
        }
        // remove, release, refund
        assert_eq!(deaths, 2 * 3);
        nothing_is_kept(world);
    }

    async fn money_is_never_kept_without_a_number(world: &mut World) {
        with_till(world).await;
        // Nobody pays.
        let unpaid = world.buy(world.wish()).await;
        world.settle().await;
        assert!(world.order(&unpaid).await.details.checkout_url.unwrap().starts_with("https://till.example/"));
        assert!(kinds(world, &unpaid).await.contains(&NUMBER_PAYMENT_WANTED.to_owned()));
        world.clock.advance(HOUR);
        world.settle().await;
        assert_eq!((world.state(&unpaid).await, why(world, &unpaid).await), ("failed", Why::PaymentExpired));
        nothing_is_kept(world);
        // The carrier refuses what was paid for, one number after the other.
        let refused = world.buy(world.wish()).await;
        world.settle().await;
        world.street.state().buying = vec![Bought::Gone { why: "sold".into() }; 3].into();
        assert!(world.pay(&refused).await && world.pay(&refused).await);
        world.settle().await;
        assert_eq!((world.state(&refused).await, why(world, &refused).await), ("failed", Why::OrderRefused));
        nothing_is_kept(world);
        // One number is gone, the next is not, and it is not paid again.
        let second = world.buy(world.wish()).await;
        world.settle().await;
        world.street.state().buying = vec![Bought::Pending, Bought::Gone { why: "sold".into() }].into();
        world.pay(&second).await;
        world.settle().await;
        world.clock.advance(MINUTE);
        world.settle().await;
        assert_eq!(world.state(&second).await, "active");
        release(world, &second).await.unwrap();
        world.settle().await;
        assert_eq!(world.order(&second).await.details.refund, None, "a number that was had is paid for");
        world.street.state().sessions.remove(&second);
        nothing_is_kept(world);
        // Somebody pays at the moment at which he does not want it any more, and the news is late.
        let regretted = world.buy(world.wish()).await;
        world.settle().await;
        release(world, &regretted).await.unwrap();
        world.settle().await;
        assert_eq!((world.state(&regretted).await, why(world, &regretted).await), ("failed", Why::Cancelled));
        assert!(world.street.state().refunds.len() == 1);
        world.pay(&regretted).await;
        world.settle().await;
        assert_eq!((world.state(&regretted).await, world.street.state().refunds.len()), ("failed", 2));
        world.pay(&regretted).await;
        world.settle().await;
        nothing_is_kept(world);
    }

    async fn whoever_is_away_is_waited_for_and_undoing_never_gives_up(world: &mut World) {
        world.street.state().errors.insert("buy", vec![away(), away()].into());
        let id = world.buy(world.wish()).await;
        world.settle().await;
        let order = world.order(&id).await;
        assert_eq!((order.state, order.details.trouble.as_deref()), (State::Ordering, Some("the provider could not be reached")));
        for _ in 0..2 {
            world.clock.advance(seconds(4));
            world.settle().await;
        }
        assert_eq!((world.state(&id).await, world.street.state().sales), ("active", 1));
        // For a day; then it is undone.
        world.street.state().errors.insert("reserve", std::iter::repeat_with(away).take(1000).collect());
        let id = world.buy(world.wish()).await;
        for _ in 0..200 {
            world.clock.advance(10 * MINUTE);
            world.settle().await;
        }
        assert_eq!((world.state(&id).await, why(world, &id).await), ("failed", Why::Unreachable));
        world.street.state().errors.clear();
        // Giving back is tried for as long as it takes.
        let mut wish = world.wish();
        wish.intent = Some("the last".into());
        let id = world.buy(wish.clone()).await;
        assert_eq!(world.buy(wish).await, id, "the same intent is the same order");
        world.settle().await;
        world.street.state().errors.insert("release", vec![no("not now"), away(), no("not now")].into());
        release(world, &id).await.unwrap();
        for _ in 0..3 {
            world.settle().await;
            assert_eq!(world.state(&id).await, "releasing");
            world.clock.advance(DAY);
        }
        world.settle().await;
        assert_eq!(world.state(&id).await, "released");
    }

    /// The network has the last word about what stands there, and none about what the carrier and the buyer get back.
    async fn no_network_keeps_a_number_or_money_from_going_back(world: &mut World) {
        with_till(world).await;
        let left = "it is still on the account at the network: the provider does not accept our token: dead";
        let dead = || CallError::Unauthorized { message: "dead".into(), code: None };
        world.street.state().errors.insert("remove", vec![dead(), away(), no("in use")].into());
        world.street.state().errors.insert("register", vec![no("no such luck")].into());
        let failed = world.buy(world.wish()).await;
        world.settle().await;
        world.pay(&failed).await;
        world.settle().await;
        let order = world.order(&failed).await;
        assert_eq!((order.state, order.details.refund.is_some()), (State::Failed, true));
        let why = format!("no such luck; {left}");
        assert_eq!((order.details.left_behind.as_deref(), order.why()), (Some(left), Some(why.clone())));
        let told = store::events::about(&mut world.engine.db.reader().await.unwrap(), &failed).await.unwrap().pop().unwrap();
        assert!(told.kind == NUMBER_FAILED && told.data.contains(&why), "{}", told.data);
        let story = engine::explain::explain(&world.engine, &failed.hex24()).await.unwrap();
        assert!(story.iter().any(|line| line.text == format!("left behind: {left}")), "{story:?}");
        assert!(world.street.state().sold.is_empty());
        world.street.state().known.clear();
        nothing_is_kept(world);
        world.street.state().sessions.clear();
        world.street.state().refunds.clear();

        // One that is away is asked again, after the carrier has its number back.
        let [used, orphan] = [world.buy(world.wish()).await, world.buy(world.wish()).await];
        world.settle().await;
        for id in [used, orphan] {
            world.pay(&id).await;
        }
        world.settle().await;
        release(world, &used).await.unwrap();
        world.settle().await;
        let order = world.order(&used).await;
        assert_eq!((order.state, order.why().as_deref()), (State::Releasing, Some("the provider could not be reached")));
        assert_eq!(world.street.state().sold.len(), 1);
        world.clock.advance(MINUTE);
        world.settle().await;
        let order = world.order(&used).await;
        let left = "it is still on the account at the network: in use";
        assert_eq!((order.state, order.why().as_deref()), (State::Released, Some(left)));

        // Whose account is gone has nothing there any more.
        let remove = Remove { id: world.order(&orphan).await.account_id, now: world.clock.now() };
        assert!(world.engine.perform(remove).await.unwrap());
        let calls = world.street.state().calls.len();
        release(world, &orphan).await.unwrap();
        world.settle().await;
        let order = world.order(&orphan).await;
        assert_eq!((order.state, order.why(), world.street.state().sold.len()), (State::Released, None, 0));
        assert!(!world.street.state().calls[calls..].contains(&"remove"));
    }

    async fn a_till_that_is_away_for_a_moment_ends_nothing_that_takes_days(world: &mut World) {
        with_till(world).await;
        let id = world.buy(world.wish()).await;
        world.settle().await;
        world.street.state().undecided = true;
        world.clock.advance(HOUR);
        world.settle().await;
        for day in 0..3 {
            world.street.state().errors.insert("end", vec![away(), away()].into());
            for away in [true, false] {
                for _ in 0..if away { 1 } else { 2 * 24 } {
                    world.clock.advance(30 * MINUTE);
                    world.settle().await;
                }
                let order = world.order(&id).await;
                let why = away.then(|| "the provider could not be reached".to_owned());
                assert_eq!((order.state, order.why()), (State::PendingPayment, why), "{day}");
            }
        }
        world.pay_quietly(&id);
        world.clock.advance(30 * MINUTE);
        world.settle().await;
        assert_eq!(world.state(&id).await, "active");
        // One that is away for a day is given up.
        let id = world.buy(world.wish()).await;
        world.settle().await;
        world.street.state().errors.insert("end", std::iter::repeat_with(away).take(1000).collect());
        for _ in 0..2 * 26 {
            world.clock.advance(30 * MINUTE);
            world.settle().await;
        }
        assert_eq!((world.state(&id).await, why(world, &id).await), ("refunding", Why::Unreachable));
    }

    async fn money_is_on_its_way_until_it_has_arrived(world: &mut World) {
        with_till(world).await;
        let id = world.buy(world.wish()).await;
        world.settle().await;
        world.street.state().buying = vec![Bought::Gone { why: "sold".into() }; 3].into();
        world.street.state().slow = vec![false, true].into();
        world.pay(&id).await;
        let mut said = Vec::new();
        for _ in 0..4 {
            world.settle().await;
            let order = world.order(&id).await;
            assert_eq!(order.details.refunded_at.is_some(), order.state == State::Failed);
            said.push((order.state, order.details.refund, order.details.trouble));
            world.clock.advance(HOUR);
        }
        let (on_its_way, refund) = ("the money is on its way back", |number| Some(format!("refund-{}-{number}", id.hex24())));
        assert_eq!(said, [
            (State::Refunding, refund(2), Some(on_its_way.into())),
            (State::Refunding, None, Some("the bank does not take it".into())),
            (State::Refunding, refund(1), Some(on_its_way.into())),
            (State::Failed, refund(1), None),
        ]);
        nothing_is_kept(world);
    }

    async fn a_payment_is_believed_for_what_is_paid_at_the_till(world: &mut World) {
        world.settings.numbers.payment = Payment::Operator;
        world.restart().await;
        let id = world.buy(world.wish()).await;
        world.settle().await;
        assert!(!world.news(&id, "of somebody else".into()).await);
        world.settle().await;
        assert_eq!((world.state(&id).await, world.street.state().sales), ("pending_payment", 0));
        assert!(!world.news(&Id::floor(1), "of nobody".into()).await);
        // Operators find an order whosever it is.
        assert_eq!(world.engine.any_number_order(&id).await.unwrap().unwrap().organization_id, world.organization);
        assert!(world.engine.any_number_order(&Id::floor(1)).await.unwrap().is_none());
    }

    async fn refusals_say_what_they_are(world: &mut World) {
        for (call, expected) in [
            ("available", Why::NoneAvailable),
            ("buy", Why::OrderRefused),
            ("add", Why::NotTaken),
            ("register", Why::RegistrationRefused),
        ] {
            world.street.state().errors.insert(call, vec![no("no such luck")].into());
            let id = world.buy(world.wish()).await;
            world.settle().await;
            let reason = world.order(&id).await.reason().unwrap().clone();
            assert_eq!((world.state(&id).await, reason.code, reason.text.as_str()), ("failed", expected, "no such luck"), "{call}");
            nothing_is_kept(world);
        }
        let taken = world.buy(New { number: Some(FIRST.into()), ..world.wish() }).await;
        let same = world.buy(New { number: Some(FIRST.into()), ..world.wish() }).await;
        world.settle().await;
        assert_eq!((world.state(&taken).await, world.state(&same).await, why(world, &same).await), ("active", "failed", Why::NoneAvailable));
        let other = world.engine.perform(engine::organizations::create(&world.engine, "Other")).await.unwrap().id;
        assert_eq!(world.try_buy(New { organization: other, ..world.wish() }).await.unwrap_err(), Refusal::NotFound("account"));
        let wish = Release { engine: world.engine.clone(), organization: other, id: taken };
        assert_eq!(world.engine.perform(wish).await.unwrap().unwrap_err(), Refusal::NotFound("number"));
        assert!(world.engine.number_order(&other, &taken).await.unwrap().is_none());
    }

    async fn nobody_buys_two_by_mistake(world: &mut World) {
        let careful = || New { allow_multiple: false, ..world.wish() };
        let first = world.buy(careful()).await;
        let until = world.clock.now() + 600_000;
        let soon = world.try_buy(careful()).await.unwrap();
        assert!(matches!(soon, Purchased::TooSoon { again_at } if again_at == until), "{soon:?}");
        // Another profile may, and who says that he means it.
        world.buy(New { profile: "other".into(), ..careful() }).await;
        // One that came to nothing does not count.
        release(world, &first).await.unwrap();
        world.settle().await;
        world.buy(careful()).await;
        world.clock.advance(10 * MINUTE);
        world.buy(careful()).await;
        let at_once = futures_util::future::join_all((0..8).map(|_| {
            world.try_buy(New { profile: "third".into(), ..careful() })
        })).await;
        let placed = at_once.into_iter().filter(|it| matches!(it, Ok(Purchased::Placed(_)))).count();
        assert_eq!(placed, 1);
    }

    async fn an_operator_may_have_the_last_word(world: &mut World) {
        world.settings.numbers.payment = Payment::Operator;
        world.restart().await;
        let (yes, no, late) = (world.buy(world.wish()).await, world.buy(world.wish()).await, world.buy(world.wish()).await);
        world.settle().await;
        assert_eq!(world.street.state().sales, 0);
        assert!(kinds(world, &yes).await.contains(&NUMBER_PAYMENT_WANTED.to_owned()));
        let (engine, organization) = (world.engine.clone(), world.organization);
        engine.perform(Approve { engine: engine.clone(), organization, id: yes }).await.unwrap().unwrap();
        engine.perform(Decline { engine: engine.clone(), organization, id: no }).await.unwrap().unwrap();
        world.settle().await;
        let twice = engine.perform(Approve { engine: engine.clone(), organization, id: yes }).await.unwrap();
        assert!(matches!(twice, Err(Refusal::Invalid { field: "state", .. })));
        world.clock.advance(HOUR);
        world.settle().await;
        for (id, state) in [(yes, "active"), (no, "failed"), (late, "failed")] {
            assert_eq!(world.state(&id).await, state);
        }
        assert_eq!((why(world, &no).await, why(world, &late).await), (Why::Declined, Why::PaymentExpired));
        assert_eq!(world.street.state().sales, 1);
    }

    async fn the_newest_code_counts(world: &mut World) {
        let id = world.buy(world.wish()).await;
        drive(&world.engine, &id).await.unwrap();
        let (to, right) = world.street.state().texts.pop_front().unwrap();
        for text in ["your code 111-111", "222222 is yours", &right] {
            world.text(&to, text).await;
        }
        world.settle().await;
        assert_eq!((world.state(&id).await, world.order(&id).await.details.codes_asked), ("active", 1));
        let calls = world.street.state().calls.clone();
        assert_eq!(calls.iter().filter(|call| **call == "verify_code").count(), 1);
        // The right one comes while another is tried: the process dies at that moment.
        let id = world.buy(New { number: Some("+12125550007".into()), ..world.wish() }).await;
        drive(&world.engine, &id).await.unwrap();
        let (to, right) = world.street.state().texts.pop_front().unwrap();
        world.text(&to, "your code 111-111").await;
        world.street.hang_at(1, When::After);
        assert!(world.work_and_die().await);
        world.text(&to, &right).await;
        world.settle().await;
        assert_eq!((world.state(&id).await, world.order(&id).await.details.codes_asked), ("active", 1));
    }

    async fn a_code_that_is_not_sent_costs_nothing_that_was(world: &mut World) {
        // The network does not want to send one yet. Strangers neither hurry it nor use up a try.
        world.street.state().errors.insert("request_code", vec![no("later")].into());
        let id = world.buy(world.wish()).await;
        drive(&world.engine, &id).await.unwrap();
        let order = world.order(&id).await;
        assert_eq!((order.state, order.details.codes_asked, order.details.trouble.as_deref()), (State::Asking, 1, Some("later")));
        for text in ["win 999-999 now", "call 888-888"] {
            world.text(FIRST, text).await;
            world.settle().await;
            assert_eq!((world.state(&id).await, world.order(&id).await.details.codes_asked), ("awaiting_code", 1));
        }
        world.street.state().silent = true;
        for asked in [2, 3] {
            world.clock.advance(5 * MINUTE);
            world.settle().await;
            assert_eq!((world.state(&id).await, world.order(&id).await.details.codes_asked), ("awaiting_code", asked));
        }
        // Somebody is impatient, and the network has had enough; the last code is good all the same.
        let code = format!("{:06}", 100_000 + world.street.state().calls.len());
        world.street.state().errors.insert("request_code", vec![no("too many")].into());
        let refused = request_code(&world.engine, &world.organization, &id, Method::Sms).await;
        assert!(matches!(refused, Err(Error::Call(_))), "{refused:?}");
        assert_eq!((world.state(&id).await, world.order(&id).await.details.codes_asked), ("awaiting_code", 3));
        let order = verify(&world.engine, &world.organization, &id, code.into()).await.unwrap();
        assert_eq!(order.state, State::Active);

        // One that overtakes the news that it was asked for is tried, and no other is asked for.
        world.street.state().silent = false;
        let before = world.street.state().calls.len();
        let id = world.buy(world.wish()).await;
        world.street.hang_at(5, When::After);
        assert!(world.work_and_die().await && world.state(&id).await == "asking");
        assert!(world.bring().await);
        world.settle().await;
        assert_eq!(world.state(&id).await, "active");
        let calls = world.street.state().calls[before..].to_vec();
        assert_eq!(calls.iter().filter(|call| **call == "request_code").count(), 1, "{calls:?}");
    }

    async fn a_wish_for_a_call_outlasts_a_text_under_way(world: &mut World) {
        let id = world.buy(world.wish()).await;
        let (engine, organization) = (world.engine.clone(), world.organization);
        let wish = tokio::sync::OnceCell::new();
        world.meanwhile(5, async {
            wish.set(tokio::spawn(async move { request_code(&engine, &organization, &id, Method::Voice).await })).unwrap();
            while !world.order(&id).await.details.again {
                tokio::task::yield_now().await;
            }
        }).await;
        let order = wish.into_inner().unwrap().await.unwrap().unwrap();
        assert_eq!((order.state, order.details.method, order.details.codes_asked), (State::AwaitingCode, Method::Voice, 2));
        assert_eq!(world.street.state().spoken.len(), 1);
    }

    async fn whoever_gives_up_while_it_is_proven_gets_his_money_back(world: &mut World) {
        with_till(world).await;
        // verify_code, where the pool makes it usable; register, where the account does.
        for (place, call) in [(Place::Pool, 1), (Place::Account, 3)] {
            let id = world.buy(New { place, ..world.wish() }).await;
            world.settle().await;
            assert!(world.pay(&id).await);
            workers::drain(&world.engine).await.unwrap();
            let (to, body) = world.street.state().texts.pop_front().unwrap();
            world.text(&to, &body).await;
            world.meanwhile(call, async { release(world, &id).await.unwrap() }).await;
            world.settle().await;
            assert_eq!((world.state(&id).await, why(world, &id).await), ("failed", Why::Cancelled), "{place:?}");
            nothing_is_kept(world);
        }
    }

    async fn what_is_not_written_is_spoken(world: &mut World) {
        world.street.state().textless = true;
        let id = world.buy(world.wish()).await;
        world.settle().await;
        for asked in [1, 2] {
            let order = world.order(&id).await;
            assert_eq!((order.state, order.details.codes_asked, order.details.method), (State::AwaitingCode, asked, Method::Sms));
            assert!(!expects_code(&world.engine, &id, FIRST).await.unwrap(), "of somebody else");
            assert!(expects_code(&world.engine, &world.organization, FIRST).await.unwrap());
            world.clock.advance(5 * MINUTE);
            if asked == 1 {
                world.settle().await;
            }
        }
        // The last one is spoken. Who knows it must speak to whoever waits for it.
        drive(&world.engine, &id).await.unwrap();
        let (number, words) = world.street.state().spoken.pop_front().unwrap();
        assert!(!world.speak(&id, &number, &words).await && !world.speak(&world.organization, "+12125550001", &words).await);
        assert!(!world.speak(&world.organization, &number, "who is there?").await);
        assert!(world.speak(&world.organization, &number, "your code is 9 9 9 9 9 9").await);
        world.settle().await;
        assert_eq!(world.state(&id).await, "awaiting_code");
        assert!(world.speak(&world.organization, &number, &words).await);
        world.settle().await;
        let order = world.order(&id).await;
        assert_eq!((order.state, order.details.codes_asked, order.details.method), (State::Active, 3, Method::Voice));
        assert!(!expects_code(&world.engine, &world.organization, &number).await.unwrap());
        assert!(!world.speak(&world.organization, &number, &words).await);
        // Nobody is called where nobody listens.
        world.street.state().deaf = true;
        let id = world.buy(world.wish()).await;
        for _ in 0..4 {
            world.settle().await;
            world.clock.advance(5 * MINUTE);
        }
        let order = world.order(&id).await;
        assert_eq!((order.state, why(world, &id).await, order.details.method), (State::Failed, Why::CodeNeverArrived, Method::Sms));
        assert!(world.street.state().spoken.is_empty());
    }

    async fn a_person_may_ask_for_codes_and_give_them(world: &mut World) {
        world.street.state().silent = true;
        let new = New { place: Place::Pool, ..world.wish() };
        let id = world.buy(new).await;
        let early = verify(&world.engine, &world.organization, &id, "123456".to_owned().into()).await;
        assert!(matches!(early, Err(Error::Refused(Refusal::Invalid { field: "state", .. }))), "{early:?}");
        drive(&world.engine, &id).await.unwrap();
        assert_eq!(world.state(&id).await, "awaiting_code");
        // Strangers write what looks like a code; it is not, and costs nothing.
        world.text(FIRST, "win 999-999 now").await;
        world.settle().await;
        assert_eq!((world.state(&id).await, world.order(&id).await.details.codes_asked), ("awaiting_code", 1));
        let wrong = verify(&world.engine, &world.organization, &id, "999999".to_owned().into()).await;
        assert!(matches!(wrong, Err(Error::Refused(Refusal::Invalid { field: "code", .. }))), "{wrong:?}");
        let silly = verify(&world.engine, &world.organization, &id, "12".to_owned().into()).await;
        assert!(matches!(silly, Err(Error::Refused(Refusal::Invalid { field: "code", .. }))));
        world.street.state().errors.insert("request_code", vec![no("too many codes")].into());
        let refused = request_code(&world.engine, &world.organization, &id, Method::Voice).await;
        assert!(matches!(refused, Err(Error::Call(_))), "{refused:?}");
        let asked = request_code(&world.engine, &world.organization, &id, Method::Voice).await.unwrap();
        assert_eq!((asked.state, asked.details.method), (State::AwaitingCode, Method::Voice));
        let code = format!("{:06}", 100_000 + world.street.state().calls.len());
        let order = verify(&world.engine, &world.organization, &id, code.clone().into()).await.unwrap();
        let ninety_days = order.details.verified_until.unwrap() - order.details.verified_at.unwrap();
        assert_eq!((order.state, ninety_days), (State::Active, 90 * 24 * 60 * 60 * 1000));
        verify(&world.engine, &world.organization, &id, code.into()).await.unwrap();
        assert!(order.details.sender.is_none() && !world.street.state().calls.contains(&"register"));
    }
}

/// Several processes have PostgreSQL.
#[test]
fn two_processes_buy_one_number_each() {
    tell(Kind::Postgres, async |world: &mut World| {
        let other = world.another().await;
        for _ in 0..6 {
            world.buy(world.wish()).await;
        }
        let (one, two) = tokio::join!(engine::workers::drain(&world.engine), engine::workers::drain(&other));
        one.and(two).unwrap();
        world.settle().await;
        world.clock.advance(3 * MINUTE);
        world.settle().await;
        let orders = world.engine.number_orders(&world.organization, Some("profile"), &[]).await.unwrap();
        assert!(orders.iter().all(|order| order.state == State::Active), "{orders:?}");
        let state = world.street.state();
        assert_eq!((state.sold.len(), state.sales), (6, 6));
    });
}
