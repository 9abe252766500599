use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ground::{Ground, code, template};

fn file(bytes: &[u8], mime: &str) -> Part {
    Part::bytes(bytes.to_vec()).file_name("f").mime_str(mime).unwrap()
}

async fn upload(ground: &Ground, form: Form) -> (u16, Value) {
    let path = format!("/{}/media", ground.number);
    let response = ground.request("POST", &path).multipart(form).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn uploads_in_any_order_are_kept_shown_and_fetched() {
    let ground = Ground::new().await;
    let bytes = b"\x89PNG not really".to_vec();
    let hash = hex::encode(Sha256::digest(&bytes));
    let late = Form::new()
        .part("file", file(&bytes, "image/png"))
        .text("type", "image/png")
        .text("messaging_product", "whatsapp");
    let (status, answer) = upload(&ground, late).await;
    assert_eq!(status, 200, "{answer}");
    let id = answer["id"].as_str().unwrap().to_owned();
    let by_kind =
        Form::new().text("messaging_product", "whatsapp").text("type", "image").part("file", file(&bytes, "image/png"));
    assert_eq!(upload(&ground, by_kind).await.0, 200, "a kind instead of a type");
    let full =
        Form::new().text("messaging_product", "whatsapp").part("file", file(&vec![0; 5 * 1024 * 1024], "image/png"));
    assert_eq!(upload(&ground, full).await.0, 200, "as large as an image may be");
    let huge = file(&vec![0; 5 * 1024 * 1024 + 1], "image/png");
    for (form, why) in [
        (Form::new().part("file", file(&bytes, "image/png")), "no product"),
        (Form::new().text("messaging_product", "whatsapp"), "no file"),
        (Form::new().text("messaging_product", "whatsapp").part("file", file(&bytes, "application/zip")), "type"),
        (Form::new().text("messaging_product", "whatsapp").part("file", huge), "size"),
    ] {
        let (status, answer) = upload(&ground, form).await;
        assert_eq!((status, code(&answer)), (400, 100), "{why}");
    }

    let (_, seen) = ground.graph("GET", &format!("/{id}"), Value::Null).await;
    assert_eq!(
        (&seen["mime_type"], &seen["sha256"], &seen["file_size"]),
        (&json!("image/png"), &json!(hash), &json!(bytes.len()))
    );
    let other = ground.meta["organizations"][0]["phone_numbers"][1]["id"].as_str().unwrap();
    assert_eq!(ground.graph("GET", &format!("/{id}?phone_number_id={other}"), Value::Null).await.0, 400);
    let url = seen["url"].as_str().unwrap();
    assert_eq!(ground.http.get(url).send().await.unwrap().status(), 401, "the address alone is not enough");
    let fetched = ground.http.get(url).bearer_auth(ground.token()).send().await.unwrap();
    assert_eq!(fetched.headers()[header::CONTENT_TYPE.as_str()], "image/png");
    assert_eq!(fetched.bytes().await.unwrap(), bytes);

    ground.open_window().await;
    let sent = ground.sent(json!({"type": "image", "image": {"id": id, "caption": "look"}})).await;
    ground.platform.until_status(&sent, "delivered").await;
    let shown = ground.screen().await.pop().unwrap();
    assert_eq!((&shown["sha256"], &shown["image"]["caption"]), (&json!(hash), &json!("look")));
    let link = ground.http.get(shown["link"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(link.bytes().await.unwrap(), bytes);
    let wrong = ground.sent(json!({"type": "sticker", "sticker": {"id": id}})).await;
    assert_eq!(ground.platform.until_status(&wrong, "failed").await["errors"][0]["code"], 131053);

    ground.advance("6m").await;
    assert_eq!(
        ground.http.get(url).bearer_auth(ground.token()).send().await.unwrap().status(),
        404,
        "five minutes are over"
    );
    assert_eq!(ground.graph("DELETE", &format!("/{id}"), Value::Null).await, (200, json!({"success": true})));
    assert_eq!(code(&ground.graph("GET", &format!("/{id}"), Value::Null).await.1), 100);
}

/// A host of media; returns its URL.
async fn host() -> String {
    let app = Router::new()
        .route("/a.png", get(async || ([(header::CONTENT_TYPE, "image/png")], "png")))
        .route("/a.html", get(async || ([(header::CONTENT_TYPE, "text/html")], "html")))
        .route("/none", get(async || StatusCode::NOT_FOUND));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

#[tokio::test]
async fn links_are_fetched_and_what_cannot_be_had_fails_later() {
    let ground = Ground::new().await;
    ground.open_window().await;
    let host = host().await;
    let good = ground.sent(json!({"type": "image", "image": {"link": format!("{host}/a.png")}})).await;
    ground.platform.until_status(&good, "delivered").await;
    let shown = ground.screen().await.pop().unwrap();
    assert_eq!(shown["sha256"], hex::encode(Sha256::digest(b"png")));
    for link in [format!("{host}/none"), format!("{host}/a.html"), "http://10.1.2.3/a.png".to_owned()] {
        let id = ground.sent(json!({"type": "image", "image": {"link": link}})).await;
        let failed = ground.platform.until_status(&id, "failed").await;
        assert_eq!(failed["errors"][0]["code"], 131053, "{link}");
    }
    let header = json!({"type": "interactive", "interactive": {"type": "button", "body": {"text": "b"},
        "header": {"type": "image", "image": {"link": format!("{host}/a.png")}},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "a", "title": "A"}}]}}});
    let id = ground.sent(header).await;
    ground.platform.until_status(&id, "delivered").await;
    let shown = ground.screen().await.pop().unwrap();
    assert_eq!(shown["interactive"]["header"]["image"]["mime_type"], "image/png");
}

