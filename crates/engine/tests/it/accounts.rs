//! Accounts that an operator adds or gives new secrets: the provider is asked first.

use engine::Id;
use engine::accounts::{ACTIVE, ConnectError, NewAccount, admit};
use secrecy::ExposeSecret;
use testkit::{House, PROVIDER, on_both};

fn account(organization: Id, external_id: &str, token: &str) -> NewAccount {
    NewAccount {
        organization,
        provider: PROVIDER.into(),
        external_id: external_id.into(),
        name: external_id.into(),
        config: "{}".into(),
        secrets: format!(r#"{{"token":"{token}"}}"#).into(),
    }
}

/// As it is written down.
async fn token(house: &House, id: &Id) -> String {
    let all = house.engine.accounts_of(PROVIDER).await.unwrap();
    all.iter().find(|account| account.id == *id).unwrap().secrets.expose_secret().to_owned()
}

on_both! {
    async fn what_the_provider_does_not_accept_changes_nothing(house: &mut House) {
        let organization = house.organization.id;
        let known = house.engine.account(&house.account).await.unwrap().unwrap();
        let (name, before) = (known.external_id.clone(), token(house, &house.account).await);
        for external_id in [name.as_str(), "another"] {
            let refused = admit(&house.engine, account(organization, external_id, "dead")).await;
            assert!(matches!(refused, Err(ConnectError::Call(_))), "{external_id}");
        }
        let rows = house.engine.account_rows().await.unwrap();
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [house.account]);
        assert_eq!((rows[0].status.as_str(), token(house, &house.account).await), (ACTIVE, before));

        let admitted = admit(&house.engine, account(organization, &name, "new")).await.unwrap();
        assert_eq!((admitted.id, token(house, &house.account).await), (house.account, r#"{"token":"new"}"#.to_owned()));
        let senders: Vec<Id> = admitted.senders.iter().map(|sender| sender.id).collect();
        assert_eq!(senders, [house.sender.id, house.second_sender.id], "they stay who they are");
    }

    async fn what_belongs_to_another_organization_stays_there(house: &mut House) {
        let (neighbour, theirs, _) = house.neighbour("neighbour").await;
        let refused = admit(&house.engine, account(house.organization.id, "neighbour", "new")).await;
        assert!(matches!(refused, Err(ConnectError::Store(store::Error::Exists(_)))));
        let account = house.engine.account(&theirs).await.unwrap().unwrap();
        assert_eq!(account.organization_id, neighbour.id);
        assert_eq!(token(house, &theirs).await, r#"{"token":"t"}"#);
    }
}
