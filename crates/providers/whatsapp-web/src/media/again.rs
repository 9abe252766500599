//! Asking the phone to upload a file again.
//!
//! The wish is a receipt about the message, sealed under the file's own key; the phone's answer is a notification, sealed
//! the same way, with the file's new path or the phone's reason not to. A phone that is off answers when it is back: the
//! fetch is tried again later, with growing pauses.

use std::time::Duration;

use base64::Engine as _;
use engine::provider::FetchError;
use engine::sessions::Change;
use wacore::media_retry::{
    MediaRetryResult, build_media_retry_receipt, encrypt_media_retry_receipt, parse_media_retry_notification,
};
use wacore_binary::{NodeContentRef, NodeRef};
use web_wire::event::{Happening, MediaRetry, MediaRetryError, Time};
use web_wire::jid::Jid;
use whatsapp_rust::NodeFilter;

use super::{Origin, gone};
use crate::jids::theirs;
use crate::live::Connection;
use crate::receive;

/// How long a phone that is on may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the file lies now.
pub(super) async fn ask(live: &Connection, origin: &Origin, media_key: &str) -> Result<String, FetchError> {
    let later = |why: &str| FetchError::Later(why.into());
    let key = base64::engine::general_purpose::STANDARD.decode(media_key).map_err(|_| gone("its key is not valid"))?;
    let (sealed, iv) = encrypt_media_retry_receipt(&key, &origin.id).map_err(|_| gone("its key is not valid"))?;
    let me = live.client.pn().ok_or_else(|| later("the account is not connected"))?;
    let author = (!origin.chat.is_person()).then(|| theirs(&origin.author));
    let (chat, author) = (theirs(&origin.chat), author.as_ref());
    let wish = build_media_retry_receipt(&me, &origin.id, &chat, origin.own, author, &sealed, &iv);
    // Listening comes first: the answer may be quick.
    let answer = live
        .client
        .wait_for_node(NodeFilter::tag("notification").attr("type", "mediaretry").attr("id", origin.id.as_str()));
    live.client.send_node(wish).await.map_err(|error| later(&error.to_string()))?;
    let answer = tokio::select! {
        answer = answer => answer.map_err(|_| later("the connection ended before the phone answered"))?,
        () = live.clock.sleep(PATIENCE) => return Err(later("the phone did not answer when asked for the file again")),
    };
    tell(live, origin, answer.get()).await;
    match parse_media_retry_notification(answer.get(), &key) {
        Ok(MediaRetryResult::Success { direct_path }) => Ok(direct_path),
        Ok(MediaRetryResult::NotFound) => Err(gone("neither WhatsApp nor the phone has the file any more")),
        Ok(MediaRetryResult::DecryptionError) => Err(gone("the phone could not read the wish for the file")),
        Ok(MediaRetryResult::GeneralError) => Err(later("the phone could not upload the file again")),
        Err(error) => Err(later(&format!("the phone's answer cannot be read: {error}"))),
    }
}

/// Those who listen for it hear the answer as it came.
async fn tell(live: &Connection, origin: &Origin, answer: &NodeRef<'_>) {
    let sealed = |name: &str| match &answer.get_optional_child_by_tag(&["encrypt", name])?.content {
        Some(NodeContentRef::Bytes(bytes)) => Some(bytes.to_vec()),
        _ => None,
    };
    let error = answer.get_optional_child("error");
    let error = error.map(|error| error.attrs().optional_u64("code").and_then(|code| i64::try_from(code).ok()));
    let told = MediaRetry {
        ciphertext: sealed("enc_p"),
        iv: sealed("enc_iv"),
        error: error.map(|code| MediaRetryError { code: code.unwrap_or_default() }),
        timestamp: answer
            .attrs()
            .optional_u64("t")
            .map_or_else(Time::default, |at| Time::from_secs(i64::try_from(at).unwrap_or_default())),
        message_id: origin.id.clone(),
        chat: origin.chat.clone(),
        sender: if origin.chat.is_person() { Jid::default() } else { origin.author.clone() },
        from_me: origin.own,
    };
    let notices = vec![receive::notice(&Happening::from(told))];
    if let Err(error) = live.teller.tell(Change { notices, ..Change::default() }).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a phone's answer could not be told");
    }
}
