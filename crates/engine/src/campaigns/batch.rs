//! What becomes of a campaign's next recipients: a message for each, or a reason.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use store::campaigns::recipients::Recipient;
use store::contacts::Address;
use store::senders::Sender;
use store::{Id, Result, Tx, Work};

use super::Campaign;
use crate::contacts::PHONE;
use crate::content::{Content, Template};
use crate::failure::{Code, Failure};
use crate::messages::{self, Consult, Echo, Terms};
use crate::{Engine, Refusal, consent, regions, senders, templates};

/// What a turn is to do with whoever it takes.
pub(super) enum Purpose {
    /// To write from this sender.
    Write(Letter),
    /// To write to nobody now, for this reason.
    Wait(String),
    /// To let them go: nothing can be sent to anybody any more.
    Refuse(Failure),
}

pub(super) struct Letter {
    sender: Arc<Sender>,
    template: Template,
    /// As the account has it.
    approved: Arc<store::templates::Template>,
}

impl Purpose {
    pub(super) async fn of(
        tx: &mut Tx,
        engine: &Engine,
        campaign: &Campaign,
        sender: Option<Arc<Sender>>,
    ) -> Result<Self> {
        let Some(sender) = sender.filter(|it| engine.provider(&it.provider).is_some()) else {
            return Ok(Self::Refuse(failure(Code::AccountProblem, "The sender is not there any more.")));
        };
        if sender.status != senders::CONNECTED {
            return Ok(Self::Wait(format!("the sender is {}", sender.status)));
        }
        let Content::Template(template) = Content::parse(&campaign.content)? else {
            return Err(store::Error::corrupt("a campaign's content"));
        };
        let found = store::templates::find(tx, &sender.account_id, None, &template.name, &template.language).await?;
        Ok(match found {
            None => Self::Refuse(failure(Code::TemplateMissing, "There is no such template.")),
            Some(found) if found.status == templates::APPROVED => {
                Self::Write(Letter { sender, template, approved: Arc::new(found) })
            }
            Some(found) => Self::without(&found.status),
        })
    }
}

/// What has become of templates that are not sent again as they stand.
const LOST: [&str; 2] = ["REJECTED", "DISABLED"];

impl Purpose {
    /// The template is in another state than approved.
    fn without(status: &str) -> Self {
        let word = status.to_lowercase();
        match LOST.contains(&status) {
            true => Self::Refuse(failure(Code::TemplateDisabled, &format!("The template is {word}."))),
            false => Self::Wait(format!("the template is {word}")),
        }
    }
}

/// What was decided about one of them.
pub(super) enum Fate {
    /// There is a message for him.
    Accepted(Id),
    Refused(Failure),
    /// Neither he nor anybody behind him can be written to now, for this reason.
    NotNow(String),
}

pub(super) struct Batch<'a> {
    pub engine: &'a Engine,
    pub campaign: &'a Campaign,
    pub purpose: &'a Purpose,
}

/// Those of a batch to whom nothing may be sent, and why.
#[derive(Default)]
pub(super) struct Spared(HashMap<Address, Refusal>);

impl Batch<'_> {
    pub(super) fn origin(&self) -> &'static str {
        self.engine.dialect(&self.campaign.origin).map_or("campaign", |dialect| dialect.name)
    }

    /// Looked up for all of them at once.
    pub(super) async fn spared(&self, tx: &mut Tx, people: &[Recipient]) -> Result<Spared> {
        let Purpose::Write(Letter { sender, .. }) = self.purpose else { return Ok(Spared::default()) };
        let mut kinds: HashMap<&str, Vec<&str>> = HashMap::new();
        for Recipient { address, .. } in people {
            kinds.entry(&address.kind).or_default().push(&address.value);
        }
        let (organization, channel, mut spared) = (&sender.organization_id, &sender.channel, HashMap::new());
        for (kind, values) in kinds {
            let address = |value| Address { kind: kind.to_owned(), value };
            let blocked = store::contacts::blocked_among(tx, organization, kind, &values).await?;
            spared.extend(blocked.into_iter().map(|value| (address(value), Refusal::Blocked)));
            let gone = store::opt_outs::among(tx, organization, kind, &values, channel, consent::MARKETING).await?;
            spared.extend(gone.into_iter().map(|value| (address(value), Refusal::OptedOut)));
        }
        Ok(Spared(spared))
    }

    pub(super) async fn decide(&self, tx: &mut Tx, to: &Recipient, spared: &Spared) -> Result<Fate> {
        let letter = match self.purpose {
            Purpose::Write(letter) => letter,
            Purpose::Wait(reason) => return Ok(Fate::NotNow(reason.clone())),
            Purpose::Refuse(failure) => return Ok(Fate::Refused(failure.clone())),
        };
        if to.address.kind == PHONE && !is_plausible(&to.address.value) {
            return Ok(Fate::Refused(failure(Code::RecipientUnreachable, "The number is not valid.")));
        }
        if let Some(refusal) = spared.0.get(&to.address) {
            return Ok(fate(refusal));
        }
        let wish = messages::send(self.engine, self.message(letter, to)).of(letter.approved.clone());
        Ok(match Box::pin(wish.run(tx)).await? {
            Ok(message) => Fate::Accepted(message.id),
            Err(refusal) => fate(&refusal),
        })
    }

    fn message(&self, letter: &Letter, to: &Recipient) -> messages::New {
        let variables: Map<String, Value> = serde_json::from_str(&to.variables).unwrap_or_default();
        let template = match self.engine.provider(&letter.sender.provider) {
            Some(provider) => provider.fill(letter.template.clone(), &variables),
            None => letter.template.clone(),
        };
        let campaign = Some(format!("{}/{}", self.campaign.id.hex24(), to.position));
        messages::New {
            sender: letter.sender.clone(),
            to: to.address.clone(),
            content: Content::Template(template),
            reply_to: None,
            provider_id: None,
            origin: self.origin(),
            request_id: self.campaign.id.hex24(),
            terms: Terms {
                // Looked up for many at once.
                opted_out: Consult::Never,
                blocked: Consult::Never,
                approved_only: true,
                echo: Echo { campaign, ..Echo::default() },
            },
        }
    }
}

/// What a refusal means: some are about the recipient, the others about everybody.
fn fate(refusal: &Refusal) -> Fate {
    match refusal {
        Refusal::OptedOut => Fate::Refused(opted_out()),
        Refusal::Blocked => Fate::Refused(failure(Code::RecipientBlocked, "The recipient is blocked.")),
        Refusal::NotConnected { .. } | Refusal::BalanceTooLow | Refusal::UnknownTemplate => {
            Fate::NotNow(refusal.to_string())
        }
        other => Fate::Refused(failure(Code::Rejected, &other.to_string())),
    }
}

pub(super) fn opted_out() -> Failure {
    failure(Code::RecipientOptedOut, "The recipient has opted out.")
}

fn failure(code: Code, message: &str) -> Failure {
    Failure { code, message: message.to_owned(), provider_code: None, details: None }
}

/// Whether somebody can have that number. Those of the area code 555 are nobody's in the world, and customers' in stories.
fn is_plausible(number: &str) -> bool {
    regions::is_valid(number) || (number.len() == 12 && number.starts_with("+1555"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plausible_or_not() {
        for (number, plausible) in [
            ("+4915112345678", true),
            ("+15550200001", true),
            ("+1555020000", false),
            ("+999123", false),
            ("15550200001", false),
            ("", false),
        ] {
            assert_eq!(is_plausible(number), plausible, "{number}");
        }
    }
}
