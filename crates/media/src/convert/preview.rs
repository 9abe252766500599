//! What a page says of itself, for the preview of a link.

use encoding_rs::{Encoding, UTF_8};
use scraper::{ElementRef, Html};
use url::Url;

/// Bytes of a page that are read; what describes it stands at its beginning.
pub const MAX_HTML: usize = 512 * 1024;
/// Characters kept of each text.
const MAX_TITLE: usize = 300;
const MAX_DESCRIPTION: usize = 1000;
const MAX_URL: usize = 2048;
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// The preview of a page; what the page does not say is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    pub title: Option<String>,
    pub description: Option<String>,
    pub site_name: Option<String>,
    /// Absolute, http or https; as hostile as the page.
    pub image: Option<Url>,
}

/// Reads OpenGraph first, then Twitter's cards, then plain HTML. `base` is where the page was found in the end;
/// `content_type` its header, for the character set.
pub fn preview(html: &[u8], content_type: Option<&str>, base: &Url) -> Preview {
    let html = &html[..html.len().min(MAX_HTML)];
    let page = Page::read(&text(html, content_type));
    let link = |address: &String| link(base, address);
    let title = page.first(&["og:title", "twitter:title"]).or(page.title.as_deref());
    let description = page.first(&["og:description", "twitter:description", "description"]);
    let images = ["og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src", "image_src"];
    Preview {
        title: title.and_then(|title| tidy(title, MAX_TITLE)),
        description: description.and_then(|text| tidy(text, MAX_DESCRIPTION)),
        site_name: page.first(&["og:site_name", "application-name"]).and_then(|name| tidy(name, MAX_TITLE)),
        image: images.iter().filter_map(|name| page.said(name)).find_map(link),
    }
}

/// The named facts of a page, in order.
#[derive(Default)]
struct Page {
    facts: Vec<(String, String)>,
    title: Option<String>,
}

impl Page {
    fn read(html: &str) -> Self {
        let mut page = Self::default();
        for element in Html::parse_document(html).root_element().descendants().filter_map(ElementRef::wrap) {
            match element.value().name() {
                "meta" => {
                    let name =
                        element.attr("property").or_else(|| element.attr("name")).or_else(|| element.attr("itemprop"));
                    page.learn(name, element.attr("content"));
                }
                "link" => page.learn(element.attr("rel"), element.attr("href")),
                // A drawing has titles too.
                "title" if page.title.is_none() && &*element.value().name.ns == XHTML => {
                    page.title = Some(element.text().collect());
                }
                _ => {}
            }
        }
        page
    }

    fn learn(&mut self, name: Option<&str>, content: Option<&str>) {
        let content = content.filter(|content| !content.trim().is_empty());
        if let (Some(name), Some(content)) = (name, content) {
            self.facts.push((name.trim().to_ascii_lowercase(), content.to_owned()));
        }
    }

    fn said(&self, name: &str) -> Option<&String> {
        self.facts.iter().find(|(key, _)| key == name).map(|(_, content)| content)
    }

    fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.said(name)).map(String::as_str)
    }
}

fn link(base: &Url, address: &str) -> Option<Url> {
    let address = address.trim();
    let absolute = base.join(address).ok().filter(|_| address.len() <= MAX_URL)?;
    matches!(absolute.scheme(), "http" | "https").then_some(absolute)
}

/// One line of at most so many characters; nothing if nothing is left.
fn tidy(text: &str, most: usize) -> Option<String> {
    let line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return Some(line).filter(|line| !line.is_empty());
    }
    let short: String = line.chars().take(most - 1).collect();
    Some(format!("{}…", short.trim_end()))
}

/// The page as text: by its byte order mark, its header, or what it says itself; else UTF-8.
fn text(html: &[u8], content_type: Option<&str>) -> String {
    let said = || charset(&String::from_utf8_lossy(&html[..html.len().min(1024)]));
    let encoding = content_type.and_then(charset).or_else(said).unwrap_or(UTF_8);
    encoding.decode(html).0.into_owned()
}

