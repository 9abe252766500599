//! An account's templates follow its provider even where no push tells of a change.

use std::sync::Arc;

use engine::accounts::Remove;
use engine::cache::Cache;
use engine::templates::{Filter, sync};
use engine::wake::Wake;
use engine::{Engine, Parts, Settings, workers};
use store::Ids;
use testkit::cloud::{Cloud, Fake, template};
use testkit::{House, dialect, on_both};

use crate::{HOUR, millis};

/// A process whose provider has templates.
async fn process(house: &House, cloud: &Arc<Cloud>, name: &str) -> Engine {
    Engine::new(Parts {
        db: house.scratch.open().await,
        clock: house.clock.clone(),
        ids: Arc::new(Ids::seeded(2)),
        key: house.engine.key.clone(),
        settings: Settings { process: name.into(), ..house.settings.clone() },
        providers: vec![Arc::new(Fake(cloud.clone()))],
        dialects: vec![dialect()],
        transports: Vec::new(),
        wake: Wake::default(),
        cache: Cache::default(),
    })
}

async fn names(house: &House) -> Vec<String> {
    let found = house.engine.templates(&house.organization.id, &house.account, &Filter::default(), 9).await.unwrap();
    let mut names: Vec<_> = found.into_iter().map(|template| template.name).collect();
    names.sort();
    names
}

on_both! {
    async fn templates_are_fetched_every_few_hours(house: &mut House) {
        let cloud = Arc::new(Cloud::default());
        let have = |names: &[&str]| {
            let made = names.iter().map(|name| template(name, "en", "APPROVED", "UTILITY")).collect();
            *cloud.templates.lock().unwrap() = made;
        };
        let (one, two) = (process(house, &cloud, "one").await, process(house, &cloud, "two").await);
        let (first, second) = tokio::join!(sync::plan(&one), sync::plan(&two));
        assert!(first.is_ok() && second.is_ok());
        have(&["order", "offer"]);
        house.advance(6 * HOUR - millis(1));
        workers::drain(&one).await.unwrap();
        assert!(names(house).await.is_empty(), "not a moment early");
        for now in [&["offer", "order"][..], &["order"]] {
            have(now);
            house.advance(6 * HOUR);
            sync::plan(&two).await.unwrap();
            workers::drain(&two).await.unwrap();
            assert_eq!(names(house).await, now);
        }

        // What was removed is not asked for again.
        one.perform(Remove { id: house.account, now: house.now() }).await.unwrap();
        house.advance(6 * HOUR);
        let other = process(house, &cloud, "three").await;
        workers::drain(&other).await.unwrap();
        sync::plan(&other).await.unwrap();
        assert!(house.job(&house.account).await.is_none());
    }
}
