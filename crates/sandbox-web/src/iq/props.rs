//! `abt`, and `w` of older clients: switches by which the server steers clients.

use wacore::iq::abprops::web;
use wacore::iq::props::stale;
use wacore_binary::builder::NodeBuilder;

use super::{Answer, Answered, Refusal};
use crate::number::Address;
use crate::state::World;

pub(super) fn answer(world: &World, who: &Address) -> Answered {
    let scenario = &world.accounts.get(&who.number).ok_or(Refusal::NOT_AUTHORIZED)?.scenario;
    let switches = [
        // Without this a client goes on calling people by their numbers.
        (web::LID_ONE_ON_ONE_MIGRATION_ENABLED.code, true),
        (web::PRIVACY_TOKEN_SENDING_ON_ALL_1_ON_1_MESSAGES.code, scenario.tc_enabled),
        (stale::PROFILE_PIC_PRIVACY_TOKEN.code, scenario.tc_enabled),
        (web::WA_NCT_TOKEN_SEND_ENABLED.code, scenario.nct_send_ab),
    ];
    let switches = switches.map(|(code, on)| {
        NodeBuilder::new("prop")
            .attr("config_code", code)
            .attr("config_value", if on { "true" } else { "false" })
            .build()
    });
    let props = NodeBuilder::new("props")
        .attr("protocol", "1")
        .attr("hash", "sandbox")
        .attr("refresh", 86_400u32)
        .children(switches)
        .build();
    Ok(Answer::node(props))
}
