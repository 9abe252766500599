//! Connecting an account: are the token and the app right, what hangs on it, and do its pushes come to us?

use engine::provider::{Account, CallError, Connected, FoundSender, Setup};
use engine::senders::{CONNECTED, DEGRADED, DISCONNECTED, ONBOARDING};
use futures_util::future::BoxFuture;
use meta_wire::phone::{Phone, Register, Status};
use meta_wire::waba::TokenInfo;
use serde_json::json;

use crate::graph::Graph;
use crate::push::e164;
use crate::{Config, MetaCloud, Secrets, templates};

/// What a token must be permitted.
const SCOPES: [&str; 2] = ["whatsapp_business_messaging", "whatsapp_business_management"];

impl Setup for MetaCloud {
    fn connect<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Connected, CallError>> {
        Box::pin(self.connect_account(account))
    }

    fn register<'a>(
        &'a self,
        account: &'a Account,
        number: &'a str,
        pin: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(async move {
            let graph = self.graph_of(&Config::of(account)?, &Secrets::of(account)?);
            graph
                .register(
                    number,
                    &Register { messaging_product: "whatsapp".into(), pin: pin.into(), ..Register::default() },
                )
                .await?;
            Ok(())
        })
    }
}

impl MetaCloud {
    async fn connect_account(&self, account: &Account) -> Result<Connected, CallError> {
        let (config, secrets) = (Config::of(account)?, Secrets::of(account)?);
        let (graph, waba) = (self.graph_of(&config, &secrets), account.external_id.as_str());
        let mut remarks = check_token(&graph, &config, &secrets, waba).await?;
        let found = graph.waba(waba).await?;
        graph.subscribe(waba, None).await?;
        let phones = graph.phones(waba).await?;
        let senders: Vec<FoundSender> = phones.iter().filter_map(sender).collect();
        if senders.is_empty() {
            remarks.push("The account has no phone number yet.".to_owned());
        }
        Ok(Connected {
            name: found.name.unwrap_or_else(|| account.name.clone()),
            senders,
            templates: graph.templates(waba).await?.into_iter().filter_map(templates::state).collect(),
            remarks,
        })
    }
}

/// A dead token is an error, a doubtful one a remark. An app secret that Meta does not accept only keeps us from asking:
/// but pushes would not be believed with it, so that is said.
async fn check_token(graph: &Graph, config: &Config, secrets: &Secrets, waba: &str) -> Result<Vec<String>, CallError> {
    match graph.debug_token(&config.app_id, &secrets.app_secret, &secrets.access_token).await {
        Ok(token) => judge(&token, &config.app_id, waba),
        Err(error) if error.code().is_some() => {
            let why = CallError::from(error);
            Ok(vec![format!("The token's permissions could not be checked; are app id and app secret right? ({why})")])
        }
        Err(error) => Err(error.into()),
    }
}

fn judge(token: &TokenInfo, app_id: &str, waba: &str) -> Result<Vec<String>, CallError> {
    let unauthorized = |message: &str| Err(CallError::Unauthorized { message: message.to_owned(), code: None });
    if token.is_valid == Some(false) {
        return unauthorized("it is not valid, or no longer");
    }
    let missing: Vec<&str> = SCOPES.into_iter().filter(|scope| !permits(token, scope, waba)).collect();
    if missing.len() == SCOPES.len() {
        return unauthorized(
            "it has neither of the permissions whatsapp_business_messaging and whatsapp_business_management for this account",
        );
    }
    let mut remarks: Vec<String> =
        missing.iter().map(|scope| format!("The token lacks the permission {scope}.")).collect();
    if token.app_id.as_ref().is_some_and(|id| id.as_str() != app_id) {
        remarks.push(
            "The token belongs to another app; pushes are signed by the app that is subscribed with it.".to_owned(),
        );
    }
    if token.expires_at.is_some_and(|time| time.seconds > 0) {
        remarks.push("The token expires; a system user's token need not.".to_owned());
    }
    Ok(remarks)
}

