//! What goes out with an attempt: the body as it is stored, the format's headers, then the subscriber's own.

use bytes::Bytes;
use store::deliveries::Delivery;

use super::Aim;
use crate::format::AttemptInfo;
use crate::subscriptions::Headers;
use crate::transport::Parcel;

/// Headers about the connection, which nobody may set for it.
const OF_THE_CONNECTION: [&str; 9] =
    ["connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

pub(super) fn prepare(aim: &Aim, delivery: &Delivery, at: i64) -> Parcel {
    let info = AttemptInfo {
        delivery,
        number: delivery.attempt_count,
        at,
        secrets: &aim.secrets,
        replay: delivery.replayed_from.is_some(),
    };
    let mut headers: Headers = serde_json::from_str(&delivery.headers).unwrap_or_default();
    headers.extend(aim.dialect.format.attempt_headers(&info));
    add(&mut headers, &aim.headers);
    Parcel {
        url: aim.subscription.url.clone(),
        headers,
        body: Bytes::copy_from_slice(&delivery.body),
        timeout: aim.dialect.delivery.timeout,
        answer_bytes: aim.dialect.delivery.answer_bytes,
    }
}

/// What a subscriber wants to have sent takes the place of nothing.
fn add(headers: &mut Headers, wanted: &Headers) {
    let ours = headers.len();
    for (name, value) in wanted {
        let is_taken = headers[..ours].iter().any(|(taken, _)| taken.eq_ignore_ascii_case(name));
        if !is_taken && !OF_THE_CONNECTION.iter().any(|kept| kept.eq_ignore_ascii_case(name)) {
            headers.push((name.clone(), value.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscribers_headers_take_the_place_of_nothing() {
        let pairs =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Headers>();
        let mut headers = pairs(&[("X-Signature", "ours"), ("Content-Type", "application/json")]);
        let wanted =
            [("x-signature", "theirs"), ("CONTENT-TYPE", "x"), ("Host", "h"), ("Authorization", "a"), ("X-A", "")];
        add(&mut headers, &pairs(&wanted));
        let expected =
            [("X-Signature", "ours"), ("Content-Type", "application/json"), ("Authorization", "a"), ("X-A", "")];
        assert_eq!(headers, pairs(&expected));
    }
}
