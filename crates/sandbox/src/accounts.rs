//! What Meta keeps about businesses: one app per introduced platform, its WABAs (one per organization), their numbers.
//! Every value is derived from the seed and the platform's id, so that an introduction repeated is answered the same.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::ids::Seed;
use crate::text::Text;

/// A platform that introduced itself, with the Meta app that is its own.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Platform {
    pub(crate) id: String,
    pub(crate) base_url: String,
    pub(crate) webhook_url: String,
    pub(crate) app_id: String,
    pub(crate) app_secret: String,
    pub(crate) access_token: String,
    pub(crate) verify_token: String,
    pub(crate) wabas: Vec<Text>,
}

/// Where a WABA's or a number's webhooks go instead of the app's URL.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Override {
    pub(crate) url: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Waba {
    pub(crate) id: Text,
    pub(crate) platform: String,
    pub(crate) business_id: String,
    pub(crate) name: String,
    pub(crate) numbers: Vec<Text>,
    pub(crate) subscribed: bool,
    pub(crate) webhook: Option<Override>,
    pub(crate) namespace: String,
    pub(crate) created_at: i64,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Number {
    pub(crate) id: Text,
    pub(crate) waba: Text,
    /// Digits without a plus.
    pub(crate) phone: Text,
    pub(crate) country_code: String,
    pub(crate) verified_name: String,
    pub(crate) verified: bool,
    /// It was verified in a pool.
    #[serde(default)]
    pub(crate) preverified: bool,
    pub(crate) registered: bool,
    pub(crate) pin: Option<String>,
    /// When wrong PINs came, since the last right one.
    #[serde(default)]
    pub(crate) wrong_pins: Vec<i64>,
    /// The code that request_code "sent".
    pub(crate) code: Option<String>,
    /// When it was registered or deregistered, for the 10-in-72-hours rule.
    pub(crate) registrations: Vec<i64>,
    pub(crate) profile: Map<String, Value>,
    pub(crate) cart_enabled: bool,
    pub(crate) catalog_visible: bool,
    pub(crate) settings: Map<String, Value>,
    /// Customers whom the business has blocked.
    pub(crate) blocked: BTreeSet<String>,
    pub(crate) webhook: Option<Override>,
    pub(crate) new_name: Option<String>,
    pub(crate) created_at: i64,
}

impl Number {
    pub(crate) fn new(id: Text, waba: Text, phone: &str, country_code: &str, name: &str, now: i64) -> Self {
        Self {
            id,
            waba,
            phone: phone.into(),
            country_code: country_code.to_owned(),
            verified_name: name.to_owned(),
            verified: false,
            preverified: false,
            registered: false,
            pin: None,
            wrong_pins: Vec::new(),
            code: None,
            registrations: Vec::new(),
            profile: Map::new(),
            cart_enabled: true,
            catalog_visible: false,
            settings: Map::new(),
            blocked: BTreeSet::new(),
            webhook: None,
            new_name: None,
            created_at: now,
        }
    }

    pub(crate) fn display(&self) -> String {
        format!("+{}", self.phone)
    }
}

/// A number that a business verifies before anybody takes it over.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Preverified {
    pub(crate) id: Text,
    pub(crate) business: String,
    /// Digits without a plus.
    pub(crate) phone: Text,
    pub(crate) code: Option<String>,
    pub(crate) verified_at: Option<i64>,
}

/// The permissions of every token handed out.
pub(crate) const SCOPES: [&str; 3] =
    ["whatsapp_business_management", "whatsapp_business_messaging", "business_management"];

/// The names and number counts of a platform's organizations.
const ORGANIZATIONS: [(&str, usize); 2] = [("Sandbox One", 2), ("Sandbox Two", 1)];

/// A platform's app, WABAs and numbers, made from nothing but seed and id. `first` is the running number of its first phone number.
pub(crate) fn found(
    seed: &Seed,
    id: &str,
    base_url: &str,
    webhook_url: &str,
    first: usize,
    now: i64,
) -> (Platform, Vec<Waba>, Vec<Number>) {
    let label = |part: &str| format!("platform/{id}/{part}");
    let (mut wabas, mut numbers, mut next) = (Vec::new(), Vec::new(), first);
    for (place, (name, count)) in ORGANIZATIONS.into_iter().enumerate() {
        let waba_id = Text::from(seed.digits(&label(&format!("waba/{place}")), '1', 15));
        let mut own = Vec::new();
        for _ in 0..count {
            let number_id = Text::from(seed.digits(&label(&format!("number/{next}")), '4', 15));
            let mut number = Number::new(number_id.clone(), waba_id.clone(), &format!("1555{next:07}"), "1", name, now);
            // without a PIN of its own: the first to register it chooses one
            (number.verified, number.registered) = (true, true);
            own.push(number_id);
            numbers.push(number);
            next += 1;
        }
        wabas.push(Waba {
            id: waba_id,
            platform: id.to_owned(),
            business_id: seed.digits(&label(&format!("business/{place}")), '6', 15),
            name: name.to_owned(),
            numbers: own,
            subscribed: true,
            webhook: None,
            namespace: seed.secret(&label(&format!("namespace/{place}"))),
            created_at: now,
        });
    }
    let platform = Platform {
        id: id.to_owned(),
        base_url: base_url.trim_end_matches('/').to_owned(),
        webhook_url: webhook_url.to_owned(),
        app_id: seed.digits(&label("app"), '8', 16),
        app_secret: seed.secret(&label("app_secret")),
        access_token: seed.token(&label("access_token")),
        verify_token: seed.secret(&label("verify_token")),
        wabas: wabas.iter().map(|waba| waba.id.clone()).collect(),
    };
    (platform, wabas, numbers)
}

/// The first number of the first platform is +1 555 010 0001.
pub(crate) const FIRST_NUMBER: usize = 100_001;

/// The templates that every new WABA has approved already.
pub(crate) fn first_templates() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    vec![
        (
            "hello_world",
            "en_US",
            "UTILITY",
            json!([
                {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
                {"type": "BODY", "text": "Welcome! This is the first message that a new business account sends."},
                {"type": "FOOTER", "text": "Sent from the sandbox"},
            ]),
        ),
        (
            "order_update",
            "en",
            "UTILITY",
            json!([
                {"type": "BODY", "text": "Hello {{1}}, your order {{2}} is on its way.",
                 "example": {"body_text": [["Ada", "A-1001"]]}},
            ]),
        ),
        (
            "verification_code",
            "en",
            "AUTHENTICATION",
            json!([
                {"type": "BODY", "add_security_recommendation": true},
                {"type": "FOOTER", "code_expiration_minutes": 10},
                {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}]},
            ]),
        ),
        (
            "seasonal_offer",
            "en",
            "MARKETING",
            json!([
                {"type": "HEADER", "format": "TEXT", "text": "Our {{1}} offer is here", "example": {"header_text": ["autumn"]}},
                {"type": "BODY", "text": "Dear {{1}}, everything in the shop is cheaper until Sunday.",
                 "example": {"body_text": [["Ada"]]}},
                {"type": "BUTTONS", "buttons": [
                    {"type": "URL", "text": "See the offer", "url": "https://shop.example/offers/{{1}}",
                     "example": ["https://shop.example/offers/autumn"]},
                    {"type": "QUICK_REPLY", "text": "Not for me"},
                ]},
            ]),
        ),
    ]
}