/// A permission may be limited to some accounts.
fn permits(token: &TokenInfo, scope: &str, waba: &str) -> bool {
    let granular = token.granular_scopes.iter().find(|granular| granular.scope == scope);
    match granular {
        Some(granular) if !granular.target_ids.is_empty() => granular.target_ids.iter().any(|id| id.as_str() == waba),
        Some(_) => true,
        None => token.scopes.iter().any(|known| known == scope),
    }
}

pub(crate) fn sender(phone: &Phone) -> Option<FoundSender> {
    let (status, status_reason) = standing(phone.status.as_ref());
    let config = json!({
        "quality_rating": phone.quality_rating,
        "name_status": phone.name_status,
        "code_verification_status": phone.code_verification_status,
        "throughput": phone.throughput.as_ref().and_then(|throughput| throughput.level.as_ref()),
    });
    Some(FoundSender {
        external_id: phone.id.as_str().to_owned(),
        address: e164(phone.display_phone_number.as_deref()?)?,
        name: phone.verified_name.clone(),
        status: status.to_owned(),
        status_reason,
        config: config.to_string(),
    })
}

/// Our word for a number's status, and Meta's where it is not simply well.
fn standing(status: Option<&Status>) -> (&'static str, Option<String>) {
    let ours = match status {
        Some(Status::Connected) => return (CONNECTED, None),
        Some(Status::Pending | Status::Unverified) => ONBOARDING,
        Some(Status::Flagged | Status::Restricted | Status::RateLimited) => DEGRADED,
        _ => DISCONNECTED,
    };
    let metas = status.map_or_else(|| "unknown".to_owned(), ToString::to_string);
    (ours, Some(format!("Meta's status is {metas}")))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const WABA: &str = "102290129340398";

    fn judged(token: Value) -> Result<Vec<String>, CallError> {
        judge(&serde_json::from_value(token).unwrap(), "1", WABA)
    }

    #[test]
    fn tokens_are_judged_by_what_they_may_do_here() {
        let [messaging, management] = SCOPES;
        let whole = judged(json!({"app_id": "1", "is_valid": true, "expires_at": 0, "scopes": SCOPES}));
        assert_eq!(whole.unwrap(), Vec::<String>::new());
        let half = judged(json!({"app_id": "1", "is_valid": true, "scopes": [management]})).unwrap();
        assert_eq!(half, [format!("The token lacks the permission {messaging}.")]);
        let odd =
            judged(json!({"app_id": "2", "is_valid": true, "expires_at": 1_800_000_000, "scopes": SCOPES})).unwrap();
        assert_eq!(odd.len(), 2);
        let elsewhere = json!([{"scope": messaging, "target_ids": ["5"]}, {"scope": management, "target_ids": [WABA]}]);
        let limited = judged(json!({"is_valid": true, "scopes": SCOPES, "granular_scopes": elsewhere})).unwrap();
        assert_eq!(limited, half);
        for refused in [json!({"is_valid": false, "scopes": SCOPES}), json!({"is_valid": true, "scopes": ["email"]})] {
            assert!(matches!(judged(refused), Err(CallError::Unauthorized { .. })));
        }
    }

    #[test]
    fn a_number_becomes_a_sender() {
        let of = |status: &str| {
            let phone = json!({"id": "7", "display_phone_number": "+1 555-010-0001", "verified_name": "Shop", "status": status});
            sender(&serde_json::from_value(phone).unwrap()).unwrap()
        };
        for (status, ours) in [
            ("CONNECTED", "connected"),
            ("PENDING", "onboarding"),
            ("UNVERIFIED", "onboarding"),
            ("FLAGGED", "degraded"),
            ("RESTRICTED", "degraded"),
            ("RATE_LIMITED", "degraded"),
            ("BANNED", "disconnected"),
            ("NEW_WORD", "disconnected"),
        ] {
            let found = of(status);
            assert_eq!((found.address.as_str(), found.status.as_str()), ("+15550100001", ours), "{status}");
            assert_eq!(found.status_reason.is_none(), status == "CONNECTED");
        }
        assert!(sender(&serde_json::from_value(json!({"id": "7"})).unwrap()).is_none());
    }
}
