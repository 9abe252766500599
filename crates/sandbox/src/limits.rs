//! Meta's limits, off until someone switches them on: throughput per number, pace towards one customer, and how many
//! customers a portfolio may address outside their windows in 24 hours.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// How many messages to one customer may come at once before the pace is felt.
const PAIR_BURST: i64 = 45;
const DAY_MS: i64 = 86_400_000;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limits {
    pub(crate) throughput_per_s: Option<u64>,
    pub(crate) pair_per_6s: Option<u64>,
    /// Unique customers per rolling 24 h.
    pub(crate) tier: Option<u64>,
    /// Per number: microseconds at which the next message would be due if all were evenly spaced.
    #[serde(skip)]
    numbers: HashMap<Text, i64>,
    #[serde(skip)]
    pairs: HashMap<(Text, Text), i64>,
    /// Per portfolio: customer → when first addressed in the running 24 h.
    #[serde(skip)]
    addressed: HashMap<String, HashMap<Text, i64>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Excess {
    Throughput,
    Pair,
    Tier,
}

impl Limits {
    pub(crate) fn set(&mut self, throughput: Option<u64>, pair: Option<u64>, tier: Option<u64>) {
        *self = Self { throughput_per_s: throughput, pair_per_6s: pair, tier, ..Self::default() };
    }

    /// Counts one send, or says which limit stands against it (then nothing is counted).
    /// `unasked` is true for a message outside an open service window.
    pub(crate) fn take(
        &mut self,
        number: &Text,
        phone: &Text,
        business: &str,
        unasked: bool,
        now_ms: i64,
    ) -> Result<(), Excess> {
        let now = now_ms.saturating_mul(1000);
        let throughput = self.throughput_per_s.map(|rate| {
            let gap = 1_000_000 / i64::try_from(rate.max(1)).unwrap_or(i64::MAX);
            next(self.numbers.get(number).copied(), now, gap, 1_000_000)
        });
        let pair = self.pair_per_6s.map(|count| {
            let gap = 6_000_000 / i64::try_from(count.max(1)).unwrap_or(i64::MAX);
            let last = self.pairs.get(&(number.clone(), phone.clone())).copied();
            next(last, now, gap, gap.saturating_mul(PAIR_BURST))
        });
        if throughput == Some(None) {
            return Err(Excess::Throughput);
        }
        if pair == Some(None) {
            return Err(Excess::Pair);
        }
        if let Some(tier) = self.tier.filter(|_| unasked) {
            let people = self.addressed.entry(business.to_owned()).or_default();
            people.retain(|_, at| now_ms - *at < DAY_MS);
            if !people.contains_key(phone) && people.len() as u64 >= tier {
                return Err(Excess::Tier);
            }
            people.entry(phone.clone()).or_insert(now_ms);
        }
        if let Some(Some(at)) = throughput {
            self.numbers.insert(number.clone(), at);
        }
        if let Some(Some(at)) = pair {
            self.pairs.insert((number.clone(), phone.clone()), at);
        }
        Ok(())
    }
}

/// The evenly spaced schedule after one more: `None` if that would run ahead of now by more than `burst`.
fn next(last: Option<i64>, now: i64, gap: i64, burst: i64) -> Option<i64> {
    let at = last.unwrap_or(now).max(now) + gap;
    (at - now <= burst).then_some(at)
}

/// A tier as a number of people: a number, or Meta's word (`TIER_250`, `TIER_2K`, `TIER_UNLIMITED`).
pub(crate) fn parse_tier(value: &serde_json::Value) -> Option<Option<u64>> {
    if let Some(number) = value.as_u64() {
        return Some(Some(number));
    }
    let word = value.as_str()?;
    let word = word.strip_prefix("TIER_").unwrap_or(word);
    match word {
        "UNLIMITED" => Some(None),
        _ => match word.strip_suffix('K') {
            Some(thousands) => thousands.parse::<u64>().ok()?.checked_mul(1000).map(Some),
            None => word.parse().ok().map(Some),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_felt_and_forgiven() {
        let (number, phone) = (Text::from("1"), Text::from("2"));
        let mut limits = Limits::default();
        limits.set(Some(2), None, None);
        assert_eq!(limits.take(&number, &phone, "b", false, 0), Ok(()));
        assert_eq!(limits.take(&number, &phone, "b", false, 0), Ok(()));
        assert_eq!(limits.take(&number, &phone, "b", false, 0), Err(Excess::Throughput));
        assert_eq!(limits.take(&number, &phone, "b", false, 500), Ok(()));

        limits.set(None, Some(1), None);
        for _ in 0..PAIR_BURST {
            assert_eq!(limits.take(&number, &phone, "b", false, 0), Ok(()));
        }
        assert_eq!(limits.take(&number, &phone, "b", false, 0), Err(Excess::Pair));
        assert_eq!(limits.take(&number, &Text::from("3"), "b", false, 0), Ok(()));
        assert_eq!(limits.take(&number, &phone, "b", false, 6_000), Ok(()));
        assert_eq!(limits.take(&number, &phone, "b", false, 6_000), Err(Excess::Pair));

        limits.set(None, None, Some(1));
        assert_eq!(limits.take(&number, &phone, "b", true, 0), Ok(()));
        assert_eq!(limits.take(&number, &phone, "b", true, 0), Ok(()), "the same person counts once");
        assert_eq!(limits.take(&number, &Text::from("3"), "b", true, 0), Err(Excess::Tier));
        assert_eq!(limits.take(&number, &Text::from("3"), "b", false, 0), Ok(()), "in the window nobody counts");
        assert_eq!(limits.take(&number, &Text::from("3"), "b", true, DAY_MS), Ok(()));
    }

    #[test]
    fn tiers_have_words() {
        use serde_json::json;
        assert_eq!(parse_tier(&json!("TIER_2K")), Some(Some(2000)));
        assert_eq!(parse_tier(&json!(250)), Some(Some(250)));
        assert_eq!(parse_tier(&json!("TIER_UNLIMITED")), Some(None));
        assert_eq!(parse_tier(&json!("MANY")), None);
    }
}
