//! What the account shows of itself.

use ::media::Blobs;
use engine::sessions::CallError;
use wacore::iq::privacy::PrivacyCategory;
use web_wire::ask::{PictureSet, Privacy};
use whatsapp_rust::Client;

use super::errors;

/// A picture in the blob store, a JPEG by then.
pub(super) async fn set_picture(client: &Client, blobs: &Blobs, blob: &str) -> Result<PictureSet, CallError> {
    let bytes = crate::files::read(blobs, blob).await.map_err(|error| CallError::Invalid(error.to_string()))?;
    let set = client.profile().set_profile_picture(bytes).await.map_err(errors::of)?;
    Ok(PictureSet { id: set.id })
}

pub(super) async fn remove_picture(client: &Client) -> Result<(), CallError> {
    client.profile().remove_profile_picture().await.map(drop).map_err(errors::of)
}

pub(super) async fn set_push_name(client: &Client, name: &str) -> Result<(), CallError> {
    client.profile().set_push_name(name).await.map_err(errors::of)
}

pub(super) async fn about(client: &Client) -> Result<String, CallError> {
    let me = client.pn().ok_or(CallError::NotConnected)?.to_non_ad();
    let found = client.contacts().get_user_info(std::slice::from_ref(&me)).await.map_err(errors::of)?;
    Ok(found.into_values().next().and_then(|info| info.status).unwrap_or_default())
}

pub(super) async fn set_about(client: &Client, text: &str) -> Result<(), CallError> {
    client.profile().set_status_text(text).await.map_err(errors::of)
}

pub(super) async fn presence(client: &Client, available: bool) -> Result<(), CallError> {
    let presence = client.presence();
    let done = match available {
        true => presence.set_available().await,
        false => presence.set_unavailable().await,
    };
    done.map_err(errors::of)
}

pub(super) async fn privacy(client: &Client) -> Result<Privacy, CallError> {
    let found = client.fetch_privacy_settings().await.map_err(errors::of)?;
    let value =
        |category: PrivacyCategory| found.get(&category).map(|setting| setting.value.to_string()).unwrap_or_default();
    Ok(Privacy {
        group_add: value(PrivacyCategory::GroupAdd),
        last_seen: value(PrivacyCategory::Last),
        about: value(PrivacyCategory::Status),
        picture: value(PrivacyCategory::Profile),
        read_receipts: value(PrivacyCategory::ReadReceipts),
        online: value(PrivacyCategory::Online),
        call_add: value(PrivacyCategory::CallAdd),
    })
}
