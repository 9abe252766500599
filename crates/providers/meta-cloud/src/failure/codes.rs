use std::ops::RangeInclusive;

use engine::failure::Code;

/// In order; the first row that holds the code counts.
pub(super) const CODES: &[(RangeInclusive<i64>, Code, &str)] = &[
    (0..=0, Code::AccountProblem, "Meta does not accept the access token."),
    (1..=2, Code::ProviderUnavailable, "Meta's API is failing at the moment."),
    (3..=3, Code::AccountProblem, "The access token lacks a permission."),
    (4..=4, Code::RateLimited, "The app made too many calls."),
    (10..=10, Code::AccountProblem, "The access token lacks a permission."),
    (33..=33, Code::Rejected, "The sending number no longer exists at Meta."),
    (190..=190, Code::AccountProblem, "The access token has expired or was revoked."),
    (200..=299, Code::AccountProblem, "The access token lacks a permission."),
    (368..=368, Code::AccountProblem, "Meta has blocked the account for a time because of its policies."),
    (613..=613, Code::RateLimited, "Too many calls in a short time."),
    (80007..=80007, Code::RateLimited, "The account made too many calls."),
    (130403..=130403, Code::RecipientBlocked, "The recipient is on this number's block list."),
    (130429..=130429, Code::RateLimited, "The number sends more messages per second than it may."),
    (
        130472..=130472,
        Code::RecipientUnreachable,
        "The recipient takes part in an experiment of Meta's and gets no marketing messages.",
    ),
    (130497..=130497, Code::AccountProblem, "The account may not write to the recipient's country."),
    (131000..=131000, Code::ProviderUnavailable, "Meta failed for a reason that it does not tell."),
    (131005..=131005, Code::AccountProblem, "The access token lacks a permission."),
    (131016..=131016, Code::ProviderUnavailable, "A service of Meta's is unavailable."),
    (131021..=131021, Code::Rejected, "The sender and the recipient are the same number."),
    (131026..=131026, Code::RecipientUnreachable, "The recipient cannot be reached on WhatsApp."),
    (131030..=131030, Code::Rejected, "The recipient is not on the test number's list."),
    (131031..=131031, Code::AccountProblem, "Meta has locked the account."),
    (131037..=131037, Code::AccountProblem, "The number's display name must be approved first."),
    (131042..=131042, Code::AccountProblem, "There is a problem with the account's payment method."),
    (131045..=131045, Code::AccountProblem, "The number is not registered properly."),
    (
        131047..=131047,
        Code::OutsideWindow,
        "More than 24 hours have passed since the recipient last wrote; only a template can be sent.",
    ),
    (131048..=131048, Code::RateLimited, "Too many of the number's messages were blocked or marked as spam."),
    (131049..=131049, Code::RateLimited, "Meta held the message back, so that the recipient does not get too many."),
    (131050..=131050, Code::RecipientOptedOut, "The recipient does not want marketing messages from this number."),
    (131052..=131053, Code::MediaFailed, "Meta could not fetch or use the file."),
    (131056..=131056, Code::RateLimited, "Too many messages went to this recipient in a short time."),
    (131057..=131057, Code::ProviderUnavailable, "The number is under maintenance at Meta."),
    (131063..=131063, Code::AccountProblem, "Marketing messages are switched off for this account."),
    (131064..=131064, Code::RateLimited, "Meta limits the account because its templates were in the wrong category."),
    (132000..=132000, Code::TemplateParameterCount, "The template takes another number of values."),
    (132001..=132001, Code::TemplateMissing, "There is no such approved template in this language."),
    (132012..=132012, Code::TemplateParameterFormat, "A value has not the form that the template asks for."),
    (132015..=132015, Code::TemplatePaused, "The template is paused because of its low quality."),
    (132016..=132016, Code::TemplateDisabled, "The template is disabled because of its low quality."),
    (132068..=132069, Code::AccountProblem, "The flow is blocked or throttled."),
    (133000..=133000, Code::AccountProblem, "The number is half deregistered: deregister it again."),
    (133004..=133004, Code::ProviderUnavailable, "A server of Meta's is unavailable."),
    (133006..=133006, Code::AccountProblem, "The number must be verified first."),
    (133008..=133009, Code::RateLimited, "The number's PIN was guessed too often."),
    (133010..=133010, Code::AccountProblem, "The number is not registered with the Cloud API."),
    (133015..=133016, Code::RateLimited, "The number was registered or deleted too often or too recently."),
    (134011..=134011, Code::AccountProblem, "The terms for payments have not been accepted."),
    (134101..=134101, Code::RateLimited, "The template is not ready for marketing messages yet."),
    (134102..=134102, Code::AccountProblem, "The template cannot be used for marketing messages."),
    (138000..=138000, Code::AccountProblem, "Calling is not enabled for the number."),
];

/// Account problems that concern one kind of message or recipient: others can go on meanwhile.
pub(super) const PARTIAL: &[i64] = &[130_497, 131_063, 132_068, 132_069, 134_011, 134_102, 138_000];

/// Account errors that concern one number; the account's others go on.
pub(super) const NUMBER: &[i64] = &[131_037, 131_045, 133_000, 133_006, 133_010];
