use bytes::Bytes;
use engine::events::MESSAGE_RECEIVED;
use engine::sessions::{CallError, State};
use sandbox_web::{Arrival, Chat, Fault, Kind, Linked};
use serde_json::{Value, json};
use testkit::on_both;
use web_wire::ask::{
    Ask, Business, Checked, Code, Download, File, Pair, Pairs, Person, Picture, PictureAsk, PictureSet, Privacy,
    Refresh, Refreshed,
};

use super::house::{ANA, BEN, CYD, House, document, jid, phone};

const NOBODY: &str = "+15550199999";

fn read<T: serde::de::DeserializeOwned>(answer: Result<Value, CallError>) -> T {
    serde_json::from_value(answer.unwrap()).unwrap()
}

on_both! {
    async fn people_are_looked_up(house: &mut House) {
        let ana = house.linked(ANA).await;
        house.web.set_registered(&phone(NOBODY), false);
        let asked = vec![BEN.to_owned(), NOBODY.into(), "nonsense".into()];
        let checked: Vec<Checked> = read(house.ask(&ana, Ask::CheckNumbers { phones: asked.clone() }).await);
        let told: Vec<_> = checked.iter().map(|it| (it.query.clone(), it.exists)).collect();
        assert_eq!(told, [(asked[0].clone(), true), (asked[1].clone(), false), (asked[2].clone(), false)]);
        assert_eq!(checked[0].address, jid(BEN));

        let people: Vec<Person> = read(house.ask(&ana, Ask::People { addresses: vec![jid(BEN)] }).await);
        assert_eq!(people[0].address, jid(BEN));
        assert!(people[0].hidden.as_ref().unwrap().is_hidden() && people[0].devices.contains(&jid(BEN)), "{people:?}");

        let pair: Option<Pair> = read(house.ask(&ana, Ask::BothAddresses { address: jid(CYD) }).await);
        let pair = pair.unwrap();
        assert_eq!(pair.phone, jid(CYD));
        let back: Option<Pair> = read(house.ask(&ana, Ask::BothAddresses { address: pair.hidden.clone() }).await);
        assert_eq!(back.unwrap().phone, jid(CYD));
        let nobody: Option<Pair> = read(house.ask(&ana, Ask::BothAddresses { address: jid(NOBODY) }).await);
        assert_eq!(nobody, None);
        let pairs: Pairs = read(house.ask(&ana, Ask::KnownPairs { limit: 1, offset: 0 }).await);
        assert!(pairs.total >= 2 && pairs.pairs.len() == 1, "{pairs:?}");

        house.web.set_business(&phone(BEN), Some("Ben's Bikes"));
        let business: Option<Business> = read(house.ask(&ana, Ask::Business { address: jid(BEN) }).await);
        assert_eq!(business.unwrap().address, jid(BEN));
        assert_eq!(house.web.stats().unknown_questions, 0);
    }

    async fn the_account_shows_itself_as_its_owner_wants(house: &mut House) {
        let ana = house.linked(ANA).await;
        house.ask(&ana, Ask::SetAbout { text: "busy".into() }).await.unwrap();
        assert_eq!(house.ask(&ana, Ask::About).await.unwrap(), "busy");
        let blob = house.keep(1, b"\xff\xd8\xff\xe0 a picture").await;
        let set: PictureSet = read(house.ask(&ana, Ask::SetPicture { blob }).await);
        let wanted = PictureAsk { address: jid(ANA), ..PictureAsk::default() };
        let picture: Option<Picture> = read(house.ask(&ana, Ask::Picture(wanted.clone())).await);
        let picture = picture.unwrap();
        assert_eq!((&picture.id, picture.kind.as_str(), picture.unchanged), (&set.id, "image", false));
        assert!(picture.url.starts_with("https://") && picture.url.ends_with(&picture.direct_path), "{picture:?}");
        let small = PictureAsk { preview: true, existing_id: Some("another".into()), ..wanted.clone() };
        let picture: Option<Picture> = read(house.ask(&ana, Ask::Picture(small)).await);
        assert!(picture.is_some_and(|picture| picture.kind == "preview" && !picture.unchanged));
        let known = PictureAsk { existing_id: Some(set.id.clone()), ..wanted.clone() };
        let picture: Option<Picture> = read(house.ask(&ana, Ask::Picture(known)).await);
        assert!(picture.is_some_and(|picture| picture.unchanged && picture.id == set.id && picture.url.is_empty()));
        house.ask(&ana, Ask::RemovePicture).await.unwrap();
        assert_eq!(house.ask(&ana, Ask::Picture(wanted)).await.unwrap(), Value::Null);
        house.ask(&ana, Ask::Presence { available: true }).await.unwrap();
        house.ask(&ana, Ask::Presence { available: false }).await.unwrap();
        let privacy: Privacy = read(house.ask(&ana, Ask::Privacy).await);
        assert_eq!((privacy.group_add.as_str(), privacy.read_receipts.as_str()), ("all", "all"));
        house.ask(&ana, Ask::Typing { chat: jid(BEN), typing: true, recording: true }).await.unwrap();
        let typed = |arrival: &Arrival| match arrival {
            Arrival::Typing { phone: at, state, .. } if *at == phone(BEN) => Some(*state),
            _ => None,
        };
        assert_eq!(house.arrival("typing", typed).await, "recording");
        house.ask(&ana, Ask::Typing { chat: jid(BEN), typing: false, recording: false }).await.unwrap();
        assert_eq!(house.arrival("typing", typed).await, "paused");
        let refreshed: Refreshed = read(
            house
                .ask(&ana, Ask::Refresh(Refresh { app_state: true, prekeys: true, privacy: true, recover: false, reconnect: true }))
                .await,
        );
        assert!(refreshed.was_logged_in && refreshed.logged_in && refreshed.app_state.len() == 5, "{refreshed:?}");
        assert!(refreshed.app_state.iter().all(|synced| synced.success), "{refreshed:?}");
        assert!(refreshed.app_state.iter().all(|synced| !synced.recovery_requested), "{refreshed:?}");
        for (recover, expected) in [(false, (false, false)), (true, (true, true))] {
            // The library's question and ours.
            house.web.add_fault(Fault { times: 2, number: Some(phone(ANA)), ..Fault::once(Kind::AppState(400)) });
            let wanted = Refresh { app_state: true, prekeys: false, privacy: false, recover, reconnect: false };
            let refreshed: Refreshed = read(house.ask(&ana, Ask::Refresh(wanted)).await);
            let first = &refreshed.app_state[0];
            assert_eq!((first.success, first.recovery_requested), expected, "{refreshed:?}");
            assert!(refreshed.app_state[1..].iter().all(|synced| synced.success), "{refreshed:?}");
        }
        assert_eq!((refreshed.prekeys.unwrap().uploaded, refreshed.privacy_fetched), (true, Some(true)));
        house.stands(&ana, State::Connected).await;
        assert_eq!(house.web.stats().unknown_questions, 0);
    }

    async fn what_is_done_to_chats_is_seen_on_all_devices(house: &mut House) {
        let ana = house.linked(ANA).await;
        let twin = house.enrol("twin").await;
        house.open(&twin).await;
        house.link(&twin, ANA).await;
        let id = house.says_text(BEN, ANA, "hi");
        house.document(MESSAGE_RECEIVED).await;
        let chat = jid(BEN);
        house.ask(&ana, Ask::SetPushName { push_name: "Ana the Second".into() }).await.unwrap();
        house.ask(&ana, Ask::SaveContact { address: jid(BEN), full_name: "Ben Bold".into() }).await.unwrap();
        assert_eq!(house.notice("Contact").await["event"]["Action"]["fullName"], "Ben Bold");
        house.ask(&ana, Ask::Pin { chat: chat.clone(), pinned: true }).await.unwrap();
        assert_eq!(house.notice("Pin").await["event"]["Action"]["pinned"], true);
        house.ask(&ana, Ask::Mute { chat: chat.clone(), muted: true, until: None }).await.unwrap();
        assert_eq!(house.notice("Mute").await["event"]["Action"]["muted"], true);
        house.ask(&ana, Ask::Archive { chat: chat.clone(), archived: true, last: None }).await.unwrap();
        assert_eq!(house.notice("Archive").await["event"]["Action"]["archived"], true);
        let star = Ask::Star { chat: chat.clone(), id: id.clone(), author: None, own: false, starred: true };
        house.ask(&ana, star).await.unwrap();
        assert_eq!(house.notice("Star").await["event"]["MessageID"], id.as_str());
        let chats = house.engine().chats(&twin.id).await.unwrap();
        assert_eq!(chats.len(), 1, "{chats:?}");
        assert_eq!((chats[0].archived, chats[0].muted_until), (true, Some(i64::MAX)));
        let people = house.engine().people(&twin.id).await.unwrap();
        assert!(people.iter().any(|person| person.full_name == "Ben Bold"), "{people:?}");

        house.ask(&ana, Ask::DeleteChat { chat, last: None }).await.unwrap();
        house.notice("DeleteChat").await;
        house.ask(&ana, Ask::RemoveContact { address: jid(BEN) }).await.unwrap();
        let all = Refresh { app_state: true, prekeys: false, privacy: false, recover: false, reconnect: false };
        let synced: Refreshed = read(house.ask(&twin, Ask::Refresh(all)).await);
        assert!(synced.app_state.iter().all(|synced| synced.success), "{synced:?}");
        // The collection still fits together after a removal that the library knows nothing of.
        house.ask(&ana, Ask::SaveContact { address: jid(CYD), full_name: "Cyd".into() }).await.unwrap();
        house.ask(&twin, Ask::Refresh(all)).await.unwrap();
        house
            .event(engine::events::SESSION_NOTICE, |event| {
                let saved = document(event)["event"]["Action"]["fullName"] == "Cyd";
                (saved && event.subject_id == twin.id).then_some(())
            })
            .await;
        assert_eq!(house.web.stats().unknown_questions, 0);
    }

    async fn a_file_is_fetched_when_somebody_asks(house: &mut House) {
        let ana = house.linked_with(ANA, json!({ "leave_files": true })).await;
        let bytes = Bytes::from(vec![3; 50_000]);
        let body = json!({ "type": "image", "image": { "link": "https://a.example/a.jpg" } });
        house.web.speak(&phone(BEN), &Chat::With(phone(ANA)), &body, Some(bytes.clone())).unwrap();
        let told = house.document(MESSAGE_RECEIVED).await;
        let image = &told["event"]["Message"]["imageMessage"];
        let text = |name: &str| image[name].as_str().unwrap_or_else(|| panic!("{name} in {image:#}")).to_owned();
        let wanted = Download {
            kind: "image".into(),
            url: Some(text("URL")),
            direct_path: None,
            media_key: text("mediaKey"),
            sha256: text("fileSHA256"),
            encrypted_sha256: Some(text("fileEncSHA256")),
            length: 50_000,
        };
        let file: File = read(house.ask(&ana, Ask::Download(wanted.clone())).await);
        assert_eq!((file.size, house.blob_of(&file.blob).await), (50_000, bytes.to_vec()));
        assert!(file.blob.starts_with("dl-") && file.blob.len() == 27, "{}", file.blob);
        // Nobody came for it: perhaps whoever asked was killed.
        provider_whatsapp_web::sweep(&house.blobs, house.clock.now()).await;
        assert_eq!(house.blob_of(&file.blob).await.len(), 50_000);
        provider_whatsapp_web::sweep(&house.blobs, house.clock.now() + 60 * 60 * 1000 + 1).await;
        assert!(house.blobs.open(&file.blob).await.is_err());
        let wrong = Download { sha256: wanted.media_key.clone(), ..wanted.clone() };
        assert!(house.ask(&ana, Ask::Download(wrong)).await.is_err());
        let elsewhere = Download { url: None, direct_path: Some("//evil.example/a".into()), ..wanted };
        assert!(matches!(house.ask(&ana, Ask::Download(elsewhere)).await, Err(CallError::Invalid(_))));
    }

    async fn an_account_is_linked_by_a_typed_code(house: &mut House) {
        let ana = house.enrol("ana").await;
        house.open(&ana).await;
        house.stands(&ana, State::AwaitingLink).await;
        let early = house.ask(&ana, Ask::About).await;
        assert!(matches!(early, Err(CallError::NotConnected)), "{early:?}");
        let code: Code = read(house.ask(&ana, Ask::PairingCode { phone: ANA.into() }).await);
        assert_eq!((code.code.len(), code.code.as_bytes()[4]), (9, b'-'));
        let shown = |session: &engine::sessions::Session| {
            session.offer.as_ref().is_some_and(|offer| offer["code"] == code.code.as_str() && offer["qr"].is_string())
        };
        house.stands_in(house.engine(), &ana, shown).await;
        assert!(matches!(house.web.link_by_code(&phone(ANA), &code.code).await, Ok(Linked::Device(33))));
        house.stands(&ana, State::Connected).await;
        let again = house.ask(&ana, Ask::PairingCode { phone: ANA.into() }).await;
        assert!(matches!(again, Err(CallError::Invalid(_))), "{again:?}");
    }

    async fn an_account_with_a_passkey_is_linked(house: &mut House) {
        house.web.demand_passkey(&phone(ANA), true).unwrap();
        let ana = house.enrol("ana").await;
        house.open(&ana).await;
        let session = house.stands(&ana, State::AwaitingLink).await;
        let code = session.offer.unwrap()["qr"].as_str().unwrap().to_owned();
        assert_eq!(house.web.link_by_qr(&phone(ANA), &code).await, Ok(Linked::PasskeyDemanded));
        let session = house.stands(&ana, State::AwaitingProof).await;
        let offer = session.offer.unwrap();
        assert!(offer["expires_at"].as_i64().unwrap() > house.clock.now());
        assert_eq!(house.notice("PairPasskeyRequest").await["event"]["challenge"], offer["challenge"]);
        let malformed = house.ask(&ana, Ask::PasskeyResponse { credential: json!({ "id": "?" }) }).await;
        assert!(matches!(malformed, Err(CallError::Invalid(_))));
        let credential = house.web.assert_passkey(&phone(ANA), &offer["challenge"]).unwrap();
        house.ask(&ana, Ask::PasskeyResponse { credential }).await.unwrap();
        let session = house.stands(&ana, State::AwaitingConfirmation).await;
        assert_eq!(session.offer.unwrap()["code"].as_str().unwrap().len(), 9);
        house.ask(&ana, Ask::PasskeyConfirm).await.unwrap();
        house.stands(&ana, State::Connected).await;
    }
}
