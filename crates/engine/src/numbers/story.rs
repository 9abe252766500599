//! The story of an order, for whoever wants to know why it stands as it does.

use store::{Reader, Result, numbers as rows};

use super::order::{Order, Payment, State};
use crate::explain::Line;
use crate::{billing, clock};

/// How it stands now; what happened to it is told by its events.
pub(crate) async fn tell(reader: &mut Reader, row: rows::Order) -> Result<Vec<Line>> {
    let order = Order::of(row)?;
    let details = &order.details;
    let number = order.number.as_deref().unwrap_or("(not chosen yet)");
    let mut lines = vec![Line::new(
        order.created_at,
        0,
        format!("number {} {number} of {}: {}", order.id, order.profile, order.state.as_str()),
    )];
    let mut add = |at: i64, text: String| lines.push(Line::new(at, 1, text));
    if let Some(reason) = &details.reason {
        add(order.updated_at, format!("because {}", reason.text));
    }
    if let Some(trouble) = &details.trouble {
        add(details.trouble_since.unwrap_or(order.updated_at), format!("in the way: {trouble}"));
    }
    if let Some(left) = &details.left_behind {
        add(order.updated_at, format!("left behind: {left}"));
    }
    if details.payment != Payment::None {
        add(details.paid_at.unwrap_or(order.created_at), money(&order));
    }
    if let Some(at) = details.verified_at {
        let until = details.verified_until.map(|until| format!(", until {}", clock::rfc3339(until)));
        add(at, format!("verified{}", until.unwrap_or_default()));
    }
    if let Some(job) = store::jobs::about(reader, &order.id).await? {
        let text = match order.state {
            State::AwaitingCode => "a code is awaited until then",
            State::PendingPayment => "the payment is awaited until then",
            State::Active | State::Lapsed => "it is verified again then",
            _ => "next step",
        };
        add(job.due_at, format!("{text} (attempts so far: {})", job.attempts));
    }
    Ok(lines)
}

fn money(order: &Order) -> String {
    let details = &order.details;
    let amount = format!("{} {}", billing::spelt(details.amount), details.currency);
    let how = match (details.paid_at, details.refunded_at) {
        (_, Some(at)) => format!("was paid and given back at {}", clock::rfc3339(at)),
        (Some(_), None) if details.payment == Payment::Operator => "was approved by an operator".to_owned(),
        (Some(_), None) => "was paid".to_owned(),
        (None, None) => "is not paid".to_owned(),
    };
    format!("{amount} {how}")
}
