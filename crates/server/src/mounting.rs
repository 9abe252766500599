//! Which paths are whose.

use std::sync::Arc;

use axum::Router;

use crate::http::{self, Control, Mount, Origin, Ready};
use crate::settings::Settings;
use crate::wiring::Wired;

const KIRIM: &[&str] = &["/v1"];
const YCLOUD: &[&str] = &["/v2"];
/// Longer than Kirim's, so they come first; its clients are given an address with `/api` or without.
const LATE: &[&str] = &["/v1/whatsapp", "/v1/webhooks", "/api/v1/whatsapp", "/api/v1/webhooks"];

/// DIGIGO lives at the root. Those of its paths that are not served yet are here too, so that they answer in its words.
const DIGIGO: &[&str] = &[
    "/admin",
    "/business",
    "/call",
    "/chat",
    "/community",
    "/device",
    "/group",
    "/health",
    "/label",
    "/newsletter",
    "/privacy",
    "/session",
    "/status",
    "/sync",
    "/user",
    "/webhook",
];

pub fn origin(settings: &Settings, wired: Wired, ready: &Ready, control: Option<Control>) -> Origin {
    let clock = wired.engine.clock.clone();
    let media = media::router(wired.blobs.clone(), wired.links, Arc::new(move || clock.now()));
    let ours = http::ours(wired.engine.clone(), ready.clone(), wired.blobs, media, control);
    let kirim = dialect_kirim::router(wired.engine.clone(), wired.kirim);
    let ycloud = dialect_ycloud::router(wired.engine.clone(), wired.ycloud);
    let late = dialect_late::router(wired.engine.clone(), wired.late);
    let digigo = dialect_digigo::router(wired.engine, wired.digigo);
    let dialects = [
        (&*settings.kirim.host, KIRIM, kirim),
        (&*settings.ycloud.host, YCLOUD, ycloud),
        (&*settings.late.host, LATE, late),
        (&*settings.digigo.host, DIGIGO, digigo),
    ];
    Origin::new(ours, mounts(dialects))
}

fn mounts<const N: usize>(dialects: [(&str, &'static [&'static str], Router); N]) -> Vec<Mount> {
    let each = |(host, prefixes, router): (&str, &'static [&'static str], Router)| {
        let host = Some(host.to_owned()).filter(|host| !host.is_empty());
        prefixes.iter().map(move |prefix| Mount { host: host.clone(), prefix, router: router.clone() })
    };
    dialects.into_iter().flat_map(each).collect()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;

    use super::*;

    fn saying(word: &'static str) -> Router {
        Router::new().fallback(get(move || async move { word }))
    }

    #[tokio::test]
    async fn every_path_has_one_owner() {
        let dialects = [
            ("", KIRIM, saying("kirim")),
            ("", YCLOUD, saying("ycloud")),
            ("", LATE, saying("late")),
            ("", DIGIGO, saying("digigo")),
        ];
        let origin = Origin::new(saying("ours"), mounts(dialects));
        for (path, owner) in [
            ("/health", "digigo"),
            ("/healthz", "ours"),
            ("/webhook", "digigo"),
            ("/webhook/", "digigo"),
            ("/webhooks/meta", "ours"),
            ("/webhooks/whatsapp-web/a", "ours"),
            ("/session/connect", "digigo"),
            ("/session", "digigo"),
            ("/sessions", "ours"),
            ("/admin/users", "digigo"),
            ("/user/lid/get", "digigo"),
            ("/users", "ours"),
            ("/chat/send/text", "digigo"),
            ("/group/list", "digigo"),
            ("/v1/user", "kirim"),
            ("/v1/webhook_subscriptions", "kirim"),
            ("/v1/123/messages", "kirim"),
            ("/v1/whatsapp/contacts", "late"),
            ("/api/v1/whatsapp/bulk", "late"),
            ("/v1/webhooks/settings", "late"),
            ("/api/v1/webhooks/logs", "late"),
            ("/api/v1/messages", "ours"),
            ("/v2/whatsapp/messages", "ycloud"),
            ("/readyz", "ours"),
            ("/metrics", "ours"),
            ("/media/x", "ours"),
            ("/sandbox/clock", "ours"),
            ("/console", "ours"),
            ("/", "ours"),
        ] {
            let request = ::http::Request::builder().uri(path).body(Body::empty()).unwrap();
            let answer = origin.answer(request).await.unwrap();
            let body = axum::body::to_bytes(answer.into_body(), 100).await.unwrap();
            assert_eq!(body, owner, "{path}");
        }
    }
}
