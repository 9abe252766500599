//! Setting up, templates, and the calls that manage numbers.

use engine::provider::{CallError, Provider};
use meta_wire::{block, commerce, phone, profile, waba};
use serde_json::{Value, json};

use crate::ground::{Ground, PHONE, TOKEN, WABA, account};
use crate::stub::{Call, Reply, Stub, ok};

fn template(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "language": "en", "status": "APPROVED", "category": "UTILITY", "rejected_reason": "NONE",
        "quality_score": {"score": "GREEN"},
        "components": [{"type": "BODY", "text": "Order {{order}} for {{name}}"}, {"type": "FUTURE", "x": [1]}]})
}

#[tokio::test]
async fn all_pages_of_templates_are_read_and_odd_entries_cost_no_other() {
    let stub = Stub::start(|_, call| {
        let more = json!({"cursors": {"before": "a", "after": "NEXT"}, "next": "https://example.com/"});
        if call.line.ends_with("&after=NEXT") {
            ok(json!({"data": [template("3", "third")], "paging": {"cursors": {"after": "END"}}}))
        } else {
            ok(json!({"data": [template("1", "first"), 5, {"id": "2"}], "paging": more}))
        }
    })
    .await;
    let ground = Ground::new(&stub.url);
    let found = ground.provider.templates().unwrap().list(&account()).await.unwrap();
    assert_eq!(found.iter().map(|state| state.name.as_str()).collect::<Vec<_>>(), ["first", "third"]);
    let first = &found[0];
    assert_eq!((first.external_id.as_str(), first.language.as_str()), ("1", "en"));
    assert_eq!(
        (first.status.as_str(), first.category.as_str(), first.quality.as_deref()),
        ("APPROVED", "UTILITY", Some("GREEN"))
    );
    assert_eq!(
        (first.body.as_str(), &first.variables[..]),
        ("Order {{order}} for {{name}}", &["order".to_owned(), "name".to_owned()][..])
    );
    assert_eq!(first.status_reason, None);
    let components: Value = serde_json::from_str(&first.components).unwrap();
    assert_eq!(components, template("1", "first")["components"]);
    assert_eq!(stub.lines().len(), 2);
}

#[tokio::test]
async fn templates_are_made_changed_and_deleted() {
    let stub = Stub::start(|_, call| match call.line.split(' ').next() {
        Some("POST") if call.line.ends_with("message_templates") => {
            ok(json!({"id": "7", "status": "PENDING", "category": "MARKETING"}))
        }
        _ => ok(json!({"success": true})),
    })
    .await;
    let ground = Ground::new(&stub.url);
    let (templates, account) = (ground.provider.templates().unwrap(), account());
    let definition = json!({"name": "offer", "language": "en", "category": "UTILITY", "future": true,
        "components": [{"type": "BODY", "text": "Hi {{1}}.", "example": {"body_text": [["A"]]}}]});
    let made = templates.create(&account, &definition).await.unwrap();
    assert_eq!(
        (made.external_id.as_str(), made.status.as_str(), made.category.as_str()),
        ("7", "PENDING", "MARKETING")
    );
    assert_eq!(
        (made.name.as_str(), made.body.as_str(), &made.variables[..]),
        ("offer", "Hi {{1}}.", &["1".to_owned()][..])
    );
    let change = json!({"components": []});
    templates.edit(&account, "7", &change).await.unwrap();
    templates.delete(&account, "offer", Some("7")).await.unwrap();
    templates.delete(&account, "offer", None).await.unwrap();
    assert_eq!(
        stub.lines(),
        [
            format!("POST /v26.0/{WABA}/message_templates"),
            "POST /v26.0/7".to_owned(),
            format!("DELETE /v26.0/{WABA}/message_templates?name=offer&hsm_id=7"),
            format!("DELETE /v26.0/{WABA}/message_templates?name=offer"),
        ]
    );
    assert_eq!((stub.calls()[0].json(), stub.calls()[1].json()), (definition, change));
}