fn charset(text: &str) -> Option<&'static Encoding> {
    let text = text.to_ascii_lowercase();
    let (_, label) = text.split_once("charset=")?;
    let label = label.trim_start_matches(['"', '\'', ' ']);
    let end = label.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c))).unwrap_or(label.len());
    Encoding::for_label(&label.as_bytes()[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn of(html: &[u8]) -> Preview {
        preview(html, None, &Url::parse("https://shop.example/a/b.html?q").unwrap())
    }

    #[test]
    fn opengraph_comes_first_then_cards_then_html() {
        let full = of(br#"<!doctype html><html><head><title>Plain</title>
            <meta name="description" content="Plain words">
            <meta name="twitter:title" content="Card"><meta name="twitter:image" content="/card.png">
            <meta property="og:title" content=" Shoes &amp;
              more "><meta property="og:description" content="">
            <meta property="OG:Site_Name" content="Shop"><meta property="og:image" content="../img/1.jpg">"#);
        assert_eq!(full.title.as_deref(), Some("Shoes & more"));
        assert_eq!(full.description.as_deref(), Some("Plain words"));
        assert_eq!(full.site_name.as_deref(), Some("Shop"));
        assert_eq!(full.image.unwrap().as_str(), "https://shop.example/img/1.jpg");

        let plain = of(
            b"<svg><title>Arrow</title></svg><title>\n Plain\x01 </title><link rel=image_src href=//cdn.example/i.png>",
        );
        assert_eq!(plain.title.as_deref(), Some("Plain"));
        assert_eq!(plain.image.unwrap().as_str(), "https://cdn.example/i.png");
        assert_eq!(of(b""), Preview::default());
        assert_eq!(of(b"\x89PNG\r\n\x1a\n"), Preview::default());
    }

    #[rstest]
    #[case("javascript:alert(1)")]
    #[case("data:image/png;base64,AAAA")]
    #[case("file:///etc/passwd")]
    #[case("http://[bad")]
    fn only_web_addresses_are_images(#[case] address: &str) {
        let page =
            format!(r#"<meta property="og:image" content="{address}"><meta name="twitter:image" content="ok.png">"#);
        assert_eq!(of(page.as_bytes()).image.unwrap().as_str(), "https://shop.example/a/ok.png");
    }

    #[rstest]
    #[case::utf8("<title>Café</title>".as_bytes(), None)]
    #[case::header(b"<title>Caf\xe9</title>", Some("text/html; charset=\"ISO-8859-1\""))]
    #[case::meta(b"<meta charset=windows-1252><title>Caf\xe9</title>", None)]
    #[case::http_equiv(
        b"<meta http-equiv=Content-Type content='text/html; charset=latin1'><title>Caf\xe9</title>",
        Some("text/html")
    )]
    #[case::mark(
        b"\xff\xfe<\0t\0i\0t\0l\0e\0>\0C\0a\0f\0\xe9\0<\0/\0t\0i\0t\0l\0e\0>\0",
        Some("text/html; charset=utf-8")
    )]
    fn character_sets_are_honoured(#[case] html: &[u8], #[case] content_type: Option<&str>) {
        let base = Url::parse("https://shop.example/").unwrap();
        assert_eq!(preview(html, content_type, &base).title.as_deref(), Some("Café"));
    }

    #[test]
    fn texts_pages_and_nesting_are_bounded() {
        let long = of(format!("<title>{}</title>", "wörd ".repeat(1000)).as_bytes()).title.unwrap();
        assert_eq!((long.chars().count(), long.ends_with('…')), (300, true));
        let late = format!("{}<title>too late</title>", " ".repeat(MAX_HTML));
        assert_eq!(of(late.as_bytes()), Preview::default());
        let deep = format!("{}<title>deep</title>", "<b>".repeat(MAX_HTML / 6));
        assert_eq!(of(deep.as_bytes()).title.as_deref(), Some("deep"));
    }

    proptest! {
        #[test]
        fn survives_any_bytes(html in proptest::collection::vec(any::<u8>(), 0..200), tail in "[<>a-z=\"'/ :!-]{0,200}") {
            let page = [b"<meta property=og:image content=".as_slice(), tail.as_bytes(), &html].concat();
            if let Some(image) = of(&page).image {
                prop_assert!(matches!(image.scheme(), "http" | "https"));
            }
        }
    }
}
