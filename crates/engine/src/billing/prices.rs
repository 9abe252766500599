//! The table of prices: checked whole before any of it is taken, and looked up by channel, country and category.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use store::billing::Price;
use store::{Result, Tx, Work};

use super::CURRENCY;
use crate::{Engine, UseCase};

const CHANNELS: [&str; 4] = ["whatsapp", "sms", "voice", "email"];
/// Of one message.
const DEAREST: i64 = 1_000_000_000_000;

/// Prices by channel, country and category.
#[derive(Debug, Default)]
pub struct Prices {
    amounts: HashMap<(String, String, String), i64, RandomState>,
    currency: Option<String>,
}

impl Prices {
    #[must_use]
    pub fn of(rows: Vec<Price>) -> Self {
        let currency = rows.first().map(|price| price.currency.clone());
        let amounts = rows.into_iter().map(|price| ((price.channel, price.region, price.category), price.amount));
        Self { amounts: amounts.collect(), currency }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.amounts.is_empty()
    }

    pub(crate) fn currency(&self) -> &str {
        self.currency.as_deref().unwrap_or(CURRENCY)
    }

    pub(crate) fn has_regions(&self, channel: &str) -> bool {
        self.amounts.keys().any(|(known, region, _)| known == channel && !region.is_empty())
    }

    /// Of one part. The country counts before the category; what nothing was said of is free.
    pub(crate) fn find(&self, channel: &str, region: &str, category: &str) -> i64 {
        let places = [(region, category), (region, ""), ("", category), ("", "")];
        let found = places.iter().find_map(|(region, category)| {
            self.amounts.get(&(channel.to_owned(), (*region).to_owned(), (*category).to_owned()))
        });
        found.copied().unwrap_or(0)
    }
}

/// What is wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which of the prices, from 0.
    pub index: usize,
    pub why: String,
}

/// Takes a table in the place of the one before.
pub struct Load {
    engine: Engine,
    prices: Vec<Price>,
}

impl Load {
    /// Checks a table; all that is wrong with it is told.
    pub fn new(engine: &Engine, prices: Vec<Price>) -> std::result::Result<Self, Vec<Fault>> {
        let faults = faults(&prices);
        if faults.is_empty() { Ok(Self { engine: engine.clone(), prices }) } else { Err(faults) }
    }
}

fn faults(prices: &[Price]) -> Vec<Fault> {
    let (mut faults, mut seen) = (Vec::new(), HashMap::new());
    for (index, price) in prices.iter().enumerate() {
        let mut fault = |why: String| faults.push(Fault { index, why });
        if let Some(why) = wrong(price) {
            fault(why);
        }
        if price.currency != prices[0].currency {
            fault(format!("all prices must be in one currency, and this one is not in {}", prices[0].currency));
        }
        let key = (&price.channel, &price.region, &price.category);
        if let Some(first) = seen.insert(key, index) {
            fault(format!("there is a price for this already, number {}", first + 1));
        }
    }
    faults
}

fn wrong(price: &Price) -> Option<String> {
    let Price { channel, region, category, amount, currency } = price;
    let upper = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    if !CHANNELS.contains(&channel.as_str()) {
        return Some(format!("{channel:?} is none of the channels {}", CHANNELS.join(", ")));
    }
    if !region.is_empty() && !upper(region, 2) {
        return Some(format!("{region:?} is not a country's two capital letters"));
    }
    if category.len() > 40 || !category.bytes().all(word) {
        return Some(format!("{category:?} is not a category: small letters and underscores"));
    }
    if !upper(currency, 3) {
        return Some(format!("{currency:?} is not a currency's three capital letters"));
    }
    (!(0..=DEAREST).contains(amount)).then(|| "the price is below zero or beyond reason".to_owned())
}

impl Work for Load {
    type Output = usize;

    async fn run(&self, tx: &mut Tx) -> Result<usize> {
        store::billing::replace_prices(tx, &self.prices).await?;
        store::settings::touch_caches(tx).await?;
        Ok(self.prices.len())
    }
}

impl UseCase for Load {
    fn committed(&self, _: &Engine, _: &usize) {
        self.engine.cache.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(channel: &str, region: &str, category: &str, amount: i64) -> Price {
        Price {
            channel: channel.into(),
            region: region.into(),
            category: category.into(),
            amount,
            currency: "USD".into(),
        }
    }

    #[test]
    fn the_country_counts_before_the_category() {
        let prices = Prices::of(vec![
            price("whatsapp", "", "", 1),
            price("whatsapp", "", "marketing", 2),
            price("whatsapp", "ID", "", 3),
            price("whatsapp", "ID", "marketing", 4),
            price("sms", "", "", 5),
        ]);
        for (channel, region, category, amount) in [
            ("whatsapp", "ID", "marketing", 4),
            ("whatsapp", "ID", "utility", 3),
            ("whatsapp", "US", "marketing", 2),
            ("whatsapp", "", "service", 1),
            ("sms", "ID", "service", 5),
            ("voice", "ID", "service", 0),
        ] {
            assert_eq!(prices.find(channel, region, category), amount, "{channel} {region} {category}");
        }
        assert!(prices.has_regions("whatsapp") && !prices.has_regions("sms"));
    }

    #[test]
    fn all_that_is_wrong_with_a_table_is_told() {
        let mut euros = price("voice", "", "", 1);
        euros.currency = "EUR".into();
        let table = [
            price("sms", "ID", "", 1),
            price("telex", "", "", 1),
            price("sms", "id", "", 1),
            price("sms", "ID", "", 2),
            price("whatsapp", "", "Marketing", 1),
            price("whatsapp", "", "", -1),
            euros,
        ];
        let places: Vec<_> = faults(&table).iter().map(|fault| fault.index).collect();
        assert_eq!(places, [1, 2, 3, 4, 5, 6]);
        assert_eq!(faults(&table[..1]), []);
        assert_eq!(faults(&[]), []);
    }
}
