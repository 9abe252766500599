//! What the client's own end-to-end suite asks of its server: a phone that scans by HTTP, and push names that select scenarios.

use whatsapp_rust::Jid;
use whatsapp_rust::types::events::Event;

use crate::house::{Guest, House, Web, words};

/// A client with this push name, taken in by whichever phone scans for it; and that phone's number.
async fn scanned(house: &House, name: &str) -> (Guest, Jid) {
    let web = Web::new(house.server.certificate_der());
    let mut guest = Guest::named(house, name).await;
    let url = format!("{}/mock-phone/scan-qr", house.server.admin_url());
    let (status, number) = web.post(url, guest.qr().await).await;
    assert_eq!(status, 200, "{number}");
    guest.ready().await;
    (guest, Jid::pn(number.trim().trim_start_matches('+')))
}

/// What the server says to a message: nothing, or an error.
async fn verdict(guest: &mut Guest, to: &Jid, text: &str) -> Option<String> {
    let sent = guest.client.send_message(to.clone(), words(text)).await.unwrap();
    guest
        .event("an acknowledgement", |event| match event {
            Event::ServerAck(ack) if ack.id == sent.message_id => Some(ack.error.as_ref().map(ToString::to_string)),
            _ => None,
        })
        .await
}

const KEPT_OUT: Option<&str> = Some("463");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_one_name_share_a_phone_and_others_get_fresh_ones() {
    let house = House::open().await;
    let mut numbers = Vec::new();
    for name in ["e2e_5b1c", "e2e_77aa", "e2e_5b1c", "", ""] {
        numbers.push(scanned(&house, name).await.1.user.to_string());
    }
    let [one, two, again, nameless, other] = &numbers[..] else { unreachable!() };
    assert_eq!(one, again);
    let fresh: std::collections::BTreeSet<_> = [one, two, nameless, other].into();
    assert_eq!(fresh.len(), 4, "{numbers:?}");

    let web = Web::new(house.server.certificate_der());
    let scan = format!("{}/mock-phone/scan-qr", house.server.admin_url());
    assert_eq!(web.post(scan.clone(), "2@x,y".into()).await.0, 400);
    let mut gone = Guest::new(&house).await;
    let stale = gone.qr().await;
    gone.stop().await;
    assert_ne!(web.post(scan, stale).await.0, 200, "the client is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_name_is_given_one_by_the_phone() {
    let house = House::open().await;
    let (mut guest, number) = scanned(&house, "").await;
    let named = guest
        .event("a name", |event| match event {
            Event::SelfPushNameUpdated(it) => Some(it.new_name.clone()),
            _ => None,
        })
        .await;
    assert_eq!(named, format!("Phone {}", &number.user[number.user.len() - 4..]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restricted_account_admits_strangers_by_the_salt_they_were_given() {
    let house = House::open().await;
    let (_open, open) = scanned(&house, "scenario:restricted=0:open").await;
    let (_guarded, guarded) = scanned(&house, "restricted:guarded").await;
    let (_deaf, deaf) = scanned(&house, "scenario:restricted,cs_enabled=0:deaf").await;
    for (visitor, admitted) in [
        ("plain", true),
        ("scenario:nct_send_ab=0:1", false),
        ("scenario:nct_history_ab=0:2", false),
        ("scenario:nct_history_delivery=0:3", false),
        ("scenario:nct_history_delivery=0,nct_syncd_delivery=1:4", true),
        ("scenario:nct_history_delivery=0,nct_syncd_delivery=1,nct_syncd_ab=0:5", false),
    ] {
        let (mut guest, _) = scanned(&house, visitor).await;
        let said = verdict(&mut guest, &guarded, "let me in").await;
        assert_eq!(said.as_deref(), if admitted { None } else { KEPT_OUT }, "{visitor}");
        assert_eq!(verdict(&mut guest, &open, "hello").await, None, "{visitor}");
        let said = verdict(&mut guest, &deaf, "let me in").await;
        assert_eq!(said.as_deref(), KEPT_OUT, "{visitor} at one who takes no salt");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_a_restricted_account_writes_to_may_answer_if_its_tokens_count() {
    let house = House::open().await;
    // Neither has a salt: only the token that the other gave can let it in.
    let saltless = "scenario:nct_send_ab=0:visitor";
    for (host, counts) in [("scenario:restricted:host", true), ("scenario:restricted,tc_enabled=0:deaf", false)] {
        let ((mut host, address), (mut guest, visitor)) =
            (scanned(&house, host).await, scanned(&house, saltless).await);
        assert_eq!(verdict(&mut guest, &address, "let me in").await.as_deref(), KEPT_OUT);
        host.client.send_message(visitor, words("come in")).await.unwrap();
        assert_eq!(guest.text().await, "come in");
        // The token follows some moments later; without one nothing changes.
        let mut said = verdict(&mut guest, &address, "thank you").await;
        for _ in 0..300 {
            if !counts || said.is_none() {
                break;
            }
            said = verdict(&mut guest, &address, "thank you").await;
        }
        assert_eq!(said.is_none(), counts);
        if counts {
            assert_eq!(host.text().await, "thank you");
        }
        guest.stop().await;
    }
}
