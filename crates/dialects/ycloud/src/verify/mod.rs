//! `/verify`: sending codes, and checking them. A wrong code is an answer like any other; only what was never asked for
//! is not found.

mod language;
mod way;

use api::At;
use engine::billing::Bill;
use engine::clock::rfc3339;
use engine::contacts::{Address, EMAIL as MAILBOX, PHONE};
use engine::verification::{self, Begun, Check, Checked, New, Taken, Verification, Whose};
use secrecy::SecretString;
use serde::Serialize;

use crate::answer::Answer;
use crate::call::{Call, Handled, phone, reachable};
use crate::carried::{EMAIL, SMS, VOICE};
use crate::emails;
use crate::errors::{Code, Error};
use crate::ids::Noun;
use crate::messages::CHANNEL as WHATSAPP;
use language::LANGUAGES;

/// This dialect's words for channels.
const CHANNELS: [(&str, &str); 4] = [("sms", SMS), ("voice", VOICE), ("email_code", EMAIL), ("whatsapp", WHATSAPP)];

/// What a caller asks for (`VerificationSendRequest`).
struct Wanted {
    channel: &'static str,
    to: Address,
    code: Option<String>,
    sender_id: Option<String>,
    signature: Option<String>,
    language: &'static str,
    external_id: Option<String>,
}

fn wanted(at: &At<'_>) -> Result<Wanted, Error> {
    let channel = at.need("channel")?.word(&CHANNELS)?;
    let place = at.need("to")?;
    let to = if channel == EMAIL { mailbox(&place)? } else { number(&place, channel)? };
    let code = at.read_nullable("code", |at| code(&at, channel))?.flatten();
    let text = |name: &str, most| -> Result<Option<String>, Error> {
        let given = at.read_nullable(name, |at| at.string(0..=most))?.flatten();
        Ok(given.filter(|text| !text.is_empty()))
    };
    let words = LANGUAGES.map(|word| (word, word));
    let language = at.read_nullable("language", |at| at.word(&words))?.flatten();
    Ok(Wanted {
        code,
        sender_id: text("senderId", 32)?,
        signature: text("signature", 50)?,
        language: language.unwrap_or_else(|| language::of(&to)),
        external_id: text("externalId", 255)?,
        channel,
        to,
    })
}

/// WhatsApp knows its own numbers.
fn number(at: &At<'_>, channel: &str) -> Result<Address, Error> {
    let number = if channel == WHATSAPP { phone(at)? } else { reachable(at)? };
    Ok(Address { kind: PHONE.into(), value: number })
}

fn mailbox(at: &At<'_>) -> Result<Address, Error> {
    let found = emails::mailbox(at.text(1..=320)?.trim()).filter(|mailbox| mailbox.name.is_none());
    let found = found.ok_or_else(|| at.refuse("must be an email address"))?;
    Ok(Address { kind: MAILBOX.into(), value: found.address })
}

/// A code of the caller's own making: what can be typed, and spoken where it is spoken.
fn code(at: &At<'_>, channel: &str) -> Result<String, Error> {
    let code = at.string(4..=8)?;
    let fits = |byte: u8| byte.is_ascii_digit() || (channel != VOICE && byte.is_ascii_alphabetic());
    match code.bytes().all(fits) {
        true => Ok(code),
        false if channel == VOICE => Err(at.refuse("must have digits only").into()),
        false => Err(at.refuse("must have letters from A to Z and digits only").into()),
    }
}

pub(crate) async fn start(call: Call) -> Handled {
    let body = call.body()?;
    let wanted = wanted(&body.at())?;
    let length = wanted.code.as_ref().map_or(call.engine().settings.verify.code_length, String::len);
    let mask = verification::mask(length);
    let way = way::of(&call, &wanted, &mask).await?;
    let fallback = way::fallback(&call, &wanted, &mask).await?;
    let (fallback, shown) = fallback.map_or((None, None), |it| match it {
        Ok(way) => (Some(way), Some(Fallback::default())),
        Err(error) => (None, Some(Fallback::without(&error))),
    });
    let random = &call.ycloud.options.random;
    let new = New {
        to: wanted.to.clone(),
        code: wanted.code.map_or_else(|| verification::generate(length, &**random), SecretString::from),
        way,
        fallback,
        external_id: wanted.external_id.clone(),
        origin: crate::NAME,
        request_id: call.request_id().to_owned(),
    };
    match call.perform(verification::start(call.engine(), new)?).await? {
        Begun::Taken(taken) => Ok(Answer::of(&show(&taken, wanted.external_id, shown))),
        Begun::TooOften { again_at } => {
            let seconds = ((again_at - call.engine().now() + 999) / 1000).max(1);
            let why = format!("too many codes for this recipient; try again in {seconds} s");
            Err(Error::new(Code::TooManyRequests, why).at("to").retry_after(seconds))
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    status: String,
    to: String,
    channel: &'static str,
    send_time: String,
    total_price: f64,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sms_fallback_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sms_fallback: Option<Fallback>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
}

/// Whether a code could go by SMS.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fallback {
    supported: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsupported_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsupported_detail: Option<String>,
}

impl Default for Fallback {
    fn default() -> Self {
        Self { supported: true, unsupported_reason: None, unsupported_detail: None }
    }
}

impl Fallback {
    fn without(error: &Error) -> Self {
        let (reason, detail) = error.words();
        Self { supported: false, unsupported_reason: Some(reason), unsupported_detail: Some(detail.to_owned()) }
    }
}

fn show(taken: &Taken, external_id: Option<String>, fallback: Option<Fallback>) -> Shown {
    let Taken { verification: it, message } = taken;
    let (total_price, currency) =
        message.as_ref().map_or_else(|| (0.0, engine::billing::CURRENCY.to_owned()), Bill::price_of);
    Shown {
        id: Noun::Verification.spell(&it.id),
        status: it.status.clone(),
        to: it.address.value.clone(),
        channel: word(it),
        send_time: rfc3339(it.created_at),
        total_price,
        currency,
        sms_fallback_enabled: (it.channel == WHATSAPP).then_some(fallback.is_some()),
        sms_fallback: fallback,
        external_id,
    }
}

fn word(it: &Verification) -> &'static str {
    CHANNELS.iter().find(|(_, channel)| *channel == it.channel).map_or("sms", |(word, _)| word)
}

#[derive(Serialize)]
struct ShownCheck {
    id: String,
    valid: bool,
    status: String,
    to: String,
    channel: &'static str,
}

pub(crate) async fn check(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let id = at.read_nullable("verificationId", |at| at.string(0..=128))?.flatten().filter(|id| !id.is_empty());
    let to = at.read_nullable("to", Ok::<_, Error>)?.flatten();
    let code = at.need("code")?.string(1..=64)?;
    let whose = match (id, to) {
        (Some(id), _) => Whose::Id(Noun::Verification.parse(&id)?),
        (None, Some(to)) => Whose::Address(recipient(&to)?),
        (None, None) => {
            let error = Error::new(Code::ParamMissing, "verificationId or to is required");
            return Err(error.at("verificationId"));
        }
    };
    let check = Check { engine: call.engine().clone(), organization: call.organization(), whose, code: code.into() };
    let Checked { id, valid, verification: it } = call.perform(check).await?;
    Ok(Answer::of(&ShownCheck {
        id: Noun::Verification.spell(&id),
        valid,
        channel: word(&it),
        status: it.status,
        to: it.address.value,
    }))
}

fn recipient(at: &At<'_>) -> Result<Address, Error> {
    match at.text(1..=320)?.contains('@') {
        true => mailbox(at),
        false => number(at, WHATSAPP),
    }
}
