//! Spoken codes.

use engine::failure::Code;
use engine::messages::Status;
use sandbox_carriers::{Fault, Phone, Target};

use super::world::{ANN, CARRIERS, World};

#[tokio::test]
async fn a_code_is_spoken_digit_by_digit() {
    let world = World::new().await;
    for carrier in CARRIERS {
        let provider = format!("{carrier}-voice");
        let id = world.speech(&provider, "Ihr <Code> ist 123456 & \"gültig\".", "de").await;
        world.reaches(&provider, &id, Status::Delivered).await;
        let message = world.message(&provider, &id).await;
        let calls = world.carriers.voice();
        let call = calls.iter().find(|call| Some(&call.id) == message.provider_id.as_ref()).unwrap();
        assert_eq!((call.carrier, call.to.as_str(), call.language.as_str()), (carrier, ANN, "de-DE"));
        assert_eq!(call.text, "Ihr <Code> ist 1, 2, 3, 4, 5, 6 & \"gültig\".");
        assert_eq!(call.more["times"], 3);
        assert!(world.pushes(&provider).iter().all(|push| push.status == 200));
        // Nothing is said twice when an event comes again.
        for push in world.pushes(&provider) {
            assert_eq!(world.push(&push).await, 200);
        }
        assert_eq!(world.message(&provider, &id).await.status, Status::Delivered);
    }
    assert_eq!(world.carriers.voice().len(), 3);
}

#[tokio::test]
async fn a_call_that_nobody_takes_has_failed() {
    let world = World::new().await;
    for carrier in CARRIERS {
        let provider = format!("{carrier}-voice");
        for word in ["busy", "no-answer", "rejected", "failed"] {
            world.fault(Target::Voice, Fault::Code(word.to_owned()));
            let id = world.speech(&provider, "1234", "en-GB").await;
            world.reaches(&provider, &id, Status::Failed).await;
            let failure = world.failure(&provider, &id).await.unwrap();
            assert!(matches!(failure.code, Code::RecipientUnreachable | Code::Other), "{carrier} {word}: {failure:?}");
        }
        world.phone(ANN, Phone { registered: true, online: false });
        let id = world.speech(&provider, "1234", "").await;
        world.reaches(&provider, &id, Status::Failed).await;
        assert_eq!(world.failure(&provider, &id).await.unwrap().code, Code::RecipientUnreachable);
        world.phone(ANN, Phone { registered: true, online: true });
    }
}

#[tokio::test]
async fn a_channel_carries_its_own_kind_only() {
    let world = World::new().await;
    for carrier in CARRIERS {
        let provider = format!("{carrier}-voice");
        let (written, spoken) = (world.text(&provider, "hello").await, world.speech(carrier, "hello", "en").await);
        for (provider, id) in [(provider.as_str(), written), (carrier, spoken)] {
            let failure = world.failure(provider, &id).await.unwrap();
            assert_eq!(failure.code, Code::Rejected, "{provider}");
        }
    }
    assert!(world.carriers.sms().is_empty() && world.carriers.voice().is_empty());
}
