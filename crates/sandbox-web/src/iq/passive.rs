//! Whether a device listens, and leaving for good.

use wacore_binary::Node;

use super::{Answer, Answered, Refusal, Then};
use crate::number::Address;
use crate::stanza::Read;

/// `passive`: `<active/>` asks for everything that waits and all that comes; `<passive/>` is accepted.
pub(super) fn switch(question: &Node) -> Answered {
    let listens = question.get_optional_child("active").is_some();
    Ok(Answer::done().then(if listens { Then::Listen } else { Then::Nothing }))
}

/// `md`: a device takes itself off the account.
pub(super) fn devices(who: &Address, question: &Node) -> Answered {
    let removal = question.get_optional_child("remove-companion-device").ok_or(Refusal::NOT_IMPLEMENTED)?;
    let own = removal.jid("jid").is_none_or(|jid| jid.device == who.device || jid.device == 0);
    if own { Ok(Answer::done().then(Then::Unlink)) } else { Err(Refusal::FORBIDDEN) }
}
