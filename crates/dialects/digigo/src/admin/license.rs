//! `/admin/license/info`: this installation needs no licence, and says so.

use serde_json::json;

use crate::answer::Answer;
use crate::call::{Admin, Handled};

/// The end of the year 9999.
const NEVER_MS: i64 = 253_402_300_799_000;

pub(crate) async fn info(call: Admin) -> Handled {
    let (now, options) = (call.engine().now(), &call.digigo.options);
    Ok(Answer::of(json!({
        "valid": true,
        "installation_id": options.installation,
        "customer_id": call.organization.hex32(),
        "installation_name": "hermod",
        "plan_type": "ENTERPRISE",
        "expires_at": options.rfc3339(NEVER_MS),
        "max_instances": i32::MAX,
        "license_key": "",
        "instance_id": options.installation,
        "last_validation": options.rfc3339(now),
        "days_until_expiry": (NEVER_MS - now) / 86_400_000,
        "is_in_grace_period": false,
        "status": "active",
        "status_message": "Self-hosted: no licence is needed and nothing is limited.",
        "features": ["whatsapp", "webhooks"],
        "support_email": "",
        "documentation_url": options.public_url,
    })))
}
