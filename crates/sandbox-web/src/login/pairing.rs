//! Linking by QR code: a client shows references, a phone scans one and vouches for the client, the client signs, and the
//! stream is started anew as the device that it now is.

use rand_10::RngExt;
use tracing::debug;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use waproto::whatsapp::client_payload::DevicePairingRegistrationData;

use super::stream_code;
use crate::arrivals::Arrival;
use crate::iq::News;
use crate::number::{Address, Naming, Number};
use crate::phone::pair::{self, Scan};
use crate::socket::{Outbox, Parcel};
use crate::stanza::{Read, big_endian, bytes, empty, server_set, wrap};
use crate::state::devices::Companion;
use crate::state::keys::{Key, Signed, Uploaded};
use crate::state::pairings::{Done, LinkError, Linked, Offer, Pairing};
use crate::state::scenarios::Scenario;
use crate::state::{Seat, World};

/// How many QR codes a client gets before it has to ask again.
const REFERENCES: usize = 6;

impl World {
    /// A client without an account: it gets references to show. `None` if it did not say what it has to.
    pub(super) fn welcome_stranger(
        &mut self,
        line: u64,
        noise: Key,
        data: &DevicePairingRegistrationData,
        push_name: String,
        outbox: Outbox,
    ) -> Option<u64> {
        let pairing = Pairing {
            outbox: outbox.clone(),
            references: (0..REFERENCES).map(|_| self.reference()).collect(),
            noise,
            identity: Key::read(data.e_ident.as_deref()?)?,
            registration_id: big_endian(data.e_regid.as_deref()?)?,
            signed: Signed {
                id: big_endian(data.e_skey_id.as_deref()?)?,
                key: Key::read(data.e_skey_val.as_deref()?)?,
                signature: data.e_skey_sig.clone()?,
            },
            push_name,
            platform: platform(data),
            code: None,
            proof: None,
            continuation: None,
            confirmed: None,
            pause: None,
            offer: None,
            done: None,
        };
        let shown = pairing.references.iter().map(|reference| bytes("ref", reference.as_bytes()));
        let shown = wrap("pair-device", shown);
        let id = self.fresh_id();
        self.pairings.put(line, pairing);
        self.take_seat(line, Seat::Stranger);
        outbox.node(server_set("md", &id, shown));
        Some(line)
    }

    /// Something nobody can guess, as the QR code shows it.
    pub(super) fn reference(&mut self) -> String {
        format!("2@{}", hex::encode(self.random.random::<[u8; 24]>()))
    }

    /// A phone scanned a QR code. `done` hears how it ends.
    pub(crate) fn scan(&mut self, number: &Number, scan: &Scan, done: Done) {
        let Some((line, pairing)) = self.pairings.with_reference(&scan.reference) else {
            let _ = done.send(Err(LinkError::NobodyWaits));
            return;
        };
        if pairing.identity.0 != scan.identity || pairing.noise.0 != scan.noise {
            let _ = done.send(Err(LinkError::Refused("the code does not belong to the client that shows it".into())));
            return;
        }
        pairing.done = Some(done);
        if self.account(number).phone.passkey.is_some() {
            self.demand_passkey(line, number);
        } else {
            self.offer(line, number, &scan.adv_secret);
        }
    }

    /// The phone of `number` takes the client in; the client has to sign now.
    pub(super) fn offer(&mut self, line: u64, number: &Number, secret: &[u8; 32]) {
        let (id, now_s) = (self.fresh_id(), self.now_s());
        let Some(identity) = self.pairings.get_mut(line).map(|pairing| pairing.identity) else { return };
        self.account(number);
        let Some(account) = self.accounts.get_mut(number) else { return };
        let (device, key_index) = account.reserve();
        let now = u64::try_from(now_s).unwrap_or(0);
        let word = pair::vouch(&account.phone.keys, &identity.0, secret, key_index, now, &mut self.random);
        let address = Address::new(number, device);
        let mut success = vec![
            bytes("device-identity", word),
            NodeBuilder::new("device")
                .attr("jid", account.jid(Naming::Phone, device))
                .attr("lid", account.jid(Naming::Lid, device))
                .build(),
            NodeBuilder::new("platform").attr("name", "android").build(),
            bytes("client-props", pair::client_props()),
        ];
        let business = account.profile.business.as_ref();
        success.extend(business.map(|it| NodeBuilder::new("biz").attr("name", it.name.as_str()).build()));
        let Some(pairing) = self.pairings.get_mut(line) else { return };
        pairing.offer = Some(Offer { address, key_index, id: id.clone() });
        let mut stanza = server_set("md", &id, wrap("pair-success", success));
        stanza.attrs.insert("t", now_s);
        match pairing.pause.take() {
            Some(pause) => pairing.outbox.put(Parcel::Late(Box::new(stanza), pause)),
            None => pairing.outbox.node(stanza),
        }
    }