#[tokio::test]
async fn what_customers_send_can_be_fetched_for_a_week() {
    let ground = Ground::new().await;
    let id = ground.write(json!({"type": "document", "document": {"data": STANDARD.encode("%PDF"), "mime_type": "application/pdf", "filename": "a.pdf"}})).await;
    let message = ground.platform.until(|p| p.changes().first().map(|(_, value)| value["messages"][0].clone())).await;
    assert_eq!(message["id"], id.as_str());
    let document = &message["document"];
    assert_eq!(document["sha256"], STANDARD.encode(Sha256::digest(b"%PDF")));
    assert_eq!((&document["filename"], &document["mime_type"]), (&json!("a.pdf"), &json!("application/pdf")));
    let fetch = |url: &Value| ground.http.get(url.as_str().unwrap()).bearer_auth(ground.token()).send();
    assert_eq!(fetch(&document["url"]).await.unwrap().bytes().await.unwrap(), "%PDF");
    let path = format!("/{}", document["id"].as_str().unwrap());
    let (_, seen) = ground.graph("GET", &path, Value::Null).await;
    assert_eq!(fetch(&seen["url"]).await.unwrap().status(), 200);
    ground.advance("8d").await;
    assert_eq!(ground.graph("GET", &path, Value::Null).await.0, 400);
}

