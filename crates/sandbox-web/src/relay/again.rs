//! Files that are gone from the media server: a device asks its phone, which uploads them again if it has them.

use rand_10::RngExt;
use wacore::media_retry::decrypt_media_retry_notification;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use wacore_libsignal::crypto::aes_256_gcm_encrypt;
use waproto::buffa::Message as _;
use waproto::whatsapp as wa;
use waproto::whatsapp::media_retry_notification::ResultType;

use crate::number::{Address, Naming};
use crate::phone::media;
use crate::stanza::{Read, bytes, error, wrap};
use crate::state::World;

/// What the key of such answers is made for.
const PURPOSE: &[u8] = b"WhatsApp Media Retry Notification";
/// The answers' words for what went wrong.
const NOT_FOUND: u16 = 2;
const UNREADABLE: u16 = 3;

impl World {
    /// A phone that is switched off says nothing.
    pub(super) fn ask_for_file(&mut self, who: &Address, wish: &Node) {
        let (Some(id), Some(about)) = (wish.text("id"), wish.get_optional_child("rmr")) else { return };
        if !self.accounts.get(&who.number).is_some_and(|account| account.online) {
            return;
        }
        let content = match self.upload_again(who, &id, wish) {
            Ok(sealed) => sealed,
            Err(code) => error(code, "no"),
        };
        let Some(account) = self.accounts.get(&who.number) else { return };
        let answer = NodeBuilder::new("notification")
            .attr("type", "mediaretry")
            .attr("id", id)
            .attr("from", account.user(Naming::Phone))
            .attr("t", self.now_s())
            .children([content, about.clone()])
            .build();
        self.deliver(who, answer);
    }

    fn upload_again(&mut self, who: &Address, id: &str, wish: &Node) -> Result<Node, u16> {
        let account = self.accounts.get(&who.number).ok_or(NOT_FOUND)?;
        let (_, message) = account.chats.find_anywhere(id).ok_or(NOT_FOUND)?;
        let file = media::file(&message.known.message).ok_or(NOT_FOUND)?;
        let (key, path) = (file.media_key.as_slice(), file.direct_path.as_deref().ok_or(NOT_FOUND)?);
        let sealed = wish.get_optional_child("encrypt").ok_or(UNREADABLE)?;
        decrypt_media_retry_notification(key, id, sealed.content_of("enc_iv"), sealed.content_of("enc_p"))
            .map_err(|_| UNREADABLE)?;
        let body = self.blobs.at_phone(path).ok_or(NOT_FOUND)?;
        let again = format!("{path}-again");
        let told = wa::MediaRetryNotification {
            stanza_id: Some(id.to_owned()),
            direct_path: Some(again.clone()),
            result: Some(ResultType::SUCCESS),
            ..Default::default()
        };
        let answer = seal(key, id, &told.encode_to_vec(), self.random.random()).ok_or(UNREADABLE)?;
        self.blobs.put(again, body);
        Ok(answer)
    }
}

/// `<encrypt><enc_p/><enc_iv/></encrypt>`.
fn seal(media_key: &[u8], id: &str, text: &[u8], iv: [u8; 12]) -> Option<Node> {
    let mut key = [0; 32];
    wacore::crypto::hkdf_sha256_into(media_key, None, PURPOSE, &mut key).ok()?;
    let mut sealed = Vec::new();
    aes_256_gcm_encrypt(&key, &iv, id.as_bytes(), text, &mut sealed).ok()?;
    Some(wrap("encrypt", [bytes("enc_p", sealed), bytes("enc_iv", iv)]))
}
