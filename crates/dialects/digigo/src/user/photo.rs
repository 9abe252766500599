//! Pictures of people and of the account itself.

use serde_json::{Value, json};
use web_wire::ask::{Ask, Picture, PictureAsk, PictureSet};
use web_wire::jid::Jid;

use crate::answer::Answer;
use crate::asking::{USUAL, ask, ask_for, told_as};
use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::files::{Files, Given, LARGEST_IMAGE, unusable};
use media::convert::{Medium, sniff};

pub(super) async fn avatar(call: Call) -> Handled {
    let body = &call.body;
    let phone = body.needed(&["Phone"], "missing Phone in Payload")?;
    let address = Jid::of_text(&phone).map_err(|_| Error::bad("could not parse Phone"))?;
    let common = body.text(&["CommonGID"])?.filter(|text| !text.is_empty());
    let wish = PictureAsk {
        address,
        existing_id: None,
        preview: body.is(&["Preview"])?,
        community: body.is(&["IsCommunity"])?,
        common_group: common
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| Error::bad("could not parse CommonGID"))?,
        invite_code: body.text(&["InviteCode"])?,
        persona_id: body.text(&["PersonaID"])?,
    };
    let found: Option<Picture> = ask(&call, Ask::Picture(wish)).await?;
    let found = found.ok_or_else(|| Error::not_found("no avatar found"))?;
    Ok(Answer::of(json!({
        "direct_path": found.direct_path, "id": found.id, "type": found.kind, "url": found.url,
    })))
}

pub(super) async fn set(mut call: Call) -> Handled {
    let files = Files::of(&call);
    let given = Given::take(&mut call.body, "Image")?;
    let taken = files.take(given, Medium::Media, LARGEST_IMAGE).await?;
    let kind = sniff::sniff(&taken.bytes, taken.declared.as_deref());
    if kind.mime != "image/jpeg" {
        return Err(Error::bad("image must be in JPEG format. WhatsApp only accepts JPEG images for profile photos"));
    }
    let photo = files.converter().profile_photo(taken.bytes).await.map_err(unusable)?;
    let blob = files.keep(photo.bytes, "image/jpeg").await?;
    let done: Result<PictureSet, _> = ask_for(&call, Ask::SetPicture { blob: blob.clone() }, USUAL).await;
    files.forget().await;
    let set = done.map_err(|error| told_as("failed to set profile photo", error))?;
    Ok(Answer::of(json!({ "Details": "Profile photo set successfully", "PictureID": set.id })))
}

pub(super) async fn remove(call: Call) -> Handled {
    let done: Result<Value, _> = ask_for(&call, Ask::RemovePicture, USUAL).await;
    done.map_err(|error| told_as("failed to remove profile photo", error))?;
    Ok(Answer::details("Profile photo removed successfully"))
}
