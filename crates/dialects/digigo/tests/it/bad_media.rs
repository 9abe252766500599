//! Files that are no use, wherever the contract takes one: each place is tried with each kind, and nothing is half-done.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Request;
use engine::content::Content;
use futures_util::Stream;
use http_body::{Frame, SizeHint};
use serde_json::{Value, json};
use testkit::{Kind, Operation, tell};

use crate::contract::{answer_everything, bodies, fresh, here};
use crate::house::{ADMIN, House, PHONE, Reply, User};
use crate::judge::JUDGE;
use crate::outside::{HUGE, zeros};

/// Addresses in bodies that lead to no file: those that end so.
const NOT_FETCHED: &[(&str, &str)] = &[
    ("/webhook", "where events go"),
    ("/webhookurl", "likewise"),
    ("/proxyURL", "the way of a connection"),
    ("/proxy_url", "likewise"),
    ("/endpoint", "of S3"),
    ("/public_url", "of S3"),
    ("/publicUrl", "of S3"),
    ("/Link", "a page that cannot be read goes without a preview"),
];

/// A place in a body where a file may stand.
struct Place {
    operation: Operation,
    body: Value,
    pointer: String,
}

impl Place {
    /// What the file is called in complaints.
    fn field(&self) -> &str {
        self.pointer.rsplit('/').next().unwrap()
    }

    fn takes_anything(&self) -> bool {
        self.pointer.to_lowercase().contains("document")
    }

    async fn try_with(&self, house: &House, user: &User, number: usize, file: Value) -> Reply {
        let mut body = fresh(self.body.clone(), &format!("{}-{number}", self.pointer));
        *body.pointer_mut(&self.pointer).unwrap() = file;
        // What is told as an event is kept for it.
        body["EchoApi"] = json!(false);
        house.by(&user.token, &self.operation.method, &self.operation.path, body).await
    }
}

/// All places, found by the files that the contract shows there.
fn places(house: &House) -> Vec<Place> {
    let mut found = Vec::new();
    for operation in JUDGE.operations() {
        for body in bodies(&operation) {
            let mut pointers = Vec::new();
            walk(&body, String::new(), &mut pointers);
            for pointer in pointers {
                found.push(Place { operation: operation.clone(), body: here(house, body.clone()), pointer });
            }
        }
    }
    found
}

fn walk(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        // A button leads its readers somewhere, not us.
        Value::Object(members) if members.contains_key("Label") || members.contains_key("buttonId") => {}
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| walk(value, format!("{place}/{name}"), found))
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(index, value)| walk(value, format!("{place}/{index}"), found));
        }
        Value::String(text) if is_file(text, &place) => found.push(place),
        _ => {}
    }
}

fn is_file(text: &str, place: &str) -> bool {
    let address = text.starts_with("http") || text.starts_with("data:");
    address && !NOT_FETCHED.iter().any(|(end, _)| place.ends_with(end))
}

#[test]
fn files_that_are_no_use_are_refused() {
    tell(Kind::Sqlite, async |house: &mut House| {
        let (user, _line) = house.linked("one").await;
        let places = places(house);
        let mut operations: Vec<&str> = places.iter().map(|place| place.operation.path.as_str()).collect();
        operations.dedup();
        assert_eq!(
            operations,
            [
                "/user/photo",
                "/chat/send/image",
                "/chat/send/audio",
                "/chat/send/document",
                "/chat/send/video",
                "/chat/send/ptv",
                "/chat/send/sticker",
                "/chat/send/buttons",
                "/chat/send/flow",
                "/chat/send/carousel",
            ]
        );
        let unfetched = "could not download";
        for place in &places {
            let broken = if place.takes_anything() { 200 } else { 400 };
            for (number, (file, status, text)) in [
                (json!("aGFuZA=="), 400, "must be a base64 data URL"),
                (json!("ftp://files.example/a.png"), 400, "must be a base64 data URL"),
                (json!("data:image/png;base64,*"), 400, "could not decode base64 encoded data from payload"),
                (json!(house.origin.url("/missing")), 400, "HTTP error 404 when downloading from URL"),
                (json!("http://127.0.0.1:1/"), 400, unfetched),
                (json!("http://nowhere.invalid/a.png"), 400, unfetched),
                (json!("http://10.1.2.3/secret"), 400, "the address 10.1.2.3 is not permitted (private)"),
                (json!("http://[fd00::1]/secret"), 400, "is not permitted"),
                (json!("http://169.254.169.254/latest"), 400, "is not permitted"),
                (json!(house.origin.url("/inside")), 400, "the address 10.1.2.3 is not permitted (private)"),
                (json!(house.origin.url("/cut.png")), broken, ""),
                (json!(house.origin.url("/page")), broken, ""),
                (json!("data:image/png;base64,iVBORw0KGgo="), broken, ""),
                (json!({ "url": house.origin.url("/picture.png") }), 400, ""),
            ]
            .into_iter()
            .enumerate()
            {
                let reply = place.try_with(house, &user, number, file.clone()).await;
                let what = format!("{} {} {file}: {}", place.operation.path, place.pointer, reply.json);
                assert_eq!(reply.status, status, "{what}");
                assert!(status == 200 || reply.told().1.contains(text), "{what}");
            }
            // Where it must be there, it is missed.
            let reply = place.try_with(house, &user, 99, Value::Null).await;
            let alone = place.pointer.matches('/').count() == 1;
            let missed = (400, format!("missing {} in Payload", place.field()));
            assert!(!alone || (reply.status, reply.told().1) == (missed.0, &*missed.1), "{missed:?}: {}", reply.json);
        }
        assert_eq!((house.phone.asked().len(), house.blobs.usage()), (0, 0));
    });
}