#[tokio::test]
async fn resumable_uploads_give_handles_for_examples_and_pictures() {
    let ground = Ground::new().await;
    let app = ground.meta["app_id"].as_str().unwrap();
    let (_, begun) = ground
        .graph("POST", &format!("/{app}/uploads?file_length=6&file_type=image/png&file_name=a.png"), Value::Null)
        .await;
    let id = begun["id"].as_str().unwrap().to_owned();
    let part = async |offset: &str, bytes: &'static str| {
        let request = ground.request("POST", &format!("/{id}")).header("file_offset", offset).body(bytes);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    assert_eq!(part("0", "abc").await["file_offset"], 3);
    assert_eq!(code(&part("0", "abc").await), 100, "not where it stopped");
    assert_eq!(ground.graph("GET", &format!("/{id}"), Value::Null).await.1["file_offset"], 3);
    let handle = part("3", "def").await["h"].clone();
    assert!(handle.is_string());
    let profile = format!("/{}/whatsapp_business_profile", ground.number);
    let body = json!({"messaging_product": "whatsapp", "about": "We sell", "profile_picture_handle": handle, "websites": ["https://a.example"]});
    assert_eq!(ground.graph("POST", &profile, body).await, (200, json!({"success": true})));
    let (_, seen) =
        ground.graph("GET", &format!("{profile}?fields=about,profile_picture_url,websites"), Value::Null).await;
    assert_eq!(seen["data"][0]["about"], "We sell");
    let picture = ground.http.get(seen["data"][0]["profile_picture_url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(picture.bytes().await.unwrap(), "abcdef");

    let header = json!({"name": "with_picture", "language": "en", "category": "MARKETING", "components": [
        {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [handle]}}, {"type": "BODY", "text": "Look."}]});
    assert_eq!(ground.graph("POST", &format!("/{}/message_templates", ground.waba), header).await.0, 200);
    ground.advance("3s").await;
    ground.platform.until_posts(1).await;
    let bare = template("with_picture", "en", json!([]));
    assert_eq!(code(&ground.send(bare).await.1), 132012);
    let host = host().await;
    let id = ground
        .sent(template(
            "with_picture",
            "en",
            json!([
        {"type": "header", "parameters": [{"type": "image", "image": {"link": format!("{host}/a.png")}}]}]),
        ))
        .await;
    ground.platform.until_status(&id, "delivered").await;
    assert_eq!(ground.screen().await[0]["header"]["image"]["mime_type"], "image/png");
}

/// Uploads, sends and tells how it ends: 0 where it arrives, else the code of its failure.
async fn fate(ground: &Ground, kind: &str, mime: &str, bytes: &[u8], beside: Value) -> i64 {
    let form = Form::new().text("messaging_product", "whatsapp").part("file", file(bytes, mime));
    let (status, answer) = upload(ground, form).await;
    assert_eq!(status, 200, "{answer}");
    let mut content = json!({"id": answer["id"]});
    content.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
    let id = ground.sent(json!({"type": kind, kind: content})).await;
    let ended = |status: &Value| status["id"] == id.as_str() && status["status"] != "sent";
    let last = ground.platform.until(|platform| platform.statuses().into_iter().find(ended)).await;
    last["errors"][0]["code"].as_i64().unwrap_or(0)
}

#[tokio::test]
async fn a_voice_message_is_opus_and_nothing_else() {
    let ground = Ground::new().await;
    ground.open_window().await;
    for (mime, voice, expected) in [
        ("audio/ogg; codecs=opus", true, 0),
        ("audio/ogg", true, 0),
        ("audio/ogg; codecs=vorbis", true, 131053),
        ("audio/mpeg", true, 131053),
        ("audio/mpeg", false, 0),
    ] {
        let met = fate(&ground, "audio", mime, b"sound", json!({"voice": voice})).await;
        assert_eq!(met, expected, "{mime} {voice}");
    }
}

fn webp(animated: bool, size: usize) -> Vec<u8> {
    let mut bytes = b"RIFF....WEBPVP8X....".to_vec();
    bytes.push(if animated { 2 } else { 0 });
    bytes.resize(size, 0);
    bytes
}

#[tokio::test]
async fn a_sticker_may_be_larger_if_it_moves() {
    let ground = Ground::new().await;
    ground.open_window().await;
    const KB: usize = 1024;
    for bytes in [webp(false, 100 * KB), webp(true, 500 * KB)] {
        assert_eq!(fate(&ground, "sticker", "image/webp", &bytes, json!({})).await, 0, "{}", bytes.len());
    }
    for bytes in [webp(false, 100 * KB + 1), webp(true, 500 * KB + 1)] {
        let form = Form::new().text("messaging_product", "whatsapp").part("file", file(&bytes, "image/webp"));
        let (status, answer) = upload(&ground, form).await;
        assert_eq!((status, code(&answer)), (400, 100), "{}", bytes.len());
    }
}

#[tokio::test]
async fn a_header_that_plays_by_itself_is_small() {
    let ground = Ground::new().await;
    let made = json!({"name": "moving", "language": "en", "category": "MARKETING", "components": [
        {"type": "HEADER", "format": "GIF", "example": {"header_handle": ["4::a"]}}, {"type": "BODY", "text": "Look."}]});
    assert_eq!(ground.graph("POST", &format!("/{}/message_templates", ground.waba), made).await.0, 200);
    ground.advance("3s").await;
    ground.platform.until_posts(1).await;
    for (size, expected) in [(3_670_016, "delivered"), (3_670_017, "failed")] {
        let form = Form::new().text("messaging_product", "whatsapp").part("file", file(&vec![0; size], "video/mp4"));
        let (_, answer) = upload(&ground, form).await;
        let header = json!({"type": "header", "parameters": [{"type": "gif", "gif": {"id": answer["id"]}}]});
        let id = ground.sent(template("moving", "en", json!([header]))).await;
        ground.platform.until_status(&id, expected).await;
    }
}
