//! What carries a code: a sender of the account's, and a message with the code's mask in it.

use std::sync::Arc;

use engine::Id;
use engine::content::{Content, Email, Mailbox, Native, Template as Filled};
use engine::regions;
use engine::senders::{CONNECTED, Sender};
use engine::templates::{APPROVED, Filter, Template};
use engine::verification::{self, Way};
use meta_wire::FORMAT;
use serde_json::json;

use super::{WHATSAPP, Wanted, language};
use crate::call::Call;
use crate::carried::{self, EMAIL, SMS, VOICE};
use crate::errors::{Code, Error};
use crate::voices;

/// The category of templates that carry codes.
const AUTHENTICATION: &str = "AUTHENTICATION";
/// Of an account's approved templates, newest first; more than an account may have.
const MOST_TEMPLATES: i64 = 10_000;

pub(super) async fn of(call: &Call, wanted: &Wanted, mask: &str) -> Result<Way, Error> {
    match wanted.channel {
        VOICE => {
            let content = voices::speech(mask, language::spoken(wanted.language));
            Ok(Way { sender: carried::sender(call, VOICE, None).await?, content })
        }
        EMAIL => mail(call, wanted, mask).await,
        WHATSAPP => whatsapp(call, wanted, mask).await,
        _ => sms(call, wanted, mask).await,
    }
}

/// The same by SMS, for what goes by WhatsApp; `None`: nobody wants that. The inner error says why it cannot be.
pub(super) async fn fallback(call: &Call, wanted: &Wanted, mask: &str) -> Result<Option<Result<Way, Error>>, Error> {
    if wanted.channel != WHATSAPP || !call.engine().settings.verify.sms_fallback {
        return Ok(None);
    }
    if !regions::is_valid(&wanted.to.value) {
        return Ok(Some(Err(Error::new(Code::ParamInvalid, "to is not a phone number that can exist"))));
    }
    match sms(call, wanted, mask).await {
        Err(error) if error.status() >= 500 => Err(error),
        found => Ok(Some(found)),
    }
}

fn text(call: &Call, wanted: &Wanted, mask: &str) -> String {
    verification::text(&call.engine().settings.verify, wanted.language, mask)
}

async fn sms(call: &Call, wanted: &Wanted, mask: &str) -> Result<Way, Error> {
    let sender = carried::sender(call, SMS, wanted.sender_id.as_deref()).await;
    let text = text(call, wanted, mask);
    let body = match &wanted.signature {
        Some(signature) => format!("【{signature}】{text}"),
        None => text,
    };
    Ok(Way { sender: sender.map_err(|error| error.at("senderId"))?, content: Content::Text { body, preview: false } })
}

async fn mail(call: &Call, wanted: &Wanted, mask: &str) -> Result<Way, Error> {
    let sender = carried::sender(call, EMAIL, None).await.map_err(|error| match error.status() {
        403 => Error::new(Code::EmailDomainUnverified, "this account has no address to send mail from"),
        _ => error,
    })?;
    let text = text(call, wanted, mask);
    let brand = Some(call.engine().settings.verify.brand.clone()).filter(|brand| !brand.is_empty());
    let email = Email {
        from_name: brand.or_else(|| sender.name.clone()),
        to: vec![Mailbox { address: wanted.to.value.clone(), name: None }],
        cc: Vec::new(),
        reply_to: Vec::new(),
        // Whoever waits for a code reads it in the list of his mails.
        subject: text.replace(char::is_control, " "),
        text: Some(text),
        html: None,
    };
    Ok(Way { sender, content: Content::Email(Box::new(email)) })
}

/// The oldest number that can send and whose account has a template for codes.
async fn whatsapp(call: &Call, wanted: &Wanted, mask: &str) -> Result<Way, Error> {
    let engine = call.engine();
    let mut some = false;
    for sender in engine.senders(&call.organization()).await? {
        let of_cloud = || engine.provider(&sender.provider).is_some_and(|provider| provider.numbers().is_some());
        if sender.channel != WHATSAPP || sender.status != CONNECTED || !of_cloud() {
            continue;
        }
        some = true;
        if let Some(template) = template(call, &sender.account_id, wanted.language).await? {
            return Ok(filled(sender, &template, mask));
        }
    }
    Err(match some {
        true => Error::new(Code::TemplateUnavailable, "this account has no approved template for codes"),
        false => Error::new(Code::PhoneNumberUnavailable, "this account has no WhatsApp number that can send"),
    })
}

/// In the language, else in English, else in any.
async fn template(call: &Call, account: &Id, language: &str) -> Result<Option<Template>, Error> {
    let name = Some(call.engine().settings.verify.whatsapp_template.clone()).filter(|name| !name.is_empty());
    let filter = Filter { statuses: vec![APPROVED.to_owned()], name, ..Filter::default() };
    let known = call.engine().templates(&call.organization(), account, &filter, MOST_TEMPLATES).await?;
    let for_codes = known.into_iter().filter(|template| template.category.eq_ignore_ascii_case(AUTHENTICATION));
    let rank = |template: &Template| match template.language.as_str() {
        exact if exact == language => 0,
        "en" => 1,
        other if other.starts_with("en_") => 2,
        _ => 3,
    };
    Ok(for_codes.min_by_key(rank))
}

/// The code stands in the body, and in what the button hands over.
fn filled(sender: Sender, template: &Template, mask: &str) -> Way {
    let parameters = json!([{ "type": "text", "text": mask }]);
    let mut components = vec![json!({ "type": "body", "parameters": parameters })];
    if template.components.to_ascii_uppercase().contains("\"BUTTONS\"") {
        components.push(json!({ "type": "button", "sub_type": "url", "index": 0, "parameters": parameters }));
    }
    let components = Native { format: FORMAT.into(), name: "components".into(), json: components.into(), text: None };
    let content = Content::Template(Filled {
        name: template.name.clone(),
        language: template.language.clone(),
        components: Some(components),
    });
    Way { sender: Arc::new(sender), content }
}
