//! What a business shows of itself.

use serde::{Deserialize, Serialize};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::stanza::wrap;

/// A business's profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Business {
    /// What it is called, as WhatsApp verified it.
    pub name: String,
    /// What it says of itself; the name, if it says nothing.
    pub description: Option<String>,
    /// Where it is.
    pub address: Option<String>,
    /// How it is written to besides.
    pub email: Option<String>,
    /// Its pages.
    pub websites: Vec<String>,
    /// What it trades in.
    pub categories: Vec<String>,
    /// The zone of its hours, like `Europe/Berlin`.
    pub timezone: Option<String>,
    /// When it is open.
    pub hours: Vec<Day>,
}

/// One day's hours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Day {
    /// `mon` to `sun`.
    pub day: String,
    /// `specific_hours`, `open_24h` or `appointment_only`.
    pub mode: String,
    /// Minutes after midnight.
    pub opens: Option<u32>,
    /// Minutes after midnight.
    pub closes: Option<u32>,
}

impl From<&str> for Business {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

impl Business {
    /// `<profile jid>..</profile>`.
    pub(crate) fn node(&self, jid: Jid) -> Node {
        let text = |tag: &'static str, text: &str| NodeBuilder::new(tag).string_content(text).build();
        let mut parts = vec![text("description", self.description.as_ref().unwrap_or(&self.name))];
        parts.extend(self.address.as_ref().map(|it| text("address", it)));
        parts.extend(self.email.as_ref().map(|it| text("email", it)));
        parts.extend(self.websites.iter().map(|it| text("website", it)));
        let categories = self.categories.iter().enumerate().map(|(place, name)| {
            NodeBuilder::new("category").attr("id", place + 1).string_content(name.as_str()).build()
        });
        parts.push(wrap("categories", categories));
        parts.extend((!self.hours.is_empty()).then(|| self.opening()));
        NodeBuilder::new("profile").attr("jid", jid).children(parts).build()
    }

    fn opening(&self) -> Node {
        let zone = self.timezone.as_deref().unwrap_or("UTC");
        let days = self.hours.iter().map(|day| {
            let mut builder = NodeBuilder::new("business_hours_config")
                .attr("day_of_week", day.day.as_str())
                .attr("mode", day.mode.as_str());
            for (key, minutes) in [("open_time", day.opens), ("close_time", day.closes)] {
                builder = match minutes {
                    Some(minutes) => builder.attr(key, minutes),
                    None => builder,
                };
            }
            builder.build()
        });
        NodeBuilder::new("business_hours").attr("timezone", zone).children(days).build()
    }
}
