//! What goes wrong next, on demand.
//!
//! For `meta` (calls to Graph): `status` answers that HTTP status and `code` that Meta error instead of doing the work; `timeout` does
//! nothing and holds the connection for 30 s before cutting it; `drop` (or `lost-ack`) does the work and then cuts the connection
//! without an answer; `delay` works late.
//!
//! For `meta-webhook` (pushes from Graph): `status` and `drop` make a try come to nothing before the platform sees it, `timeout` makes it
//! arrive but takes its answer for lost; in all three it is tried again later. `duplicate` pushes twice, `reorder` lets
//! the next push overtake this one, `delay` holds it for a while. Nothing is lost for good, as with Meta.
//!
//! Those for `web` are handed to the WhatsApp Web server, which knows what they mean to a socket: `status` is a `<failure>` at log-in, `code` a stream
//! error, `conflict` a replaced stream, `drop` a broken connection and `timeout` one that goes silent without breaking, `lost-ack` a message that is taken
//! but not acknowledged; `duplicate`, `reorder` and `delay` befall messages to linked devices. With the path `/messages`, `code` is the error that a
//! message is refused with (421, 463, 479, …), with `/app-state` what a change of settings is; with `/media`, `status` is what a request for a
//! file gets.
//!
//! Those for `sms`, `voice` and `smtp` befall the next message that a carrier is given, whichever it is: `status` refuses it (an
//! HTTP status or a number of the carrier's, SMPP's `command_status`, SMTP's reply), `code` takes it and ends it with that
//! receipt (`UNDELIV`, `EXPIRED`, …; for mail an enhanced status), `timeout` does nothing and never answers, `drop` (or
//! `lost-ack`) does the work and cuts the connection without an answer, `duplicate` tells receipts twice, `reorder` tells them
//! before the answer, `delay` works late.
//!
//! Those for `numbers`: `status` refuses the next order for a number, `timeout` never answers it, `lost-ack` sells and cuts the
//! connection without an answer, `code` `late` does the same and does not show the purchase before the number was refused
//! to somebody, Telnyx's list not for an hour after that; `drop` keeps the next code for a number from arriving.
//!
//! Those for `payments` befall the next call to the till (`status`, `timeout`, `drop` or `lost-ack`, `delay`, as for carriers) or the
//! next buyer: `code` is what comes of it instead of money, `expired` (he took too long) or `failed` (his bank refuses
//! afterwards), or what comes of a refund, `refund-late` (it arrives after a minute) or `refund-failed` (his bank thinks for
//! a minute and does not take it; it takes the next); `duplicate` tells the platform twice that he paid.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The paths that a fault for `web` may name.
pub(crate) const MEDIA: &str = "/media";
pub(crate) const MESSAGES: &str = "/messages";
pub(crate) const APP_STATE: &str = "/app-state";

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Target {
    Meta,
    MetaWebhook,
    Web,
    Sms,
    Voice,
    Smtp,
    Numbers,
    Payments,
}

impl Target {
    fn is_a_carrier(self) -> bool {
        matches!(self, Self::Sms | Self::Voice | Self::Smtp)
    }
}

/// Meta and sockets have numbers, carriers also words (`UNDELIV`, `5.2.2`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Code {
    Number(i64),
    Word(String),
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Word(word) => f.write_str(word),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Status,
    Code,
    Timeout,
    Drop,
    Duplicate,
    Reorder,
    Delay,
    LostAck,
    Conflict,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    pub(crate) target: Target,
    pub(crate) kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Code>,
    #[serde(default)]
    pub(crate) delay_ms: u64,
    /// How many calls it will still hit.
    #[serde(default = "once")]
    pub(crate) times: u64,
    /// How many in a hundred it hits.
    #[serde(default = "always")]
    pub(crate) percent: u64,
    /// Only this account, for `web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
    /// Only calls whose path ends so, e.g. `/messages`; for `web` that, `/app-state` or `/media`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
}

fn once() -> u64 {
    1
}

fn always() -> u64 {
    100
}

impl Fault {
    /// The code, where it is a number.
    pub(crate) fn number(&self) -> Option<i64> {
        match self.code {
            Some(Code::Number(number)) => Some(number),
            _ => None,
        }
    }

