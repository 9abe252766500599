//! `/voices`: codes that are spoken on the phone.

use engine::content::Content;
use engine::messages::Message;
use engine::verification::spelled;
use serde::Serialize;

use crate::answer::Answer;
use crate::call::{Call, Handled, reachable};
use crate::carried::{self, Carried, VOICE};
use crate::format::names::VOICE_UPDATED;
use crate::messages::timeline::Timeline;

/// A language, and what stands before the code in it.
const LANGUAGES: [(&str, &str); 12] = [
    ("ar", "رمز التحقق الخاص بك هو"),
    ("de", "Ihr Bestätigungscode lautet"),
    ("en", "Your verification code is"),
    ("es", "Su código de verificación es"),
    ("fr", "Votre code de vérification est"),
    ("id", "Kode verifikasi Anda adalah"),
    ("it", "Il suo codice di verifica è"),
    ("pt", "Seu código de verificação é"),
    ("ru", "Ваш код подтверждения"),
    ("tr", "Doğrulama kodunuz"),
    ("vi", "Mã xác minh của bạn là"),
    ("zh", "您的验证码是"),
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    #[serde(flatten)]
    carried: Carried,
    verification_code: String,
    language: String,
    total_segments: usize,
}

pub(crate) fn shape(message: &Message, timeline: &Timeline) -> Shown {
    let (text, language) = match Content::parse(&message.content) {
        Ok(Content::Speech { text, language }) => (text, language),
        _ => (String::new(), "en".into()),
    };
    let carried = Carried::of(message, timeline, "voice");
    Shown { carried, verification_code: code_in(&text), language, total_segments: 1 }
}

/// Digit by digit, and once more.
pub(crate) fn speech(code: &str, language: &str) -> Content {
    let before = LANGUAGES.iter().find(|(known, _)| *known == language).map_or(LANGUAGES[2].1, |(_, before)| before);
    let once = format!("{before}: {}.", spelled(code));
    Content::Speech { text: format!("{once} {once}"), language: language.to_owned() }
}

/// The code in what is spoken: the digits of the first half, or what masks them.
fn code_in(text: &str) -> String {
    text.split('.').next().unwrap_or_default().chars().filter(|c| c.is_ascii_digit() || *c == '*').collect()
}

pub(crate) async fn send(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let to = reachable(&at.need("to")?)?;
    let place = at.need("verificationCode")?;
    let code = place.string(4..=6)?;
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(place.refuse("must have digits only").into());
    }
    let words = LANGUAGES.map(|(word, _)| (word, word));
    let language = at.read_nullable("language", |at| at.word(&words))?.flatten().unwrap_or("en");
    let sender = carried::sender(&call, VOICE, None).await?;
    let echo = carried::echo(&call, &at, VOICE_UPDATED).await?;
    let message = carried::take(&call, sender, to, speech(&code, language), echo).await?;
    Ok(Answer::of(&shape(&message, &Timeline::default())))
}

pub(crate) async fn list(call: Call) -> Handled {
    carried::list(&call, VOICE, |message, _, timeline| shape(message, timeline)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_spoken_twice_and_found_again() {
        let Content::Speech { text, language } = speech("0451", "id") else { panic!("it is speech") };
        assert_eq!(text, "Kode verifikasi Anda adalah: 0, 4, 5, 1. Kode verifikasi Anda adalah: 0, 4, 5, 1.");
        assert_eq!((language.as_str(), code_in(&text).as_str()), ("id", "0451"));
    }
}
