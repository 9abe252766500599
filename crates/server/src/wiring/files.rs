//! Files: where they are kept, and how those that nobody needs any more go.

use std::time::Duration;

use engine::Clock;
use media::{Blobs, Error};

use crate::opening::Opened;
use crate::settings::Settings;

/// How often old files are looked for.
const TIDY_EVERY: Duration = Duration::from_secs(60 * 60);
/// Longer than any file is on its way to us.
const ARRIVES_WITHIN: Duration = Duration::from_secs(6 * 60 * 60);

/// Whoever serves makes and counts what is there; a command beside a server leaves it alone.
pub(super) fn open(settings: &Settings, opened: &Opened) -> Result<Blobs, Error> {
    let (path, quota) = (settings.server.data_dir.join("media"), settings.media.quota);
    match opened.lock {
        Some(_) => Blobs::directory(path, quota),
        None => Ok(Blobs::beside(path, quota)),
    }
}

/// Removes what is old, now and every hour; what came in with messages, where these are not kept for ever.
pub(super) async fn tidy(blobs: Blobs, messages: Option<Duration>, clock: Clock) {
    loop {
        round(&blobs, messages, &clock).await;
        clock.sleep(TIDY_EVERY).await;
    }
}

async fn round(blobs: &Blobs, messages: Option<Duration>, clock: &Clock) {
    dialect_digigo::sweep(blobs, clock.now()).await;
    #[cfg(feature = "whatsapp-web")]
    provider_whatsapp_web::sweep(blobs, clock.now()).await;
    if let Some(age) = messages {
        received(blobs, clock.now() - millis(age)).await;
    }
    unfinished(blobs, clock).await;
    if let Err(error) = blobs.recount().await {
        tell(&error, "the files could not be counted");
    }
}

/// A blob without a purpose in its name is a message's, whose row goes first: within an hour of its time.
async fn received(blobs: &Blobs, before: i64) {
    match blobs.sweep("", before - millis(TIDY_EVERY)).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "files of messages that are not kept any more were removed"),
        Err(error) => tell(&error, "files of old messages could not be removed"),
    }
}

/// Files are dated by the real time, in the sandbox too. Other processes may share the directory.
async fn unfinished(blobs: &Blobs, clock: &Clock) {
    let now = clock.now() - clock.offset();
    match blobs.sweep_incoming(now - millis(ARRIVES_WITHIN)).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "files that were never finished were removed"),
        Err(error) => tell(&error, "files that were never finished could not be removed"),
    }
}

fn tell(error: &Error, what: &str) {
    tracing::warn!(error = error as &dyn std::error::Error, "{what}");
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;
    use std::time::{SystemTime, UNIX_EPOCH};

    use bytes::Bytes;
    use engine::Id;
    use futures_util::stream;
    use media::Meta;

    use super::*;
    use crate::opening::{Purpose, open as open_all};
    use crate::settings::{Environment, Overrides, load_with};

    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn settings(data_dir: &Path) -> Settings {
        let overrides = Overrides { data_dir: Some(data_dir.to_owned()), ..Overrides::default() };
        load_with(&overrides, &Environment::new()).unwrap()
    }

    async fn keep(blobs: &Blobs, prefix: &str, made_at: i64) -> String {
        let id = format!("{prefix}{}", Id::from_parts(made_at, 1).hex24());
        let bytes = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"hello"))]);
        blobs.put(&id, Meta { mime: "a/b".to_owned(), filename: None }, bytes, 9).await.unwrap();
        id
    }

    async fn is_kept(blobs: &Blobs, id: &str) -> bool {
        blobs.open(id).await.is_ok()
    }

    /// Leaves a file that was last written to so long ago.
    fn leave(path: &Path, clock: &Clock, age: Duration) {
        let real = Duration::from_millis((clock.now() - clock.offset()).try_into().unwrap());
        let written: SystemTime = UNIX_EPOCH + real - age;
        File::create(path).unwrap().set_modified(written).unwrap();
    }

    #[tokio::test]
    async fn files_go_after_their_messages_and_stay_where_these_do() {
        let dir = tempfile::tempdir().unwrap();
        let (blobs, clock) = (Blobs::directory(dir.path(), 10_000).unwrap(), Clock::system());
        // As in the sandbox, whose time is not the file system's.
        clock.advance(HOUR * 24 * 100);
        let (age, now) = (HOUR * 24 * 10, clock.now());
        let old = keep(&blobs, "", now - millis(age + HOUR * 2)).await;
        let due = keep(&blobs, "", now - millis(age + HOUR / 2)).await;
        let given = keep(&blobs, "out-", now - millis(HOUR * 24)).await;
        let (half, fresh) = (dir.path().join("incoming/half"), dir.path().join("incoming/fresh"));
        leave(&half, &clock, HOUR * 7);
        leave(&fresh, &clock, HOUR * 5);
        round(&blobs, None, &clock).await;
        assert!(is_kept(&blobs, &old).await, "for ever");
        assert!(!half.exists() && fresh.exists());
        let used = blobs.usage();
        round(&blobs, Some(age), &clock).await;
        let kept = [is_kept(&blobs, &old).await, is_kept(&blobs, &due).await, is_kept(&blobs, &given).await];
        assert_eq!((kept, blobs.usage()), ([false, true, true], used / 3 * 2), "a row goes before its file");
    }

    #[tokio::test]
    async fn a_command_leaves_a_servers_files_alone() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path());
        let serving = open_all(&settings, Purpose::Serve { sandbox: false }).await.unwrap();
        let blobs = open(&settings, &serving).unwrap();
        keep(&blobs, "", 0).await;
        let half = dir.path().join("media/incoming/half");
        leave(&half, &Clock::system(), HOUR * 24);
        let beside = open_all(&settings, Purpose::Command).await.unwrap();
        let beside = open(&settings, &beside).unwrap();
        assert_eq!((half.exists(), beside.usage(), beside.quota()), (true, 0, settings.media.quota));
        assert!(open(&settings, &serving).unwrap().usage() > 0 && half.exists());
    }
}
