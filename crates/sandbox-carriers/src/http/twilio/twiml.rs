//! The little of TwiML that is needed: what a script says.

/// What a call says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    /// The first `<Say>`.
    pub(super) text: String,
    pub(super) language: String,
    /// How often it is said.
    pub(super) times: u32,
}

/// `None` when it is no TwiML.
pub(super) fn read(xml: &str) -> Option<Script> {
    let start = xml.find("<Response")?;
    let end = xml.rfind("</Response>").filter(|end| *end > start)?;
    let mut script = Script::default();
    let mut rest = &xml[start..end];
    while let Some(at) = rest.find("<Say") {
        let (head, after) = rest[at + 4..].split_once('>')?;
        let (body, after) = after.split_once("</Say>")?;
        if body.contains('<') {
            return None;
        }
        let said = plain(body);
        if script.times == 0 {
            (script.text, script.language) = (said, attribute(head, "language").unwrap_or_default());
        } else if said != script.text {
            return None;
        }
        script.times += attribute(head, "loop").and_then(|times| times.parse().ok()).unwrap_or(1);
        rest = after;
    }
    Some(script)
}

fn attribute(head: &str, name: &str) -> Option<String> {
    let (_, rest) = head.split_once(&format!(" {name}=\""))?;
    Some(plain(rest.split_once('"')?.0))
}

fn plain(xml: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    entities.iter().fold(xml.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_what_it_says() {
        let script = |text: &str, language: &str, times| Script { text: text.into(), language: language.into(), times };
        for (xml, read_as) in [
            ("<Response/>", None),
            ("<Response></Response>", Some(Script::default())),
            ("<Response><Say>a &amp; &lt;b&gt;</Say></Response>", Some(script("a & <b>", "", 1))),
            (
                r#"<?xml version="1.0"?><Response><Say language="de-DE">x</Say><Pause length="1"/><Say>x</Say></Response>"#,
                Some(script("x", "de-DE", 2)),
            ),
            (r#"<Response><Say voice="alice" loop="3">x</Say></Response>"#, Some(script("x", "", 3))),
            ("<Response><Say>x</Response>", None),
            ("<Response><Say>x<Dial>1</Dial></Say></Response>", None),
            ("</Response><Response>", None),
            ("", None),
        ] {
            assert_eq!(read(xml), read_as, "{xml}");
        }
    }
}