fn waba(token: Reply) -> impl Fn(&str, &Call) -> Reply + Send + Sync {
    let token = std::sync::Mutex::new(Some(token));
    move |_, call| {
        let path = call.line.split(['?']).next().unwrap_or_default();
        match path.strip_prefix("GET /v26.0/").or(path.strip_prefix("POST /v26.0/")).unwrap() {
            "debug_token" => token.lock().unwrap().take().unwrap(),
            "102290129340398" => ok(json!({"id": WABA, "name": "Shop"})),
            "102290129340398/subscribed_apps" => ok(json!({"success": true})),
            "102290129340398/phone_numbers" => ok(json!({"data": [
                {"id": PHONE, "display_phone_number": "+1 555-010-0001", "verified_name": "Shop", "status": "CONNECTED"},
                {"id": "8", "display_phone_number": "+1 555-010-0002", "status": "FLAGGED"}, {"id": "9"}]})),
            "102290129340398/message_templates" => ok(json!({"data": [template("1", "first")]})),
            other => panic!("{other}"),
        }
    }
}

fn permitted(scopes: &[&str]) -> Reply {
    ok(json!({"data": {"app_id": "1", "is_valid": true, "scopes": scopes}}))
}

const BOTH: &[&str] = &["whatsapp_business_messaging", "whatsapp_business_management"];

#[tokio::test]
async fn connecting_checks_subscribes_and_tells_what_was_found() {
    let stub = Stub::start(waba(permitted(BOTH))).await;
    let ground = Ground::new(&stub.url);
    let found = ground.provider.setup().unwrap().connect(&account()).await.unwrap();
    assert_eq!((found.name.as_str(), found.templates.len(), found.remarks.len()), ("Shop", 1, 0));
    let senders: Vec<_> = found
        .senders
        .iter()
        .map(|sender| (sender.external_id.as_str(), sender.address.as_str(), sender.status.as_str()))
        .collect();
    assert_eq!(senders, [(PHONE, "+15550100001", "connected"), ("8", "+15550100002", "degraded")]);
    let calls = stub.calls();
    assert_eq!(calls[0].line, format!("GET /v26.0/debug_token?input_token={TOKEN}"));
    assert_eq!(calls[0].token(), "1|app-s3cr3t");
    assert!(calls[1..].iter().all(|call| call.token() == TOKEN));
    assert!(stub.lines().contains(&format!("POST /v26.0/{WABA}/subscribed_apps")));
}

#[tokio::test]
async fn a_useless_token_is_refused_and_a_doubtful_one_remarked_upon() {
    let connect = |token: Reply| async move {
        let stub = Stub::start(waba(token)).await;
        let outcome = Ground::new(&stub.url).provider.setup().unwrap().connect(&account()).await;
        (outcome, stub.lines().len())
    };
    let (half, _) = connect(permitted(&BOTH[..1])).await;
    assert_eq!(half.unwrap().remarks, ["The token lacks the permission whatsapp_business_management."]);
    let (unasked, _) = connect(Reply::Json(400, json!({"error": {"message": "No", "code": 100}}))).await;
    assert!(unasked.unwrap().remarks[0].contains("could not be checked"));
    let (none, calls) = connect(permitted(&[])).await;
    assert!(matches!(none, Err(CallError::Unauthorized { .. })));
    assert_eq!(calls, 1, "nothing is done with a useless token");
    let (down, _) = connect(Reply::Text(502, "")).await;
    assert!(matches!(down, Err(CallError::Unreachable(_))));
}

