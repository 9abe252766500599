//! Who is let in, and what becomes of messages when we are not.

use std::net::SocketAddr;
use std::sync::Arc;

use engine::contacts::{Address, PHONE};
use engine::content::Content;
use engine::failure::{Code, Retry, SendError};
use engine::messages::Status;
use engine::provider::{CallError, Outgoing, Provider};
use provider_telecom::smpp::{Options, Smpp};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::world::{ANN, World, config_for, put};

impl World {
    /// Asks the provider itself.
    async fn ask(&self, text: &str) -> Result<engine::provider::Sent, SendError> {
        let message = Outgoing {
            id: self.engine.new_id(),
            to: Address { kind: PHONE.to_owned(), value: ANN.to_owned() },
            content: Content::Text { body: text.to_owned(), preview: false },
            reply_to: None,
            provider_id: None,
        };
        self.provider.send(&*self.account().await, &self.sender, &message).await
    }

    async fn try_out(&self) -> Result<(), CallError> {
        let account = self.account().await;
        self.provider.setup().unwrap().connect(&account).await.map(drop)
    }
}

#[tokio::test]
async fn a_wrong_password_needs_a_person_and_a_right_one_wakes_what_waits() {
    let world = World::new().await;
    world.try_out().await.unwrap();
    let config = config_for(world.carriers.smsc().address(), &json!({}));
    put(&world.engine, world.organization, &config, "wrong").await;
    assert!(matches!(world.try_out().await, Err(CallError::Unauthorized { code: Some(0x0E), .. })));
    world.until("we are out", async || world.carriers.smsc().bound() == 0).await;
    let refusal = async || world.ask("hi").await.err().filter(|error| error.retry == Retry::Stop);
    world.until("it is known why", async || refusal().await.is_some()).await;
    assert_eq!(refusal().await.unwrap().failure.code, Code::AccountProblem);
    let id = world.send("I wait").await;
    world.until("the account is stopped", async || world.account().await.status == "blocked").await;
    assert_eq!(world.message(&id).await.status, Status::Pending);
    put(&world.engine, world.organization, &config, "sandbox").await;
    world.status_of(&id, Status::Delivered).await;
    world.finish().await;
}

/// A door with TLS before an address, and its certificate.
async fn tls_door(behind: SocketAddr) -> (SocketAddr, net::Certificate) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.der().clone(), made.signing_key.serialize_der());
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key).into();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.clone()], key).unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut outside) = acceptor.accept(stream).await else { continue };
            let mut inside = TcpStream::connect(behind).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut outside, &mut inside).await });
        }
    });
    (address, certificate)
}

#[tokio::test]
async fn over_tls_only_a_carrier_with_a_known_certificate_is_talked_to() {
    let world = World::new().await;
    let (door, certificate) = tls_door(world.carriers.smsc().address()).await;
    let config = config_for(door, &json!({ "tls": true, "host": "localhost" }));
    put(&world.engine, world.organization, &config, "sandbox").await;
    assert!(matches!(world.try_out().await, Err(CallError::Unreachable(_))), "nobody signed it");
    let tls = Arc::new(net::tls_config(&[certificate]).unwrap());
    let provider = Smpp::new(Options { tls, ..Options::new().unwrap() });
    provider.setup().unwrap().connect(&*world.account().await).await.unwrap();
    world.finish().await;
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_named() {
    let world = World::new().await;
    let config = config_for(world.carriers.smsc().address(), &json!({ "windw": 3 }));
    put(&world.engine, world.organization, &config, "sandbox").await;
    world.until("the link is gone", async || world.carriers.smsc().bound() == 0).await;
    let error = world.ask("hi").await.unwrap_err();
    assert_eq!(error.retry, Retry::Stop);
    assert!(error.failure.message.contains("unknown field `windw`"), "{error}");
    world.finish().await;
}

#[tokio::test]
async fn without_a_carrier_messages_are_free_to_go_elsewhere() {
    let world = World::new().await;
    let address = world.carriers.smsc().address();
    world.carriers.stop();
    let down = async || {
        let error = world.ask("hi").await.err();
        error.is_some_and(|error| error.retry == Retry::BackOff && error.failure.code == Code::ProviderUnavailable)
    };
    world.until("it is known", down).await;
    assert!(matches!(world.try_out().await, Err(CallError::Unreachable(_))));
    // the carrier comes back where it was
    let smsc = sandbox_carriers::smsc::Options { listen: address, ..Default::default() };
    let again = super::world::carriers(smsc, &world.street).await;
    world.until("we are back", async || world.ask("hi").await.is_ok()).await;
    assert_eq!((again.smsc().bound(), again.sms().len()), (1, 1));
    world.finish().await;
}
