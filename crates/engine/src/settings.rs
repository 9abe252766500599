//! What an operator can decide about the engine. Defaults are `config/default.toml`'s.

use std::collections::BTreeMap;
use std::time::Duration;

use store::retention::Kind;

#[derive(Clone, Debug)]
pub struct Settings {
    /// Names this process in leases.
    pub process: String,
    /// The origin outsiders use, without a slash at the end.
    pub public_url: String,
    pub senders: Senders,
    pub deliveries: Deliveries,
    pub sessions: Sessions,
    pub consent: Consent,
    pub verify: Verify,
    pub retention: Retention,
    pub billing: Billing,
    pub numbers: Numbers,
    /// Everything happens in the sandbox: nothing is told as live.
    pub sandbox: bool,
}

#[derive(Clone, Debug)]
pub struct Senders {
    /// `None`: what the provider says.
    pub messages_per_second: Option<u32>,
    /// How many may go at once after a pause; `None`: one second's worth.
    pub burst: Option<u32>,
    /// Whether the provider's limit per pair of sender and recipient is kept.
    pub pair_limit: bool,
    /// How long an attempt without an answer waits for a receipt.
    pub outcome_wait: Duration,
    /// Calls to a provider at the same time, for each sender.
    pub in_flight: usize,
    /// How long a message that cannot be sent is tried again.
    pub give_up_after: Duration,
}

#[derive(Clone, Debug)]
pub struct Deliveries {
    /// At the same time, for each subscription.
    pub per_subscription: usize,
    /// At the same time, for all.
    pub in_flight: usize,
}

#[derive(Clone, Debug)]
pub struct Sessions {
    /// How fast sessions are opened at most, in each process.
    pub opens_per_second: u32,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Billing {
    /// Organizations pay from their balances, and send nothing that they cannot pay.
    pub metering: bool,
}

/// Phone numbers that are bought.
#[derive(Clone, Debug)]
pub struct Numbers {
    pub payment: crate::numbers::Payment,
    /// Of one number, in millionths of a unit.
    pub price: i64,
    pub currency: String,
    /// How long a number waits to be paid, or approved.
    pub payment_wait: Duration,
    /// How soon after a purchase another of the same profile's is taken for a mistake.
    pub purchase_guard: Duration,
    /// How long a code may be on its way, and how often one is asked for.
    pub code_wait: Duration,
    pub code_tries: u32,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            payment: crate::numbers::Payment::None,
            price: 0,
            currency: "USD".into(),
            payment_wait: Duration::from_secs(60 * 60),
            purchase_guard: Duration::from_secs(600),
            code_wait: Duration::from_secs(300),
            code_tries: 3,
        }
    }
}

/// Words that, alone in a message, mean that somebody does not want to hear from us, or does again; in any case.
#[derive(Clone, Debug)]
pub struct Consent {
    pub opt_out_words: Vec<String>,
    pub opt_in_words: Vec<String>,
}

impl Default for Consent {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            opt_out_words: words(&["stop", "stopall", "unsubscribe", "opt out", "optout"]),
            opt_in_words: words(&["start", "unstop", "opt in", "optin"]),
        }
    }
}

/// Codes that prove that an address is somebody's.
#[derive(Clone, Debug)]
pub struct Verify {
    /// Digits of a code that we make.
    pub code_length: usize,
    /// How long a code is good.
    pub expiry: Duration,
    /// Wrong answers after which none is right any more.
    pub tries: i64,
    /// How often codes may be asked for: for one recipient, and for all numbers that differ in their last four digits only.
    pub per_recipient: Pace,
    pub per_prefix: Pace,
    /// What WhatsApp reports as failed at once goes by SMS.
    pub sms_fallback: bool,
    /// Stands before every text.
    pub brand: String,
    /// The approved template of the category authentication that carries codes on WhatsApp; empty: any.
    pub whatsapp_template: String,
    /// By language in small letters; `{code}` and `{minutes}` are filled in.
    pub texts: BTreeMap<String, String>,
}

/// So many within a time, all of them at once if need be.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// 0: without limit.
    pub most: u32,
    pub within: Duration,
}

impl Default for Verify {
    fn default() -> Self {
        let text = "Your verification code is {code}. It is valid for {minutes} minutes.";
        Self {
            code_length: 6,
            expiry: Duration::from_secs(600),
            tries: 5,
            per_recipient: Pace { most: 5, within: Duration::from_secs(600) },
            per_prefix: Pace { most: 50, within: Duration::from_secs(3600) },
            sms_fallback: true,
            brand: String::new(),
            whatsapp_template: String::new(),
            texts: BTreeMap::from([("en".to_owned(), text.to_owned())]),
        }
    }
}

/// How long rows are kept; `None`: for ever.
#[derive(Clone, Debug)]
pub struct Retention {
    pub messages: Option<Duration>,
    pub events: Option<Duration>,
    pub deliveries: Option<Duration>,
    pub idempotency_keys: Option<Duration>,
    pub verifications: Option<Duration>,
}

impl Retention {
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<Duration> {
        match kind {
            Kind::Messages => self.messages,
            Kind::Events => self.events,
            Kind::Deliveries => self.deliveries,
            Kind::IdempotencyKeys => self.idempotency_keys,
            Kind::Verifications => self.verifications,
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Settings {
    fn default() -> Self {
        Self {
            process: "hermod".into(),
            public_url: "http://127.0.0.1:8080".into(),
            senders: Senders {
                messages_per_second: None,
                burst: None,
                pair_limit: true,
                outcome_wait: Duration::from_secs(600),
                in_flight: 128,
                give_up_after: DAY,
            },
            deliveries: Deliveries { per_subscription: 64, in_flight: 512 },
            sessions: Sessions { opens_per_second: 50 },
            consent: Consent::default(),
            verify: Verify::default(),
            retention: Retention {
                messages: Some(DAY * 365),
                events: Some(DAY * 90),
                deliveries: Some(DAY * 30),
                idempotency_keys: Some(DAY),
                verifications: Some(DAY * 30),
            },
            billing: Billing::default(),
            numbers: Numbers::default(),
            sandbox: false,
        }
    }
}
