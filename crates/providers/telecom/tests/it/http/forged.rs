//! Pushes are believed only as the carrier made them, for the account whose secret signed them.

use std::time::Duration;

use bytes::Bytes;
use engine::messages::Status;

use super::world::{ANN, CARRIERS, Got, World, number};

/// The same push, changed.
fn changed(got: &Got, change: impl FnOnce(&mut Got)) -> Got {
    let mut changed = got.clone();
    change(&mut changed);
    changed
}

#[tokio::test]
async fn a_push_that_was_changed_is_refused() {
    let world = World::new().await;
    for carrier in CARRIERS {
        let id = world.text(carrier, "hello").await;
        world.reaches(carrier, &id, Status::Delivered).await;
        world.carriers.reply(ANN, number(carrier), "hi").await.unwrap();
        for got in world.pushed(carrier, 3).await {
            assert_eq!(world.push(&got).await, 200);
            let more = changed(&got, |got| got.body = [&got.body[..], b" "].concat().into());
            let other = changed(&got, |got| {
                let body = String::from_utf8(got.body.to_vec()).unwrap();
                got.body =
                    Bytes::from(body.replacen("hello", "hullo", 1).replacen("sent", "read", 1).replacen("hi", "ho", 1));
            });
            let bare = changed(&got, |got| got.headers.clear());
            let empty = changed(&got, |got| got.body = Bytes::new());
            for (what, forged) in [("more", more), ("bare", bare), ("empty", empty)] {
                assert_eq!(world.push(&forged).await, 403, "{carrier} {what}");
            }
            if other.body != got.body {
                assert_eq!(world.push(&other).await, 403, "{carrier}");
            }
            let elsewhere =
                changed(&got, |got| got.url = got.url.replace("/webhooks/", "/webhooks/x/").replace("/x/", "/"));
            assert_eq!(world.push(&elsewhere).await, 200);
            let unknown = changed(&got, |got| got.url = format!("http://platform.test/webhooks/{carrier}/nobody"));
            assert_eq!(world.push(&unknown).await, 404);
        }
    }
}

#[tokio::test]
async fn an_account_speaks_for_itself_alone() {
    let world = World::new().await;
    for carrier in CARRIERS {
        let id = world.text(carrier, "hello").await;
        world.reaches(carrier, &id, Status::Delivered).await;
        let got = world.pushes(carrier).remove(0);
        for other in CARRIERS.iter().filter(|other| **other != carrier) {
            let account = super::world::credentials(other).name();
            let forged = changed(&got, |got| got.url = format!("http://platform.test/webhooks/{other}/{account}"));
            assert_eq!(world.push(&forged).await, 403, "{carrier} as {other}");
        }
    }
    // Of Twilio's pushes the address is a part; of Telnyx's the moment.
    let twilio = world.pushes("twilio").remove(0);
    let forged = changed(&twilio, |got| got.url = got.url.replace("?m=", "?m=0"));
    assert_eq!(world.push(&forged).await, 403);
    let telnyx = world.pushes("telnyx").remove(0);
    world.clock.advance(Duration::from_secs(299));
    assert_eq!(world.push(&telnyx).await, 200);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.push(&telnyx).await, 403);
    assert_eq!(world.push(&twilio).await, 200);
}
