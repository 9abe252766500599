use engine::failure::{Code, Retry};

use crate::http::failure::{Row, SOON};

/// From Vonage's list for the Messages API.
pub(super) const CODES: &[Row] = &[
    (1000..=1000, Code::RateLimited, SOON, "Too many messages in a short time."),
    (1010..=1022, Code::Rejected, Retry::Never, "The message lacks something, or a part of it cannot be used."),
    (1030..=1030, Code::ProviderUnavailable, Retry::Unknown, "Vonage failed unexpectedly."),
    (1040..=1040, Code::Rejected, Retry::Never, "Vonage cannot handle such a message."),
    (1050..=1050, Code::RecipientBlocked, Retry::Never, "The recipient's number is barred."),
    (1060..=1060, Code::AccountProblem, Retry::Stop, "Vonage has barred the account."),
    (1070..=1070, Code::AccountProblem, Retry::Stop, "The account's balance is too low."),
    (1080..=1080, Code::AccountProblem, Retry::Stop, "The account may not use this API."),
    (1090..=1090, Code::Rejected, Retry::Never, "The text is too long."),
    (1100..=1100, Code::ProviderUnavailable, Retry::BackOff, "Vonage could not hand the message on."),
    (1120..=1120, Code::AccountProblem, Retry::StopSender, "The sender is not allowed in the recipient's country."),
    (1130..=1130, Code::Rejected, Retry::Never, "The message's time to live cannot be used."),
    (1170..=1170, Code::RecipientUnreachable, Retry::Never, "The recipient is no valid phone number."),
    (1180..=1190, Code::RecipientUnreachable, Retry::Never, "The recipient's phone cannot be reached."),
    (1200..=1200, Code::RecipientUnreachable, Retry::Never, "The recipient's number belongs to another network."),
    (1210..=1210, Code::Rejected, Retry::Never, "The message was filtered out as unwanted."),
    (1220..=1220, Code::RecipientUnreachable, Retry::Never, "The recipient's phone was busy."),
    (1230..=1230, Code::RecipientUnreachable, Retry::Never, "The recipient's network failed."),
    (1240..=1240, Code::RecipientUnreachable, Retry::Never, "The recipient is no valid phone number."),
    (1241..=1241, Code::RateLimited, SOON, "Too many messages to this recipient."),
    (1250..=1260, Code::RecipientUnreachable, Retry::Never, "There is no way to the recipient."),
    (1270..=1280, Code::RecipientBlocked, Retry::Never, "The recipient's network blocks the message."),
    (1290..=1290, Code::RecipientUnreachable, Retry::Never, "The recipient's prepaid balance is too low."),
];
