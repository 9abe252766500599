//! Who is on WhatsApp, what they show of themselves, and under which addresses they are known.

use engine::sessions::CallError;
use wacore_binary::Jid as Theirs;
use web_wire::ask::{Business, Category, Checked, Hours, Pair, Pairs, Person};
use web_wire::jid::{HIDDEN, Jid, PEOPLE};
use whatsapp_rust::Client;

use super::errors;
use crate::jids::{ours, theirs};

/// In the order asked; what is no number at all is on nobody's phone.
pub(super) async fn check(client: &Client, phones: &[String]) -> Result<Vec<Checked>, CallError> {
    let asked: Vec<Option<Jid>> = phones.iter().map(|phone| Jid::of_text(phone).ok()).collect();
    let known: Vec<Theirs> = asked.iter().flatten().filter(|jid| jid.is_person()).map(theirs).collect();
    let found = client.contacts().is_on_whatsapp(&known).await.map_err(errors::of)?;
    let answer = |(query, jid): (&String, Option<Jid>)| {
        let jid = jid.unwrap_or_default();
        let hit = found.iter().find(|hit| {
            let names = [Some(&hit.jid), hit.pn_jid.as_ref(), hit.lid.as_ref()];
            names.into_iter().flatten().any(|name| ours(name).bare() == jid.bare())
        });
        let address = hit.map(|hit| hit.pn_jid.as_ref().filter(|_| !jid.is_hidden()).unwrap_or(&hit.jid)).map(ours);
        Checked {
            query: query.clone(),
            address: address.unwrap_or_else(|| jid.bare()),
            exists: hit.is_some_and(|hit| hit.is_registered),
            verified_name: None,
        }
    };
    Ok(phones.iter().zip(asked).map(answer).collect())
}

pub(super) async fn people(client: &Client, addresses: &[Jid]) -> Result<Vec<Person>, CallError> {
    let asked: Vec<Theirs> = addresses.iter().map(|jid| theirs(&jid.bare())).collect();
    let found = client.contacts().get_user_info(&asked).await.map_err(errors::of)?;
    let told = |jid: &Theirs| {
        let info = found.get(jid)?;
        let device = |number: &u16| Jid { device: *number, ..ours(jid).bare() };
        Some(Person {
            address: ours(jid),
            hidden: info.lid.as_ref().map(ours),
            about: info.status.clone(),
            picture_id: info.picture_id.clone(),
            verified_name: info.verified_name.as_ref().and_then(|name| name.name.clone()),
            business: info.is_business,
            devices: info.devices.iter().map(device).collect(),
        })
    };
    Ok(asked.iter().filter_map(told).collect())
}

pub(super) async fn business(client: &Client, address: &Jid) -> Result<Option<Business>, CallError> {
    let found = client.get_business_profile(&theirs(address)).await.map_err(errors::of)?;
    Ok(found.map(|profile| {
        let hours = profile.business_hours.business_config.unwrap_or_default();
        let time = |minutes: Option<u32>| minutes.map(|minutes| minutes.to_string());
        Business {
            address: profile.wid.as_ref().map_or_else(|| address.clone(), ours),
            email: profile.email,
            street: profile.address,
            categories: profile.categories.into_iter().map(|c| Category { id: c.id, name: c.name }).collect(),
            options: serde_json::Map::new(),
            timezone: profile.business_hours.timezone,
            hours: hours
                .into_iter()
                .map(|day| Hours {
                    day: word(&day.day_of_week),
                    mode: word(&day.mode),
                    opens: time(day.open_time),
                    closes: time(day.close_time),
                })
                .collect(),
        }
    }))
}

/// The wire's word for an enumeration's value.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What is known here, else what WhatsApp says.
pub(super) async fn both(client: &Client, address: &Jid) -> Result<Option<Pair>, CallError> {
    let asked = theirs(&address.bare());
    if let Some(known) = client.get_lid_pn_entry(&asked).await.map_err(|error| errors::of_any(&error))? {
        return Ok(Some(pair(&known.lid, &known.phone_number, known.created_at)));
    }
    let found = client.contacts().is_on_whatsapp(std::slice::from_ref(&asked)).await.map_err(errors::of)?;
    let Some(hit) = found.into_iter().find(|hit| hit.is_registered) else { return Ok(None) };
    let names = [Some(&hit.jid), hit.pn_jid.as_ref(), hit.lid.as_ref()];
    let named = |server: &str| names.into_iter().flatten().map(ours).find(|jid| jid.server == server);
    Ok(match (named(HIDDEN), named(PEOPLE)) {
        (Some(hidden), Some(phone)) => {
            Some(Pair { phone: phone.bare(), hidden: hidden.bare(), known_since: wacore::time::now_millis() })
        }
        _ => None,
    })
}

fn pair(hidden: &str, phone: &str, since: i64) -> Pair {
    Pair { phone: Jid::new(phone, PEOPLE), hidden: Jid::new(hidden, HIDDEN), known_since: since * 1000 }
}

/// Everybody whose two addresses are known, in a fixed order.
pub(super) async fn pairs(client: &Client, limit: u32, offset: u32) -> Result<Pairs, CallError> {
    let known = client.persistence_manager().backend().get_all_lid_mappings().await.map_err(errors::of)?;
    let mut pairs: Vec<Pair> =
        known.iter().map(|entry| pair(&entry.lid, &entry.phone_number, entry.created_at)).collect();
    pairs.sort_by(|a, b| (a.known_since, &a.phone).cmp(&(b.known_since, &b.phone)));
    let total = pairs.len() as u64;
    let pairs = pairs.into_iter().skip(offset as usize).take(limit as usize).collect();
    Ok(Pairs { total, pairs })
}

pub(super) async fn save(client: &Client, address: &Jid, full_name: String) -> Result<(), CallError> {
    let first = full_name.split_whitespace().next().map(str::to_owned);
    let actions = client.chat_actions();
    actions.save_contact(&theirs(&address.bare()), Some(full_name), first, true).await.map_err(errors::of)
}
