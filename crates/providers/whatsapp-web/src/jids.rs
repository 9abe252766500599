//! Our addresses and the library's.

use wacore_binary::Jid as Theirs;
use web_wire::jid::Jid;

/// As the library has it. What cannot be read there is an address nobody has.
pub(crate) fn theirs(jid: &Jid) -> Theirs {
    jid.to_string().parse().unwrap_or_else(|_| Theirs::pn(jid.user.clone()))
}

/// As we have it.
pub(crate) fn ours(jid: &Theirs) -> Jid {
    jid.to_string().parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_are_the_same_address() {
        for text in
            ["551@s.whatsapp.net", "551:12@s.whatsapp.net", "77:3@lid", "1-2@g.us", "3@newsletter", "status@broadcast"]
        {
            let jid: Jid = text.parse().unwrap();
            assert_eq!(ours(&theirs(&jid)), jid);
        }
    }
}
