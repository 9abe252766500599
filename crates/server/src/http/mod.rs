//! One origin for everything: a dispatcher picks who answers before any router runs, so that each dialect
//! keeps its own 404, 405 and error bodies.

mod accept;
mod hooks;
mod ours;
mod sandbox;

pub use accept::{Limits, serve};
pub use sandbox::Control;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use tower::ServiceExt;

/// A dialect and where it answers.
#[derive(Clone)]
pub struct Mount {
    /// Only under this host name.
    pub host: Option<String>,
    /// `/v1`: this path and everything below it.
    pub prefix: &'static str,
    pub router: Router,
}

/// Everything that answers on our origin.
#[derive(Clone)]
pub struct Origin(Arc<Answering>);

struct Answering {
    ours: Router,
    /// Longest prefix first.
    mounts: Vec<Mount>,
}

impl Origin {
    #[must_use]
    pub fn new(ours: Router, mut mounts: Vec<Mount>) -> Self {
        mounts.sort_by_key(|mount| std::cmp::Reverse(mount.prefix.len()));
        Self(Arc::new(Answering { ours, mounts }))
    }

    pub async fn answer(&self, request: Request<Body>) -> Result<Response, Infallible> {
        let router = self.pick(&request).clone();
        router.oneshot(request).await
    }

    fn pick(&self, request: &Request<Body>) -> &Router {
        let (path, host) = (request.uri().path(), host(request));
        let fits = |mount: &&Mount| {
            below(path, mount.prefix) && mount.host.as_deref().is_none_or(|wanted| host == Some(wanted))
        };
        self.0.mounts.iter().find(fits).map_or(&self.0.ours, |mount| &mount.router)
    }
}

/// The host name without its port.
fn host(request: &Request<Body>) -> Option<&str> {
    let header = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().host().or(header)?;
    Some(host.rsplit_once(':').map_or(host, |(name, _)| name))
}

fn below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub use ours::{Ready, router as ours};

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;

    fn saying(word: &'static str) -> Router {
        Router::new().fallback(get(move || async move { word }))
    }

    #[tokio::test]
    async fn the_longest_prefix_of_the_right_host_answers() {
        let mount =
            |host: Option<&str>, prefix, word| Mount { host: host.map(Into::into), prefix, router: saying(word) };
        let origin = Origin::new(
            saying("ours"),
            vec![
                mount(None, "/v1", "one"),
                mount(None, "/v1/whatsapp", "two"),
                mount(Some("api.test"), "/v2", "three"),
            ],
        );
        for (host, path, wanted) in [
            ("x", "/v1", "one"),
            ("x", "/v1/me", "one"),
            ("x", "/v1/whatsapp/contacts", "two"),
            ("x", "/v1x", "ours"),
            ("x", "/v2/me", "ours"),
            ("api.test:8080", "/v2/me", "three"),
            ("x", "/healthz", "ours"),
        ] {
            let request = Request::builder().uri(path).header("host", host).body(Body::empty()).unwrap();
            let answer = origin.answer(request).await.unwrap();
            let body = axum::body::to_bytes(answer.into_body(), 100).await.unwrap();
            assert_eq!(body, wanted, "{host} {path}");
        }
    }
}
