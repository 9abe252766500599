//! The responder's half of the Noise handshake: XX for a client that knows nothing of us, IK for one that kept our key,
//! XXfallback for one whose kept key is no longer ours.

use rand_10::RngExt;
use wacore_binary::consts::{NOISE_PATTERN_IK, NOISE_PATTERN_XX, NOISE_PATTERN_XXFALLBACK, WA_CONN_HEADER};
use wacore_libsignal::protocol::{PrivateKey, PublicKey};
use wacore_noise::{HandshakeError, NoiseCipher, NoiseHandshake};
use waproto::buffa::{Message as _, MessageField};
use waproto::whatsapp::handshake_message::{ClientFinish, ClientHello, ServerHello};
use waproto::whatsapp::{ClientPayload, HandshakeMessage};

use super::chain::Chain;
use crate::phone::{Random, entropy};

/// Why a client and this server could not agree on keys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the handshake failed")]
    Handshake(#[from] HandshakeError),
    #[error("a handshake message was expected")]
    Decode(#[from] waproto::buffa::DecodeError),
    #[error("the handshake message lacks {0}")]
    Lacks(&'static str),
    #[error("bad key")]
    Key,
}

/// A Curve25519 pair for Noise.
pub(crate) struct Pair {
    pub(super) private: [u8; 32],
    pub(super) public: [u8; 32],
}

impl Pair {
    pub(crate) fn new(private: [u8; 32]) -> Result<Self, Error> {
        let key = PrivateKey::deserialize(&private).map_err(|_| Error::Key)?;
        let public: PublicKey = key.public_key().map_err(|_| Error::Key)?;
        Ok(Self { private, public: array(public.public_key_bytes())? })
    }

    fn ephemeral() -> Result<Self, Error> {
        Self::new(entropy().random())
    }

    pub(super) fn sign(&self, message: &[u8], random: &mut Random) -> Result<[u8; 64], Error> {
        let key = PrivateKey::deserialize(&self.private).map_err(|_| Error::Key)?;
        key.calculate_signature_for_multipart_message(&[message], random).map_err(|_| Error::Key)
    }
}

/// Who this server is: its static key and the certificates that name it.
pub(crate) struct Identity {
    pair: Pair,
    chain: Chain,
}

impl Identity {
    /// `now_s`: the certificates are valid for twenty years around it.
    pub(crate) fn new(private: [u8; 32], now_s: i64) -> Result<Self, Error> {
        let pair = Pair::new(private)?;
        let chain = Chain::sign(&pair, now_s, &mut entropy())?;
        Ok(Self { pair, chain })
    }

    /// The key that its certificates lead up to.
    pub(crate) fn root(&self) -> [u8; 32] {
        self.chain.root
    }
}

/// Keys for both directions, and what the client said of itself.
pub(crate) struct Agreed {
    pub(crate) receive: NoiseCipher,
    pub(crate) send: NoiseCipher,
    /// The client's static key.
    pub(crate) client: [u8; 32],
    pub(crate) payload: Box<ClientPayload>,
}

/// What the first message led to.
pub(crate) enum Greeting {
    /// Send `hello`; all is agreed.
    Done { hello: Vec<u8>, agreed: Box<Agreed> },
    /// Send `hello`; the client's answer goes to [`Waiting::finish`].
    More { hello: Vec<u8>, waiting: Waiting },
}

/// Answers a client's first message.
pub(crate) fn greet(identity: &Identity, first: &[u8]) -> Result<Greeting, Error> {
    let message = HandshakeMessage::decode_from_slice(first)?;
    let hello = message.client_hello.into_option().ok_or(Error::Lacks("a client hello"))?;
    let ephemeral = array(&hello.ephemeral.clone().ok_or(Error::Lacks("an ephemeral key"))?)?;
    match known(identity, &ephemeral, &hello) {
        Some((noise, client, payload)) => accept(identity, noise, ephemeral, client, &payload),
        None if hello.r#static.is_some() => ask(identity, NOISE_PATTERN_XXFALLBACK, ephemeral),
        None => ask(identity, NOISE_PATTERN_XX, ephemeral),
    }
}

/// IK: the client encrypted to our static key, or to one that was ours.
fn known(
    identity: &Identity,
    ephemeral: &[u8; 32],
    hello: &ClientHello,
) -> Option<(NoiseHandshake, [u8; 32], Vec<u8>)> {
    let (sealed_static, sealed_payload) = (hello.r#static.as_ref()?, hello.payload.as_ref()?);
    let mut noise = NoiseHandshake::new(NOISE_PATTERN_IK, &WA_CONN_HEADER).ok()?;
    noise.authenticate(&identity.pair.public);
    noise.authenticate(ephemeral);
    noise.mix_shared_secret(&identity.pair.private, ephemeral).ok()?;
    let client = array(&noise.decrypt(sealed_static).ok()?).ok()?;
    noise.mix_shared_secret(&identity.pair.private, &client).ok()?;
    let payload = noise.decrypt(sealed_payload).ok()?;
    Some((noise, client, payload))
}

fn accept(
    identity: &Identity,
    mut noise: NoiseHandshake,
    theirs: [u8; 32],
    client: [u8; 32],
    payload: &[u8],
) -> Result<Greeting, Error> {
    let ours = Pair::ephemeral()?;
    noise.authenticate(&ours.public);
    noise.mix_shared_secret(&ours.private, &theirs)?;
    noise.mix_shared_secret(&ours.private, &client)?;
    let hello = server_hello(&ours, None, noise.encrypt(&identity.chain.bytes)?);
    Ok(Greeting::Done { hello, agreed: agreed(noise, client, payload)? })
}

fn ask(identity: &Identity, pattern: &str, theirs: [u8; 32]) -> Result<Greeting, Error> {
    let ours = Pair::ephemeral()?;
    let mut noise = NoiseHandshake::new(pattern, &WA_CONN_HEADER)?;
    noise.authenticate(&theirs);
    noise.authenticate(&ours.public);
    noise.mix_shared_secret(&ours.private, &theirs)?;
    let sealed_static = noise.encrypt(&identity.pair.public)?;
    noise.mix_shared_secret(&identity.pair.private, &theirs)?;
    let hello = server_hello(&ours, Some(sealed_static), noise.encrypt(&identity.chain.bytes)?);
    Ok(Greeting::More { hello, waiting: Waiting { noise, ours } })
}

/// Between our hello and the client's finish.
pub(crate) struct Waiting {
    noise: NoiseHandshake,
    ours: Pair,
}

impl Waiting {
    pub(crate) fn finish(mut self, message: &[u8]) -> Result<Box<Agreed>, Error> {
        let message = HandshakeMessage::decode_from_slice(message)?;
        let ClientFinish { r#static, payload, .. } =
            message.client_finish.into_option().ok_or(Error::Lacks("a client finish"))?;
        let client = array(&self.noise.decrypt(&r#static.ok_or(Error::Lacks("a static key"))?)?)?;
        self.noise.mix_shared_secret(&self.ours.private, &client)?;
        let payload = self.noise.decrypt(&payload.ok_or(Error::Lacks("a payload"))?)?;
        agreed(self.noise, client, &payload)
    }
}

/// The first of the two ciphers is the client's.
fn agreed(noise: NoiseHandshake, client: [u8; 32], payload: &[u8]) -> Result<Box<Agreed>, Error> {
    let payload = Box::new(ClientPayload::decode_from_slice(payload)?);
    let (receive, send) = noise.finish()?;
    Ok(Box::new(Agreed { receive, send, client, payload }))
}

fn server_hello(ours: &Pair, sealed_static: Option<Vec<u8>>, sealed_chain: Vec<u8>) -> Vec<u8> {
    let hello = ServerHello {
        ephemeral: Some(ours.public.to_vec()),
        r#static: sealed_static,
        payload: Some(sealed_chain),
        ..Default::default()
    };
    HandshakeMessage { server_hello: MessageField::some(hello), ..Default::default() }.encode_to_vec()
}

fn array(bytes: &[u8]) -> Result<[u8; 32], Error> {
    bytes.try_into().map_err(|_| Error::Key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wacore_libsignal::protocol::KeyPair;
    use wacore_noise::{IkHandshakeState, IkServerHelloOutcome, XxFallbackHandshakeState, XxHandshakeState};

    fn keys(seed: u8) -> KeyPair {
        let private = PrivateKey::deserialize(&[seed; 32]).unwrap();
        KeyPair::new(private.public_key().unwrap(), private)
    }

    fn said() -> Vec<u8> {
        ClientPayload { push_name: Some("Ana".into()), ..Default::default() }.encode_to_vec()
    }

    #[test]
    fn a_client_that_kept_our_key_is_known_at_once_and_with_a_key_that_is_not_ours_is_asked_again() {
        let identity = Identity::new([7; 32], 1_700_000_000).unwrap();
        for (kept, at_once) in [(identity.pair.public, true), (Pair::new([8; 32]).unwrap().public, false)] {
            let mut client = IkHandshakeState::new(keys(3), kept, said(), &WA_CONN_HEADER).unwrap();
            let greeting = greet(&identity, &client.build_client_hello().unwrap()).unwrap();
            let (theirs, agreed) = match greeting {
                Greeting::Done { hello, agreed } => match client.read_server_hello(&hello).unwrap() {
                    IkServerHelloOutcome::Continue(outcome) => (outcome.write_cipher, agreed),
                    IkServerHelloOutcome::Fallback(_) => panic!("the key is ours"),
                },
                Greeting::More { hello, waiting } => {
                    assert!(!at_once);
                    let IkServerHelloOutcome::Fallback(inputs) = client.read_server_hello(&hello).unwrap() else {
                        panic!("the key is not ours")
                    };
                    // The root is not WhatsApp's: without the switch the client must refuse it here.
                    match fall_back(*inputs) {
                        Some((finish, cipher)) => (cipher, waiting.finish(&finish).unwrap()),
                        None => continue,
                    }
                }
            };
            let sealed = theirs.encrypt_with_counter(0, b"frame").unwrap();
            let mut opened = sealed;
            agreed.receive.decrypt_in_place_with_counter(0, &mut opened).unwrap();
            assert_eq!(opened, b"frame");
            assert_eq!(agreed.payload.push_name.as_deref(), Some("Ana"));
            assert_eq!(agreed.client, array(keys(3).public_key.public_key_bytes()).unwrap());
        }
    }

    fn fall_back(inputs: wacore_noise::IkFallbackInputs) -> Option<(Vec<u8>, NoiseCipher)> {
        let mut state = XxFallbackHandshakeState::from_ik_failure(inputs, &WA_CONN_HEADER).ok()?;
        let finish = state.build_client_finish().ok()?;
        Some((finish, state.finish().ok()?.write_cipher))
    }

    #[test]
    fn a_root_that_is_not_whatsapps_is_refused_by_a_client_that_was_not_told_to_take_it() {
        let identity = Identity::new([7; 32], 1_700_000_000).unwrap();
        let mut client = XxHandshakeState::new(keys(3), said(), &WA_CONN_HEADER).unwrap();
        let Greeting::More { hello, waiting } = greet(&identity, &client.build_client_hello().unwrap()).unwrap() else {
            panic!("nothing is known yet")
        };
        let finish = client.read_server_hello_and_build_client_finish(&hello);
        assert_eq!(finish.is_ok(), cfg!(feature = "web-sandbox"));
        match finish {
            Ok(finish) => assert_eq!(waiting.finish(&finish).unwrap().payload.push_name.as_deref(), Some("Ana")),
            Err(_) => assert!(waiting.finish(b"").is_err()),
        }
    }

    #[test]
    fn what_is_not_a_hello_is_refused() {
        let identity = Identity::new([7; 32], 1_700_000_000).unwrap();
        for bytes in [&b""[..], b"\xff\xff\xff", b"\x12\x02\x0a\x00", b"\x12\x03\x0a\x01\x05"] {
            assert!(greet(&identity, bytes).is_err());
        }
    }
}