/// What is too large is given up at the limit, wherever it comes from.
#[test]
fn huge_files_are_cut_off() {
    tell(Kind::Sqlite, async |house: &mut House| {
        let (user, _line) = house.linked("one").await;
        let places = places(house);
        // What sockets hold on both sides comes on top of the limit.
        let (limit, in_flight) = (house.options.largest_file, 40 << 20);
        for (number, place) in places.iter().enumerate() {
            for path in ["/endless", "/announced"] {
                let before = house.origin.poured();
                let reply = place.try_with(house, &user, number, json!(house.origin.url(path))).await;
                assert_eq!(reply.status, 413, "{} {path}: {}", place.operation.path, reply.json);
                let poured = house.origin.poured() - before;
                assert!(poured <= limit + in_flight, "{} {path}: {poured} of {HUGE}", place.operation.path);
            }
        }
        assert_eq!((house.phone.sent().len(), house.phone.asked().len(), house.blobs.usage()), (0, 0, 0));
    });
}

/// What announces that it is too long is not read at all; what does not is read up to the limit.
#[test]
fn huge_bodies_are_not_read() {
    tell(Kind::Sqlite, async |house: &mut House| {
        let (user, _line) = house.linked("one").await;
        answer_everything(house);
        let largest = house.options.largest_file.div_ceil(3) * 4 + (3 << 20);
        for operation in JUDGE.operations().iter().filter(|operation| operation.path != "/health") {
            for announced in [true, false] {
                let poured = Arc::new(AtomicU64::new(0));
                let body = Huge { zeros: Box::pin(zeros(HUGE, poured.clone())), announced };
                let request =
                    Request::builder().method(operation.method.as_str()).uri(operation.path.replace("{id}", "0"));
                let request = request.header("token", &user.token).header("authorization", ADMIN);
                let reply = house.raw(request.body(Body::new(body)).unwrap()).await;
                assert_eq!(reply.told(), (413, "payload too large"), "{operation:?}");
                let read = poured.load(Ordering::Relaxed);
                assert!(read <= if announced { 0 } else { largest }, "{operation:?} {announced}: {read}");
            }
        }
        assert_eq!((house.phone.sent().len(), house.phone.asked().len(), house.blobs.usage()), (0, 0, 0));
    });
}

struct Huge {
    zeros: Pin<Box<dyn Stream<Item = Result<Bytes, Infallible>> + Send>>,
    announced: bool,
}

impl HttpBody for Huge {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.zeros.as_mut().poll_next(cx).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        if self.announced { SizeHint::with_exact(HUGE) } else { SizeHint::default() }
    }
}

/// A moving picture is sent as a still one, but for stickers, and is no profile photo.
#[test]
fn animated_pictures_are_sent_as_they_can_be() {
    tell(Kind::Sqlite, async |house: &mut House| {
        let (user, _line) = house.linked("one").await;
        let url = house.origin.url("/animation.gif");
        let button = json!({ "buttonId": "b", "buttonText": { "displayText": "Yes" }, "type": "quick_reply" });
        let card = json!({ "Text": "Card", "MediaUrl": url, "MediaType": "image", "Buttons": [{ "Label": "Yes", "Type": "reply", "Id": "yes" }] });
        let start = json!([{ "Name": "start", "ButtonParams": { "flow_id": "1" } }]);
        for (operation, more, moving) in [
            ("image", json!({ "Image": url }), false),
            ("sticker", json!({ "Sticker": url }), true),
            ("buttons", json!({ "text": "x", "image": { "url": url }, "buttons": [button] }), false),
            (
                "flow",
                json!({ "Body": "x", "Buttons": start, "Header": { "Media": { "Type": "image", "Url": url } } }),
                false,
            ),
            ("carousel", json!({ "Message": "x", "Carousel": [card, card] }), false),
        ] {
            let mut body = json!({ "Phone": PHONE });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let reply = house.post(&user, &format!("/chat/send/{operation}"), body).await;
            assert_eq!(reply.status, 200, "{operation}: {}", reply.json);
            let Content::Native(native) = house.phone.sent().pop().unwrap().content else { panic!("{operation}") };
            let text = native.json.to_string();
            let mime = if moving { "image/webp" } else { "image/jpeg" };
            assert!(text.contains(mime), "{operation}: {text}");
            assert_eq!(text.contains(r#""animated":true"#), moving, "{operation}: {text}");
        }
        let photo = house.post(&user, "/user/photo", json!({ "Image": url })).await;
        assert_eq!(
            photo.told(),
            (400, "image must be in JPEG format. WhatsApp only accepts JPEG images for profile photos")
        );
        assert_eq!((house.phone.asked().len(), house.blobs.usage()), (0, 0));
    });
}
