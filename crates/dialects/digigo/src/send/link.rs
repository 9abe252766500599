//! `POST /chat/send/link`: a link with a preview of its page. A page that cannot be read goes without one.

use web_wire::send as wire;

use super::terms::{needed, short};
use super::{Draft, Terms};
use crate::body::Body;
use crate::errors::Error;
use crate::files::{Files, is_address};

const LONGEST_LINK: usize = 2048;
const LONGEST_CAPTION: usize = 1024;

pub(super) async fn read(files: Files, body: Body) -> Result<Draft, Error> {
    let terms = Terms::read(&body)?;
    let link = needed(&body, &["Link"], LONGEST_LINK)?.trim().to_owned();
    if !is_address(&link) {
        return Err(Error::bad("Link must be an HTTP/HTTPS URL"));
    }
    let caption = short(&body, &["Caption"], LONGEST_CAPTION)?;
    let preview = Some(files.preview(&link).await);
    Ok(terms.draft(wire::Body::Text { text: with_link(caption, link), preview }))
}

/// The preview needs its link in the text.
fn with_link(caption: Option<String>, link: String) -> String {
    match caption {
        None => link,
        Some(caption) if caption.contains(&link) => caption,
        Some(caption) => format!("{caption}\n{link}"),
    }
}

#[cfg(test)]
mod tests {
    use super::with_link;

    #[test]
    fn the_link_stands_in_the_text_once() {
        let text = |caption: Option<&str>| with_link(caption.map(str::to_owned), "https://a.example".into());
        assert_eq!(text(None), "https://a.example");
        assert_eq!(text(Some("Look")), "Look\nhttps://a.example");
        assert_eq!(text(Some("At https://a.example!")), "At https://a.example!");
    }
}
