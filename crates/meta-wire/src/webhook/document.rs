use super::members::{Member, Members};
use super::place::Place;
use crate::print;

/// How deep an item was cut out: what of the post is the item itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Entry,
    Change,
    /// An element of this list of the value.
    Listed(&'static str),
}

/// Lists of a conversation's value whose elements are items.
pub(super) const LISTS: [&str; 3] = ["messages", "statuses", "errors"];

/// The post cut down to one item. Every piece is Meta's own text.
pub(super) struct Cut<'p, 'a> {
    pub(super) place: &'p Place<'a>,
    pub(super) part: Part,
    pub(super) raw: &'a str,
    pub(super) contact: Option<&'a str>,
}

impl Cut<'_, '_> {
    pub(super) fn print(&self) -> String {
        let mut out = String::with_capacity(self.raw.len() + 512);
        object(&mut out, &self.place.envelope, |out, name, member| match name {
            "entry" => list(out, name, |out| self.entry(out)),
            _ => plain(out, name, member),
        });
        out
    }

    fn entry(&self, out: &mut String) {
        if self.part == Part::Entry {
            return out.push_str(self.raw);
        }
        object(out, &self.place.entry, |out, name, member| match name {
            "changes" => list(out, name, |out| self.change(out)),
            _ => plain(out, name, member),
        });
    }

    fn change(&self, out: &mut String) {
        let Part::Listed(kind) = self.part else {
            return out.push_str(self.raw);
        };
        object(out, &self.place.change, |out, name, member| match name {
            "value" => {
                key(out, name);
                self.value(out, kind);
            }
            _ => plain(out, name, member),
        });
    }

    fn value(&self, out: &mut String, kind: &str) {
        object(out, &self.place.value, |out, name, member| match name {
            _ if name == kind => list(out, name, |out| out.push_str(self.raw)),
            "contacts" => {
                if let Some(contact) = self.contact {
                    list(out, name, |out| out.push_str(contact));
                }
            }
            _ => plain(out, name, member),
        });
    }
}

/// `each` prints a member with a comma behind it, or nothing.
fn object(out: &mut String, members: &Members<'_>, mut each: impl FnMut(&mut String, &str, &Member<'_>)) {
    out.push('{');
    for (name, member) in members.iter() {
        let before = out.len();
        each(out, name, member);
        if out.len() > before {
            out.push(',');
        }
    }
    if out.ends_with(',') {
        out.pop();
    }
    out.push('}');
}

fn list(out: &mut String, name: &str, element: impl FnOnce(&mut String)) {
    key(out, name);
    out.push('[');
    element(out);
    out.push(']');
}

/// Lists are left out: their elements are other items.
fn plain(out: &mut String, name: &str, member: &Member<'_>) {
    if let Member::Raw(raw) = member {
        key(out, name);
        out.push_str(raw);
    }
}

/// Escaped as Meta escapes, for a name is the one thing that was not kept as text.
fn key(out: &mut String, name: &str) {
    let name = print::ascii(name).expect("a text always prints");
    out.push_str(&String::from_utf8_lossy(&name));
    out.push(':');
}
