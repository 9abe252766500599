//! `w:m`: where media are left and fetched.

use wacore_binary::builder::NodeBuilder;

use super::{Answer, Answered};
use crate::state::World;

/// Seconds; as long as WhatsApp's own last.
const VALID_S: u32 = 3600;

pub(super) fn answer(world: &mut World) -> Answered {
    let host = NodeBuilder::new("host").attr("hostname", world.media_host.as_str()).attr("type", "primary").build();
    let connection = NodeBuilder::new("media_conn")
        .attr("auth", world.blobs.auth.as_str())
        .attr("ttl", VALID_S)
        .attr("auth_ttl", VALID_S)
        .attr("max_buckets", 12u32)
        .children([host])
        .build();
    Ok(Answer::node(connection))
}
