use std::ops::RangeInclusive;
use std::time::Duration;

/// What to do about an error of Meta's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Try again, later and later.
    BackOff,
    /// Try again once.
    BackOffOnce,
    /// Too many messages to one user: try again after 4^X seconds, X counting the tries.
    Pair,
    /// Try again after a long time, at least this one if Meta names one.
    Wait(Option<Duration>),
    /// Token or permission: nothing works until the operator acts.
    Token,
    /// The account or number must be put right first.
    Account,
    /// The same request will not succeed.
    Never,
}

const HOUR: u64 = 3600;

const fn wait(seconds: u64) -> Class {
    Class::Wait(Some(Duration::from_secs(seconds)))
}

use Class::{Account, BackOff, BackOffOnce, Never, Pair, Token, Wait};

/// In order; the first row that holds the code counts.
const CODES: &[(RangeInclusive<i64>, Class)] = &[
    (0..=0, Token),
    (1..=1, BackOffOnce),
    (2..=2, BackOff),
    (3..=3, Token),
    (4..=4, BackOff),
    (10..=10, Token),
    (33..=33, Never),
    (100..=100, Never),
    (190..=190, Token),
    (200..=299, Token),
    (368..=368, Account),
    (613..=613, BackOff),
    (80007..=80007, BackOff),
    (130403..=130403, Never),
    (130429..=130429, BackOff),
    (130472..=130472, Never),
    (130497..=130497, Account),
    (131000..=131000, BackOff),
    (131005..=131005, Token),
    (131008..=131009, Never),
    (131016..=131016, BackOff),
    (131021..=131021, Never),
    (131026..=131026, Never),
    (131030..=131030, Never),
    (131031..=131031, Account),
    (131037..=131037, Account),
    (131042..=131042, Account),
    (131045..=131045, Account),
    (131047..=131047, Never),
    (131048..=131048, Wait(None)),
    (131049..=131049, wait(24 * HOUR)),
    (131050..=131053, Never),
    (131055..=131055, Never),
    (131056..=131056, Pair),
    (131057..=131057, BackOff),
    // A stale cursor: the list must be begun anew.
    (131059..=131059, Never),
    (131062..=131062, Never),
    (131063..=131063, Account),
    (131064..=131064, Wait(None)),
    (132000..=132001, Never),
    (132005..=132005, Never),
    (132007..=132008, Never),
    (132012..=132012, Never),
    (132015..=132016, Never),
    (132018..=132018, Never),
    (132068..=132069, Account),
    // Half deregistered: deregister again.
    (133000..=133000, Account),
    (133004..=133004, BackOff),
    (133005..=133005, Never),
    (133006..=133006, Account),
    (133008..=133009, Wait(None)),
    (133010..=133010, Account),
    (133015..=133015, wait(5 * 60)),
    (133016..=133016, wait(72 * HOUR)),
    (134011..=134011, Account),
    (134100..=134100, Never),
    (134101..=134101, wait(10 * 60)),
    (134102..=134102, Account),
    (135000..=135000, Never),
    (137000..=137000, Never),
    // Calling is not enabled.
    (138000..=138000, Account),
    (139000..=139004, Never),
    // Block lists: partly refused, full; then two callers at once, internal.
    (139100..=139101, Never),
    (139102..=139103, BackOff),
    (141002..=141002, Never),
    (147001..=147005, Never),
    (2388001..=2388001, Account),
    (2388012..=2388012, Account),
    (2388091..=2388091, Account),
    (2388093..=2388093, Account),
    (2388103..=2388103, Account),
    (2388000..=2388999, Never),
    (2494100..=2494100, wait(5 * 60)),
    (2593107..=2593108, Never),
];

fn row(code: i64) -> Option<Class> {
    CODES.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, class)| *class)
}

/// A subcode is more exact than code 100; beside other codes it only repeats them.
fn lookup(code: i64, subcode: Option<i64>) -> Option<Class> {
    let exact = subcode.filter(|_| code == 100).and_then(row);
    exact.or_else(|| row(code))
}

pub(super) fn known(code: i64, subcode: Option<i64>) -> bool {
    lookup(code, subcode).is_some()
}

/// What to do about `code`. Of unknown codes the HTTP status decides; without one (errors in webhooks) they are final.
pub fn class(code: i64, subcode: Option<i64>, status: Option<u16>) -> Class {
    lookup(code, subcode).unwrap_or(match status {
        Some(429 | 500..) => BackOff,
        Some(401) => Token,
        _ => Never,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The retry table of the reference: codes, HTTP status, class.
    #[test]
    fn every_row_of_the_table() {
        let rows: &[(&[i64], u16, Class)] = &[
            (&[0, 190], 401, Token),
            (&[3], 500, Token),
            (&[10, 200, 250, 299], 403, Token),
            (&[1], 400, BackOffOnce),
            (&[2, 133004], 503, BackOff),
            (&[4, 80007, 130429, 613], 400, BackOff),
            (&[33, 100, 130403, 130472], 400, Never),
            (&[368, 130497, 131031], 403, Account),
            (&[131000, 131016, 131057], 500, BackOff),
            (&[131005], 403, Token),
            (&[131008, 131009, 131021, 131026, 131030, 131047], 400, Never),
            (&[131037, 131042], 400, Account),
            (&[131045], 500, Account),
            (&[131048, 131064, 133008, 133009], 400, Wait(None)),
            (&[131049], 400, wait(86_400)),
            (&[131050, 131051, 131052, 131053, 131055, 131059, 131062], 400, Never),
            (&[131056], 400, Pair),
            (&[131063, 132068, 132069, 133006, 133010, 134011], 400, Account),
            (&[132000, 132012, 132005, 132007, 132008, 132015, 132016, 132018], 400, Never),
            (&[132001], 404, Never),
            (&[133000], 500, Account),
            (&[133005, 134100, 135000, 137000, 139000, 139004, 141002, 147001, 147005], 400, Never),
            (&[133015], 400, wait(300)),
            (&[133016], 400, wait(259_200)),
            (&[134101], 400, wait(600)),
            (&[134102], 500, Account),
            (&[138000], 400, Account),
            (&[139100, 139101], 400, Never),
            (&[139102, 139103], 400, BackOff),
            (&[131020, 131041, 131215], 400, Never),
            (&[131201], 206, Never),
            (&[131207], 403, Never),
            (&[131208], 429, BackOff),
            (&[2593107, 2593108], 400, Never),
            (&[987_654], 500, BackOff),
            (&[987_654, -1, i64::MAX, i64::MIN], 400, Never),
        ];
        for (codes, status, expected) in rows {
            for code in *codes {
                assert_eq!(class(*code, None, Some(*status)), *expected, "{code}");
            }
        }
    }

    #[test]
    fn subcodes_count_under_code_100_only() {
        let never = [2388019, 2388024, 2388039, 2388040, 2388047, 2388072, 2388073, 2388293, 2388299];
        for subcode in never {
            assert_eq!(class(100, Some(subcode), Some(400)), Never);
        }
        for subcode in [2388001, 2388012, 2388091, 2388093, 2388103] {
            assert_eq!(class(100, Some(subcode), Some(400)), Account);
        }
        assert_eq!(class(100, Some(2494100), Some(400)), wait(300));
        assert_eq!(class(130429, Some(2388001), Some(400)), BackOff);
        assert_eq!(class(987_654, None, None), Never);
    }
}
