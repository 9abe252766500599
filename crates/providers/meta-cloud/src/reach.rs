//! How many people Meta lets an account write to first, in 24 hours.

use engine::provider::{Account, CallError, Reach};
use engine::senders::Sender;
use futures_util::future::BoxFuture;

use crate::MetaCloud;

impl Reach for MetaCloud {
    fn people_per_day<'a>(
        &'a self,
        account: &'a Account,
        sender: &'a Sender,
    ) -> BoxFuture<'a, Result<Option<i64>, CallError>> {
        Box::pin(async move {
            let phone = self.graph(account)?.phone(&sender.external_id).await?;
            // The portfolio's limit has taken the place of the number's.
            let tier = phone.whatsapp_business_manager_messaging_limit.or(phone.messaging_limit_tier);
            Ok(tier.as_deref().and_then(people))
        })
    }
}

/// Meta's word as a number; `None`: without limit, or a word that we do not know.
fn people(tier: &str) -> Option<i64> {
    let word = tier.strip_prefix("TIER_")?;
    match word.strip_suffix('K') {
        Some(thousands) => thousands.parse::<i64>().ok()?.checked_mul(1000),
        None => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_numbers_of_people() {
        for (word, wanted) in [
            ("TIER_50", Some(50)),
            ("TIER_250", Some(250)),
            ("TIER_1K", Some(1000)),
            ("TIER_100K", Some(100_000)),
            ("TIER_UNLIMITED", None),
            ("TIER_K", None),
            ("", None),
        ] {
            assert_eq!(people(word), wanted, "{word}");
        }
    }
}
