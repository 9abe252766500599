//! The mail server alone, for tests in other languages. Prints where it is, `{"port", "tls_port", "certificate_pem", "key_pem"}`, and
//! then answers each line of its input: `{"user": [NAME, PASSWORD]}` lets somebody log in, `{"status": 451}`, `{"code": "5.2.2"}` and
//! `{"kind": "drop"}` make the next mail go wrong, and anything else shows what was taken and what would have been brought
//! to a platform.

use std::collections::VecDeque;
use std::error::Error;
use std::io::BufRead;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use sandbox_carriers::smtp::{self, Bounces, Identity, User};
use sandbox_carriers::{Fault, Outside, Phone, Target};
use serde::Deserialize;
use serde_json::json;

/// When everything happens; milliseconds since 1970.
const NOW: i64 = 1_795_000_000_000;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wish {
    user: Option<(String, String)>,
    status: Option<u32>,
    code: Option<String>,
    kind: Option<String>,
}

impl Wish {
    fn fault(&self) -> Option<Fault> {
        match (self.status, &self.code, self.kind.as_deref()) {
            (Some(status), _, _) => Some(Fault::Status(status)),
            (_, Some(code), _) => Some(Fault::Code(code.clone())),
            (_, _, Some("drop")) => Some(Fault::Drop),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Around {
    faults: Mutex<VecDeque<Fault>>,
    reports: Mutex<Vec<String>>,
}

struct Shared(Arc<Around>);

impl Outside for Shared {
    fn now(&self) -> i64 {
        NOW
    }

    fn fault(&self, _: Target) -> Option<Fault> {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn phone(&self, _: &str) -> Phone {
        Phone { registered: true, online: true }
    }

    fn push(&self, _: String, _: HeaderMap, body: Bytes) -> BoxFuture<'static, Result<u16, String>> {
        let report = String::from_utf8_lossy(&body).into_owned();
        self.0.reports.lock().unwrap_or_else(PoisonError::into_inner).push(report);
        Box::pin(async { Ok(200) })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let identity = Identity::self_signed()?;
    let listen_tls = Some(([127, 0, 0, 1], 0).into());
    let smtp = smtp::Options { identity: Some(identity.clone()), listen_tls, ..smtp::Options::default() };
    let around = Arc::new(Around::default());
    let options = sandbox_carriers::Options { smtp, ..sandbox_carriers::Options::default() };
    let carriers = sandbox_carriers::start(options, Arc::new(Shared(around.clone()))).await?;
    println!(
        "{}",
        json!({
            "port": carriers.smtp().address().port(),
            "tls_port": carriers.smtp().tls_address().map(|address| address.port()),
            "certificate_pem": identity.certificate_pem,
            "key_pem": identity.key_pem,
        })
    );
    for line in std::io::stdin().lock().lines() {
        let wish: Wish = serde_json::from_str(&line?)?;
        if let Some((name, password)) = &wish.user {
            let bounces = Bounces { url: "http://platform.test".to_owned(), secret: "b0unce".to_owned() };
            let user = User { name: name.clone(), password: password.clone(), bounces: Some(bounces) };
            carriers.smtp().admit(user);
        }
        around.faults.lock().unwrap_or_else(PoisonError::into_inner).extend(wish.fault());
        let reports = around.reports.lock().unwrap_or_else(PoisonError::into_inner).clone();
        println!("{}", json!({"data": carriers.emails(), "stats": carriers.stats().smtp, "reports": reports}));
    }
    Ok(())
}
