//! What changed about templates, people's wishes and addresses, senders and accounts.

use store::{Id, Result, Tx};

use super::{Intake, clean};
use crate::consent::{self, Wish};
use crate::events::{self, ChangeData, IdentityData, Note};
use crate::facts;

impl Intake<'_> {
    pub(super) async fn template(&mut self, tx: &mut Tx, fact: &facts::TemplateChange) -> Result<()> {
        let Some(account) = self.account(&fact.account) else { return Ok(()) };
        let found =
            store::templates::find(tx, &account.id, Some(&fact.external_id), &fact.name, &fact.language).await?;
        let subject = found.as_ref().map_or(account.id, |template| template.id);
        match found {
            Some(mut template) if !fact.reload => {
                template.status = fact.status.clone().unwrap_or(template.status);
                template.status_reason =
                    fact.reason.clone().or(template.status_reason.filter(|_| fact.status.is_none()));
                template.category = fact.category.clone().unwrap_or(template.category);
                template.quality = fact.quality.clone().or(template.quality);
                template.updated_at = self.engine.now();
                store::templates::put(tx, &template).await?;
            }
            // Unknown here, or more changed than was told: the provider is asked.
            _ => crate::templates::sync::soon(tx, self.engine, &account).await?,
        }
        self.followed.files = true;
        let data = ChangeData { name: fact.name.clone(), status: fact.status.clone(), reason: fact.reason.clone() };
        let note = Note::new(&account.organization_id, events::TEMPLATE_UPDATED, &subject)
            .with_document(fact.document.clone());
        events::append(tx, self.engine, note, &data).await.map(drop)
    }

    pub(super) async fn preference(&mut self, tx: &mut Tx, fact: &facts::Preference) -> Result<()> {
        let Some(sender) = self.sender(tx, &fact.sender).await? else { return Ok(()) };
        let from = clean(&fact.from);
        if from.is_empty() {
            return Ok(());
        }
        let (contact, _) = crate::contacts::ensure(tx, self.engine, &sender, &from, None).await?;
        let organization = &sender.organization_id;
        let data = ChangeData {
            name: fact.purpose.clone(),
            status: Some(if fact.wanted { "wanted" } else { "unwanted" }.into()),
            reason: None,
        };
        let wish = Wish {
            organization: *organization,
            addresses: from,
            channel: sender.channel.clone(),
            purpose: fact.purpose.clone(),
            wanted: fact.wanted,
            source: consent::BY_PROVIDER,
            proof: None,
            region: None,
        };
        consent::enter(tx, self.engine, &wish).await?;
        let note = Note::new(organization, events::ACCOUNT_NOTICE, &contact)
            .of_sender(&sender.id)
            .with_document(fact.document.clone());
        events::append(tx, self.engine, note, &data).await.map(drop)
    }

    pub(super) async fn identity(&mut self, tx: &mut Tx, fact: &facts::IdentityChange) -> Result<()> {
        let Some(sender) = self.sender(tx, &fact.sender).await? else { return Ok(()) };
        let (old, new) = (clean(&fact.old), clean(&fact.new));
        let Some(contact) = self.holder(tx, &sender.organization_id, &old).await? else { return Ok(()) };
        let organization = &sender.organization_id;
        let known = store::contacts::addresses(tx, &contact).await?;
        if new.iter().all(|address| known.contains(address)) {
            return Ok(());
        }
        for address in &new {
            let added = store::contacts::add_address(
                tx,
                organization,
                &contact,
                &address.kind,
                &address.value,
                self.engine.now(),
            )
            .await?;
            // A person has one address of a kind; the old one may be somebody else's tomorrow.
            for gone in old.iter().filter(|gone| added && gone.kind == address.kind) {
                consent::follow(tx, self.engine, organization, gone, address).await?;
                store::contacts::remove_address(tx, organization, &gone.kind, &gone.value).await?;
            }
        }
        let pairs = |addresses: &[crate::contacts::Address]| {
            addresses.iter().map(|address| (address.kind.clone(), address.value.clone())).collect()
        };
        let data = IdentityData { old: pairs(&old), new: pairs(&new) };
        let note = Note::new(organization, events::CONTACT_IDENTITY_UPDATED, &contact)
            .of_sender(&sender.id)
            .with_document(fact.document.clone());
        events::append(tx, self.engine, note, &data).await.map(drop)
    }

    async fn holder(
        &self,
        tx: &mut Tx,
        organization: &Id,
        addresses: &[crate::contacts::Address],
    ) -> Result<Option<Id>> {
        for address in addresses {
            if let Some(found) = store::contacts::by_address(tx, organization, &address.kind, &address.value).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    pub(super) async fn sender_change(&mut self, tx: &mut Tx, fact: &facts::SenderChange) -> Result<()> {
        let Some(account) = self.account(&fact.account) else { return Ok(()) };
        let senders = store::senders::list(tx, None, Some(&account.id)).await?;
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let named = |sender: &&store::senders::Sender| {
            sender.external_id == fact.sender || digits(&sender.address) == digits(&fact.sender)
        };
        let Some(sender) = senders.iter().find(named) else { return Ok(()) };
        if let Some(status) = &fact.status {
            store::senders::set_status(tx, &sender.id, status, fact.reason.as_deref(), self.engine.now()).await?;
            store::settings::touch_caches(tx).await?;
            self.followed.changed_senders = true;
        }
        let data = ChangeData { name: fact.what.clone(), status: fact.status.clone(), reason: fact.reason.clone() };
        let note = Note::new(&account.organization_id, events::SENDER_UPDATED, &sender.id)
            .of_sender(&sender.id)
            .with_document(fact.document.clone());
        events::append(tx, self.engine, note, &data).await.map(drop)
    }

    pub(super) async fn person(&mut self, tx: &mut Tx, fact: &facts::PersonNames) -> Result<()> {
        let Some(sender) = self.sender(tx, &fact.sender).await? else { return Ok(()) };
        store::people::name(tx, &sender.id, &fact.address, &fact.names, self.engine.now()).await
    }

    pub(super) async fn chat(&mut self, tx: &mut Tx, fact: &facts::ChatStanding) -> Result<()> {
        let Some(sender) = self.sender(tx, &fact.sender).await? else { return Ok(()) };
        match &fact.standing {
            Some(standing) => store::people::stand(tx, &sender.id, &fact.address, standing, self.engine.now()).await,
            None => store::people::forget(tx, &sender.id, &fact.address).await,
        }
    }

    pub(super) async fn told(&mut self, tx: &mut Tx, fact: &facts::Told) -> Result<()> {
        let Some(sender) = self.sender(tx, &fact.sender).await? else { return Ok(()) };
        if !store::sessions::guard(tx, &sender.id, fact.fence).await? {
            return Ok(());
        }
        let notices = std::slice::from_ref(&fact.notice);
        crate::sessions::note(tx, self.engine, &sender.organization_id, &sender.id, notices).await
    }

    pub(super) async fn notice(&mut self, tx: &mut Tx, fact: &facts::Notice) -> Result<()> {
        let Some(account) = self.account(&fact.account) else { return Ok(()) };
        let data = ChangeData { name: fact.name.clone(), status: None, reason: None };
        let note = Note::new(&account.organization_id, events::ACCOUNT_NOTICE, &account.id)
            .with_document(fact.document.clone());
        events::append(tx, self.engine, note, &data).await.map(drop)
    }
}
