//! What goes wrong next, on demand.

use std::time::Duration;

use crate::number::Number;

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The next log-in is answered with `<failure reason>`: 401, 403, 429, 503, …
    LogIn(u16),
    /// A live stream ends with `<stream:error code>`: 515, 503, 516, …
    Stream(u16),
    /// A live stream ends as if the account had connected elsewhere.
    Conflict,
    /// A connection breaks without a word.
    Drop,
    /// The next message to a linked device comes twice.
    Duplicate,
    /// The next message to a linked device comes after the one behind it.
    Reorder,
    /// The next message of a linked device is taken and not acknowledged.
    LostAck,
    /// The next message of a linked device is refused with this code: 421, 475, 479, …
    Refuse(u16),
    /// The next message to a linked device takes so much longer, and so does what comes behind it.
    Delay(Duration),
    /// The next message to a linked device names everybody by one address only.
    Terse,
    /// The next question about this account's app state is answered with this error: 400, 404, 500, …
    AppState(u16),
    /// A live connection goes deaf and dumb without closing, as one whose other end lost its network.
    Silence,
    /// The next request for media, of whichever account, gets this HTTP status: 401, 403, 404, 410, …
    Media(u16),
}

/// A kind of trouble, for whom, and how often.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What happens.
    pub kind: Kind,
    /// Only to this account; to anybody otherwise.
    pub number: Option<Number>,
    /// How often it still happens.
    pub times: u64,
    /// How many in a hundred it hits.
    pub percent: u64,
}

impl Fault {
    /// Once, to whoever comes next.
    pub fn once(kind: Kind) -> Self {
        Self { kind, number: None, times: 1, percent: 100 }
    }
}

/// All that is still to go wrong.
#[derive(Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        if fault.times > 0 && fault.percent > 0 {
            self.0.push(fault);
        }
    }

    /// Gives how many there were.
    pub(crate) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.0).len()
    }

    /// The first fault of a wanted kind that hits this account now; none where it is not known whose turn it is. `dice`: 0 to 99.
    pub(crate) fn take(
        &mut self,
        number: Option<&Number>,
        dice: impl Fn() -> u64,
        wanted: impl Fn(Kind) -> bool,
    ) -> Option<Kind> {
        let place = self.0.iter().position(|fault| {
            wanted(fault.kind)
                && fault.number.as_ref().is_none_or(|only| Some(only) == number)
                && (fault.percent >= 100 || dice() < fault.percent)
        })?;
        let fault = &mut self.0[place];
        let kind = fault.kind;
        fault.times -= 1;
        if fault.times == 0 {
            self.0.remove(place);
        }
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_whom_it_is_for_as_often_as_it_was_told() {
        let (ana, ben): (Number, Number) = ("15550100001".parse().unwrap(), "15550100002".parse().unwrap());
        let mut faults = Faults::default();
        faults.add(Fault { number: Some(ana.clone()), times: 2, percent: 50, ..Fault::once(Kind::LogIn(503)) });
        faults.add(Fault { times: 0, ..Fault::once(Kind::Drop) });
        let log_in = |kind| matches!(kind, Kind::LogIn(_));
        assert_eq!(faults.take(Some(&ben), || 0, log_in), None);
        assert_eq!(faults.take(Some(&ana), || 50, log_in), None);
        assert_eq!(faults.take(Some(&ana), || 0, |kind| kind == Kind::Drop), None);
        assert_eq!(faults.take(Some(&ana), || 49, log_in), Some(Kind::LogIn(503)));
        assert_eq!(faults.take(Some(&ana), || 0, log_in), Some(Kind::LogIn(503)));
        assert_eq!(faults.take(Some(&ana), || 0, log_in), None);
        faults.add(Fault { number: Some(ana), ..Fault::once(Kind::Drop) });
        faults.add(Fault::once(Kind::Media(410)));
        assert_eq!(faults.take(None, || 0, |_| true), Some(Kind::Media(410)), "nobody in particular is not Ana");
        assert_eq!((faults.clear(), faults.clear()), (1, 0));
    }
}
