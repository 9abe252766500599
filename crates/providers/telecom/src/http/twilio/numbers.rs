//! Numbers that Twilio sells. A number that is ours carries the order's id as its friendly name: Twilio has no keys that make
//! a repetition harmless, so whoever is not sure looks there first.

use engine::Id;
use engine::numbers::{Bought, Offer, Shop, Wish};
use engine::provider::{Account, CallError};
use futures_util::future::BoxFuture;
use http::Method;
use reqwest::RequestBuilder;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::Twilio;
use crate::http::Carrier;
use crate::http::trade::{Desk, No};

/// Kinds of numbers, in the order in which they are looked for: not every country has both.
const KINDS: [&str; 2] = ["Local.json", "Mobile.json"];
/// The number cannot be had: taken by somebody, or not sold.
const GONE: [i64; 3] = [21404, 21421, 21422];

#[derive(Deserialize)]
struct Available {
    available_phone_numbers: Vec<Sold>,
}

#[derive(Deserialize)]
struct Incoming {
    incoming_phone_numbers: Vec<Owned>,
}

#[derive(Deserialize)]
struct Sold {
    phone_number: String,
    iso_country: Option<String>,
    locality: Option<String>,
    region: Option<String>,
}

#[derive(Deserialize)]
struct Owned {
    sid: String,
    phone_number: String,
    friendly_name: Option<String>,
}

impl Owned {
    fn is_for(&self, order: &Id) -> bool {
        self.friendly_name.as_deref() == Some(name(order).as_str())
    }
}

fn name(order: &Id) -> String {
    format!("order {}", order.hex24())
}

impl Desk<'_, Twilio> {
    fn call(&self, method: Method, what: &[&str]) -> RequestBuilder {
        let sid = &self.access.config.account_sid;
        let path = [&["2010-04-01", "Accounts", sid], what].concat();
        let token = self.access.secrets.auth_token.expose_secret();
        self.request(method, &self.access.root, &path).basic_auth(sid, Some(token))
    }

    async fn available(&self, wish: &Wish, limit: usize) -> Result<Vec<Offer>, CallError> {
        let (page, limit) = (limit.to_string(), limit);
        let mut query = vec![("SmsEnabled", "true"), ("PageSize", &page)];
        query.extend(wish.prefix.as_deref().map(|code| ("AreaCode", code)));
        query.extend(wish.locality.as_deref().map(|place| ("InLocality", place)));
        query.extend(wish.contains.as_deref().map(|part| ("Contains", part)));
        for kind in KINDS {
            let request = self.call(Method::GET, &["AvailablePhoneNumbers", &wish.country, kind]).query(&query);
            let found: Option<Available> = self.find(request).await?;
            let found = found.map(|found| found.available_phone_numbers).unwrap_or_default();
            if !found.is_empty() {
                return Ok(found.into_iter().take(limit).map(|sold| offer(sold, wish)).collect());
            }
        }
        Ok(Vec::new())
    }

    async fn owned(&self, number: &str) -> Result<Option<Owned>, CallError> {
        let request = self.call(Method::GET, &["IncomingPhoneNumbers.json"]).query(&[("PhoneNumber", number)]);
        let found: Option<Incoming> = self.find(request).await?;
        // Numbers are found by their parts, too.
        let mut all = found.into_iter().flat_map(|found| found.incoming_phone_numbers);
        Ok(all.find(|owned| owned.phone_number == number))
    }

    async fn buy(&self, order: &Id, number: &str) -> Result<Bought, CallError> {
        match self.owned(number).await? {
            Some(owned) if owned.is_for(order) => return Ok(Bought::Ours),
            Some(_) => return Ok(Bought::Gone { why: "the number is ours already, for something else".into() }),
            None => {}
        }
        let (name, url) = (name(order), self.inbound_url.as_str());
        let form = [
            ("PhoneNumber", number),
            ("FriendlyName", &name),
            ("SmsUrl", url),
            ("SmsMethod", "POST"),
            ("VoiceUrl", url),
            ("VoiceMethod", "POST"),
        ];
        match self.ask(self.call(Method::POST, &["IncomingPhoneNumbers.json"]).form(&form)).await {
            Ok(_) => Ok(Bought::Ours),
            Err(No { refusal, .. }) if refusal.code.is_some_and(|code| GONE.contains(&code)) => {
                self.taken(order, number, refusal.details).await
            }
            Err(no) => Err(no.into()),
        }
    }

    /// An earlier purchase whose answer was lost may have come to its end only now: then it is we who took the number.
    async fn taken(&self, order: &Id, number: &str, why: Option<String>) -> Result<Bought, CallError> {
        if self.owned(number).await?.is_some_and(|owned| owned.is_for(order)) {
            return Ok(Bought::Ours);
        }
        Ok(Bought::Gone { why: why.unwrap_or_else(|| "the number cannot be had".into()) })
    }

    async fn release(&self, order: &Id, number: &str) -> Result<(), CallError> {
        let Some(owned) = self.owned(number).await?.filter(|owned| owned.is_for(order)) else { return Ok(()) };
        let request = self.call(Method::DELETE, &["IncomingPhoneNumbers", &format!("{}.json", owned.sid)]);
        match self.ask(request).await {
            Err(No { refusal, .. }) if refusal.status == 404 => Ok(()),
            Err(no) => Err(no.into()),
            Ok(_) => Ok(()),
        }
    }
}

fn offer(sold: Sold, wish: &Wish) -> Offer {
    Offer {
        number: sold.phone_number,
        country: sold.iso_country.unwrap_or_else(|| wish.country.clone()),
        locality: sold.locality.filter(|it| !it.is_empty()),
        region: sold.region.filter(|it| !it.is_empty()),
    }
}

type Called<'a, T> = BoxFuture<'a, Result<T, CallError>>;

impl Shop for Carrier<Twilio> {
    fn available<'a>(&'a self, account: &'a Account, wish: &'a Wish, limit: usize) -> Called<'a, Vec<Offer>> {
        Box::pin(async move { self.desk(account)?.available(wish, limit).await })
    }

    fn buy<'a>(&'a self, account: &'a Account, order: &'a Id, number: &'a str) -> Called<'a, Bought> {
        Box::pin(async move { self.desk(account)?.buy(order, number).await })
    }

    /// In words that it wrote down, see `calls`.
    fn hears_calls(&self) -> bool {
        true
    }

    fn release<'a>(&'a self, account: &'a Account, order: &'a Id, number: &'a str) -> Called<'a, ()> {
        Box::pin(async move { self.desk(account)?.release(order, number).await })
    }
}
