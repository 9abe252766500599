//! Numbers that Telnyx sells: reserved for half an hour, then ordered; the order may take its time. Reservation, order and
//! number carry our order's id as `customer_reference`, and are looked for by it before anything is asked for again.

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
use crate::http::trade::{Desk, No, read};

/// The number cannot be had: taken by somebody, or not sold.
const GONE: [i64; 3] = [10027, 85000, 85001];

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
struct Owned {
    id: String,
    phone_number: String,
    customer_reference: Option<String>,
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
                Ok(Bought::Gone { why: refusal.details.unwrap_or_else(|| "the number cannot be had".into()) })
            }
            Err(no) => Err(no.into()),
        }
    }

    /// An order that goes on cannot be called back: it is waited for.
    async fn release(&self, order: &Id, number: &str) -> Result<(), CallError> {
        let owned: Vec<Owned> = self.page(&["phone_numbers"], &[("filter[phone_number]", number)]).await?;
        let ours = |owned: &Owned| {
            owned.phone_number == number && owned.customer_reference.as_deref() == Some(order.hex24().as_str())
        };
        if let Some(owned) = owned.into_iter().find(ours) {
            return match self.ask(self.call(Method::DELETE, &["phone_numbers", &owned.id])).await {
                Err(No { refusal, .. }) if refusal.status == 404 => Ok(()),
                Err(no) => Err(no.into()),
                Ok(_) => Ok(()),
            };
        }
        match self.asked("number_orders", order, number).await? {
            Some(asked) if asked.came(number) == Bought::Pending => {
                Err(CallError::Unreachable("the order for the number has not come to its end".into()))
            }
            _ => Ok(()),
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
