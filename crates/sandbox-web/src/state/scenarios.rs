//! Push names that select how an account behaves: `restricted:<name>`, or `scenario:<flag=0|1>,…:<name>`.

use serde::{Deserialize, Serialize};

/// How an account deals with people who have no token of it, and what its own clients are told of tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Scenario {
    /// Only who shows a token may write, watch and see the picture.
    pub(crate) restricted: bool,
    /// Tokens that the account gave out count, and its clients send those they were given.
    pub(crate) tc_enabled: bool,
    /// Tokens that follow from the writer's salt count.
    pub(crate) cs_enabled: bool,
    /// Its clients are told to send tokens from their salt.
    pub(crate) nct_send_ab: bool,
    pub(crate) nct_history_ab: bool,
    pub(crate) nct_syncd_ab: bool,
    /// The salt comes with the first history.
    pub(crate) nct_history_delivery: bool,
    /// The salt comes as app state.
    pub(crate) nct_syncd_delivery: bool,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            restricted: false,
            tc_enabled: true,
            cs_enabled: true,
            nct_send_ab: true,
            nct_history_ab: true,
            nct_syncd_ab: true,
            nct_history_delivery: true,
            nct_syncd_delivery: false,
        }
    }
}

impl Scenario {
    /// What a push name selects; most select nothing.
    pub(crate) fn read(push_name: &str) -> Option<Self> {
        if push_name.starts_with("restricted:") {
            return Some(Self { restricted: true, ..Self::default() });
        }
        let (flags, _) = push_name.strip_prefix("scenario:")?.rsplit_once(':')?;
        let mut scenario = Self::default();
        for flag in flags.split([',', ';', '&', '+']) {
            let (name, value) = flag.split_once('=').unwrap_or((flag, "1"));
            *scenario.flag(name)? = value == "1";
        }
        Some(scenario)
    }

    fn flag(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "restricted" => &mut self.restricted,
            "tc_enabled" => &mut self.tc_enabled,
            "cs_enabled" => &mut self.cs_enabled,
            "nct_send_ab" => &mut self.nct_send_ab,
            "nct_history_ab" => &mut self.nct_history_ab,
            "nct_syncd_ab" => &mut self.nct_syncd_ab,
            "nct_history_delivery" => &mut self.nct_history_delivery,
            "nct_syncd_delivery" => &mut self.nct_syncd_delivery,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_select_scenarios() {
        let plain = Scenario::default();
        for name in ["", "Ana", "e2e_1234", "scenario:restricted", "scenario:unheard_of=1:x"] {
            assert_eq!(Scenario::read(name), None, "{name}");
        }
        assert_eq!(Scenario::read("restricted:ana"), Some(Scenario { restricted: true, ..plain.clone() }));
        let chosen = Scenario::read("scenario:restricted=1,tc_enabled=0,nct_syncd_delivery=1:ana_1").unwrap();
        assert_eq!(chosen, Scenario { restricted: true, tc_enabled: false, nct_syncd_delivery: true, ..plain });
    }
}
