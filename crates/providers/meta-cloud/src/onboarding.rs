//! Bringing a number of ours to Meta: onto a WABA, or among the business's numbers that are verified beforehand.
//!
//! Meta has no keys that make a repetition harmless, so a number is looked for before it is added. Numbers cannot be deleted
//! from a WABA: what is taken away again is deregistered.

use engine::numbers::{Method, Onboarding, Place, Proof};
use engine::provider::{Account, CallError, FoundSender};
use engine::regions;
use futures_util::future::BoxFuture;
use meta_wire::Class;
use meta_wire::phone::{CodeMethod, CodeVerification, Create, Register, RequestCode, VerifyCode};
use secrecy::{ExposeSecret, SecretString};

use crate::graph::{Error, Graph};
use crate::{MetaCloud, setup};

type Called<'a, T> = BoxFuture<'a, Result<T, CallError>>;

/// The language of codes: we read them, not people.
const LANGUAGE: &str = "en_US";
/// Meta's numbers for what is not there any more, and for what was never registered.
const NOT_THERE: [i64; 3] = [33, 100, 133_010];

impl Onboarding for MetaCloud {
    fn add<'a>(&'a self, account: &'a Account, number: &'a str, name: &'a str, place: Place) -> Called<'a, String> {
        Box::pin(async move {
            let (graph, waba) = (self.graph(account)?, account.external_id.as_str());
            match place {
                Place::Account => add_to_account(&graph, waba, number, name, None).await,
                Place::Pool => add_to_pool(&graph, waba, number).await,
            }
        })
    }

    fn adopt<'a>(
        &'a self,
        account: &'a Account,
        number: &'a str,
        name: &'a str,
        pooled: &'a str,
    ) -> Called<'a, String> {
        Box::pin(async move {
            let waba = account.external_id.as_str();
            add_to_account(&self.graph(account)?, waba, number, name, Some(pooled)).await
        })
    }

    fn proof<'a>(&'a self, account: &'a Account, id: &'a str, place: Place) -> Called<'a, Proof> {
        Box::pin(async move {
            let graph = self.graph(account)?;
            let (status, until) = match place {
                Place::Account => (graph.phone(id).await.map_err(said)?.code_verification_status, None),
                Place::Pool => {
                    let found = graph.preverified_number(id).await.map_err(said)?;
                    (found.code_verification_status, found.verification_expiry_time)
                }
            };
            let verified = status == Some(CodeVerification::Verified);
            Ok(Proof { verified, until: until.map(|until| until.seconds.saturating_mul(1000)) })
        })
    }

    fn request_code<'a>(&'a self, account: &'a Account, id: &'a str, method: Method) -> Called<'a, ()> {
        Box::pin(async move {
            let code_method = match method {
                Method::Sms => CodeMethod::Sms,
                Method::Voice => CodeMethod::Voice,
            };
            let request = RequestCode { code_method, language: Some(LANGUAGE.into()), ..RequestCode::default() };
            self.graph(account)?.request_code(id, &request).await.map(drop).map_err(said)
        })
    }

    fn verify_code<'a>(&'a self, account: &'a Account, id: &'a str, code: &'a SecretString) -> Called<'a, ()> {
        Box::pin(async move {
            let code = VerifyCode { code: code.expose_secret().into(), ..VerifyCode::default() };
            self.graph(account)?.verify_code(id, &code).await.map(drop).map_err(said)
        })
    }

    fn register<'a>(&'a self, account: &'a Account, id: &'a str, pin: &'a SecretString) -> Called<'a, FoundSender> {
        Box::pin(async move {
            let graph = self.graph(account)?;
            let pin = pin.expose_secret().into();
            let register = Register { messaging_product: "whatsapp".into(), pin, ..Register::default() };
            graph.register(id, &register).await.map_err(said)?;
            let phone = graph.phone(id).await.map_err(said)?;
            setup::sender(&phone).ok_or_else(|| CallError::Unreadable("the number has no address".into()))
        })
    }

    fn remove<'a>(&'a self, account: &'a Account, id: &'a str, place: Place) -> Called<'a, ()> {
        Box::pin(async move {
            let graph = self.graph(account)?;
            let removed = match place {
                Place::Account => graph.deregister(id).await,
                Place::Pool => graph.delete_preverified_number(id).await,
            };
            match removed {
                Err(error) if error.code().is_some_and(|code| NOT_THERE.contains(&code)) => Ok(()),
                removed => removed.map(drop).map_err(said),
            }
        })
    }
}

/// `pooled`: its name among the numbers that are verified beforehand, where it is one; Meta takes it from there.
async fn add_to_account(
    graph: &Graph,
    waba: &str,
    number: &str,
    name: &str,
    pooled: Option<&str>,
) -> Result<String, CallError> {
    let known = graph.phones(waba).await.map_err(said)?;
    let same = |shown: &String| digits(shown) == digits(number);
    if let Some(known) = known.iter().find(|phone| phone.display_phone_number.as_ref().is_some_and(same)) {
        return Ok(known.id.as_str().to_owned());
    }
    let code = regions::calling_code(number).map(|code| code.to_string());
    let code = code.ok_or_else(|| CallError::Unreadable("the number has no country".into()))?;
    let rest = digits(number).strip_prefix(code.as_str()).map(str::to_owned).unwrap_or_default();
    let create = Create {
        cc: code.as_str().into(),
        phone_number: rest.as_str().into(),
        verified_name: Some(name.to_owned()),
        preverified_id: pooled.map(Into::into),
        ..Create::default()
    };
    Ok(graph.add_phone(waba, &create).await.map_err(said)?.id.as_str().to_owned())
}

async fn add_to_pool(graph: &Graph, waba: &str, number: &str) -> Result<String, CallError> {
    let owner = graph.owner(waba).await.map_err(said)?.owner_business_info.and_then(|business| business.id);
    let business = owner.ok_or_else(|| CallError::Refused {
        message: "the account's business is not known".into(),
        code: None,
        details: None,
    })?;
    let known = graph.preverified_numbers(business.as_str()).await.map_err(said)?;
    let same = |shown: &String| digits(shown) == digits(number);
    if let Some(known) = known.iter().find(|it| it.phone_number.as_ref().is_some_and(same)) {
        return Ok(known.id.as_str().to_owned());
    }
    Ok(graph.add_preverified_number(business.as_str(), number).await.map_err(said)?.id.as_str().to_owned())
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// What Meta would do a little later is no refusal.
fn said(error: Error) -> CallError {
    match error.class() {
        Some(Class::BackOff | Class::BackOffOnce | Class::Wait(_)) => CallError::Unreachable(error.into()),
        _ => error.into(),
    }
}
