//! What a receipt says: in parameters where the carrier sends them, else in a text that every carrier writes a little
//! differently.

use engine::facts::PartReceipt;
use engine::failure::{Code, Failure};
use engine::messages::Status;

use super::delivery::{Delivery, tag};
use super::ids::Naming;

/// Characters of a receipt's text that are kept as the reason of a failure.
const DETAILS: usize = 200;

/// What became of a message, by the carrier's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Underway,
    Delivered,
    Expired,
    Deleted,
    Undeliverable,
    Unknown,
    Rejected,
}

impl State {
    fn numbered(state: u8) -> Option<Self> {
        Some(match state {
            0 | 1 | 6 => Self::Underway,
            2 => Self::Delivered,
            3 => Self::Expired,
            4 => Self::Deleted,
            5 => Self::Undeliverable,
            7 => Self::Unknown,
            8 | 9 => Self::Rejected,
            _ => return None,
        })
    }

    /// By the beginning of its word: `DELIVRD`, `DELIVERED`, `UNDELIV`, `UNDELIVERABLE`, …
    fn worded(word: &str) -> Option<Self> {
        const WORDS: &[(&str, State)] = &[
            ("DELIV", State::Delivered),
            ("EXPIR", State::Expired),
            ("DELET", State::Deleted),
            ("UNDEL", State::Undeliverable),
            ("FAIL", State::Undeliverable),
            ("ENROU", State::Underway),
            ("ACCEP", State::Underway),
            ("SCHED", State::Underway),
            ("BUFF", State::Underway),
            ("UNKN", State::Unknown),
            ("REJEC", State::Rejected),
            ("SKIPP", State::Rejected),
        ];
        let word = word.to_ascii_uppercase();
        WORDS.iter().find(|(begin, _)| word.starts_with(begin)).map(|(_, state)| *state)
    }

    fn status(self) -> Status {
        match self {
            Self::Underway => Status::Sent,
            Self::Delivered => Status::Delivered,
            _ => Status::Failed,
        }
    }

    fn failure(self) -> Option<(Code, &'static str)> {
        Some(match self {
            Self::Underway | Self::Delivered => return None,
            Self::Expired => (Code::Expired, "The message could not be delivered in time."),
            Self::Deleted => (Code::Other, "The carrier deleted the message."),
            Self::Undeliverable => (Code::RecipientUnreachable, "The message could not be delivered to the phone."),
            Self::Unknown => (Code::OutcomeUnknown, "The carrier does not know what became of the message."),
            Self::Rejected => (Code::Rejected, "The message was rejected on its way."),
        })
    }
}

/// The fact in a receipt; `None` when it does not say about which message, or nothing of its fate.
pub(super) fn fact(account: &str, delivery: &Delivery, naming: Naming, now: i64) -> Option<PartReceipt> {
    let words = Words::of(delivery);
    let id = delivery.parameter(tag::RECEIPTED_MESSAGE_ID).map(|id| super::wire::text(&mut id.clone()));
    let id = id.filter(|id| !id.is_empty()).or_else(|| words.after("id:"))?;
    let state = delivery.octet(tag::MESSAGE_STATE).and_then(State::numbered);
    let state = state.or_else(|| words.after("stat:").and_then(|word| State::worded(&word)))?;
    let failure = state.failure().map(|(code, message)| Failure {
        code,
        message: message.to_owned(),
        provider_code: network_error(delivery).or_else(|| words.after("err:")?.parse().ok()),
        details: Some(words.0.chars().take(DETAILS).collect()).filter(|details: &String| !details.is_empty()),
    });
    Some(PartReceipt {
        account: account.to_owned(),
        provider_id: naming.receipted(&id),
        message: None,
        status: state.status(),
        // Its own time is in a zone that nobody told us.
        at: now,
        failure,
    })
}

/// The network's number for what went wrong; zero says nothing.
fn network_error(delivery: &Delivery) -> Option<i64> {
    let [_, high, low] = *delivery.parameter(tag::NETWORK_ERROR)?.as_ref() else { return None };
    Some(u16::from_be_bytes([high, low]).into()).filter(|number| *number != 0)
}

/// The text of a receipt, printable.
struct Words(String);

impl Words {
    fn of(delivery: &Delivery) -> Self {
        let printable = |octet: u8| if matches!(octet, b' '..=b'~') { char::from(octet) } else { ' ' };
        Self(delivery.payload().iter().map(|octet| printable(*octet)).collect())
    }

    /// The word after a key that stands by itself, in any case.
    fn after(&self, key: &str) -> Option<String> {
        let text = self.0.to_ascii_lowercase();
        let places = text.match_indices(key).map(|(at, _)| at);
        let mut own = places.filter(|at| *at == 0 || !text.as_bytes()[at - 1].is_ascii_alphanumeric());
        let rest = self.0.get(own.next()? + key.len()..)?;
        rest.split_ascii_whitespace().next().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::super::delivery::tests::delivery;
    use super::*;

    const PLAIN: &[u8] =
        b"id:7F sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:DELIVRD err:000 text:hi";

    /// The message's name, its status, and what failed with which number.
    type Read = (String, Status, Option<(Code, Option<i64>)>);

    fn read(text: &[u8], parameters: &[(u16, &[u8])]) -> Option<Read> {
        let fact = fact("carrier", &delivery(0x04, 0, text, parameters), Naming::HexToDecimal, 5)?;
        assert_eq!((fact.account.as_str(), fact.at, fact.message), ("carrier", 5, None));
        Some((fact.provider_id, fact.status, fact.failure.map(|failure| (failure.code, failure.provider_code))))
    }

    #[test]
    fn parameters_count_more_than_words_and_words_are_read_in_any_order() {
        let delivered = Some(("7F".to_owned(), Status::Delivered, None));
        let failed = |id: &str, code, number| Some((id.to_owned(), Status::Failed, Some((code, number))));
        assert_eq!(read(PLAIN, &[]), delivered);
        assert_eq!(read(b"STAT:DELIVERED msgid:9 ID:7F", &[]), delivered, "an id in another word is not it");
        assert_eq!(read(b"id:0127 stat:UNDELIV err:011", &[]), failed("127", Code::RecipientUnreachable, Some(11)));
        assert_eq!(read(b"id:127 stat:EXPIRED", &[]), failed("127", Code::Expired, None));
        assert_eq!(read(b"id:127 stat:ENROUTE", &[]), Some(("127".to_owned(), Status::Sent, None)));
        let told: &[(u16, &[u8])] =
            &[(tag::RECEIPTED_MESSAGE_ID, b"00128\0"), (tag::MESSAGE_STATE, &[8]), (tag::NETWORK_ERROR, &[3, 0, 21])];
        assert_eq!(read(PLAIN, told), failed("128", Code::Rejected, Some(21)));
        let half: &[(u16, &[u8])] = &[(tag::RECEIPTED_MESSAGE_ID, b"128")];
        assert_eq!(read(PLAIN, half), Some(("128".to_owned(), Status::Delivered, None)), "without its NUL");
    }

    #[test]
    fn what_names_no_message_or_no_state_is_no_receipt() {
        for text in [&b""[..], b"stat:DELIVRD", b"id:7F", b"id: ", b"id:7F stat:WHATEVER", b"void:7F stat:DELIVRD"] {
            assert_eq!(read(text, &[]), None, "{}", String::from_utf8_lossy(text));
        }
    }
}
