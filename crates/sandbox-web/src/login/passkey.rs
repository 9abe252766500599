//! Linking an account that has a passkey: the phone scanned the code, and the client is asked for the owner's signature first.
//! Then both agree on a secret of their own, which takes the place of the one in the QR code.

use std::time::Duration;

use rand_10::RngExt;
use wacore_binary::Node;

use super::from_server;
use super::pairing::nothing;
use crate::iq::Refusal;
use crate::number::Number;
use crate::phone::shortcake::Handshake;
use crate::socket::Parcel;
use crate::stanza::{Read, bytes};
use crate::state::World;
use crate::state::pairings::{Linked, Proof};

/// A client is ready for the phone's next step only some moments after its own was answered; a phone is never faster.
const PHONE_TAKES: Duration = Duration::from_millis(250);

impl World {
    /// Asks the client for an assertion of the account's passkey.
    pub(super) fn demand_passkey(&mut self, line: u64, number: &Number) {
        let (id, now_s) = (self.fresh_id(), self.now_s());
        let challenge: [u8; 32] = self.random.random();
        let Some(passkey) = self.accounts.get(number).and_then(|account| account.phone.passkey.as_ref()) else {
            return;
        };
        let options = bytes("passkey_request_options", passkey.options(&challenge).to_string());
        let Some(pairing) = self.pairings.get_mut(line) else { return };
        pairing.proof = Some(Proof { account: number.clone(), challenge: challenge.to_vec(), handshake: None });
        pairing.outbox.node(from_server("passkey_prologue_request", &id, now_s, options));
        pairing.settle(Ok(Linked::PasskeyDemanded));
    }

    /// One step of the client's.
    pub(super) fn passkey_stage(&mut self, line: u64, step: &Node) -> Result<Vec<Node>, Refusal> {
        match &*step.tag {
            "ref" => {
                let reference = self.reference();
                let pairing = self.pairings.get_mut(line).ok_or(Refusal::BAD_REQUEST)?;
                pairing.references.push(reference.clone());
                Ok(vec![bytes("ref", reference)])
            }
            "passkey_request_options" => self.repeat_options(line),
            "passkey_prologue" => self.prologue(line, step),
            "companion_nonce" => {
                self.handshake(line)?.reveal(step.content()).map_err(|_| Refusal::NOT_AUTHORIZED)?;
                Ok(nothing("companion_nonce"))
            }
            "encrypted_pairing_request" => self.pairing_request(line, step),
            _ => Err(Refusal::NOT_IMPLEMENTED),
        }
    }

    fn handshake(&mut self, line: u64) -> Result<&mut Handshake, Refusal> {
        let proof = self.pairings.get_mut(line).and_then(|pairing| pairing.proof.as_mut());
        proof.and_then(|proof| proof.handshake.as_mut()).ok_or(Refusal::BAD_REQUEST)
    }

    fn repeat_options(&mut self, line: u64) -> Result<Vec<Node>, Refusal> {
        let proof = self.pairings.get_mut(line).and_then(|it| it.proof.as_ref()).ok_or(Refusal::NOT_FOUND)?;
        let passkey = self.accounts.get(&proof.account).and_then(|account| account.phone.passkey.as_ref());
        let options = passkey.ok_or(Refusal::NOT_FOUND)?.options(&proof.challenge);
        Ok(vec![bytes("passkey_request_options", options.to_string())])
    }

    fn prologue(&mut self, line: u64, step: &Node) -> Result<Vec<Node>, Refusal> {
        let pairing = self.pairings.get_mut(line).ok_or(Refusal::BAD_REQUEST)?;
        let proof = pairing.proof.as_mut().ok_or(Refusal::BAD_REQUEST)?;
        let passkey = self.accounts.get(&proof.account).and_then(|account| account.phone.passkey.as_ref());
        passkey
            .ok_or(Refusal::NOT_FOUND)?
            .check(&proof.challenge, step.content_of("webauthn_assertion"))
            .map_err(|_| Refusal::NOT_AUTHORIZED)?;
        let reference = pairing.references.last().cloned().unwrap_or_default();
        let (handshake, answer) = Handshake::begin(step.content_of("prologue_payload"), &reference, &mut self.random)
            .map_err(|_| Refusal::BAD_REQUEST)?;
        proof.handshake = Some(handshake);
        pairing.continuation = Some(answer);
        Ok(nothing("passkey_prologue"))
    }

    /// What follows the answer to a step.
    pub(super) fn follow_up(&mut self, line: u64) {
        let (id, now_s) = (self.fresh_id(), self.now_s());
        let Some(pairing) = self.pairings.get_mut(line) else { return };
        if let Some(identity) = pairing.continuation.take() {
            let child = bytes("primary_ephemeral_identity", identity);
            let continuation = from_server("crsc_continuation", &id, now_s, child);
            pairing.outbox.put(Parcel::Late(Box::new(continuation), PHONE_TAKES));
        }
        if let Some((number, secret)) = pairing.confirmed.take() {
            self.offer(line, &number, &secret);
        }
    }

    fn pairing_request(&mut self, line: u64, step: &Node) -> Result<Vec<Node>, Refusal> {
        let request = self.handshake(line)?.finish(step.content()).map_err(|_| Refusal::NOT_AUTHORIZED)?;
        let pairing = self.pairings.get_mut(line).ok_or(Refusal::BAD_REQUEST)?;
        if request.identity != pairing.identity.0 || request.noise != pairing.noise.0 {
            return Err(Refusal::NOT_AUTHORIZED);
        }
        let proof = pairing.proof.take().ok_or(Refusal::BAD_REQUEST)?;
        pairing.confirmed = Some((proof.account, request.adv_secret));
        pairing.pause = Some(PHONE_TAKES);
        Ok(nothing("encrypted_pairing_request"))
    }
}
