//! The version of the web client that sessions claim to be: one value for the whole process.
//!
//! It begins as the one that this build was made with, or as the operator's setting, which then stays. Otherwise
//! [`keep_fresh`] asks WhatsApp once a day. It never goes back, and a failed look changes nothing: sessions connect
//! with what is known, and WhatsApp tolerates versions that are months old.

use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::Clock;
use wacore::net::{HttpClient, HttpRequest};

use super::endpoint::VERSION_PAGE;

/// Three numbers, as the library takes them: `with_version(version.current())`.
pub type ClientVersion = (u32, u32, u32);

/// What the library was released with.
pub const BUILT_IN_VERSION: ClientVersion = (2, 3000, 1_042_742_319);

const AFTER_SUCCESS: Duration = Duration::from_secs(24 * 60 * 60);
const AFTER_FAILURE: Duration = Duration::from_secs(60 * 60);
/// WhatsApp answers a browser only.
const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";

/// The version in force. Cheap to clone; all clones tell the same.
#[derive(Clone, Debug)]
pub struct Version {
    current: Arc<Mutex<ClientVersion>>,
    fixed: bool,
}

/// A setting that is no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client version must be three numbers, as in 2.3000.1042742319")]
pub struct BadVersion;

impl Version {
    /// Begins with the built-in version and follows WhatsApp's.
    #[must_use]
    pub fn following() -> Self {
        Self { current: Arc::new(Mutex::new(BUILT_IN_VERSION)), fixed: false }
    }

    /// Stays what it is.
    #[must_use]
    pub fn fixed(version: ClientVersion) -> Self {
        Self { current: Arc::new(Mutex::new(version)), fixed: true }
    }

    #[must_use]
    pub fn current(&self) -> ClientVersion {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn raise(&self, found: ClientVersion) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = found.max(*current);
    }
}

/// Reads the operator's setting: `2.3000.N` is fixed, nothing follows WhatsApp.
impl FromStr for Version {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, BadVersion> {
        if text.is_empty() {
            return Ok(Self::following());
        }
        let numbers: Vec<u32> = text.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| BadVersion)?;
        match numbers[..] {
            [first, second, third] => Ok(Self::fixed((first, second, third))),
            _ => Err(BadVersion),
        }
    }
}

/// Looks for a newer version now and once a day, and after a failure in an hour. Returns at once if the version is
/// fixed, otherwise never: drop it to stop.
pub async fn keep_fresh(version: &Version, http: &dyn HttpClient, clock: &Clock) {
    if version.fixed {
        return;
    }
    loop {
        let pause = match look(http).await {
            Ok(found) => {
                version.raise(found);
                AFTER_SUCCESS
            }
            Err(error) => {
                tracing::warn!(error = &*error, "the web client's current version could not be found");
                AFTER_FAILURE
            }
        };
        clock.sleep(pause).await;
    }
}

async fn look(http: &dyn HttpClient) -> Result<ClientVersion, Box<dyn std::error::Error + Send + Sync>> {
    let request =
        HttpRequest::get(VERSION_PAGE).with_header("sec-fetch-site", "none").with_header("user-agent", BROWSER);
    let answer = http.execute(request).await?;
    if answer.status_code != 200 {
        return Err(format!("the answer's status is {}", answer.status_code).into());
    }
    let page = String::from_utf8(answer.body)?;
    // The parser also knows a page of old that names no revision; it then says 0.
    match wacore::version::parse_sw_js(&page) {
        Some(found) if found.2 > 0 => Ok(found),
        _ => Err("the page names no version".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use wacore::net::HttpResponse;

    use super::*;

    /// Answers each request with the next page, and tells that it was asked.
    struct Pages(Mutex<VecDeque<(u16, &'static str)>>, tokio::sync::mpsc::UnboundedSender<String>);

    #[async_trait::async_trait]
    impl HttpClient for Pages {
        async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
            self.1.send(request.url)?;
            let next = self.0.lock().unwrap().pop_front();
            let (status_code, body) = next.ok_or_else(|| anyhow::anyhow!("no connection"))?;
            Ok(HttpResponse { status_code, body: body.into() })
        }
    }

    #[tokio::test]
    async fn the_version_follows_once_a_day_and_never_goes_back() {
        let newer = r#"{\"client_revision\":2042742319,\"x\":1}"#;
        let older = r#"{\"client_revision\":7,\"x\":1}"#;
        let pages = [(200, "<html>portal</html>"), (503, newer), (200, newer), (200, older)];
        let (asked, mut questions) = tokio::sync::mpsc::unbounded_channel();
        let http = Pages(Mutex::new(pages.into()), asked);
        let (version, clock) = (Version::following(), Clock::manual(0));
        let known = version.clone();
        let hour = Duration::from_secs(60 * 60);
        let task = {
            let clock = clock.clone();
            tokio::spawn(async move { keep_fresh(&version, &http, &clock).await })
        };
        let mut seen = Vec::new();
        // After each question the clock moves only as far as the next one must come.
        for pause in [hour, hour, 24 * hour, 24 * hour] {
            assert_eq!(questions.recv().await.unwrap(), VERSION_PAGE);
            tokio::task::yield_now().await;
            seen.push(known.current().2);
            clock.advance(pause - Duration::from_millis(1));
            tokio::task::yield_now().await;
            assert!(questions.try_recv().is_err());
            clock.advance(Duration::from_millis(1));
        }
        assert_eq!(questions.recv().await.unwrap(), VERSION_PAGE);
        assert_eq!(seen, [BUILT_IN_VERSION.2, BUILT_IN_VERSION.2, 2_042_742_319, 2_042_742_319]);
        task.abort();

        let (asked, mut questions) = tokio::sync::mpsc::unbounded_channel();
        let http = Pages(Mutex::default(), asked);
        let fixed: Version = "2.3000.5".parse().unwrap();
        keep_fresh(&fixed, &http, &clock).await;
        assert_eq!((fixed.current(), questions.try_recv().is_err()), ((2, 3000, 5), true));
    }

    #[test]
    fn settings_are_three_numbers_and_the_built_in_one_is_not_behind_the_library() {
        assert!(!"".parse::<Version>().unwrap().fixed);
        for text in ["2", "2.3000", "2.3000.1.1", "2.3000.", "2.3000.-1", "2.3000.99999999999", "latest"] {
            assert_eq!(text.parse::<Version>().err(), Some(BadVersion), "{text}");
        }
        let library = wacore::store::Device::new();
        let theirs = (library.app_version_primary, library.app_version_secondary, library.app_version_tertiary);
        assert!(BUILT_IN_VERSION >= theirs);
    }
}
