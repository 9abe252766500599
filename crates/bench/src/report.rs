//! What was measured, as a table for people and a file for programs.

use std::path::Path;

use serde_json::{Value, json};

use crate::Outcome;

/// What a figure must be.
#[derive(Clone, Copy)]
pub enum Target {
    AtLeast {
        target: f64,
        goal: f64,
    },
    AtMost(f64),
    /// Told, not judged.
    None,
}

/// One figure.
pub struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    target: Target,
}

impl Figure {
    pub fn new(name: &'static str, value: f64, unit: &'static str, target: Target) -> Self {
        Self { name, value, unit, target }
    }

    pub fn told(name: &'static str, value: f64, unit: &'static str) -> Self {
        Self::new(name, value, unit, Target::None)
    }

    pub fn is_good(&self) -> bool {
        match self.target {
            Target::AtLeast { target, .. } => self.value >= target,
            Target::AtMost(most) => self.value <= most,
            Target::None => true,
        }
    }

    fn row(&self) -> [String; 4] {
        let value = format!("{} {}", number(self.value), self.unit).trim().to_owned();
        let (target, word) = match self.target {
            Target::AtLeast { target, goal } if goal > target => {
                let met = if self.value >= goal { "PASS, goal met" } else { "PASS" };
                (format!("≥ {} (goal {})", number(target), number(goal)), met)
            }
            Target::AtLeast { target, .. } => (format!("≥ {}", number(target)), "PASS"),
            Target::AtMost(most) => (format!("≤ {}", number(most)), "PASS"),
            Target::None => (String::new(), ""),
        };
        [self.name.to_owned(), value, target, if self.is_good() { word } else { "FAIL" }.to_owned()]
    }

    fn json(&self) -> Value {
        let (target, goal) = match self.target {
            Target::AtLeast { target, goal } => (json!({ "at_least": target }), json!(goal)),
            Target::AtMost(most) => (json!({ "at_most": most }), Value::Null),
            Target::None => (Value::Null, Value::Null),
        };
        json!({ "name": self.name, "value": self.value, "unit": self.unit, "target": target, "goal": goal, "pass": self.is_good() })
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        medium if medium >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The table, its columns lined up.
pub fn table(figures: &[Figure]) -> String {
    let head = ["figure", "measured", "target", ""].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(figures.iter().map(Figure::row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let line = |row: &[String; 4]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}  "));
        format!("{}{}", cells.collect::<String>(), row[3]).trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Writes `report.json`.
pub fn write(dir: &Path, quick: bool, figures: &[Figure]) -> Outcome {
    let all: Vec<Value> = figures.iter().map(Figure::json).collect();
    let text = serde_json::to_string_pretty(&json!({ "quick": quick, "figures": all }))?;
    Ok(std::fs::write(dir.join("report.json"), text + "\n")?)
}

/// The middle one of several; with an even number, the lower of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_judged_by_its_target() {
        let rate = |value| Figure::new("rate", value, "× floor", Target::AtLeast { target: 0.4, goal: 0.6 });
        assert_eq!(
            [rate(0.39), rate(0.4), rate(0.6)].map(|figure| figure.row()[3].clone()),
            ["FAIL", "PASS", "PASS, goal met"]
        );
        let memory = |value| Figure::new("memory", value, "MB", Target::AtMost(25.0));
        assert_eq!([25.0, 25.1].map(|value| memory(value).is_good()), [true, false]);
        assert!(!rate(f64::NAN).is_good() && !memory(f64::NAN).is_good());
        assert_eq!(table(&[memory(3.0)]).lines().count(), 2);
    }

    #[test]
    fn the_median_is_one_that_was_measured() {
        assert_eq!([median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0])], [2.0, 2.0]);
        assert!(median(&[]).is_nan());
    }
}
