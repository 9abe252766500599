//! The bare loop that deliveries are compared with: sign and post, with the client that the platform uses and as
//! many posts at a time. Nothing is read from anywhere, nothing is recorded.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, HeaderValue, Method};
use url::Url;

use crate::Outcome;
use crate::load::hmac_hex;

#[derive(Args)]
pub struct Post {
    #[arg(long)]
    url: Url,
    /// The body of every post.
    #[arg(long)]
    body: PathBuf,
    #[arg(long)]
    count: u64,
    #[arg(long, default_value_t = 64)]
    concurrency: u64,
}

impl Post {
    /// Prints how many it posted in a second.
    pub async fn run(self) -> Outcome {
        let policy = net::AddressPolicy::new(vec!["127.0.0.0/8".parse()?]);
        let client = net::GuardedClient::new(net::Settings { policy, ..net::Settings::default() })?;
        let (body, next) = (Bytes::from(std::fs::read(&self.body)?), Arc::new(AtomicU64::new(0)));
        let began = Instant::now();
        let posting: Vec<_> = (0..self.concurrency)
            .map(|_| tokio::spawn(work(client.clone(), self.url.clone(), body.clone(), next.clone(), self.count)))
            .collect();
        for task in posting {
            task.await??;
        }
        println!("{}", self.count as f64 / began.elapsed().as_secs_f64());
        Ok(())
    }
}

async fn work(client: net::GuardedClient, url: Url, body: Bytes, next: Arc<AtomicU64>, count: u64) -> Outcome {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return Ok(());
        }
        let mut signed = number.to_string().into_bytes();
        signed.push(b'.');
        signed.extend_from_slice(&body);
        let signature = format!("t={number},v1={}", hmac_hex(b"whsec_of_the_bare_loop", &signed));
        let mut request = net::Request::new(Method::POST, url.clone());
        request.headers = headers(&signature)?;
        request.body = body.clone();
        let answer = client.send(request).await?;
        if !answer.status.is_success() {
            return Err(format!("the receiver answered {}", answer.status).into());
        }
    }
}

fn headers(signature: &str) -> Outcome<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-kirim-event", HeaderValue::from_static("message.received"));
    headers.insert("x-kirim-signature", HeaderValue::try_from(signature)?);
    Ok(headers)
}
