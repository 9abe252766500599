//! Numbers that Telnyx sells: reserved for half an hour, then ordered; the order may take its time. Reservation and order
//! carry our order's id as `customer_reference`, and are looked for by it before anything is asked for again. Whether the
//! number gets it from its order is not documented: a number without one is the order's that brought it.

use engine::Id;
use engine::numbers::{Bought, Offer, Shop, Wish};
use engine::provider::{Account, CallError};
use futures_util::future::BoxFuture;
use http::Method;
use reqwest::RequestBuilder;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::Telnyx;
use crate::http::Carrier;
use crate::http::numbers::bare;
use crate::http::trade::{Desk, No, read};

/// The number cannot be had: taken by somebody, or not sold.
const GONE: [i64; 3] = [10027, 85000, 85001];
/// A number of ours that was given back.
const DELETED: &str = "deleted";
/// Numbers that are known to Telnyx and are not ours, or not any more.
const AWAY: [&str; 3] = [DELETED, "ported-out", "purchase-failed"];
/// A number is listed by then, counted from the last change of the order that brought it. Telnyx speaks of a moment.
const LISTED_MS: i64 = 24 * 60 * 60 * 1000;

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default = "Vec::new")]
    data: Vec<T>,
}

#[derive(Deserialize)]
struct One<T> {
    data: T,
}

#[derive(Deserialize)]
struct Sold {
    phone_number: String,
    #[serde(default)]
    region_information: Vec<Region>,
}

#[derive(Deserialize)]
struct Region {
    #[serde(default)]
    region_type: String,
    #[serde(default)]
    region_name: String,
}

/// A reservation or an order.
#[derive(Deserialize)]
struct Asked {
    id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    phone_numbers: Vec<Part>,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
struct Part {
    phone_number: String,
    #[serde(default)]
    status: String,
}

impl Asked {
    fn holds(&self, number: &str) -> bool {
        self.phone_numbers.iter().any(|part| part.phone_number == number)
    }

    fn came(&self, number: &str) -> Bought {
        let part = self.phone_numbers.iter().find(|part| part.phone_number == number);
        let word = part.map(|part| part.status.as_str()).filter(|word| !word.is_empty()).unwrap_or(&self.status);
        match word {
            "success" => Bought::Ours,
            "failure" | "failed" => Bought::Gone { why: "the carrier could not fulfil the order".into() },
            _ => Bought::Pending,
        }
    }
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    phone_number: String,
    #[serde(default)]
    status: String,
    customer_reference: Option<String>,
    updated_at: Option<String>,
}

impl Listed {
    /// Its own reference says so; without one, the order does that we made with ours.
    fn is_for(&self, order: &Id, asked: Option<&Asked>) -> bool {
        match self.customer_reference.as_deref() {
            None | Some("") => asked.is_some_and(|asked| asked.came(&self.phone_number) == Bought::Ours),
            Some(reference) => reference == order.hex24(),
        }
    }
}

fn millis(time: Option<&str>) -> Option<i64> {
    let time = chrono::DateTime::parse_from_rfc3339(time?).ok()?;
    Some(time.timestamp_millis())
}

/// Whether a number that an order brought, and that is not listed, was given back in an earlier try. Then it is among the
/// deleted ones, since the order's last change: the same number may have been ours before that. Telnyx does not say for
/// how long it lists those; when a number of ours would be listed for sure, it is not ours any more. Until then we do not
/// know, and a number that is paid for every month must not be taken for one that was given back.
fn was_given_back(asked: &Asked, deleted: &[Listed], now: i64) -> bool {
    let Some(brought) = millis(asked.updated_at.as_deref()) else { return false };
    let since = |it: &Listed| millis(it.updated_at.as_deref()).is_some_and(|deleted| deleted >= brought);
    now - brought > LISTED_MS || deleted.iter().any(|it| it.status == DELETED && since(it))
}

impl Desk<'_, Telnyx> {
    fn call(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.access.opened(self.request(method, &self.access.root, path))
    }

    async fn page<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Vec<T>, CallError> {
        let found: Option<Page<T>> = self.find(self.call(Method::GET, path).query(query)).await?;
        Ok(found.map(|page| page.data).unwrap_or_default())
    }

