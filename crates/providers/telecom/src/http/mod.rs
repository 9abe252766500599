//! Carriers with an HTTP API: Twilio, Telnyx and Vonage, each for SMS and for spoken codes.
//!
//! Who acts: a message is one request ([`errand`]); what becomes of it, and what people write, is pushed to
//! `/webhooks/{provider}/{account}` and believed only with the carrier's signature ([`push`]). One file per carrier says
//! what differs ([`api::Api`]); everything else is here once. Calls to numbers that wait for a code are listened to where the
//! carrier can ([`incoming`]). A carrier that serves both channels is two providers
//! (`twilio` and `twilio-voice`, …), each with an account row of its own and the same credentials in both.
//!
//! What is promised: a push is answered 200 only when what it says is committed. Every failure of a request says whether
//! it may be repeated ([`failure`]): a request without an answer never is, unless the engine decides so after having
//! waited for a receipt that carries our id. All three carriers hand our id back, Telnyx also refuses to take the same
//! message twice within a day.
//!
//! On a crash: nothing is kept here but the accounts, for a second at a time. A request under way is *unknown* to the
//! engine; a push that was not answered comes again.

mod account;
mod accounts;
mod api;
mod errand;
mod facts;
mod failure;
mod incoming;
mod numbers;
mod push;
mod spoken;
mod telnyx;
mod trade;
mod twilio;
mod vonage;

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use engine::content::Content;
use engine::failure::{Code, Retry, SendError};
use engine::numbers::Shop;
use engine::provider::{Account, Outgoing, Pace, Provider, Push, Sent};
use engine::senders::Sender;
use futures_util::future::BoxFuture;

pub use account::Unusable;
use accounts::Accounts;
use api::Api;
use errand::Errand;
use secrecy::SecretString;

/// What the providers work with.
#[derive(Clone)]
pub struct Options {
    /// See [`net::plain_client`].
    pub client: reqwest::Client,
    /// Our origin as carriers reach it, without a slash at the end.
    pub public_url: String,
    pub clock: engine::Clock,
    /// For a request.
    pub timeout: Duration,
}

impl Options {
    #[must_use]
    pub fn new(client: reqwest::Client, public_url: impl Into<String>, clock: engine::Clock) -> Self {
        Self { client, public_url: public_url.into(), clock, timeout: Duration::from_secs(30) }
    }
}

/// All of them: `twilio`, `telnyx` and `vonage` for channel `sms`, the same with `-voice` for channel `voice`.
#[must_use]
pub fn providers(options: &Options) -> Vec<Arc<dyn Provider>> {
    let (sms, voice) = (Channel::Sms, Channel::Voice);
    vec![
        Carrier::<twilio::Twilio>::made(options, sms),
        Carrier::<twilio::Twilio>::made(options, voice),
        Carrier::<telnyx::Telnyx>::made(options, sms),
        Carrier::<telnyx::Telnyx>::made(options, voice),
        Carrier::<vonage::Vonage>::made(options, sms),
        Carrier::<vonage::Vonage>::made(options, voice),
    ]
}

/// Whether an account's two JSON texts are what a provider of these needs; `None` for any other provider.
#[must_use]
pub fn check(provider: &str, config: &str, secrets: &SecretString) -> Option<Result<(), Unusable>> {
    let named = |names: [&str; 2]| names.contains(&provider);
    if named(twilio::Twilio::NAMES) {
        Some(twilio::Twilio::read(config, secrets).map(drop))
    } else if named(telnyx::Telnyx::NAMES) {
        Some(telnyx::Telnyx::read(config, secrets).map(drop))
    } else if named(vonage::Vonage::NAMES) {
        Some(vonage::Vonage::read(config, secrets).map(drop))
    } else {
        None
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Sms,
    Voice,
}

/// One carrier's API for one channel.
pub(crate) struct Carrier<A> {
    channel: Channel,
    options: Options,
    accounts: Accounts,
    api: PhantomData<A>,
}

impl<A: Api> Carrier<A> {
    fn made(options: &Options, channel: Channel) -> Arc<dyn Provider> {
        Arc::new(Self { channel, options: options.clone(), accounts: Accounts::default(), api: PhantomData })
    }

    /// Of two things, the one for this channel.
    fn of<T: Copy>(&self, [sms, voice]: [T; 2]) -> T {
        match self.channel {
            Channel::Sms => sms,
            Channel::Voice => voice,
        }
    }

    async fn hand_over(&self, account: &Account, sender: &Sender, message: &Outgoing) -> Result<Sent, SendError> {
        let access = A::read(&account.config, &account.secrets).map_err(|error| SendError {
            retry: Retry::Stop,
            ..SendError::refused(Code::AccountProblem, error.to_string())
        })?;
        let errand = Errand::new(&self.options, self.of(A::NAMES), account, sender, message)?;
        let request = match (self.channel, &message.content) {
            (Channel::Sms, Content::Text { body, .. }) => A::sms(&access, &errand, body)?,
            (Channel::Voice, Content::Speech { text, language }) => A::call(&access, &errand, text, language)?,
            _ => {
                return Err(SendError::refused(
                    Code::Rejected,
                    "This kind of message cannot be sent over this channel.",
                ));
            }
        };
        let answer = errand::perform(request).await?;
        if !answer.is_success() {
            return Err(failure::of_refusal(A::CODES, A::refusal(&answer)));
        }
        match A::name(&answer.body) {
            Some(name) if !name.is_empty() => Ok(Sent::one(name)),
            _ => Err(SendError::unknown("The carrier's answer names no message.")),
        }
    }
}

impl<A: Api> Provider for Carrier<A> {
    fn name(&self) -> &'static str {
        self.of(A::NAMES)
    }

    fn channel(&self) -> &'static str {
        self.of(["sms", "voice"])
    }

    fn pace(&self) -> Pace {
        Pace { per_second: self.of(A::PER_SECOND), pair: None }
    }

    fn window(&self) -> Option<Duration> {
        None
    }

    fn send<'a>(
        &'a self,
        account: &'a Account,
        sender: &'a Sender,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(self.hand_over(account, sender, message))
    }

    /// A call is one, however long it is.
    fn units(&self, content: &Content) -> i64 {
        crate::parts(content)
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }

    /// Numbers are sold once, by the account for texts.
    fn shop(&self) -> Option<&dyn Shop> {
        A::shop(self).filter(|_| self.channel == Channel::Sms)
    }
}
