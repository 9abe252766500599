/// Why a use case was not carried out. Nothing of it is stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It does not exist, or belongs to somebody else.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A field, in the engine's words, and why its value cannot be taken.
    #[error("{field}: {why}")]
    Invalid { field: &'static str, why: String },
    /// Something with this field's value exists.
    #[error("there is already something with this {field}")]
    Taken { field: &'static str },
    /// The sender cannot send now.
    #[error("the sender is {status}")]
    NotConnected { status: String, reason: Option<String> },
    /// The recipient does not want this.
    #[error("the recipient has opted out")]
    OptedOut,
    /// We do not want to write to the recipient.
    #[error("the recipient is blocked")]
    Blocked,
    /// The organization's money does not suffice.
    #[error("the balance does not suffice")]
    BalanceTooLow,
    /// No approved template of this name and language.
    #[error("there is no such template")]
    UnknownTemplate,
    /// The subscription was disabled.
    #[error("the subscription is disabled")]
    Disabled,
    /// There are as many as there may be.
    #[error("there are as many {0} as there may be")]
    Full(&'static str),
    /// A subscription must keep one live secret.
    #[error("this is the last live secret")]
    LastSecret,
}
