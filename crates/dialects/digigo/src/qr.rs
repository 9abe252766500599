//! QR codes as pictures.

use base64::Engine as _;
use image::{ImageFormat, Luma};

/// A PNG in a data URL; `None` when the text does not fit into a code.
pub(crate) fn data_url(text: &str) -> Option<String> {
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).ok()?;
    let picture = code.render::<Luma<u8>>().min_dimensions(256, 256).build();
    let mut png = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).ok()?;
    Some(format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(png.into_inner())))
}

#[cfg(test)]
mod tests {
    use super::data_url;

    #[test]
    fn a_code_is_a_picture() {
        let url = data_url("2@abc,def,ghi,jkl,1").unwrap();
        assert!(url.starts_with("data:image/png;base64,iVBORw0KGgo"));
        assert!(data_url(&"x".repeat(5000)).is_none());
    }
}