#[tokio::test]
async fn every_call_goes_to_its_place() {
    let stub = Stub::start(|_, call| match &call.line {
        line if line.contains("block_users") && line.starts_with("POST") => Reply::Json(400, json!({
            "error": {"message": "Partly", "code": 139_100},
            "block_users": {"added_users": [{"input": "+1", "wa_id": "1"}], "failed_users": [{"input": "+2", "errors": [{"code": 131_047}]}]}})),
        line if line.starts_with("GET") => ok(json!({"id": "1", "data": [{"id": "1", "about": "Open", "is_cart_enabled": true}]})),
        line if line.ends_with("/phone_numbers") => ok(json!({"id": "9"})),
        _ => ok(json!({"success": true})),
    })
    .await;
    let graph = Ground::new(&stub.url).provider.graph(&account()).unwrap();
    let whatsapp = || "whatsapp".to_owned();
    let user = block::User { user: Some("+1".into()), ..block::User::default() };

    graph.phone(PHONE).await.unwrap();
    graph
        .add_phone(
            WABA,
            &phone::Create { cc: "1".into(), phone_number: "5550100003".into(), ..phone::Create::default() },
        )
        .await
        .unwrap();
    graph.update_phone(PHONE, &phone::Update { pin: Some("123456".into()), ..phone::Update::default() }).await.unwrap();
    let code = phone::RequestCode {
        code_method: phone::CodeMethod::Sms,
        language: Some("en_US".into()),
        ..phone::RequestCode::default()
    };
    graph.request_code(PHONE, &code).await.unwrap();
    graph
        .verify_code(PHONE, &phone::VerifyCode { code: "123456".into(), ..phone::VerifyCode::default() })
        .await
        .unwrap();
    let register =
        phone::Register { messaging_product: whatsapp(), pin: "123456".into(), ..phone::Register::default() };
    graph.register(PHONE, &register).await.unwrap();
    graph.deregister(PHONE).await.unwrap();
    graph.settings(PHONE).await.unwrap();
    graph.change_settings(PHONE, &json!({"calling": {"status": "ENABLED"}})).await.unwrap();
    assert_eq!(graph.profile(PHONE).await.unwrap().about.as_deref(), Some("Open"));
    graph
        .change_profile(
            PHONE,
            &profile::Update {
                messaging_product: whatsapp(),
                about: Some("Open".into()),
                ..profile::Update::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(graph.commerce_settings(PHONE).await.unwrap().is_cart_enabled, Some(true));
    graph
        .change_commerce_settings(
            PHONE,
            &commerce::Settings { is_cart_enabled: Some(false), ..commerce::Settings::default() },
        )
        .await
        .unwrap();
    graph.blocked(PHONE).await.unwrap();
    let partly = graph.block(PHONE, vec![user.clone()]).await.unwrap().block_users.unwrap();
    assert_eq!((partly.added_users.len(), partly.failed_users[0].errors[0].code), (1, Some(131_047)));
    graph.unblock(PHONE, vec![user]).await.unwrap();
    graph.subscribed_apps(WABA).await.unwrap();
    let target =
        waba::Subscribe { override_callback_uri: Some("https://example.com/".into()), ..waba::Subscribe::default() };
    graph.subscribe(WABA, Some(&target)).await.unwrap();
    graph.unsubscribe(WABA).await.unwrap();
    graph.template("7").await.unwrap();

    let asked: Vec<String> = stub
        .calls()
        .iter()
        .map(|call| {
            let (line, _) = call.line.split_once("?fields=").unwrap_or((&call.line, ""));
            let line = line.replace("/v26.0", "").replace(PHONE, "PHONE").replace(WABA, "WABA");
            format!("{line} {}", String::from_utf8_lossy(&call.body)).trim_end().to_owned()
        })
        .collect();
    assert_eq!(
        asked,
        [
            "GET /PHONE",
            r#"POST /WABA/phone_numbers {"cc":"1","phone_number":"5550100003"}"#,
            r#"POST /PHONE {"pin":"123456"}"#,
            r#"POST /PHONE/request_code {"code_method":"SMS","language":"en_US"}"#,
            r#"POST /PHONE/verify_code {"code":"123456"}"#,
            r#"POST /PHONE/register {"messaging_product":"whatsapp","pin":"123456"}"#,
            "POST /PHONE/deregister {}",
            "GET /PHONE/settings",
            r#"POST /PHONE/settings {"calling":{"status":"ENABLED"}}"#,
            "GET /PHONE/whatsapp_business_profile",
            r#"POST /PHONE/whatsapp_business_profile {"messaging_product":"whatsapp","about":"Open"}"#,
            "GET /PHONE/whatsapp_commerce_settings",
            "POST /PHONE/whatsapp_commerce_settings?is_cart_enabled=false",
            "GET /PHONE/block_users?limit=100",
            r#"POST /PHONE/block_users {"messaging_product":"whatsapp","block_users":[{"user":"+1"}]}"#,
            r#"DELETE /PHONE/block_users {"messaging_product":"whatsapp","block_users":[{"user":"+1"}]}"#,
            "GET /WABA/subscribed_apps?limit=100",
            r#"POST /WABA/subscribed_apps {"override_callback_uri":"https://example.com/"}"#,
            "DELETE /WABA/subscribed_apps",
            "GET /7",
        ]
    );
}
