use engine::failure::{Code, Retry};

use crate::http::failure::{LATER, Row, SOON};

/// From Telnyx's references of API errors and of messaging errors.
pub(super) const CODES: &[Row] = &[
    (10001..=10002, Code::RecipientUnreachable, Retry::Never, "The phone number is invalid or not in service."),
    (10007..=10007, Code::OutcomeUnknown, Retry::Unknown, "Telnyx failed unexpectedly."),
    (10008..=10008, Code::OutcomeUnknown, Retry::Unknown, "Telnyx did not finish in time."),
    (10009..=10009, Code::AccountProblem, Retry::Stop, "Telnyx does not accept the API key."),
    (10010..=10010, Code::AccountProblem, Retry::Stop, "The API key lacks a permission."),
    (10011..=10011, Code::RateLimited, SOON, "Too many requests in a short time."),
    (10016..=10016, Code::RecipientUnreachable, Retry::Never, "The phone number is not in international form."),
    (20000..=20099, Code::AccountProblem, Retry::Stop, "The API key or the account is not active."),
    (20100..=20100, Code::AccountProblem, Retry::Stop, "The account's balance is too low."),
    (40001..=40001, Code::RecipientUnreachable, Retry::Never, "The recipient is a landline or cannot be reached."),
    (40002..=40002, Code::Rejected, Retry::Never, "The message was filtered out as unwanted."),
    (40003..=40003, Code::AccountProblem, Retry::StopSender, "The network has blocked the sender for good."),
    (40004..=40004, Code::RecipientUnreachable, Retry::Never, "The recipient's network refused the message."),
    (40005..=40005, Code::Expired, Retry::Never, "The message could not be delivered in time."),
    (40006..=40006, Code::RecipientUnreachable, Retry::Never, "The recipient's network cannot be reached."),
    (40008..=40008, Code::RecipientUnreachable, Retry::Never, "The recipient's network did not take the message."),
    (40009..=40009, Code::Rejected, Retry::Never, "The network cannot take such a text."),
    (40010..=40010, Code::AccountProblem, Retry::StopSender, "The sender must be registered with the networks first."),
    (40011..=40011, Code::RateLimited, SOON, "Too many messages in a short time."),
    (40012..=40012, Code::RecipientUnreachable, Retry::Never, "The recipient's number is not valid."),
    (40013..=40013, Code::AccountProblem, Retry::StopSender, "The sender is no valid number or name."),
    (40014..=40014, Code::Expired, Retry::Never, "The message waited too long at Telnyx."),
    (40015..=40016, Code::Rejected, Retry::Never, "The message was filtered out as unwanted."),
    (40300..=40300, Code::RecipientOptedOut, Retry::Never, "The recipient has stopped messages from this sender."),
    (40301..=40304, Code::Rejected, Retry::Never, "The message is too long or of a kind that cannot be sent."),
    (40305..=40306, Code::AccountProblem, Retry::StopSender, "The sender is no number or name of the account."),
    (40309..=40309, Code::Rejected, Retry::Never, "The account may not write to the recipient's country."),
    (40310..=40310, Code::RecipientUnreachable, Retry::Never, "The recipient is no valid phone number."),
    (40311..=40315, Code::AccountProblem, Retry::Stop, "The messaging profile is missing or switched off."),
    (40316..=40317, Code::Rejected, Retry::Never, "The message has no text, or none that can be sent."),
    (40318..=40318, Code::RateLimited, SOON, "Too many messages wait at Telnyx."),
    (40333..=40333, Code::AccountProblem, LATER, "The messaging profile has reached its spending limit."),
];
