//! `/whatsapp/business-profile/photo`: the only body that is a form.

use api::At;
use axum::body::Bytes;
use axum::extract::Multipart;
use axum::extract::multipart::MultipartRejection;
use serde_json::json;

use crate::accounts;
use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::{Code, Error};

/// In bytes.
pub(crate) const LARGEST: usize = 5 << 20;
/// Around the file.
pub(crate) const FORM: usize = LARGEST + (64 << 10);

#[derive(Default)]
struct Form {
    account: Option<String>,
    file: Option<Bytes>,
}

fn unreadable(error: axum::extract::multipart::MultipartError) -> Error {
    match error.status().as_u16() {
        413 => Error::new(Code::PayloadTooLarge, "the picture is larger than 5 MB"),
        _ => Error::new(Code::Validation, "the form cannot be read").caused_by(error),
    }
}

async fn read(mut form: Multipart) -> Result<Form, Error> {
    let mut read = Form::default();
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        match field.name() {
            Some("accountId") => read.account = Some(field.text().await.map_err(unreadable)?),
            Some("file") => read.file = Some(field.bytes().await.map_err(unreadable)?),
            _ => drop(field.bytes().await.map_err(unreadable)?),
        }
    }
    Ok(read)
}

/// By its first bytes: what a client calls it is not to be relied on.
fn mime(file: &[u8]) -> Option<&'static str> {
    match file {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        _ => None,
    }
}

pub(crate) async fn change(call: Call, form: Result<Multipart, MultipartRejection>) -> Handled {
    let no_form = |_| Error::new(Code::UnsupportedMediaType, "the body must be sent as multipart/form-data");
    let form = read(form.map_err(no_form)?).await?;
    let said = form.account.map_or_else(|| json!({}), |account| json!({ "accountId": account }));
    let sender = call.account(&At::top(&said)).await?;
    let file = form.file.ok_or_else(|| Error::of_field("file", "is required"))?;
    if file.len() > LARGEST {
        return Err(Error::new(Code::PayloadTooLarge, "the picture is larger than 5 MB"));
    }
    let mime = mime(&file).ok_or_else(|| Error::of_field("file", "must be a JPEG or PNG picture"))?;
    let business = accounts::behind(&call, &sender).await?;
    business.numbers()?.set_picture(&business.account, &sender.external_id, mime, file).await?;
    Ok(Answer::success(&json!({ "message": "Profile photo updated successfully" })))
}