    async fn available(&self, wish: &Wish, limit: usize) -> Result<Vec<Offer>, CallError> {
        let limit = limit.to_string();
        let mut query = vec![
            ("filter[country_code]", wish.country.as_str()),
            ("filter[features][]", "sms"),
            ("filter[limit]", &limit),
        ];
        query.extend(wish.prefix.as_deref().map(|code| ("filter[national_destination_code]", code)));
        query.extend(wish.locality.as_deref().map(|place| ("filter[locality]", place)));
        query.extend(wish.contains.as_deref().map(|part| ("filter[phone_number][contains]", part)));
        let found: Vec<Sold> = self.page(&["available_phone_numbers"], &query).await?;
        Ok(found.into_iter().map(|sold| offer(sold, wish)).collect())
    }

    /// What was asked for an order before, about this number; the newest counts.
    async fn asked(&self, what: &str, order: &Id, number: &str) -> Result<Option<Asked>, CallError> {
        let found: Vec<Asked> = self.page(&[what], &[("filter[customer_reference]", &order.hex24())]).await?;
        Ok(found.into_iter().find(|asked| asked.holds(number)))
    }

    async fn reserve(&self, order: &Id, number: &str) -> Result<Option<String>, CallError> {
        if let Some(known) = self.asked("number_reservations", order, number).await? {
            return Ok(Some(known.id));
        }
        let body = json!({ "phone_numbers": [{ "phone_number": number }], "customer_reference": order.hex24() });
        let answer = self.ask(self.call(Method::POST, &["number_reservations"]).json(&body)).await?;
        Ok(Some(read::<One<Asked>>(&answer)?.data.id))
    }

    async fn buy(&self, order: &Id, number: &str) -> Result<Bought, CallError> {
        if let Some(known) = self.asked("number_orders", order, number).await? {
            return Ok(known.came(number));
        }
        let mut body = json!({ "phone_numbers": [{ "phone_number": number }], "customer_reference": order.hex24() });
        if let Some(profile) = &self.access.config.messaging_profile_id {
            body["messaging_profile_id"] = json!(profile);
        }
        match self.ask(self.call(Method::POST, &["number_orders"]).json(&body)).await {
            Ok(answer) => Ok(read::<One<Asked>>(&answer)?.data.came(number)),
            Err(No { refusal, .. }) if refusal.code.is_some_and(|code| GONE.contains(&code)) => {
                self.taken(order, number, refusal.details).await
            }
            Err(no) => Err(no.into()),
        }
    }

    /// An earlier purchase whose answer was lost may be seen only now: then it is we who took the number.
    async fn taken(&self, order: &Id, number: &str, why: Option<String>) -> Result<Bought, CallError> {
        let asked = self.asked("number_orders", order, number).await?;
        match asked.as_ref().map(|asked| asked.came(number)) {
            Some(bought @ (Bought::Ours | Bought::Pending)) => Ok(bought),
            _ if self.owned(order, number, asked.as_ref()).await?.is_some() => Ok(Bought::Ours),
            _ => Ok(Bought::Gone { why: why.unwrap_or_else(|| "the number cannot be had".into()) }),
        }
    }

    /// Asked for by digits, since anything else finds nothing; parts of numbers find them, too.
    async fn listed(&self, number: &str, status: Option<&str>) -> Result<Vec<Listed>, CallError> {
        let mut query = vec![("filter[phone_number]", bare(number))];
        query.extend(status.map(|status| ("filter[status]", status)));
        let mut found: Vec<Listed> = self.page(&["phone_numbers"], &query).await?;
        found.retain(|listed| listed.phone_number == number);
        Ok(found)
    }

    async fn owned(&self, order: &Id, number: &str, asked: Option<&Asked>) -> Result<Option<Listed>, CallError> {
        let ours = |it: &Listed| !AWAY.contains(&it.status.as_str()) && it.is_for(order, asked);
        Ok(self.listed(number, None).await?.into_iter().find(ours))
    }

    /// An order that goes on cannot be called back: it is waited for, and so is a number that it brought.
    async fn release(&self, order: &Id, number: &str) -> Result<(), CallError> {
        let asked = self.asked("number_orders", order, number).await?;
        if let Some(owned) = self.owned(order, number, asked.as_ref()).await? {
            return self.delete(&owned.id).await;
        }
        let Some(asked) = asked else { return Ok(()) };
        match asked.came(number) {
            Bought::Gone { .. } => Ok(()),
            Bought::Pending => Err(CallError::Unreachable("the order for the number has not come to its end".into())),
            Bought::Ours => {
                let deleted = self.listed(number, Some(DELETED)).await?;
                let unknown = || CallError::Unreachable("the number that was bought is not listed yet".into());
                was_given_back(&asked, &deleted, self.now()).then_some(()).ok_or_else(unknown)
            }
        }
    }

