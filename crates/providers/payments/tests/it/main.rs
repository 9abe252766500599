//! Stripe against the sandbox's: a session is opened, ended, paid and refunded once, whatever is lost on the way.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod pushes;
mod refunds;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use engine::numbers::{Bill, Payments, Refund, Standing};
use engine::provider::CallError;
use engine::{Clock, Id};
use futures_util::future::BoxFuture;
use http::HeaderMap;
use provider_payments::{Options, Stripe};
use sandbox_carriers::stripe::{Account, Unmoved};
use sandbox_carriers::{Fault, Handle, Outside, Phone, Target};
use tokio::sync::watch;

pub(crate) const NOW: i64 = 1_795_000_000_000;

/// Events as they came: their signatures and bodies.
type Events = Vec<(String, Bytes)>;

pub(crate) struct Street {
    pub(crate) clock: Clock,
    faults: Mutex<VecDeque<(Target, Fault)>>,
    told: watch::Sender<Events>,
}

impl Outside for Street {
    fn now(&self) -> i64 {
        self.clock.now()
    }

    fn fault(&self, target: Target) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        faults.pop_front_if(|(due, _)| *due == target).map(|(_, fault)| fault)
    }

    fn phone(&self, _: &str) -> Phone {
        Phone { registered: true, online: true }
    }

    fn push(&self, _: String, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Result<u16, String>> {
        let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
        self.told.send_modify(|told| told.push((signature, body)));
        Box::pin(async { Ok(200) })
    }
}

pub(crate) struct World {
    pub(crate) street: Arc<Street>,
    pub(crate) carriers: Handle,
    pub(crate) stripe: Stripe,
}

impl World {
    pub(crate) async fn new() -> Self {
        net::install_crypto();
        let street = Arc::new(Street {
            clock: Clock::manual(NOW),
            faults: Mutex::default(),
            told: watch::Sender::new(Vec::new()),
        });
        let carriers = sandbox_carriers::start(sandbox_carriers::Options::default(), street.clone()).await.unwrap();
        let account = Account::derived("story", "http://h.example/webhooks/stripe".into());
        let stripe = provider(carriers.stripe().url(), &account, &street.clock);
        carriers.stripe().put(account);
        Self { street, carriers, stripe }
    }

    pub(crate) fn goes_wrong(&self, target: Target, fault: Fault) {
        self.street.faults.lock().unwrap().push_back((target, fault));
    }

    /// Sessions: how each stands, and its refunds.
    pub(crate) fn sessions(&self) -> Vec<(String, usize)> {
        let shown = self.carriers.stripe().payments();
        let stands = |it: &serde_json::Value| {
            format!("{} {}", it["status"].as_str().unwrap(), it["payment_status"].as_str().unwrap())
        };
        shown.iter().map(|it| (stands(it), it["refunds"].as_array().unwrap().len())).collect()
    }

    pub(crate) async fn told(&self, count: usize) -> Events {
        let mut told = self.street.told.subscribe();
        let enough = told.wait_for(|told| told.len() >= count);
        tokio::time::timeout(Duration::from_secs(60), enough).await.unwrap().unwrap().clone()
    }
}

fn provider(base_url: &str, account: &Account, clock: &Clock) -> Stripe {
    Stripe::new(Options {
        client: net::plain_client(&net::PlainSettings::default()).unwrap(),
        base_url: base_url.parse().unwrap(),
        secret_key: account.secret_key.clone().into(),
        webhook_secret: account.webhook_secret.clone().into(),
        return_url: "https://h.example/".into(),
        clock: clock.clone(),
        timeout: Duration::from_secs(20),
    })
}

pub(crate) fn bill(order: Id) -> Bill {
    Bill {
        order,
        amount: 2_500_000,
        currency: "EUR".into(),
        title: "Phone number +12125550100".into(),
        expires_at: NOW + 60 * 60 * 1000,
    }
}

#[tokio::test]
async fn what_is_asked_for_twice_is_done_once() {
    let world = World::new().await;
    let (stripe, order) = (&world.stripe, Id::from_parts(NOW, 7));
    // Its answer is lost.
    world.goes_wrong(Target::Till, Fault::Drop);
    assert!(matches!(stripe.open(&bill(order)).await, Err(CallError::Unreachable(_))));
    let first = stripe.open(&bill(order)).await.unwrap();
    assert_eq!(stripe.open(&bill(order)).await.unwrap(), first);
    let session = &world.carriers.stripe().payments()[0];
    assert_eq!((session["amount_total"].as_i64(), session["currency"].as_str()), (Some(250), Some("eur")));
    assert_eq!(session["metadata"]["order_id"], order.hex24());
    let another = Bill { amount: 9_000_000, ..bill(order) };
    assert!(matches!(stripe.open(&another).await, Err(CallError::Refused { .. })));
    world.carriers.stripe().pay(&first.id).unwrap();
    let Standing::Paid { reference } = stripe.end(&first.id).await.unwrap() else { panic!("it was paid") };
    world.goes_wrong(Target::Till, Fault::Drop);
    assert!(matches!(stripe.refund(&order, &reference, None).await, Err(CallError::Unreachable(_))));
    let refund = stripe.refund(&order, &reference, None).await.unwrap();
    assert!(refund.settled && refund.id.starts_with("re_"), "{refund:?}");
    // Also when its key is forgotten.
    world.street.clock.advance(Duration::from_secs(2 * 24 * 60 * 60));
    for begun in [None, Some(refund.id.as_str())] {
        assert_eq!(stripe.refund(&order, &reference, begun).await.unwrap(), refund);
    }
    let by_hand = Refund { id: "already".into(), settled: true };
    assert_eq!(stripe.refund(&Id::from_parts(1, 1), &reference, None).await.unwrap(), by_hand);
    assert_eq!(world.sessions(), [("complete paid".to_owned(), 1)]);
}

