use sandbox_web::{LinkError, Linked, Options};
use whatsapp_rust::types::events::Event;

use crate::house::{ANA, BEN, Guest, House, number};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_links_by_qr_code_and_comes_back_as_the_device_it_is() {
    let house = House::open().await;
    let guest = house.linked(ANA).await;
    assert_eq!(house.handle.devices(&number(ANA)), [33]);
    let pn = guest.client.pn().unwrap();
    assert_eq!((pn.user.as_str(), pn.device), ("15550100001", 33));
    assert!(guest.client.lid().unwrap().user.len() == 15);
    assert_eq!(house.handle.stats().sockets["+15550100001"], 1);

    let backend = guest.stop().await;
    let mut guest = Guest::again(&house, backend).await;
    guest.connected().await;
    assert_eq!(house.handle.devices(&number(ANA)), [33], "the same device");

    let second = house.linked(ANA).await;
    assert_eq!(second.client.pn().unwrap().device, 34);
    assert_eq!(house.handle.stats().unknown_questions, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_links_by_the_code_typed_on_the_phone_and_not_by_another() {
    let house = House::open().await;
    let mut guest = Guest::with_code(&house, ANA).await;
    let code = guest
        .event("a pairing code", |event| match event {
            Event::PairingCode(shown) => Some(shown.code.clone()),
            _ => None,
        })
        .await;
    let somebody_else = house.handle.link_by_code(&number(BEN), &code).await;
    assert_eq!(somebody_else, Err(LinkError::NobodyWaits));
    assert!(matches!(house.handle.link_by_code(&number(ANA), "nonsense!").await, Err(LinkError::Refused(_))));
    let linked = house.handle.link_by_code(&number(ANA), &code).await;
    assert_eq!(linked, Ok(Linked::Device(33)));
    guest.ready().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_with_a_passkey_asks_its_owner_first() {
    let house = House::open().await;
    house.handle.account(&number(ANA), Some("Ana"));
    house.handle.demand_passkey(&number(ANA), true).unwrap();
    let mut guest = Guest::new(&house).await;
    let qr = guest.qr().await;
    assert_eq!(house.handle.link_by_qr(&number(ANA), &qr).await, Ok(Linked::PasskeyDemanded));
    let options = guest
        .event("a passkey request", |event| match event {
            Event::PairPasskeyRequest(request) => Some(request.request_options_json.clone()),
            _ => None,
        })
        .await;
    assert!(house.handle.devices(&number(ANA)).is_empty(), "not before the proof");
    let options = serde_json::from_str(&options).unwrap();
    let assertion = house.handle.assert_passkey(&number(ANA), &options).unwrap();
    guest.client.send_passkey_response(signed(&assertion)).await.unwrap();
    guest.event("a code to compare", |event| matches!(event, Event::PairPasskeyConfirmation(_)).then_some(())).await;
    guest.client.send_passkey_confirmation().await.unwrap();
    guest.ready().await;
    assert_eq!(house.handle.devices(&number(ANA)), [33]);
}

fn signed(assertion: &serde_json::Value) -> whatsapp_rust::passkey::Assertion {
    use base64::Engine;
    let id = assertion["rawId"].as_str().unwrap();
    whatsapp_rust::passkey::Assertion {
        credential_id: base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(id).unwrap(),
        assertion_json: assertion.to_string().into_bytes(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_outlive_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { data_dir: Some(dir.path().to_owned()), ..Options::default() };
    let house = House::open_with(options.clone()).await;
    let guest = house.linked(ANA).await;
    let (certificate, address) = (house.server.certificate_der().to_vec(), house.server.address());
    let backend = guest.stop().await;
    house.server.stop().await;
    // Whoever was killed while writing leaves this, and nothing else.
    std::fs::write(dir.path().join("accounts/15550100001.new"), "{\"number\":").unwrap();

    let house = House::open_with(Options { listen: address, ..options }).await;
    assert_eq!(house.server.certificate_der(), certificate);
    let mut guest = Guest::again(&house, backend).await;
    guest.connected().await;
    assert_eq!(house.handle.devices(&number(ANA)), [33]);
    assert!(house.handle.unlink(&number(ANA), 33));
    guest.event("the end of the link", |event| matches!(event, Event::LoggedOut(_)).then_some(())).await;
    assert!(house.handle.devices(&number(ANA)).is_empty());
}
