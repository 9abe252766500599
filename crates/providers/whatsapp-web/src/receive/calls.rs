//! Incoming calls: told, or turned away where the owner wants that.

use wacore::types::call::{CallAction, IncomingCall};
use web_wire::config::Rejection;
use web_wire::event::{Act, Call, Caller, Content, Happening, Node};
use web_wire::jid::Jid;

use crate::jids::ours;
use crate::session::Session;

/// `None` for the protocol's own small talk.
pub(super) fn happening(call: &IncomingCall) -> Option<Happening> {
    let remote = |text: &Option<String>| text.clone().unwrap_or_default();
    let (platform, version) = (remote(&call.platform), remote(&call.version));
    let (id, creator, group, act, video) = match &call.action {
        CallAction::Offer { call_id, call_creator, group_jid, is_video, .. } => {
            let act = Act::Offer { remote_platform: platform, remote_version: version };
            (call_id, call_creator, group_jid.as_ref(), act, *is_video)
        }
        CallAction::OfferNotice { call_id, call_creator, is_video, is_group } => {
            let media = if *is_video { "video" } else { "audio" }.to_owned();
            let kind = if *is_group { "group" } else { "" }.to_owned();
            (call_id, call_creator, None, Act::OfferNotice { media, kind }, *is_video)
        }
        CallAction::Accept { call_id, call_creator, .. } => {
            let act = Act::Accept { remote_platform: platform, remote_version: version };
            (call_id, call_creator, None, act, false)
        }
        CallAction::Reject { call_id, call_creator, .. } => (call_id, call_creator, None, Act::Reject {}, false),
        CallAction::Terminate { call_id, call_creator, reason, .. } => {
            let act = Act::Terminate { reason: reason.clone().unwrap_or_default() };
            (call_id, call_creator, None, act, false)
        }
        _ => return None,
    };
    let caller = Caller {
        from: ours(&call.from),
        timestamp: call.timestamp.into(),
        call_creator: ours(creator),
        call_creator_alt: Jid::default(),
        call_id: id.clone(),
        group: group.map(ours).unwrap_or_default(),
    };
    Some(Call { caller, act, data: Some(data(&call.action, id, creator, video)) }.into())
}

/// The stanza as far as it says more: whether it is a video call is read from its children.
fn data(action: &CallAction, id: &str, creator: &wacore_binary::Jid, video: bool) -> Node {
    let tag = match action {
        CallAction::Offer { .. } => "offer",
        CallAction::OfferNotice { .. } => "offer_notice",
        CallAction::Accept { .. } => "accept",
        CallAction::Reject { .. } => "reject",
        _ => "terminate",
    };
    let attrs = [("call-id".to_owned(), id.to_owned()), ("call-creator".to_owned(), creator.to_string())];
    let child = |tag: &str| Node { tag: tag.to_owned(), ..Node::default() };
    let mut children = vec![child("audio")];
    if video {
        children.push(child("video"));
    }
    let content = if matches!(action, CallAction::Offer { .. }) { Content::Nodes(children) } else { Content::Empty };
    Node { tag: tag.to_owned(), attrs: attrs.into_iter().collect(), content }
}

/// Turns a call away where the owner wants it, and says so to the caller; `true` when it did.
pub(super) async fn turned_away(session: &Session<'_>, call: &IncomingCall) -> bool {
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
    let config: web_wire::config::Config = serde_json::from_str(&sender.config).ok()?;
    config.reject_calls
}
