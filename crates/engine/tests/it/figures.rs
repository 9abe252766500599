//! What metrics tell that stands in the database.

use engine::accounts;
use engine::failure::{Code, Retry, SendError};
use engine::metrics::Standing;
use testkit::{House, PROVIDER, Reply, on_both};

use crate::{ANN, HOUR};

/// Of the fake provider.
async fn standing(house: &House) -> Standing {
    let all = house.engine.standings().await.unwrap();
    assert_eq!(all.len(), house.engine.providers.len());
    all.into_iter().find(|standing| standing.provider == PROVIDER).unwrap()
}

fn wanted(counts: [i64; 3], senders_held: i64, silent_ms: Option<i64>) -> Standing {
    let statuses = [accounts::ACTIVE, accounts::BLOCKED, accounts::REMOVED];
    let accounts = std::array::from_fn(|index| (statuses[index], counts[index]));
    Standing { provider: PROVIDER, accounts, senders_held, silent_ms }
}

on_both! {
    async fn a_providers_accounts_senders_and_silence(house: &mut House) {
        house.neighbour("Other").await;
        assert_eq!(standing(house).await, wanted([2, 0, 0], 0, None));
        house.receive(Vec::new()).await;
        house.advance(HOUR);
        let stop = SendError { retry: Retry::Stop, ..SendError::refused(Code::AccountProblem, "the token is dead") };
        house.provider.will([Reply::Fails(stop)]);
        house.send(ANN, "hello").await;
        house.settle().await;
        assert_eq!(standing(house).await, wanted([1, 1, 0], 2, Some(3_600_000)));
        // What was closed is no trouble any more.
        house.engine.perform(accounts::Remove { id: house.account, now: house.now() }).await.unwrap();
        assert_eq!(standing(house).await, wanted([1, 0, 1], 0, Some(3_600_000)));
        house.leave_work();
    }
}
