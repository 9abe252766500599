use engine::events::{MESSAGE_RECEIVED, SESSION_CHANGED};
use engine::sessions::State;
use testkit::on_both;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, marshal};

use super::house::{ANA, BEN, House, phone, text};

fn stanza(tag: &'static str, attrs: &[(&'static str, &str)], children: Vec<Node>) -> Node {
    let node = attrs.iter().fold(NodeBuilder::new(tag), |node, (name, value)| node.attr(name, *value));
    if children.is_empty() { node.build() } else { node.children(children).build() }
}

fn nested(depth: usize) -> Node {
    (0..depth).fold(stanza("deep", &[], Vec::new()), |inner, _| stanza("deep", &[], vec![inner]))
}

/// Nodes that no server sends, or no server did so far.
fn nodes(lid: &str) -> Vec<Node> {
    let huge = "9".repeat(1 << 20);
    let enc =
        |kind: &str| NodeBuilder::new("enc").attr("v", "2").attr("type", kind.to_owned()).bytes(vec![7; 100]).build();
    let child = |tag| stanza(tag, &[], Vec::new());
    vec![
        stanza("unheard-of", &[("id", "1"), ("from", lid)], vec![child("of")]),
        stanza(
            "iq",
            &[("type", "get"), ("xmlns", "urn:unheard:of"), ("id", "q1"), ("from", "s.whatsapp.net")],
            vec![child("x")],
        ),
        stanza("iq", &[("type", "result"), ("id", "nobody-asked"), ("from", "s.whatsapp.net")], Vec::new()),
        stanza("iq", &[], Vec::new()),
        stanza("message", &[], Vec::new()),
        stanza(
            "message",
            &[("from", lid), ("id", "M1"), ("type", "unheard-of"), ("t", "soon")],
            vec![enc("unheard-of")],
        ),
        stanza("message", &[("from", lid), ("id", "M2"), ("type", "text"), ("t", "-1")], vec![enc("pkmsg")]),
        stanza(
            "message",
            &[("from", lid), ("id", "M3"), ("type", "text"), ("t", &huge[..40])],
            vec![enc("msg"), enc("skmsg")],
        ),
        stanza("message", &[("from", "1-2@g.us"), ("id", "M4"), ("type", "text")], vec![enc("skmsg")]),
        stanza("message", &[("from", lid), ("id", &huge), ("type", "text"), ("t", "1")], vec![enc("msg")]),
        stanza("message", &[("from", "@"), ("id", "M5"), ("type", "text")], vec![enc("msg")]),
        stanza(
            "message",
            &[("from", "3@newsletter"), ("id", "M6"), ("type", "text"), ("server_id", "x")],
            vec![child("plaintext")],
        ),
        stanza("receipt", &[], Vec::new()),
        stanza("receipt", &[("from", lid), ("id", "R1"), ("type", "unheard-of"), ("t", "1")], Vec::new()),
        stanza(
            "receipt",
            &[("from", lid), ("id", "R2"), ("type", "read"), ("t", "99999999999999999999")],
            vec![child("list")],
        ),
        stanza("receipt", &[("from", lid), ("id", &huge), ("t", "1")], Vec::new()),
        stanza("receipt", &[("from", lid), ("id", "R3"), ("type", "retry"), ("t", "1")], vec![child("retry")]),
        stanza("notification", &[], Vec::new()),
        stanza("notification", &[("from", lid), ("id", "N1"), ("type", "unheard-of"), ("t", "1")], vec![child("x")]),
        stanza(
            "notification",
            &[("from", "1-2@g.us"), ("id", "N2"), ("type", "w:gp2"), ("t", "1")],
            vec![child("unheard-of")],
        ),
        stanza("notification", &[("from", lid), ("id", "N3"), ("type", "picture")], Vec::new()),
        stanza("notification", &[("from", lid), ("id", "N4"), ("type", "mediaretry")], vec![child("encrypt")]),
        stanza(
            "notification",
            &[("from", lid), ("id", "N5"), ("type", "server_sync")],
            vec![stanza("collection", &[("name", "unheard-of"), ("version", "x")], Vec::new())],
        ),
        stanza(
            "notification",
            &[("from", lid), ("id", "N6"), ("type", "link_code_companion_reg")],
            vec![child("link_code_companion_reg")],
        ),
        stanza(
            "notification",
            &[("from", lid), ("id", "N7"), ("type", "devices")],
            vec![child("add"), child("remove")],
        ),
        stanza("call", &[("from", lid), ("id", "C1"), ("t", "1")], vec![stanza("offer", &[], Vec::new())]),
        stanza(
            "call",
            &[("from", lid), ("id", "C2"), ("t", "1")],
            vec![stanza("unheard-of", &[("call-id", "c"), ("call-creator", lid)], Vec::new())],
        ),
        stanza(
            "call",
            &[("from", lid), ("id", "C3"), ("t", "1")],
            vec![stanza(
                "terminate",
                &[("call-id", &huge), ("call-creator", lid), ("reason", "unheard-of")],
                Vec::new(),
            )],
        ),
        stanza("presence", &[("from", "nowhere"), ("last", "never")], Vec::new()),
        stanza("chatstate", &[("from", lid)], vec![child("unheard-of")]),
        stanza("ack", &[("class", "message"), ("id", "nobody-sent"), ("error", "unheard-of")], Vec::new()),
        stanza(
            "ib",
            &[("from", "s.whatsapp.net")],
            vec![
                child("unheard-of"),
                stanza("offline", &[("count", "-1")], Vec::new()),
                stanza("dirty", &[("type", "unheard-of"), ("timestamp", "x")], Vec::new()),
            ],
        ),
        stanza("success", &[("t", "x")], Vec::new()),
        nested(90),
    ]
}

