//! Conversions beside a server: on blocking threads, a few at a time.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;
use url::Url;

use super::audio::{self, Voice};
use super::picture::{self, Jpeg, MessagePicture};
use super::preview::{self, Preview};
use super::sticker::{self, Sticker};
use super::video::{self, Video};
use super::{Error, Ffmpeg, Limits, Medium, ffmpeg, sniff};

/// What a conversion works with.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    pub limits: Limits,
    pub ffmpeg: Option<Ffmpeg>,
}

/// Runs conversions for any number of callers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Converter {
    tools: Arc<Tools>,
    turns: Arc<Semaphore>,
}

impl Converter {
    /// At most `at_once` conversions run at any time, the others wait in order; as many as there are cores is enough.
    pub fn new(tools: Tools, at_once: usize) -> Self {
        let turns = Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS));
        Self { tools: Arc::new(tools), turns: Arc::new(turns) }
    }

    /// A picture for a message, with its thumbnail.
    pub async fn picture(&self, bytes: Bytes) -> Result<MessagePicture, Error> {
        self.run(Medium::Image, move |tools| picture::for_message(&bytes, &tools.limits)).await
    }

    /// A small JPEG of a picture.
    pub async fn thumbnail(&self, bytes: Bytes) -> Result<Jpeg, Error> {
        self.run(Medium::Image, move |tools| picture::Picture::decode(&bytes, &tools.limits)?.thumbnail()).await
    }

    /// A profile photo, 640 by 640.
    pub async fn profile_photo(&self, bytes: Bytes) -> Result<Jpeg, Error> {
        self.run(Medium::Image, move |tools| picture::profile_photo(&bytes, &tools.limits)).await
    }

    /// A sticker of a picture or an animation.
    pub async fn sticker(&self, bytes: Bytes) -> Result<Sticker, Error> {
        self.run(Medium::Sticker, move |tools| sticker::sticker(&bytes, &tools.limits)).await
    }

    /// A voice message of any sound; what our decoders do not know, ffmpeg decodes where it is installed.
    pub async fn voice(&self, bytes: Bytes) -> Result<Voice, Error> {
        self.run(Medium::Audio, move |tools| voice(&bytes, tools)).await
    }

    /// Length and drawing of a sound that is sent as it is.
    pub async fn listen(&self, bytes: Bytes) -> Result<audio::Heard, Error> {
        self.run(Medium::Audio, move |tools| audio::listen(&bytes, &tools.limits)).await
    }

    /// A video for a message, with its thumbnail where ffmpeg is installed.
    pub async fn video(&self, bytes: Bytes) -> Result<Video, Error> {
        self.run(Medium::Video, move |tools| video::for_message(&bytes, tools.ffmpeg.as_ref(), &tools.limits)).await
    }

    /// What a page says of itself; see [`preview::preview`].
    pub async fn preview(&self, html: Bytes, content_type: Option<String>, base: Url) -> Result<Preview, Error> {
        self.run(Medium::Media, move |_| Ok(preview::preview(&html, content_type.as_deref(), &base))).await
    }

    /// Runs any work in its turn. It goes on to its end, and keeps its turn, when the caller goes away; when it panics,
    /// that is an error.
    pub async fn run<T: Send + 'static>(
        &self,
        medium: Medium,
        work: impl FnOnce(&Tools) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = self.turns.clone().acquire_owned().await.map_err(|error| Error::internal(medium, error))?;
        let tools = self.tools.clone();
        let running = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&tools)
        });
        running.await.unwrap_or_else(|error| match error.is_panic() {
            // It was the caller's bytes that a library stumbled over.
            true => Err(Error::broken(medium, error)),
            false => Err(Error::internal(medium, error)),
        })
    }
}

fn voice(bytes: &Bytes, tools: &Tools) -> Result<Voice, Error> {
    let refused = match audio::voice(bytes, &tools.limits) {
        Err(error @ Error::Unsupported { .. }) => error,
        other => return other,
    };
    match (sniff::shown(bytes).filter(|mime| ffmpeg::reads(mime)), &tools.ffmpeg) {
        (None, _) => Err(refused),
        (Some(mime), None) => Err(Error::NeedsFfmpeg { medium: Medium::Audio, found: mime.to_owned() }),
        (Some(_), Some(ffmpeg)) => audio::voice(&ffmpeg.to_flac(bytes, &tools.limits)?.into(), &tools.limits),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn no_more_run_at_once_than_allowed_and_all_get_their_turn() {
        let converter = Converter::new(Tools::default(), 2);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let both = Arc::new(Barrier::new(2));
        let work = (0..20).map(|number| {
            let (running, most, both) = (running.clone(), most.clone(), both.clone());
            converter.run(Medium::Image, move |_| {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                both.wait();
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(number)
            })
        });
        let done: Vec<_> = join_all(work).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(done, (0..20).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_its_turn_is_given_back() {
        let converter = Converter::new(Tools::default(), 1);
        let outcome: Result<(), Error> = converter.run(Medium::Image, |_| panic!("a library's mistake")).await;
        assert!(matches!(outcome, Err(Error::Broken { medium: Medium::Image, .. })), "{outcome:?}");
        assert_eq!(converter.run(Medium::Image, |_| Ok(7)).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn each_medium_has_its_way() {
        let converter = Converter::new(Tools::default(), 1);
        let text = Bytes::from_static(b"hello");
        let base = Url::parse("https://shop.example/").unwrap();
        let page = converter.preview(Bytes::from_static(b"<title>Shop</title>"), None, base).await.unwrap();
        assert_eq!(page.title.as_deref(), Some("Shop"));
        let refusals = [
            converter.picture(text.clone()).await.unwrap_err(),
            converter.thumbnail(text.clone()).await.unwrap_err(),
            converter.profile_photo(text.clone()).await.unwrap_err(),
            converter.sticker(text.clone()).await.unwrap_err(),
            converter.voice(text.clone()).await.unwrap_err(),
            converter.listen(text.clone()).await.unwrap_err(),
            converter.video(text).await.unwrap_err(),
        ];
        assert!(refusals.iter().all(|error| matches!(error, Error::Unsupported { .. })), "{refusals:?}");
        let amr = converter.voice(Bytes::from_static(b"#!AMR\n\x3c\x91\x17")).await.unwrap_err();
        assert!(amr.to_string().starts_with("audio/amr has to be converted with ffmpeg"), "{amr}");
    }
}
