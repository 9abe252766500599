//! Receipts by the name they were asked for (reference: digigo-events §2.4).

use web_wire::event::Happening;

use crate::webhook::ALL;

/// What all of them are told as.
const USUAL: &str = "ReadReceipt";
/// Who asked for these and not for all gets deliveries alone.
const DELIVERIES: &str = "Receipt";

/// Whether somebody who asked for these events hears of receipts at all.
pub(super) fn wanted(events: &[String], name: &str) -> bool {
    name == USUAL && events.iter().any(|event| event == DELIVERIES)
}

/// `None`: it is not what was asked for.
pub(super) fn as_asked(events: &[String], mut happening: Happening) -> Option<Happening> {
    if happening.kind != USUAL || events.iter().any(|event| event == USUAL || event == ALL) {
        return Some(happening);
    }
    let delivered = happening.extras.get("state").is_some_and(|state| state == "Delivered");
    happening.kind = DELIVERIES.into();
    delivered.then_some(happening)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn receipts_are_deliveries_read_receipts_are_all() {
        let told = |events: &[&str], state: &str| {
            let events: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
            let extras = [("state".to_owned(), json!(state))].into_iter().collect();
            let happening = Happening { kind: USUAL.into(), event: json!({}), media: None, extras };
            as_asked(&events, happening).map(|happening| happening.kind)
        };
        for (events, delivered, read) in [
            (&["Receipt"][..], Some(DELIVERIES), None),
            (&["ReadReceipt"], Some(USUAL), Some(USUAL)),
            (&["Receipt", "ReadReceipt"], Some(USUAL), Some(USUAL)),
            (&["Receipt", "All"], Some(USUAL), Some(USUAL)),
        ] {
            assert_eq!(told(events, "Delivered").as_deref(), delivered, "{events:?}");
            assert_eq!(told(events, "Read").as_deref(), read, "{events:?}");
        }
    }
}
