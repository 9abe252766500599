//! The phone behind an account as a device among devices: what reaches it, what it says, and how it repeats itself.

mod drafts;
mod hearing;
mod peers;
mod speaking;

use crate::number::{Address, Naming, Number};
use crate::phone::signal;
use crate::state::World;

pub use speaking::SpeakError;

impl World {
    /// How a phone names another device in its sessions: always by LID, whatever a stanza says.
    fn session_name(&self, address: &Address) -> Option<signal::Address> {
        let account = self.accounts.get(&address.number)?;
        Some(signal::Address::new(&account.user(Naming::Lid).to_string(), address.device))
    }

    /// Makes sure that a phone can write to a device; `false` if the device has left no keys.
    fn ready_to_write(&mut self, phone: &Number, to: &Address) -> bool {
        let Some(name) = self.session_name(to) else { return false };
        let Some(account) = self.accounts.get(phone) else { return false };
        if account.phone.has_session(&name) {
            return true;
        }
        let Some((bundle, _)) = self.bundle(to) else { return false };
        let bundle = signal::Bundle {
            registration_id: bundle.registration_id,
            identity: bundle.identity.0,
            signed: (bundle.signed.id, bundle.signed.key.0, bundle.signed.signature),
            one_time: bundle.one_time.map(|(id, key)| (id, key.0)),
        };
        let Some(account) = self.accounts.get_mut(phone) else { return false };
        account.phone.start_session(&name, &bundle, &mut self.random).is_ok()
    }
}
