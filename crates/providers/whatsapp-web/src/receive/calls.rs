//! Incoming calls: told with what became of them, or turned away where the owner wants that.

use wacore::types::call::{CallAction, IncomingCall, MissedCall};
use web_wire::config::{Config, Rejection};
use web_wire::event::{self, Act, Call, Caller, Content, Happening, Node};
use web_wire::jid::Jid;

use super::pairs::Pairs;
use crate::jids::ours;
use crate::live::Ringing;
use crate::session::Session;

/// What a call's stanza is told as; nothing where the owner wants calls turned away.
pub(super) async fn happenings(session: &Session<'_>, call: &IncomingCall) -> Vec<Happening> {
    if turned_away(session, call).await {
        return Vec::new();
    }
    let creator = ours(call.action.call_creator());
    let mut pairs = Pairs::of(&session.live.client, &creator).await;
    if let CallAction::Offer { caller_pn: Some(phone), .. } = &call.action {
        pairs.meet(&session.live.client, &creator, &ours(phone)).await;
    }
    let caller = Caller {
        from: ours(&call.from),
        timestamp: call.timestamp.into(),
        call_creator_alt: pairs.other(&creator),
        call_creator: creator,
        call_id: call.action.call_id().to_owned(),
        group: Jid::default(),
    };
    let end = end(&session.live.ringing, &call.action, &caller);
    step(call, caller).into_iter().chain(end).collect()
}

/// A call that rang while we could not be reached.
pub(super) async fn missed(session: &Session<'_>, call: &MissedCall) -> Happening {
    let creator = ours(&call.from);
    let pairs = Pairs::of(&session.live.client, &creator).await;
    let caller = Caller {
        from: creator.clone(),
        timestamp: call.timestamp.into(),
        call_creator_alt: pairs.other(&creator),
        call_creator: creator,
        call_id: call.call_id.clone(),
        group: Jid::default(),
    };
    Happening::from(event::MissedCall { caller, reason: "offline".into() }).late()
}

/// What became of a call that rang here, when it ends.
fn end(ringing: &Ringing, action: &CallAction, caller: &Caller) -> Option<Happening> {
    let id = &caller.call_id;
    match action {
        CallAction::Offer { .. } => ringing.begin(id),
        CallAction::Terminate { reason, .. } if ringing.end(id) => {
            let (caller, elsewhere) = (caller.clone(), |caller, outcome: &str| {
                Some(event::CallEndedElsewhere { caller, outcome: outcome.to_owned() }.into())
            });
            return match reason.as_deref() {
                None | Some("timeout" | "group_call_ended") => {
                    Some(event::MissedCall { caller, reason: "remote".into() }.into())
                }
                Some("accepted_elsewhere") => elsewhere(caller, "accepted"),
                Some("rejected_elsewhere") => elsewhere(caller, "rejected"),
                Some(_) => None,
            };
        }
        _ => {}
    }
    None
}

/// `None` for the protocol's own small talk.
fn step(call: &IncomingCall, caller: Caller) -> Option<Happening> {
    let remote = |text: &Option<String>| text.clone().unwrap_or_default();
    let (remote_platform, remote_version) = (remote(&call.platform), remote(&call.version));
    let (group, act, video) = match &call.action {
        CallAction::Offer { group_jid, is_video, .. } => {
            (group_jid.as_ref(), Act::Offer { remote_platform, remote_version }, *is_video)
        }
        CallAction::OfferNotice { is_video, is_group, .. } => {
            let media = if *is_video { "video" } else { "audio" }.to_owned();
            let kind = if *is_group { "group" } else { "" }.to_owned();
            (None, Act::OfferNotice { media, kind }, *is_video)
        }
        CallAction::Accept { .. } => (None, Act::Accept { remote_platform, remote_version }, false),
        CallAction::Reject { .. } => (None, Act::Reject {}, false),
        CallAction::Terminate { reason, .. } => {
            (None, Act::Terminate { reason: reason.clone().unwrap_or_default() }, false)
        }
        CallAction::Transport { .. } => (None, Act::Transport { remote_platform, remote_version }, false),
        CallAction::RelayLatency { .. } => (None, Act::RelayLatency {}, false),
        _ => return None,
    };
    let caller = Caller { group: group.map(ours).unwrap_or_default(), ..caller };
    let data = Some(data(&call.action, &caller.call_id, video));
    Some(Call { caller, act, data }.into())
}

/// The stanza as far as it says more: whether it is a video call is read from its children.
fn data(action: &CallAction, id: &str, video: bool) -> Node {
    let creator = action.call_creator().to_string();
    let attrs = [("call-id".to_owned(), id.to_owned()), ("call-creator".to_owned(), creator)];
    let child = |tag: &str| Node { tag: tag.to_owned(), ..Node::default() };
    let mut children = vec![child("audio")];
    if video {
        children.push(child("video"));
    }
    let content = if matches!(action, CallAction::Offer { .. }) { Content::Nodes(children) } else { Content::Empty };
    Node { tag: action.wire_tag().to_owned(), attrs: attrs.into_iter().collect(), content }
}

/// Turns a call away where the owner wants it, and says so to the caller; `true` when it did.
async fn turned_away(session: &Session<'_>, call: &IncomingCall) -> bool {
    let Some(rejection) = rejection(session).await else { return false };
    let CallAction::Offer { call_id, call_creator, .. } = &call.action else {
        // What follows an offer that was turned away is of no interest either.
        return true;
    };
    let client = &session.live.client;
    if let Err(error) = client.voip().reject_call(call_id, &call.from, call_creator).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a call could not be turned away");
        return true;
    }
    if let Some(text) = rejection.message
        && let Err(error) = client.send_text(call.from.to_non_ad(), text).await
    {
        tracing::warn!(error = &error as &dyn std::error::Error, "a caller could not be told that calls are not taken");
    }
    true
}

/// As it is set now, not as it was when the session was opened.
async fn rejection(session: &Session<'_>) -> Option<Rejection> {
    let sender = session.engine.sender_by_id(&session.opened.sender.id).await.ok()??;
    Config::read(&sender.config).reject_calls
}
