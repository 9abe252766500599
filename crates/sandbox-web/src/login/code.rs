//! Linking by pairing code: the client says which number it wants and shows a code, the phone types it, keys are exchanged
//! under it, and from there on it goes as with a QR code.

use std::sync::Arc;

use rand_10::RngExt;
use rand_10::SeedableRng;
use tokio::sync::oneshot;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use super::from_server;
use crate::iq::Refusal;
use crate::number::Number;
use crate::phone::code::{TypedCode, normalize};
use crate::phone::{Phone, Random};
use crate::server::Shared;
use crate::stanza::{Read, bytes};
use crate::state::World;
use crate::state::keys::Key;
use crate::state::pairings::{Code, LinkError, Linked};

const STAGE: &str = "link_code_companion_reg";

/// The end of a link that was begun.
pub(crate) type CodeWait = oneshot::Receiver<Result<Linked, LinkError>>;

/// A phone types a code. Stretching it takes a while, so the work is done beside the world, on a copy of the phone.
pub(crate) async fn type_code(shared: Arc<Shared>, number: Number, code: &str) -> Result<CodeWait, LinkError> {
    let code = normalize(code)?;
    let (phone, wrapped, seed) = {
        let mut world = shared.world();
        let (_, pairing) = world.pairings.with_code_for(&number).ok_or(LinkError::NobodyWaits)?;
        let wrapped = pairing.code.as_ref().map(|(_, shown)| shown.wrapped_ephemeral.clone()).unwrap_or_default();
        let phone = world.account(&number).phone.clone();
        (phone, wrapped, world.random.random())
    };
    let entered = tokio::task::spawn_blocking(move || enter(&phone, &code, &wrapped, seed).map(|done| (done, wrapped)));
    let ((typed, hello), wrapped) = entered.await.map_err(|_| LinkError::Gone)??;
    let mut world = shared.world();
    world.say_primary_hello(&number, &wrapped, typed, &hello)
}

fn enter(
    phone: &Phone,
    code: &str,
    wrapped: &[u8],
    seed: u64,
) -> Result<(TypedCode, crate::phone::code::PrimaryHello), LinkError> {
    Ok(TypedCode::enter(&phone.keys, code, wrapped, &mut Random::seed_from_u64(seed))?)
}

impl World {
    fn say_primary_hello(
        &mut self,
        number: &Number,
        wrapped: &[u8],
        typed: TypedCode,
        hello: &crate::phone::code::PrimaryHello,
    ) -> Result<CodeWait, LinkError> {
        let (id, now_s) = (self.fresh_id(), self.now_s());
        let (_, pairing) = self.pairings.with_code_for(number).ok_or(LinkError::NobodyWaits)?;
        let Some((_, shown)) = pairing.code.as_mut().filter(|(_, shown)| shown.wrapped_ephemeral == wrapped) else {
            return Err(LinkError::NobodyWaits);
        };
        shown.typed = Some(typed);
        let stage = NodeBuilder::new(STAGE)
            .attr("stage", "primary_hello")
            .children([
                bytes("link_code_pairing_wrapped_primary_ephemeral_pub", hello.wrapped_ephemeral.clone()),
                bytes("primary_identity_pub", hello.identity),
                bytes("link_code_pairing_ref", shown.reference.as_bytes()),
            ])
            .build();
        pairing.outbox.node(from_server(STAGE, &id, now_s, stage));
        let (done, wait) = oneshot::channel();
        pairing.done = Some(done);
        Ok(wait)
    }

    /// The code that a client shows is good no longer.
    pub(crate) fn want_another_code(&mut self, number: &Number, by_hand: bool) -> bool {
        let (id, now_s) = (self.fresh_id(), self.now_s());
        let Some((_, pairing)) = self.pairings.with_code_for(number) else { return false };
        let Some((_, shown)) = pairing.code.take() else { return false };
        let stage = NodeBuilder::new(STAGE)
            .attr("stage", "refresh_code")
            .attr("force_manual_refresh", if by_hand { "true" } else { "false" })
            .children([bytes("link_code_pairing_ref", shown.reference.as_bytes())])
            .build();
        pairing.outbox.node(from_server(STAGE, &id, now_s, stage));
        true
    }

    /// The client's two steps.
    pub(super) fn code_stage(&mut self, line: u64, stage: &Node) -> Result<Vec<Node>, Refusal> {
        match stage.text("stage").as_deref() {
            Some("companion_hello") => self.companion_hello(line, stage),
            Some("companion_finish") => self.companion_finish(line, stage),
            _ => Err(Refusal::BAD_REQUEST),
        }
    }

    fn companion_hello(&mut self, line: u64, stage: &Node) -> Result<Vec<Node>, Refusal> {
        let number = stage.jid("jid").and_then(|jid| jid.user.parse().ok()).ok_or(Refusal::BAD_REQUEST)?;
        let reference = self.reference();
        let pairing = self.pairings.get_mut(line).ok_or(Refusal::BAD_REQUEST)?;
        let wrapped_ephemeral = stage.content_of("link_code_pairing_wrapped_companion_ephemeral_pub").to_vec();
        let answer = NodeBuilder::new(STAGE)
            .attr("stage", "companion_hello")
            .children([bytes("link_code_pairing_ref", reference.as_bytes())])
            .build();
        pairing.code = Some((number, Code { reference, wrapped_ephemeral, typed: None }));
        Ok(vec![answer])
    }

    fn companion_finish(&mut self, line: u64, stage: &Node) -> Result<Vec<Node>, Refusal> {
        let pairing = self.pairings.get_mut(line).ok_or(Refusal::BAD_REQUEST)?;
        let (number, shown) = pairing.code.take().ok_or(Refusal::NOT_FOUND)?;
        let identity = Key::read(stage.content_of("companion_identity_public")).ok_or(Refusal::BAD_REQUEST)?;
        if stage.content_of("link_code_pairing_ref") != shown.reference.as_bytes() || identity != pairing.identity {
            return Err(Refusal::BAD_REQUEST);
        }
        let typed = shown.typed.ok_or(Refusal::BAD_REQUEST)?;
        let bundle = stage.content_of("link_code_pairing_wrapped_key_bundle");
        let keys = &self.accounts.get(&number).ok_or(Refusal::NOT_FOUND)?.phone.keys;
        match typed.finish(keys, bundle, &identity.0) {
            Ok(secret) => {
                pairing.confirmed = Some((number, secret));
                Ok(Vec::new())
            }
            Err(error) => {
                self.refuse(line, &error.to_string());
                Err(Refusal::BAD_REQUEST)
            }
        }
    }
}
