//! The stock of numbers: what is for sale, who bought what, and for which order of his.

use std::sync::{MutexGuard, PoisonError};

use super::account::Account;
use super::course::Take;
use super::desk::Desk;

/// Whether a buyer sees what he bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Yes,
    /// Not before somebody was refused the number.
    OnRefusal,
    /// The purchase is seen; where that is told apart, the number is listed from this time on.
    From(i64),
}

/// How much later a number is listed than its purchase is seen, in milliseconds.
const LATE_MS: i64 = 60 * 60 * 1000;

impl Shown {
    pub(super) fn of(take: &Take) -> Self {
        if take.end.as_deref() == Some("late") { Self::OnRefusal } else { Self::Yes }
    }
}

/// A number that was bought. It is kept when it was given back: its order and its end can still be asked for.
#[derive(Clone, Debug)]
pub(super) struct Sold {
    /// The carrier's name for it.
    pub(super) id: String,
    /// The account that bought it.
    pub(super) account: String,
    /// E.164 with `+`.
    pub(super) number: String,
    /// The buyer's own words for it.
    pub(super) reference: String,
    /// Where what people write to it goes, if elsewhere than the account's.
    pub(super) inbound_url: Option<String>,
    /// Who is asked what to do with calls to it.
    pub(super) voice_url: Option<String>,
    /// Milliseconds.
    pub(super) sold_at: i64,
    pub(super) released_at: Option<i64>,
    pub(super) shown: Shown,
}

impl Sold {
    fn is_out(&self, number: &str) -> bool {
        self.released_at.is_none() && self.number == number
    }

    /// Its buyer can know that he has it.
    pub(super) fn is_seen(&self) -> bool {
        self.shown != Shown::OnRefusal
    }

    pub(super) fn is_listed(&self, now: i64) -> bool {
        match self.shown {
            Shown::Yes => true,
            Shown::OnRefusal => false,
            Shown::From(time) => time <= now,
        }
    }
}

/// What somebody looks for.
#[derive(Default)]
pub(super) struct Wanted {
    /// ISO 3166-1 alpha-2.
    pub(super) country: String,
    /// An area code.
    pub(super) prefix: Option<String>,
    pub(super) contains: Option<String>,
    pub(super) limit: usize,
}

/// Numbers of each area.
const EACH: u32 = 50;

impl Desk {
    fn sold(&self) -> MutexGuard<'_, Vec<Sold>> {
        self.sold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What nobody has bought. The numbers are such as are kept for stories, and each carrier has its own.
    pub(super) fn stock(&self, carrier: &str, wanted: &Wanted) -> Vec<String> {
        let contains = wanted.contains.as_deref().unwrap_or_default().trim_start_matches('+');
        let named = contains.get(1..4).filter(|_| contains.len() == 11 && contains.starts_with('1'));
        let area = wanted.prefix.as_deref().or(named).unwrap_or("212");
        let beginning = match wanted.country.as_str() {
            "US" | "CA" => format!("+1{area}5550"),
            "GB" => "+44770090".to_owned(),
            _ => return Vec::new(),
        };
        let first = if carrier == "twilio" { 100 } else { 100 + EACH };
        let numbers = (first..first + EACH).map(|last| match wanted.country.as_str() {
            "GB" => format!("{beginning}0{last}"),
            _ => format!("{beginning}{last}"),
        });
        let sold = self.sold();
        let free = numbers.filter(|number| !sold.iter().any(|sold| sold.is_out(number)));
        free.filter(|number| number.contains(contains)).take(wanted.limit.min(100)).collect()
    }

    /// `None`: somebody has it.
    pub(super) fn sell(&self, account: &Account, sold: Sold) -> Option<Sold> {
        let mut all = self.sold();
        if let Some(known) = all.iter_mut().find(|known| known.is_out(&sold.number)) {
            if known.shown == Shown::OnRefusal {
                known.shown = Shown::From(self.world.now() + LATE_MS);
            }
            return None;
        }
        all.push(sold.clone());
        drop(all);
        self.change(&account.credentials.name(), |numbers| numbers.push(sold.number.clone()));
        Some(sold)
    }

    /// `false`: the account has no such number.
    pub(super) fn take_back(&self, account: &Account, id: &str) -> bool {
        let name = account.credentials.name();
        let mut all = self.sold();
        let its = |sold: &&mut Sold| sold.id == id && sold.account == name && sold.released_at.is_none();
        let Some(sold) = all.iter_mut().find(its) else { return false };
        sold.released_at = Some(self.world.now());
        let gone = sold.number.clone();
        drop(all);
        self.change(&name, |numbers| numbers.retain(|number| *number != gone));
        true
    }

    /// What an account has.
    pub(super) fn sold_to(&self, account: &str) -> Vec<Sold> {
        self.ever_sold_to(account).into_iter().filter(|sold| sold.released_at.is_none()).collect()
    }

    /// The same and what it had.
    pub(super) fn ever_sold_to(&self, account: &str) -> Vec<Sold> {
        self.sold().iter().filter(|sold| sold.account == account).cloned().collect()
    }
}
