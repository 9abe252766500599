//! What the client tells WhatsApp of the device it runs on, under the names it has here.

use web_wire::config::Device;

use crate::body::Body;
use crate::errors::Error;

/// The names of one thing.
pub(super) struct Names {
    /// In the answer of `POST /admin/users` (notes §23).
    pub(super) camel: &'static str,
    /// Wherever users are shown.
    pub(super) snake: &'static str,
    pub(super) of: fn(&Device) -> &String,
    set: fn(&mut Device) -> &mut String,
}

macro_rules! names {
    ($($camel:literal $snake:literal $member:ident;)*) => {
        &[$(Names {
            camel: $camel,
            snake: $snake,
            of: |device| &device.$member,
            set: |device| &mut device.$member,
        }),*]
    };
}

pub(super) const NAMES: &[Names] = names![
    "waVersion" "wa_version" version;
    "waPlatform" "wa_platform" platform;
    "waReleaseChannel" "wa_release_channel" release_channel;
    "waWebSubPlatform" "wa_web_sub_platform" web_sub_platform;
    "waOsName" "wa_os_name" os_name;
    "waOsVersion" "wa_os_version" os_version;
    "waDeviceName" "wa_device_name" name;
    "waManufacturer" "wa_manufacturer" manufacturer;
    "waDeviceBoard" "wa_device_board" board;
    "waLocaleLanguage" "wa_locale_language" language;
    "waLocaleCountry" "wa_locale_country" country;
    "waMcc" "wa_mcc" mcc;
    "waMnc" "wa_mnc" mnc;
    "waConnectType" "wa_connect_type" connect_type;
    "waPlatformType" "wa_platform_type" platform_type;
];

/// What a body says of it, in any spelling of the names.
pub(super) fn read(body: &Body) -> Result<Device, Error> {
    let mut device = Device::default();
    for names in NAMES {
        *(names.set)(&mut device) = body.text(&[names.snake])?.unwrap_or_default();
    }
    Ok(device)
}