    async fn delete(&self, id: &str) -> Result<(), CallError> {
        match self.ask(self.call(Method::DELETE, &["phone_numbers", id])).await {
            Err(No { refusal, .. }) if refusal.status == 404 => Ok(()),
            Err(no) => Err(no.into()),
            Ok(_) => Ok(()),
        }
    }
}

fn offer(sold: Sold, wish: &Wish) -> Offer {
    let region = |kinds: &[&str]| {
        let found = sold.region_information.iter().find(|region| kinds.contains(&region.region_type.as_str()));
        found.map(|region| region.region_name.clone()).filter(|name| !name.is_empty())
    };
    Offer {
        country: region(&["country_code"]).unwrap_or_else(|| wish.country.clone()),
        locality: region(&["location", "rate_center"]),
        region: region(&["state"]),
        number: sold.phone_number,
    }
}

type Called<'a, T> = BoxFuture<'a, Result<T, CallError>>;

impl Shop for Carrier<Telnyx> {
    fn available<'a>(&'a self, account: &'a Account, wish: &'a Wish, limit: usize) -> Called<'a, Vec<Offer>> {
        Box::pin(async move { self.desk(account)?.available(wish, limit).await })
    }

    fn reserve<'a>(&'a self, account: &'a Account, order: &'a Id, number: &'a str) -> Called<'a, Option<String>> {
        Box::pin(async move { self.desk(account)?.reserve(order, number).await })
    }

    fn buy<'a>(&'a self, account: &'a Account, order: &'a Id, number: &'a str) -> Called<'a, Bought> {
        Box::pin(async move { self.desk(account)?.buy(order, number).await })
    }

    fn release<'a>(&'a self, account: &'a Account, order: &'a Id, number: &'a str) -> Called<'a, ()> {
        Box::pin(async move { self.desk(account)?.release(order, number).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(status: &str, reference: Option<&str>, updated_at: Option<&str>) -> Listed {
        let [customer_reference, updated_at] = [reference, updated_at].map(|text| text.map(str::to_owned));
        let (id, phone_number) = ("1".to_owned(), "+16465550150".to_owned());
        Listed { id, phone_number, status: status.to_owned(), customer_reference, updated_at }
    }

    fn order(status: &str, updated_at: Option<&str>) -> Asked {
        let part = Part { phone_number: "+16465550150".to_owned(), status: status.to_owned() };
        let updated_at = updated_at.map(str::to_owned);
        Asked { id: "1".to_owned(), status: status.to_owned(), phone_numbers: vec![part], updated_at }
    }

    #[test]
    fn a_number_without_a_reference_is_the_orders_that_brought_it() {
        let ours = Id::parse_hex24(&"1".repeat(24)).unwrap();
        let (own, others) = (ours.hex24(), "2".repeat(24));
        for (reference, status, is_ours) in [
            (None, Some("success"), true),
            (Some(""), Some("success"), true),
            (None, Some("pending"), false),
            (None, Some("failure"), false),
            (None, None, false),
            (Some(own.as_str()), None, true),
            (Some(others.as_str()), Some("success"), false),
        ] {
            let asked = status.map(|status| order(status, None));
            let found = listed("active", reference, None).is_for(&ours, asked.as_ref());
            assert_eq!(found, is_ours, "{reference:?} {status:?}");
        }
    }

    #[test]
    fn an_unlisted_number_was_given_back_if_it_was_deleted_since_or_must_be_listed_by_now() {
        let (before, then, after) = ("2026-11-01T09:00:00Z", "2026-11-01T10:00:00.000000Z", "2026-11-01T10:00:01.000Z");
        let now = millis(Some(then)).unwrap() + 60_000;
        for (changed, deleted, now, away) in [
            (Some(then), None, now, false),
            (Some(then), Some(listed("deleted", None, Some(after))), now, true),
            (Some(then), Some(listed("deleted", None, Some(before))), now, false),
            (Some(then), Some(listed("deleted", None, None)), now, false),
            (Some(then), Some(listed("active", None, Some(after))), now, false),
            (Some(then), None, now + LISTED_MS, true),
            (None, Some(listed("deleted", None, Some(after))), now + LISTED_MS, false),
        ] {
            let deleted: Vec<_> = deleted.into_iter().collect();
            assert_eq!(was_given_back(&order("success", changed), &deleted, now), away, "{changed:?} {now}");
        }
    }
}
