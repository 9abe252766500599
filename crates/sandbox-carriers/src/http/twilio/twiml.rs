//! The little of TwiML that is needed: what a script says, and what becomes of a call that comes in.

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

/// What a call that comes in is told to do first.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// Posts what was said or pressed to `action`.
    Gather {
        action: String,
        /// It listens to words, not to keys alone.
        speech: bool,
    },
    Reject,
    Hangup,
    Other,
}

/// `None` when it is no TwiML. Without a verb a call is ended.
pub(super) fn first(xml: &str) -> Option<Verb> {
    let start = xml.find("<Response")?;
    let rest = &xml[start..];
    let (head, inside) = rest.split_once('>')?;
    if head.ends_with('/') {
        return Some(Verb::Hangup);
    }
    let (head, _) = inside.trim_start().strip_prefix('<')?.split_once('>')?;
    rest.contains("</Response>").then(|| match head.split([' ', '/']).next().unwrap_or_default() {
        "" | "Hangup" => Verb::Hangup,
        "Reject" => Verb::Reject,
        "Gather" => Verb::Gather {
            action: attribute(head, "action").unwrap_or_default(),
            speech: attribute(head, "input").is_some_and(|input| input.split(' ').any(|one| one == "speech")),
        },
        _ => Verb::Other,
    })
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
    fn a_call_does_what_it_is_told_first() {
        let gather = |action: &str, speech| Some(Verb::Gather { action: action.into(), speech });
        for (xml, verb) in [
            (
                r#"<?xml version="1.0"?><Response><Gather input="dtmf speech" action="/a?b=1&amp;c"/></Response>"#,
                gather("/a?b=1&c", true),
            ),
            ("<Response> <Gather><Pause/></Gather></Response>", gather("", false)),
            (r#"<Response><Reject reason="busy"/></Response>"#, Some(Verb::Reject)),
            ("<Response><Hangup/></Response>", Some(Verb::Hangup)),
            ("<Response></Response>", Some(Verb::Hangup)),
            ("<Response/>", Some(Verb::Hangup)),
            ("<Response><Say>x</Say></Response>", Some(Verb::Other)),
            ("<Response><Gather/>", None),
            ("", None),
        ] {
            assert_eq!(first(xml), verb, "{xml}");
        }
    }

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