on_both! {
    async fn whatever_a_server_says_the_session_goes_on(house: &mut House) {
        let ana = house.linked(ANA).await;
        let fence = house.fence(&ana).await;
        for (n, node) in nodes(&house.web.lid(&phone(BEN))).iter().enumerate() {
            house.web.push(&phone(ANA), node);
            // What comes behind it is heard, so it did no harm.
            let words = format!("behind stanza {n}");
            house.says_text(BEN, ANA, &words);
            let told = house.document(MESSAGE_RECEIVED).await;
            assert_eq!(told["event"]["Message"]["conversation"], words, "behind {:?}", node.tag);
        }
        house.stands(&ana, State::Connected).await;
        assert_eq!(house.fence(&ana).await, fence);
        house.sent(&ana, BEN, "3EB0B1", text("still here")).await;
    }

    async fn frames_that_hold_no_stanza_cost_a_connection_at_most(house: &mut House) {
        let ana = house.linked(ANA).await;
        let fence = house.fence(&ana).await;
        let whole = marshal(&stanza("message", &[("from", "1@lid"), ("id", "M"), ("type", "text")], vec![nested(3)])).unwrap();
        let mut endless = vec![0u8];
        endless.extend([248, 2].repeat(100_000));
        let frames: Vec<Vec<u8>> = vec![
            Vec::new(),
            vec![0],
            vec![2, 1, 2, 3],
            vec![255; 64],
            vec![0, 249, 255, 255],
            vec![0, 252, 255, b'x'],
            vec![0, 250, 0, 0],
            endless,
            whole[..whole.len() / 2].to_vec(),
            whole[..whole.len() - 1].to_vec(),
            [&whole[..], &whole[1..]].concat(),
        ];
        for (n, frame) in frames.iter().enumerate() {
            house.web.push_bytes(&phone(ANA), frame);
            let words = format!("behind frame {n}");
            house.says_text(BEN, ANA, &words);
            let told = house.document(MESSAGE_RECEIVED).await;
            assert_eq!(told["event"]["Message"]["conversation"], words);
        }
        house.stands(&ana, State::Connected).await;
        assert_eq!(house.fence(&ana).await, fence);
        let failed = house.events().await.into_iter().any(|event| event.kind == SESSION_CHANGED && event.data.contains("\"failed\""));
        assert!(!failed);
    }
}
