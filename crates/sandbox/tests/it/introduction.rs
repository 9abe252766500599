use serde_json::{Value, json};

use crate::ground::{Ground, NOW};

#[tokio::test]
async fn the_same_id_is_given_the_same_accounts_and_another_id_others() {
    let ground = Ground::new().await;
    let (first, again, second) =
        (ground.introduce("first").await, ground.introduce("first").await, ground.introduce("second").await);
    assert_eq!(first, again);
    assert_eq!(first["clock"], json!({"offset_ms": 0}));
    for secret in ["access_token", "app_id", "app_secret", "verify_token"] {
        assert!(first["meta"][secret].as_str().unwrap().len() >= 16, "{secret}");
        assert_ne!(first["meta"][secret], second["meta"][secret], "{secret}");
    }
    let numbers = |answer: &Value| -> Vec<String> {
        let organizations = answer["meta"]["organizations"].as_array().unwrap().clone();
        let lists = organizations.iter().map(|o| o["phone_numbers"].as_array().unwrap().clone());
        lists.flatten().map(|number| number["display_phone_number"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(numbers(&first), ["+15550100001", "+15550100002", "+15550100003"]);
    assert_eq!(numbers(&second), ["+15550100004", "+15550100005", "+15550100006"]);
    let templates = first["meta"]["organizations"][1]["templates"].as_array().unwrap();
    assert!(templates.contains(&json!({"name": "order_update", "language": "en", "body_parameters": 2})));

    let foreign = second["meta"]["organizations"][0].clone();
    let number = foreign["phone_numbers"][0]["id"].as_str().unwrap();
    let (status, answer) = ground.graph("GET", &format!("/{number}"), Value::Null).await;
    assert_eq!((status, crate::ground::code(&answer)), (403, 10));
    let (status, answer) =
        ground.graph("GET", &format!("/{}", foreign["waba_id"].as_str().unwrap()), Value::Null).await;
    assert_eq!((status, crate::ground::code(&answer)), (403, 200));
    let (status, answer) = ground.graph("GET", "/1234567890", Value::Null).await;
    assert_eq!((status, crate::ground::code(&answer), answer["error"]["error_subcode"].as_i64()), (400, 100, Some(33)));
    assert!(!answer["error"]["fbtrace_id"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn the_clock_moves_forward_only_and_platforms_are_told() {
    let ground = Ground::new().await;
    let (_, before) = ground.control("GET", "/clock", Value::Null).await;
    assert_eq!(before["offset_ms"], 0);
    ground.advance("25h").await;
    assert_eq!(ground.platform.until_clock().await, json!({"offset_ms": 90_000_000}));
    let (_, after) = ground.control("GET", "/clock", Value::Null).await;
    let now = chrono_ms(after["now"].as_str().unwrap());
    assert_eq!(now, NOW + 90_000_000);
    for refused in
        [json!({"advance": "1.5h"}), json!({"offset_ms": 1}), json!({}), json!({"advance": "1h", "offset_ms": 1})]
    {
        assert_eq!(ground.control("POST", "/clock", refused).await.0, 400);
    }
    assert_eq!(ground.introduce("first").await["clock"]["offset_ms"], 90_000_000);
}

fn chrono_ms(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

#[tokio::test]
async fn exposed_the_control_api_wants_its_token_and_foreign_pages_are_kept_out() {
    net::install_crypto();
    let options = sandbox::Options { expose: true, ..crate::ground::options(None) };
    let handle = sandbox::start(options).await.unwrap();
    let http = net::plain_client(&net::PlainSettings::default()).unwrap();
    let url = handle.control_url();
    let token = handle.token().unwrap();
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    assert_eq!(status(http.get(format!("{url}/stats"))).await, 401);
    assert_eq!(status(http.get(format!("{url}/"))).await, 401);
    assert_eq!(status(http.get(format!("{url}/?token={token}"))).await, 200);
    assert_eq!(status(http.get(format!("{url}/stats")).bearer_auth(token)).await, 200);
    assert_eq!(
        status(http.get(format!("{url}/stats")).bearer_auth(token).header("origin", "https://evil.example")).await,
        403
    );
    handle.stop().await;
}

#[tokio::test]
async fn exposed_it_listens_beyond_loopback_and_tells_platforms_the_time_with_its_token() {
    let options = sandbox::Options {
        control_listen: sandbox::control_address(true),
        expose: true,
        ..crate::ground::options(None)
    };
    let ground = Ground::with(options).await;
    // What listens on 127.0.0.1 alone is not met here.
    let elsewhere = ground.handle.control_url().replace("127.0.0.1", "127.0.0.2");
    let status = async |token: &str| {
        let request = ground.http.get(format!("{elsewhere}/clock")).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    };
    let token = ground.handle.token().unwrap();
    assert_eq!((status("guessed").await, status(token).await), (401, 200));
    ground.advance("1h").await;
    ground.platform.until_clock().await;
    assert_eq!(ground.platform.tellers(), [Some(format!("Bearer {token}"))]);
}

#[tokio::test]
async fn unexposed_nothing_listens_beyond_loopback() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let of = |change: fn(&mut sandbox::Options, std::net::SocketAddr)| {
        let mut options = crate::ground::options(None);
        change(&mut options, everywhere);
        options
    };
    for options in [
        of(|options, at| options.control_listen = at),
        of(|options, at| options.graph_listen = at),
        of(|options, at| options.smsc_listen = at),
        of(|options, at| options.carriers_listen = at),
        of(|options, at| options.smtp_listen = at),
        of(|options, at| options.stripe_listen = at),
    ] {
        let refused = sandbox::start(options).await.err().map(|error| error.to_string()).unwrap_or_default();
        let plain = refused.starts_with("the sandbox listens on loopback only unless it is exposed");
        assert!(plain && refused.contains("--sandbox-expose") && refused.contains("0.0.0.0:0"), "{refused}");
    }
    assert!(sandbox::control_address(false).ip().is_loopback());
}