    /// Why it cannot be, if so.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        let for_meta = self.target == Target::Meta;
        if self.target == Target::Web {
            return self.refusal_for_web();
        }
        if self.target == Target::Numbers {
            return self.refusal_for_numbers();
        }
        if self.target == Target::Payments {
            return self.refusal_for_payments();
        }
        if self.target.is_a_carrier() {
            return self.refusal_for_carriers();
        }
        match self.kind {
            Kind::Status if self.status.is_none_or(|s| !(400..=599).contains(&s)) => {
                Some("`status` must be given, from 400 to 599")
            }
            Kind::Code if for_meta && self.number().is_none() => Some("`code` must be given, a number"),
            Kind::Duplicate | Kind::Reorder if for_meta => Some("this kind is for meta-webhook only"),
            Kind::Code if !for_meta => Some("this kind is for meta only"),
            Kind::Conflict => Some("this kind is for web only"),
            Kind::Delay => self.refusal_of_delay(),
            _ => self.refusal_of_chance(),
        }
    }

    fn refusal_for_web(&self) -> Option<&'static str> {
        match (self.kind, self.path.as_deref()) {
            (Kind::Status, None | Some(MEDIA)) if self.status.is_none_or(|s| !(400..=599).contains(&s)) => {
                Some("`status` must be given, from 400 to 599")
            }
            (Kind::Code, None | Some(MESSAGES | APP_STATE))
                if self.number().is_none_or(|code| !(1..=999).contains(&code)) =>
            {
                Some("`code` must be given, from 1 to 999")
            }
            (Kind::Status, None | Some(MEDIA)) | (Kind::Code, None | Some(MESSAGES | APP_STATE)) => {
                self.refusal_of_chance()
            }
            (_, Some(_)) => Some("for web, `path` is /media with `status`, or /messages or /app-state with `code`"),
            (Kind::Delay, None) => self.refusal_of_delay(),
            (_, None) => self.refusal_of_chance(),
        }
    }

    fn refusal_for_carriers(&self) -> Option<&'static str> {
        let word = self.code.as_ref().map(ToString::to_string).unwrap_or_default();
        match self.kind {
            _ if self.path.is_some() || self.phone.is_some() => Some("carriers have neither `path` nor `phone`"),
            Kind::Status if self.status.is_none_or(|status| status == 0) => Some("`status` must be given"),
            Kind::Code if !(1..=32).contains(&word.len()) => Some("`code` must be given, of at most 32 characters"),
            Kind::Conflict => Some("this kind is for web only"),
            Kind::Delay => self.refusal_of_delay(),
            _ => self.refusal_of_chance(),
        }
    }

    fn refusal_for_numbers(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Status if self.status.is_none_or(|status| !(400..=599).contains(&status)) => {
                Some("`status` must be given, from 400 to 599")
            }
            Kind::Code if self.code.as_ref().is_none_or(|code| code.to_string() != "late") => {
                Some("for numbers, `code` is late")
            }
            Kind::Status | Kind::Timeout | Kind::LostAck | Kind::Drop | Kind::Code => self.refusal_of_chance(),
            _ => Some("for numbers, `kind` is status, timeout, lost-ack, drop or code"),
        }
    }

    fn refusal_for_payments(&self) -> Option<&'static str> {
        let ends =
            |code: &Code| ["expired", "failed", "refund-late", "refund-failed"].contains(&code.to_string().as_str());
        match self.kind {
            Kind::Code if !self.code.as_ref().is_some_and(ends) => {
                Some("for payments, `code` is expired, failed, refund-late or refund-failed")
            }
            Kind::Code | Kind::Duplicate => self.refusal_of_chance(),
            Kind::Reorder => Some("payments know no `reorder`"),
            Kind::Status if self.status.is_none_or(|status| !(400..=599).contains(&status)) => {
                Some("`status` must be given, from 400 to 599")
            }
            _ => self.refusal_for_carriers(),
        }
    }

    fn refusal_of_delay(&self) -> Option<&'static str> {
        if self.delay_ms == 0 || self.delay_ms > 600_000 {
            return Some("`delay_ms` must be given, from 1 to 600000");
        }
        self.refusal_of_chance()
    }

    fn refusal_of_chance(&self) -> Option<&'static str> {
        if self.percent == 0 || self.percent > 100 {
            return Some("`percent` must be from 1 to 100");
        }
        (self.times == 0).then_some("`times` must be at least 1")
    }
}

/// Takes the first fault that hits this call. `dice` gives a number from 0 to 99.
pub(crate) fn take(faults: &mut Vec<Fault>, target: Target, path: &str, dice: impl Fn() -> u64) -> Option<Fault> {
    let hits =
        |fault: &Fault| fault.target == target && fault.path.as_ref().is_none_or(|end| path.ends_with(end.as_str()));
    take_where(faults, hits, dice)
}

/// Takes the first fault of some kinds.
pub(crate) fn take_kind(
    faults: &mut Vec<Fault>,
    target: Target,
    kinds: &[Kind],
    dice: impl Fn() -> u64,
) -> Option<Fault> {
    take_where(faults, |fault| fault.target == target && kinds.contains(&fault.kind), dice)
}

fn take_where(faults: &mut Vec<Fault>, hits: impl Fn(&Fault) -> bool, dice: impl Fn() -> u64) -> Option<Fault> {
    let place = faults.iter().position(|fault| hits(fault) && (fault.percent == 100 || dice() < fault.percent))?;
    faults[place].times -= 1;
    let fault = faults[place].clone();
    if fault.times == 0 {
        faults.remove(place);
    }
    Some(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_its_target_as_often_as_it_was_told() {
        let fault: Fault =
            serde_json::from_str(r#"{"target":"meta","kind":"code","code":130429,"times":2,"path":"/messages"}"#)
                .unwrap();
        assert_eq!(fault.refusal(), None);
        let mut faults = vec![fault];
        assert!(take(&mut faults, Target::MetaWebhook, "/messages", || 0).is_none());
        assert!(take(&mut faults, Target::Meta, "/media", || 0).is_none());
        assert!(take(&mut faults, Target::Meta, "/1/messages", || 99).is_some());
        assert!(take(&mut faults, Target::Meta, "/1/messages", || 99).is_some());
        assert!(faults.is_empty());
    }

    #[test]
    fn a_purchase_is_late_or_has_no_code() {
        for (code, taken) in [(r#","code":"late""#, true), (r#","code":"expired""#, false), ("", false)] {
            let fault: Fault = serde_json::from_str(&format!(r#"{{"target":"numbers","kind":"code"{code}}}"#)).unwrap();
            assert_eq!(fault.refusal().is_none(), taken, "{code}");
        }
    }

    #[test]
    fn percent_is_thrown_for_each_call() {
        let mut faults: Vec<Fault> =
            serde_json::from_str(r#"[{"target":"meta","kind":"drop","times":9,"percent":30}]"#).unwrap();
        assert!(take(&mut faults, Target::Meta, "/", || 30).is_none());
        assert!(take(&mut faults, Target::Meta, "/", || 29).is_some());
    }
}