/// Stripe repeats for a day what it answered to a key, also that something went wrong with itself.
#[tokio::test]
async fn an_error_that_is_repeated_is_got_round_and_silence_is_not() {
    let world = World::new().await;
    let (stripe, order) = (&world.stripe, Id::from_parts(NOW, 7));
    for fault in [Fault::Status(500), Fault::Status(503), Fault::Drop] {
        world.goes_wrong(Target::Till, fault);
        assert!(matches!(stripe.open(&bill(order)).await, Err(CallError::Unreachable(_))));
    }
    let session = stripe.open(&bill(order)).await.unwrap();
    assert_eq!(stripe.open(&bill(order)).await.unwrap(), session);
    assert_eq!(world.sessions(), [("open unpaid".to_owned(), 0)], "what was done without an answer is not done again");
    // However often: it goes on when the till remembers no longer.
    let other = Id::from_parts(NOW, 8);
    for _ in 0..25 {
        world.goes_wrong(Target::Till, Fault::Status(500));
    }
    for _ in 0..30 {
        assert!(matches!(stripe.open(&bill(other)).await, Err(CallError::Unreachable(_))));
    }
    world.street.faults.lock().unwrap().clear();
    assert!(stripe.open(&bill(other)).await.is_err());
    world.street.clock.advance(Duration::from_secs(24 * 60 * 60));
    let later = Bill { expires_at: bill(other).expires_at + 24 * 60 * 60 * 1000, ..bill(other) };
    stripe.open(&later).await.unwrap();
    assert_eq!(world.sessions().len(), 2);
}

#[tokio::test]
async fn a_session_that_nobody_paid_ends_however_it_came_to_that() {
    let world = World::new().await;
    let stripe = &world.stripe;
    let open = async |number| stripe.open(&bill(Id::from_parts(NOW, number))).await.unwrap().id;
    let [ended, refused, late, forgotten] = [open(1).await, open(2).await, open(3).await, open(4).await];
    for _ in 0..2 {
        assert_eq!(stripe.end(&ended).await.unwrap(), Standing::Ended);
    }
    assert_eq!(world.carriers.stripe().pay(&ended), Err(Unmoved::Over));
    world.goes_wrong(Target::Buyer, Fault::Code("failed".into()));
    world.carriers.stripe().pay(&refused).unwrap();
    world.goes_wrong(Target::Buyer, Fault::Code("expired".into()));
    assert_eq!(world.carriers.stripe().pay(&late), Err(Unmoved::Over));
    world.street.clock.advance(Duration::from_secs(60 * 60));
    let stand = [("expired", 0), ("complete", 0), ("expired", 0), ("expired", 0)];
    let stand = stand.map(|(status, refunds)| (format!("{status} unpaid"), refunds));
    assert_eq!(world.sessions(), stand);
    for session in [&refused, &late, &forgotten] {
        assert_eq!(stripe.end(session).await.unwrap(), Standing::Ended, "{session}");
    }
    assert_eq!(world.sessions(), stand);
    // One event each, and two for the bank's second thought.
    assert_eq!(world.told(5).await.len(), 5);
    world.goes_wrong(Target::Till, Fault::Status(503));
    assert!(matches!(stripe.end(&late).await, Err(CallError::Unreachable(_))));
}

#[tokio::test]
async fn a_till_that_is_not_there_or_does_not_know_us_is_no_refusal_and_hears_no_secret_back() {
    let world = World::new().await;
    let account = Account::derived("somebody else", String::new());
    let stranger = provider(world.carriers.stripe().url(), &account, &world.street.clock);
    let refused = stranger.open(&bill(Id::from_parts(1, 1))).await.unwrap_err();
    assert!(matches!(refused, CallError::Unauthorized { .. }), "{refused:?}");
    let gone = provider("http://127.0.0.1:1", &account, &world.street.clock);
    let silent = gone.refund(&Id::from_parts(1, 1), "pi_1", None).await.unwrap_err();
    assert!(matches!(silent, CallError::Unreachable(_)), "{silent:?}");
    for error in [refused, silent] {
        assert!(!format!("{error:?}").contains(&account.secret_key), "{error:?}");
    }
}
