//! `GET /me`: whose key this is.

use serde::Serialize;

use crate::call::{Call, Handled};
use crate::ids::Noun;

#[derive(Serialize)]
struct Me {
    organization: Organization,
    api_key: ApiKey,
    rate_limits: RateLimits,
}

#[derive(Serialize)]
struct Organization {
    id: String,
    object: &'static str,
    name: String,
}

#[derive(Serialize)]
struct ApiKey {
    id: String,
    object: &'static str,
    label: String,
    last4: String,
}

#[derive(Serialize)]
struct RateLimits {
    tier: String,
    write_per_minute: u32,
    read_per_minute: u32,
}

pub(crate) async fn get(call: Call) -> Handled {
    let organization = call.engine().organization(&call.organization()).await?;
    let organization = organization.ok_or_else(|| Noun::Organization.not_found())?;
    let options = &call.kirim.options;
    Ok(call.one(&Me {
        organization: Organization {
            id: Noun::Organization.spell(&organization.id),
            object: "organization",
            name: organization.name.clone(),
        },
        api_key: ApiKey {
            id: Noun::Key.spell(&call.key.id),
            object: "api_key",
            label: call.key.label.clone(),
            last4: call.key.last4.clone(),
        },
        rate_limits: RateLimits {
            tier: options.tier.clone(),
            write_per_minute: options.write_per_minute,
            read_per_minute: options.read_per_minute,
        },
    }))
}
