//! Everything the sandbox remembers, behind one lock that is held for short, await-free sections.
//! What changes rarely is saved as a snapshot, messages and pushes go to the journal (see `saved` and `journal`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::accounts::{Number, Platform, Preverified, Waba};
use crate::faults::Fault;
use crate::limits::Limits;
use crate::media::{Media, Upload};
use crate::phones::Phone;
use crate::phones::chats::Chats;
use crate::phones::messages::{Direction, Message, Messages};
use crate::templates::Template;
use crate::templates::locks::Locks;
use crate::text::Text;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// How often this data directory was opened; part of what makes new ids new.
    pub(crate) run: u64,
    pub(crate) offset_ms: i64,
    /// Running number of the next business phone number.
    pub(crate) next_number: usize,
    pub(crate) platforms: Vec<Platform>,
    pub(crate) wabas: BTreeMap<Text, Waba>,
    pub(crate) numbers: BTreeMap<Text, Number>,
    pub(crate) preverified: BTreeMap<Text, Preverified>,
    #[serde(serialize_with = "template_list", deserialize_with = "template_map")]
    pub(crate) templates: BTreeMap<u64, Arc<Template>>,
    pub(crate) template_locks: Locks,
    pub(crate) media: BTreeMap<String, Media>,
    pub(crate) uploads: BTreeMap<String, Upload>,
    pub(crate) limits: Limits,
    #[serde(serialize_with = "kept_phones")]
    pub(crate) phones: HashMap<Text, Phone>,
    #[serde(skip)]
    pub(crate) faults: Vec<Fault>,
    #[serde(skip)]
    pub(crate) messages: Messages,
    #[serde(skip)]
    pub(crate) chats: Chats,
    #[serde(skip)]
    pub(crate) stats: Stats,
    /// (waba, name) → ids of its languages.
    #[serde(skip)]
    pub(crate) template_names: HashMap<(Text, String), Vec<u64>>,
    /// Digits → number id.
    #[serde(skip)]
    pub(crate) number_by_phone: HashMap<Text, Text>,
}

#[derive(Default)]
pub(crate) struct Stats {
    pub(crate) sends: u64,
    pub(crate) repeated_sends: u64,
    pub(crate) pushes: u64,
    pub(crate) failed_pushes: u64,
    /// Hashes of (number, biz_opaque_callback_data) seen.
    seen: HashSet<u64>,
}

/// How many callers' ids are remembered before all are forgotten.
const SEEN: usize = 4_000_000;

impl Stats {
    /// Counts one accepted send, and whether its caller's id was seen before.
    pub(crate) fn count_send(&mut self, number: &str, opaque: Option<&str>) {
        use std::hash::{DefaultHasher, Hash, Hasher};
        self.sends += 1;
        if let Some(opaque) = opaque {
            let mut hasher = DefaultHasher::new();
            (number, opaque).hash(&mut hasher);
            if self.seen.len() > SEEN {
                self.seen.clear();
            }
            if !self.seen.insert(hasher.finish()) {
                self.repeated_sends += 1;
            }
        }
    }
}

fn kept_phones<S: serde::Serializer>(phones: &HashMap<Text, Phone>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(phones.iter().filter(|(_, phone)| phone.kept))
}

fn template_list<S: serde::Serializer>(templates: &BTreeMap<u64, Arc<Template>>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(templates.values().map(|template| &**template))
}

fn template_map<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<u64, Arc<Template>>, D::Error> {
    let list = Vec::<Template>::deserialize(from)?;
    Ok(list.into_iter().map(|template| (template.id, Arc::new(template))).collect())
}

impl State {
    /// Rebuilds what is not saved because it follows from the rest.
    pub(crate) fn index(&mut self) {
        self.number_by_phone = self.numbers.values().map(|n| (n.phone.clone(), n.id.clone())).collect();
        self.template_names.clear();
        for template in self.templates.values() {
            let key = (template.waba.clone(), template.name.clone());
            self.template_names.entry(key).or_default().push(template.id);
        }
    }

    pub(crate) fn platform(&self, id: &str) -> Option<&Platform> {
        self.platforms.iter().find(|platform| platform.id == id)
    }

    pub(crate) fn number_of(&self, phone: &str) -> Option<&Number> {
        self.numbers.get(self.number_by_phone.get(phone)?)
    }

    pub(crate) fn phone(&mut self, digits: &str) -> &mut Phone {
        if !self.phones.contains_key(digits) {
            self.phones.insert(digits.into(), Phone::default());
        }
        self.phones.get_mut(digits).expect("it was put there just now")
    }

    pub(crate) fn put_template(&mut self, template: Template) -> Arc<Template> {
        let key = (template.waba.clone(), template.name.clone());
        let languages = self.template_names.entry(key).or_default();
        if !languages.contains(&template.id) {
            languages.push(template.id);
        }
        let template = Arc::new(template);
        self.templates.insert(template.id, Arc::clone(&template));
        template
    }

    pub(crate) fn take_template(&mut self, id: u64) -> Option<Arc<Template>> {
        let template = self.templates.remove(&id)?;
        let key = (template.waba.clone(), template.name.clone());
        if let Some(languages) = self.template_names.get_mut(&key) {
            languages.retain(|other| *other != id);
        }
        Some(template)
    }

    pub(crate) fn languages_of(&self, waba: &Text, name: &str) -> impl Iterator<Item = &Arc<Template>> {
        self.template_names
            .get(&(waba.clone(), name.to_owned()))
            .into_iter()
            .flatten()
            .filter_map(|id| self.templates.get(id))
    }

    /// Takes a message into the list and its phone's thread, and drops the oldest if there are too many.
    pub(crate) fn add_message(&mut self, message: Message) -> u64 {
        let (phone, number, direction, at) =
            (message.phone.clone(), message.number.clone(), message.direction, message.at);
        let (seq, new) = self.messages.put(message);
        if new {
            let record = self.phone(&phone);
            record.thread.push_back(seq);
            if direction == Direction::Out {
                record.note_wrote(&number, at);
            }
            while let Some(oldest) = self.messages.shed() {
                if let Some(record) = self.phones.get_mut(&oldest.phone) {
                    record.thread.pop_front();
                    if record.thread.is_empty() && !record.kept {
                        self.phones.remove(&oldest.phone);
                    }
                }
            }
        }
        seq
    }
}
