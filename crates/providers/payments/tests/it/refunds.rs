//! Money on its way back: it may take its time, and come to nothing.

use std::time::Duration;

use engine::Id;
use engine::numbers::{Payments, Standing};
use engine::provider::CallError;
use sandbox_carriers::{Fault, Target};

use crate::{NOW, World, bill};

/// A payment, made at a bank that treats refunds in its own way.
async fn paid(world: &World, order: Id, bank: &str) -> String {
    let session = world.stripe.open(&bill(order)).await.unwrap();
    world.goes_wrong(Target::Buyer, Fault::Code(bank.into()));
    world.carriers.stripe().pay(&session.id).unwrap();
    match world.stripe.end(&session.id).await.unwrap() {
        Standing::Paid { reference } => reference,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refund_counts_when_it_has_arrived() {
    let (world, order) = (World::new().await, Id::from_parts(NOW, 7));
    let reference = paid(&world, order, "refund-late").await;
    let begun = world.stripe.refund(&order, &reference, None).await.unwrap();
    assert!(!begun.settled);
    for known in [Some(begun.id.as_str()), None] {
        assert_eq!(world.stripe.refund(&order, &reference, known).await.unwrap(), begun);
    }
    // Its key is forgotten by then.
    world.street.clock.advance(Duration::from_secs(2 * 24 * 60 * 60));
    for known in [Some(begun.id.as_str()), None] {
        let settled = world.stripe.refund(&order, &reference, known).await.unwrap();
        assert_eq!((settled.id.as_str(), settled.settled), (begun.id.as_str(), true));
    }
    assert_eq!(world.sessions(), [("complete paid".to_owned(), 1)]);
}

#[tokio::test]
async fn a_refund_that_came_to_nothing_is_followed_by_another() {
    let (world, order) = (World::new().await, Id::from_parts(NOW, 7));
    let reference = paid(&world, order, "refund-failed").await;
    let begun = world.stripe.refund(&order, &reference, None).await.unwrap();
    assert!(!begun.settled);
    world.street.clock.advance(Duration::from_secs(60));
    let failed = world.stripe.refund(&order, &reference, Some(&begun.id)).await.unwrap_err();
    assert!(matches!(&failed, CallError::Refused { message, .. } if message.contains(&begun.id)), "{failed:?}");
    assert_eq!(world.sessions(), [("complete paid".to_owned(), 0)]);
    // The till has trouble of its own meanwhile; what is asked for is done once.
    for fault in [Fault::Status(500), Fault::Drop] {
        world.goes_wrong(Target::Till, fault);
    }
    for _ in 0..2 {
        assert!(matches!(world.stripe.refund(&order, &reference, None).await, Err(CallError::Unreachable(_))));
    }
    let second = world.stripe.refund(&order, &reference, None).await.unwrap();
    assert!(second.settled && second.id != begun.id);
    assert_eq!(world.stripe.refund(&order, &reference, None).await.unwrap(), second);
    assert_eq!(world.sessions(), [("complete paid".to_owned(), 1)]);
}
