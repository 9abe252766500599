//! What a link leads to, told by its page. A page that cannot be read is no reason not to send the link.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use media::convert::preview::MAX_HTML;
use url::Url;
use web_wire::send::Preview;

use super::fetch::{self, Why};
use super::{Files, LARGEST_IMAGE};

/// For the page, and again for its picture.
const PATIENCE: Duration = Duration::from_secs(5);

impl Files {
    /// The preview of `link` as it stands in the text.
    pub(crate) async fn preview(&self, link: &str) -> Preview {
        let bare = Preview { url: link.to_owned(), title: None, description: None, thumbnail: None };
        let Some(url) = fetch::address(link) else { return bare };
        match self.look(url).await {
            Ok(page) => Preview { url: bare.url, ..page },
            Err(why) => {
                tracing::debug!(why = &why as &dyn std::error::Error, "a link goes without preview");
                bare
            }
        }
    }

    async fn look(&self, url: Url) -> Result<Preview, Why> {
        let client = &self.options.client;
        let reading = async {
            let coming = fetch::open(client, url, u64::MAX, PATIENCE).await?;
            let (html, _) = fetch::head(coming.body, MAX_HTML).await?;
            Ok((html, coming.content_type, coming.url))
        };
        let (html, content_type, found_at) = fetch::within(PATIENCE, reading).await?;
        let page = self.converter().preview(html, content_type, found_at).await.unwrap_or_default();
        let thumbnail = match page.image {
            Some(image) => self.small(image).await,
            None => None,
        };
        Ok(Preview { url: String::new(), title: page.title, description: page.description, thumbnail })
    }

    async fn small(&self, image: Url) -> Option<String> {
        let fetched = fetch::whole(&self.options.client, image, LARGEST_IMAGE, PATIENCE).await.ok()?;
        let small = self.converter().thumbnail(fetched.bytes).await.ok()?;
        Some(STANDARD.encode(&small.bytes))
    }
}

/// The first web address in a text.
pub(crate) fn first_link(text: &str) -> Option<&str> {
    let word = text.split_whitespace().find(|word| {
        let word = word.trim_start_matches(OPENING);
        word.starts_with("https://") || word.starts_with("http://")
    })?;
    let word = word.trim_start_matches(OPENING).trim_end_matches(CLOSING);
    fetch::address(word).map(|_| word)
}

/// What stands before and after an address in a sentence.
const OPENING: [char; 5] = ['(', '[', '<', '"', '\''];
const CLOSING: [char; 11] = [')', ']', '>', '"', '\'', '.', ',', ';', ':', '!', '?'];

#[cfg(test)]
mod tests {
    use super::first_link;

    #[test]
    fn links_are_found_in_sentences() {
        for (text, link) in [
            ("see https://shop.example/a?b=c.", Some("https://shop.example/a?b=c")),
            ("(http://shop.example), or https://b.example", Some("http://shop.example")),
            ("no link: shop.example httpsx://a", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(first_link(text), link, "{text}");
        }
    }
}
