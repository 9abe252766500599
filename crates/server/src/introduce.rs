//! Sandbox mode: the platform introduces itself to the sandbox, makes its two organizations with their keys
//! and accounts, and writes down for everybody how to reach them (`sandbox.json`).
//!
//! Everything is derived or kept: the same data directory, or the same database and secret key, ends up with
//! the same organizations and keys, however often it is done.

mod carriers;

use std::path::Path;

use engine::{Engine, accounts, keys, organizations};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Id, Tx, Work};

use crate::digigo;
use crate::http::Control;
use crate::secret::write_private;
use crate::wiring::{Till, WebServer};
use carriers::Contract;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the sandbox cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the sandbox's answer cannot be read")]
    Unreadable(#[source] reqwest::Error),
    #[error("an account could not be set up in the sandbox")]
    Connect(#[from] accounts::ConnectError),
    #[error("a carrier's sender could not be set up")]
    Sender(#[from] engine::Refusal),
    #[error("the database does not take the sandbox's accounts")]
    Store(#[from] store::Error),
    #[error("the sandbox's certificate cannot be read")]
    Certificate(#[from] net::BadCertificate),
    #[error("sandbox.json cannot be written")]
    File(#[source] std::io::Error),
}

/// What the sandbox gives a platform.
#[derive(Deserialize)]
pub struct Given {
    pub clock: Time,
    pub meta: Meta,
    /// One for each organization; none from a sandbox without carriers.
    #[serde(default)]
    carriers: Vec<Contract>,
    /// Absent in a sandbox without it.
    pub stripe: Option<Till>,
    /// Absent in a build without it.
    web: Option<Web>,
}

#[derive(Deserialize)]
pub struct Time {
    pub offset_ms: i64,
}

#[derive(Deserialize)]
pub struct Meta {
    pub graph_url: String,
    access_token: SecretString,
    app_id: String,
    app_secret: SecretString,
    verify_token: SecretString,
    organizations: Vec<Waba>,
}

#[derive(Deserialize)]
struct Waba {
    waba_id: String,
    name: String,
    phone_numbers: Vec<Number>,
    templates: Value,
}

#[derive(Clone, Deserialize, Serialize)]
struct Number {
    id: String,
    display_phone_number: String,
}

#[derive(Deserialize)]
struct Web {
    server_url: String,
    admin_url: String,
    /// PEM; it is its own root.
    certificate: Option<String>,
}

impl Given {
    /// Where linked accounts connect to, if anywhere.
    pub fn web_server(&self) -> Result<Option<WebServer>, Error> {
        let Some(web) = &self.web else { return Ok(None) };
        let roots = net::roots_from_pem(web.certificate.as_deref().unwrap_or_default().as_bytes())?;
        Ok(Some(WebServer { url: web.server_url.clone(), roots }))
    }
}

/// Tells the sandbox where we are.
pub async fn introduce(control: &Control, platform: &str, base_url: &str) -> Result<Given, Error> {
    let body = json!({ "id": platform, "base_url": base_url, "webhook_url": format!("{base_url}/webhooks/meta") });
    let request = control.client.post(format!("{}/platforms", control.url)).json(&body);
    let request = match &control.token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let answer = request.send().await.and_then(reqwest::Response::error_for_status).map_err(Error::Unreachable)?;
    answer.json().await.map_err(Error::Unreadable)
}

/// A name for this installation that stays the same.
pub async fn platform_id(db: &store::Db) -> store::Result<String> {
    db.write(PlatformId(format!("{:032x}", rand::random::<u128>()))).await
}

struct PlatformId(String);

impl Work for PlatformId {
    type Output = String;
    async fn run(&self, tx: &mut Tx) -> store::Result<String> {
        if let Some(known) = store::settings::get(tx, "platform.id").await? {
            return Ok(known);
        }
        store::settings::put(tx, "platform.id", &self.0).await?;
        Ok(self.0.clone())
    }
}

/// Makes organizations, keys and accounts, and answers what belongs into `sandbox.json`.
pub async fn settle(engine: &Engine, given: &Given, control: &Control, base_url: &str) -> Result<Value, Error> {
    let mut tenants = Vec::new();
    for (index, waba) in given.meta.organizations.iter().enumerate() {
        tenants.push(tenant(engine, given, waba, index).await?);
    }
    let mut tenants = tenants.into_iter();
    let (first, second) = (tenants.next().unwrap_or_default(), tenants.next().unwrap_or_default());
    let mut all = json!({ "base_url": base_url, "sandbox_url": control.url, "pid": std::process::id() });
    if let Some(token) = &control.token {
        all["sandbox_token"] = json!(token);
    }
    all["organization"] = json!({ "id": first["id"] });
    all["kirim"] = first["kirim"].clone();
    all["ycloud"] = first["ycloud"].clone();
    all["late"] = first["late"].clone();
    all["digigo"] = first["digigo"].clone();
    if let Some(till) = &given.stripe {
        all["stripe"] = json!({
            "base_url": till.base_url,
            "secret_key": till.secret_key.expose_secret(),
            "webhook_secret": till.webhook_secret.expose_secret(),
            "webhook_url": till.webhook_url,
        });
    }
    if let Some(web) = &given.web {
        all["web"] = json!({ "server_url": web.server_url, "admin_url": web.admin_url });
    }
    all["meta"] = with_app(&given.meta, first["meta"].clone(), base_url);
    all["second_organization"] = second;
    Ok(all)
}

/// One organization with its key and its account.
async fn tenant(engine: &Engine, given: &Given, waba: &Waba, index: usize) -> Result<Value, Error> {
    let id = organization(engine, &waba.name, index).await?;
    let token = dialect_kirim::derive_key(engine.key.derive(&format!("sandbox kirim key {index}")));
    engine.perform(keys::create(engine, id, "kirim", "sandbox", &token, false, None)).await?;
    let ycloud_key = dialect_ycloud::derive_key(engine.key.derive(&format!("sandbox ycloud key {index}")));
    engine.perform(keys::create(engine, id, dialect_ycloud::NAME, "sandbox", &ycloud_key, false, None)).await?;
    let late_key = dialect_late::derive_key(engine.key.derive(&format!("sandbox late key {index}")));
    engine.perform(keys::create(engine, id, dialect_late::NAME, "sandbox", &late_key, false, None)).await?;
    let admin_token = digigo::derive_token(engine.key.derive(&format!("sandbox digigo key {index}")));
    engine.perform(keys::create(engine, id, dialect_digigo::NAME, "sandbox", &admin_token, false, None)).await?;
    let account = engine.perform(accounts::put(engine, account(&given.meta, waba, id))).await?;
    let (_, senders) = accounts::connect(engine, &account).await?;
    let contract = given.carriers.get(index);
    if let Some(contract) = contract {
        carriers::settle(engine, id, &waba.name, contract).await?;
    }
    let number = waba.phone_numbers.first();
    let (from, number) = (number.map(|it| it.display_phone_number.clone()), number.map(|it| it.id.clone()));
    let sender = senders.iter().find(|it| Some(&it.external_id) == number.as_ref());
    Ok(json!({
        "id": id,
        "kirim": { "api_key": token, "phone_number_id": number },
        "ycloud": {
            "api_key": ycloud_key,
            "from": from,
            "waba_id": waba.waba_id,
            "sms_from": contract.map(|it| &it.sms_from),
            "email_from": contract.map(|it| &it.email_from),
        },
        "late": {
            "api_key": late_key,
            "account_id": sender.map(|it| it.id.hex24()),
            "profile_id": id.hex24(),
            "phone_number": from,
        },
        "digigo": { "admin_token": admin_token },
        "meta": { "waba_id": waba.waba_id, "phone_numbers": waba.phone_numbers, "templates": waba.templates },
    }))
}

async fn organization(engine: &Engine, name: &str, index: usize) -> Result<Id, Error> {
    let known = engine.organizations().await?;
    if let Some(known) = known.get(index) {
        return Ok(known.id);
    }
    Ok(engine.perform(organizations::create(engine, name)).await?.id)
}

fn account(meta: &Meta, waba: &Waba, organization: Id) -> accounts::NewAccount {
    let secrets = json!({
        "access_token": meta.access_token.expose_secret(),
        "app_secret": meta.app_secret.expose_secret(),
        "verify_token": meta.verify_token.expose_secret(),
    });
    accounts::NewAccount {
        organization,
        provider: "meta-cloud".into(),
        external_id: waba.waba_id.clone(),
        name: waba.name.clone(),
        config: json!({ "app_id": meta.app_id, "graph_url": meta.graph_url }).to_string(),
        secrets: secrets.to_string().into(),
    }
}

/// The sandbox's secrets are for whoever runs it.
fn with_app(meta: &Meta, mut tenant: Value, base_url: &str) -> Value {
    tenant["graph_url"] = json!(meta.graph_url);
    tenant["access_token"] = json!(meta.access_token.expose_secret());
    tenant["app_id"] = json!(meta.app_id);
    tenant["app_secret"] = json!(meta.app_secret.expose_secret());
    tenant["verify_token"] = json!(meta.verify_token.expose_secret());
    tenant["webhook_url"] = json!(format!("{base_url}/webhooks/meta"));
    tenant
}

/// Writes `sandbox.json`, whole or not at all, for its owner only.
pub fn write_down(data_dir: &Path, all: &Value) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(all).unwrap_or_default();
    write_private(&data_dir.join("sandbox.json"), &format!("{text}\n")).map_err(Error::File)
}

/// The first thing to try.
#[must_use]
pub fn hint(all: &Value) -> String {
    let text = |path: &str| all.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (base, key, number) = (text("/base_url"), text("/kirim/api_key"), text("/kirim/phone_number_id"));
    let (sandbox, token) = (text("/sandbox_url"), all["sandbox_token"].as_str());
    let page = token.map_or_else(|| sandbox.clone(), |token| format!("{sandbox}/?token={token}"));
    let shown = token.map(|token| format!(" -H 'Authorization: Bearer {token}'")).unwrap_or_default();
    let exposed = token.map(|token| exposed(&base, token)).unwrap_or_default();
    let unlinkable = match all["web"].is_null() {
        true => {
            "\nThis build's sandbox has no WhatsApp Web, so DIGIGO has no users: build hermod with --features web-sandbox for them.\n"
        }
        false => "",
    };
    format!(
        "hermod answers at {base}; play the customer at {page}\n\nSend a first message:\n\n  \
         curl {base}/v1/{number}/messages \\\n    -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\\n    \
         -d '{{\"messaging_product\":\"whatsapp\",\"to\":\"+15557770001\",\"type\":\"template\",\"template\":{{\"name\":\"hello_world\",\"language\":\"en_US\"}}}}'\n\n\
         and see it on the phone:\n\n  curl{shown} {sandbox}/phones/+15557770001/messages\n{exposed}{unlinkable}",
    )
}

fn exposed(base: &str, token: &str) -> String {
    format!(
        "\nThe sandbox is exposed. Its control API, its page and {base}/sandbox/clock\n\
         ask for this token, as a bearer or as ?token=… in the address:\n\n  token {token}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_shows_the_token_wherever_it_is_asked_for() {
        let mut all = json!({ "base_url": "http://a:80", "sandbox_url": "http://b:81", "web": {} });
        let open = hint(&all);
        assert!(open.contains("customer at http://b:81\n") && open.contains("curl http://b:81/phones"), "{open}");
        assert!(!open.contains("token"), "{open}");
        all["sandbox_token"] = json!("SECRET");
        let exposed = hint(&all);
        for shown in [
            "customer at http://b:81/?token=SECRET\n",
            "curl -H 'Authorization: Bearer SECRET' http://b:81/phones",
            "http://a:80/sandbox/clock",
            "\n  token SECRET\n",
        ] {
            assert!(exposed.contains(shown), "{shown} in {exposed}");
        }
    }
}