    /// A stranger said something.
    pub(crate) fn hear_stranger(&mut self, line: u64, node: &Node) {
        if node.tag != "iq" {
            return;
        }
        if node.get_optional_child("pair-device-sign").is_some() {
            self.sign(line, node);
        } else if node.says("type", "error") {
            self.refuse(line, "the client did not accept the phone's word");
        } else if node.says("type", "set") || node.says("type", "get") {
            self.answer_stranger(line, node);
        }
    }

    fn sign(&mut self, line: u64, node: &Node) {
        let proof = node.get_optional_child("pair-device-sign").map(|sign| sign.content_of("device-identity"));
        let Some(pairing) = self.pairings.get_mut(line) else { return };
        let Some(offer) = pairing.offer.take_if(|offer| node.says("id", &offer.id)) else { return };
        let (identity, proof) = (pairing.identity, proof.unwrap_or_default().to_vec());
        let Some(account) = self.accounts.get(&offer.address.number) else { return };
        match pair::accept(&account.phone.keys, &identity.0, &proof) {
            Ok(index) if index == offer.key_index => self.complete(line, offer, proof),
            Ok(_) => self.refuse(line, "the client signed another device's identity"),
            Err(error) => self.refuse(line, &error.to_string()),
        }
    }

    fn complete(&mut self, line: u64, offer: Offer, proof: Vec<u8>) {
        let Some(mut pairing) = self.pairings.remove(line) else { return };
        let Some(account) = self.accounts.get_mut(&offer.address.number) else { return };
        let mut companion =
            Companion::new(offer.key_index, pairing.identity, pairing.noise, pairing.platform.clone(), proof);
        companion.keys = Some(Uploaded {
            registration_id: pairing.registration_id,
            signed: pairing.signed.clone(),
            one_time: std::collections::VecDeque::new(),
        });
        if let Some(scenario) = Scenario::read(&pairing.push_name) {
            account.scenario = scenario;
        }
        if account.push_name.is_empty() {
            account.push_name.clone_from(&pairing.push_name);
        }
        account.companions.insert(offer.address.device, companion);
        self.keep_now(&offer.address.number);
        debug!(number = %offer.address.number, device = offer.address.device, "linked");
        pairing.outbox.node(stream_code(515));
        pairing.outbox.put(Parcel::Close);
        self.announce_device(&offer.address.number, offer.address.device, offer.key_index, News::Added);
        self.tell(Arrival::Linked { phone: offer.address.number.clone(), device: offer.address.device });
        pairing.settle(Ok(Linked::Device(offer.address.device)));
    }

    /// The link does not come about; the client may show another code.
    pub(super) fn refuse(&mut self, line: u64, why: &str) {
        if let Some(pairing) = self.pairings.get_mut(line) {
            pairing.offer = None;
            pairing.proof = None;
            pairing.settle(Err(LinkError::Refused(why.to_owned())));
        }
    }

    /// Questions that may be asked without an account.
    fn answer_stranger(&mut self, line: u64, node: &Node) {
        let answer = match node.nodes().first().map(|child| &*child.tag) {
            Some("ping") | None => Ok(Vec::new()),
            Some("link_code_companion_reg") => self.code_stage(line, &node.nodes()[0]),
            Some("remove-companion-device") => Ok(Vec::new()),
            Some(_) => self.passkey_stage(line, &node.nodes()[0]),
        };
        let Some(pairing) = self.pairings.get_mut(line) else { return };
        pairing.outbox.node(crate::iq::reply(node, answer));
        self.follow_up(line);
    }
}

fn platform(data: &DevicePairingRegistrationData) -> String {
    use waproto::buffa::Message as _;
    let props = data.device_props.as_deref().and_then(|it| waproto::whatsapp::DeviceProps::decode_from_slice(it).ok());
    props.and_then(|props| props.os).unwrap_or_default()
}

/// An answer with nothing in it.
pub(super) fn nothing(tag: &'static str) -> Vec<Node> {
    vec![empty(tag)]
}
