//! `prices load FILE`: CSV with the columns channel, region, category, price and currency, or TOML with a `[[price]]` for
//! each. All of it is checked before any of it counts.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use engine::billing::{self, Load, Price};
use figment::Figment;
use figment::providers::{Format, Toml};
use serde::Deserialize;

use super::Failure;
use crate::settings::Settings;

/// In bytes: more than all countries, channels and categories take.
const LARGEST: u64 = 16 * 1024 * 1024;
/// How many faults are told at once.
const FAULTS: usize = 20;

#[derive(Subcommand)]
pub enum Prices {
    /// Take a table of prices, CSV or TOML, in the place of the one before.
    Load {
        /// Ends in .csv or .toml.
        file: PathBuf,
    },
}

impl Prices {
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        let Self::Load { file } = self;
        let table = Table::read(&file)?;
        let engine = super::engine(settings).await?;
        let load = Load::new(&engine, table.prices).map_err(|faults| {
            let told = faults.into_iter().map(|fault| (table.places[fault.index].clone(), fault.why));
            refused(told.collect())
        })?;
        println!("{} prices", engine.perform(load).await?);
        Ok(ExitCode::SUCCESS)
    }
}

fn refused(faults: Vec<(String, String)>) -> Failure {
    let more = faults.len().saturating_sub(FAULTS);
    let mut lines: Vec<_> = faults.iter().take(FAULTS).map(|(place, why)| format!("  {place}: {why}")).collect();
    lines.extend((more > 0).then(|| format!("  and {more} more")));
    format!("the table is refused, and the one before stays:\n{}", lines.join("\n")).into()
}

/// A price as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<P> {
    channel: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    category: String,
    price: P,
    currency: String,
}

/// TOML has numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Whole(i64),
    Broken(f64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    price: Vec<Row<Number>>,
}

/// A file's prices, and where each stands in it.
#[derive(Debug)]
struct Table {
    prices: Vec<Price>,
    places: Vec<String>,
}

impl Table {
    fn read(file: &Path) -> Result<Self, Failure> {
        if std::fs::metadata(file)?.len() > LARGEST {
            return Err(format!("{} is larger than a table of prices can be", file.display()).into());
        }
        let text = std::fs::read_to_string(file)?;
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Self::toml(&text),
            Some("csv") => Self::csv(&text),
            _ => Err("the file's name must end in .csv or .toml".into()),
        }
    }

    fn toml(text: &str) -> Result<Self, Failure> {
        let document: Document = Figment::from(Toml::string(text)).extract()?;
        let rows = document.price.into_iter().enumerate().map(|(index, row)| {
            let Row { channel, region, category, price, currency } = row;
            let price = match price {
                Number::Text(text) => text,
                Number::Whole(number) => number.to_string(),
                Number::Broken(number) => number.to_string(),
            };
            (format!("price {}", index + 1), Row { channel, region, category, price, currency })
        });
        Self::of(rows.collect())
    }

    fn csv(text: &str) -> Result<Self, Failure> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let headers = reader.headers()?.clone();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record?;
            rows.push((format!("line {}", line(text, &record)), record.deserialize(Some(&headers))?));
        }
        Self::of(rows)
    }

    fn of(rows: Vec<(String, Row<String>)>) -> Result<Self, Failure> {
        let (mut prices, mut places, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for (place, row) in rows {
            match billing::micros(&row.price) {
                Ok(amount) => {
                    // People write a star for everything else.
                    let word = |text: String| if text == "*" { String::new() } else { text };
                    let Row { channel, region, category, currency, .. } = row;
                    prices.push(Price { channel, region: word(region), category: word(category), amount, currency });
                    places.push(place);
                }
                Err(why) => faults.push((place, why)),
            }
        }
        if faults.is_empty() { Ok(Self { prices, places }) } else { Err(refused(faults)) }
    }
}

/// Where a record stands: it begins, for its reader, with the empty lines before it.
fn line(text: &str, record: &csv::StringRecord) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let rest = usize::try_from(position.byte()).ok().and_then(|start| text.get(start..)).unwrap_or_default();
    let empty = rest.bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| *byte == b'\n').count();
    position.line() + empty as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_say_the_same() {
        let csv = "channel,region,category,price,currency\nsms,ID,,0.025,USD\n\nwhatsapp,*,marketing, 0.0451 ,USD\n";
        let toml = r#"
            [[price]]
            channel = "sms"
            region = "ID"
            price = 0.025
            currency = "USD"
            [[price]]
            channel = "whatsapp"
            category = "marketing"
            price = "0.0451"
            currency = "USD"
        "#;
        let (csv, toml) = (Table::csv(csv).unwrap(), Table::toml(toml).unwrap());
        assert_eq!(csv.prices, toml.prices);
        assert_eq!(csv.prices.iter().map(|price| price.amount).collect::<Vec<_>>(), [25_000, 45_100]);
        assert_eq!(
            (csv.places, toml.places),
            (vec!["line 2".into(), "line 4".into()], vec!["price 1".into(), "price 2".into()])
        );
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let head = "channel,region,category,price,currency";
        for (text, told) in [
            (format!("{head}\nsms,ID,,free,USD\nsms,US,,-1,USD\n"), "line 3"),
            (format!("{head}\nsms,ID,0.1,USD\n"), "line: 2"),
            ("channel,price\nsms,1\n".to_owned(), "currency"),
            (format!("{head},colour\nsms,,,1,USD,red\n"), "colour"),
        ] {
            let error = Table::csv(&text).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        for text in
            ["[[price]]\nchannel = \"sms\"", "prices = 3", "[[price]]\nchannel=\"sms\"\nprice=true\ncurrency=\"USD\""]
        {
            assert!(Table::toml(text).is_err(), "{text}");
        }
    }
}
