//! `/balance`: what is left to be spent.

use engine::billing::{self, CURRENCY};
use serde::Serialize;

use crate::answer::Answer;
use crate::call::{Call, Handled};

/// Shown where nothing is metered: the operator pays the carriers, and nobody runs out.
const UNMETERED: f64 = 1_000_000.0;

#[derive(Serialize)]
struct Shown {
    amount: f64,
    currency: String,
}

pub(crate) async fn get(call: Call) -> Handled {
    let (amount, currency) = match call.engine().balance(&call.organization()).await? {
        Some(balance) => (billing::in_units(balance.amount), balance.currency),
        None => (UNMETERED, CURRENCY.to_owned()),
    };
    Ok(Answer::of(&Shown { amount, currency }))
}
