//! Files that came with messages, and files that go with them.

use std::io;

use bytes::Bytes;
use engine::Id;
use engine::media::Media;
use engine::provider::{FetchError, Fetched, Provider};
use futures_util::{StreamExt, TryStreamExt, stream};
use provider_meta_cloud::graph::Upload;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ground::{Ground, NOW, PHONE, TOKEN, account, sender};
use crate::stub::{Reply, Stub, ok};

const FILE: &[u8] = b"\x89PNG a small picture";

fn row() -> Media {
    Media {
        message_id: Id::from_parts(NOW, 5),
        organization_id: Id::from_parts(NOW, 2),
        external_id: Some("777".to_owned()),
        mime: "image/png".to_owned(),
        filename: Some("a.png".to_owned()),
        status: "pending".to_owned(),
        reason: None,
        size: None,
        sha256: None,
        created_at: NOW,
        updated_at: NOW,
    }
}

/// Answers the question about a file with `info`, in which `URL` stands for the stub's own, and the download with `file`.
async fn stub(
    info: impl Fn() -> Reply + Send + Sync + 'static,
    file: impl Fn() -> Reply + Send + Sync + 'static,
) -> Stub {
    Stub::start(move |own, call| match call.line.as_str() {
        "GET /v26.0/777" => match info() {
            Reply::Json(status, mut json) => {
                if json["url"] == "URL" {
                    json["url"] = json!(format!("{own}/files/777?ext=1"));
                }
                Reply::Json(status, json)
            }
            other => other,
        },
        "GET /files/777?ext=1" => file(),
        other => panic!("{other}"),
    })
    .await
}

fn told(sha256: &str, size: Value) -> Reply {
    ok(
        json!({"messaging_product": "whatsapp", "id": "777", "url": "URL", "mime_type": "image/png", "sha256": sha256, "file_size": size}),
    )
}

async fn fetch(ground: &Ground) -> Result<Fetched, FetchError> {
    ground.provider.media().unwrap().fetch(&account(), &sender(), &row()).await
}

#[tokio::test]
async fn a_file_is_fetched_with_the_token_and_kept_whole() {
    let digest = hex::encode(Sha256::digest(FILE));
    let announced = digest.clone();
    let stub = stub(move || told(&announced, json!(FILE.len())), || Reply::Bytes(Bytes::from_static(FILE))).await;
    let ground = Ground::new(&stub.url);
    let fetched = fetch(&ground).await.unwrap();
    assert_eq!((fetched.size, fetched.sha256), (FILE.len() as i64, digest));
    assert!(stub.calls().iter().all(|call| call.token() == TOKEN));
    let opened = ground.blobs.open(&row().message_id.hex24()).await.unwrap();
    assert_eq!((opened.meta.mime.as_str(), opened.meta.filename.as_deref()), ("image/png", Some("a.png")));
    let bytes: Vec<Bytes> = opened.read(0..u64::MAX).await.unwrap().try_collect().await.unwrap();
    assert_eq!(bytes.concat(), FILE);
}

#[tokio::test]
async fn what_is_gone_too_large_or_another_file_is_given_up_and_all_else_is_not() {
    let good = || Reply::Bytes(Bytes::from_static(FILE));
    let refusal = |status, code: i64| move || Reply::Json(status, json!({"error": {"message": "No", "code": code}}));
    let whole = || told("", json!("20"));
    let elsewhere = || ok(json!({"id": "777", "url": "http://127.0.0.1:9/files/777"}));
    let rows = [
        (stub(refusal(400, 100), good).await, true),
        (stub(refusal(400, 131_052), good).await, true),
        (stub(refusal(401, 190), good).await, false),
        (stub(refusal(503, 2), good).await, false),
        (stub(|| Reply::Text(404, ""), good).await, true),
        (stub(|| Reply::Text(502, ""), good).await, false),
        (stub(whole, || Reply::Text(404, "")).await, true),
        (stub(whole, || Reply::Text(500, "")).await, false),
        (stub(|| told("", json!(1001)), good).await, true),
        (stub(|| told("", json!("1001")), good).await, true),
        (stub(whole, || Reply::Bytes(vec![0; 1001].into())).await, true),
        (stub(|| told(&hex::encode([7; 32]), json!(20)), good).await, true),
        (stub(elsewhere, good).await, true),
        (stub(|| ok(json!({"id": "777"})), good).await, false),
    ];
    for (number, (stub, final_)) in rows.into_iter().enumerate() {
        let ground = Ground::new(&stub.url);
        let error = fetch(&ground).await.unwrap_err();
        assert_eq!(matches!(error, FetchError::Unavailable(_)), final_, "{number}: {error}");
        assert!(!error.to_string().contains(TOKEN) && !error.to_string().contains("http"), "{error}");
        assert!(ground.blobs.open(&row().message_id.hex24()).await.is_err(), "{number}: something was kept");
    }
}

#[tokio::test]
async fn files_are_uploaded_as_streams_and_deleted() {
    let stub = Stub::start(|_, call| match call.line.as_str() {
        "DELETE /v26.0/888" => ok(json!({"success": true})),
        _ => ok(json!({"id": "888"})),
    })
    .await;
    let graph = Ground::new(&stub.url).provider.graph(&account()).unwrap();
    let parts = stream::iter(FILE.chunks(5)).map(|chunk| Ok::<_, io::Error>(Bytes::from_static(chunk)));
    let upload = Upload { mime: "image/png".into(), filename: "a.png".into(), size: FILE.len() as u64, bytes: parts };
    let uploaded = graph.upload_media(PHONE, upload).await.unwrap();
    assert_eq!(uploaded.id.as_str(), "888");
    assert!(graph.delete_media("888").await.unwrap().success);
    let call = &stub.calls()[0];
    assert_eq!(call.line, format!("POST /v26.0/{PHONE}/media"));
    let form = String::from_utf8_lossy(&call.body).into_owned();
    for part in [
        "name=\"messaging_product\"\r\n\r\nwhatsapp",
        "name=\"type\"\r\n\r\nimage/png",
        "filename=\"a.png\"",
        "a small picture",
    ] {
        assert!(form.contains(part), "{part} is not in {form}");
    }
}
