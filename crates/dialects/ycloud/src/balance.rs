//! `/balance`: what is left to be spent.

use serde::Serialize;

use crate::answer::Answer;
use crate::call::{Call, Handled};

/// Shown where nothing is metered: the operator pays the carriers, and nobody runs out.
const UNMETERED: f64 = 1_000_000.0;

#[derive(Serialize)]
struct Shown {
    amount: f64,
    currency: &'static str,
}

pub(crate) async fn get(_: Call) -> Handled {
    Ok(Answer::of(&Shown { amount: UNMETERED, currency: "USD" }))
}
