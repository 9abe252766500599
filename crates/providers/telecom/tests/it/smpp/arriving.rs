//! Deliveries that a carrier brings in its own way: a stranger's hand on the wire.

use futures_util::{SinkExt, StreamExt};
use rusmpp::pdus::{BindTransceiverResp, DeliverSm};
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::types::OctetString;
use rusmpp::values::{EsmClass, Npi, Ton};
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::Framed;

use super::world::{SENDER, World, config_for, put};

/// The other end of the account's connection.
struct Hand(Framed<TcpStream, CommandCodec>);

impl Hand {
    /// Accepts a connection and lets it in.
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        let mut hand = Self(Framed::new(stream, CommandCodec::new()));
        let bind = hand.next().await;
        assert_eq!(bind.id(), CommandId::BindTransceiver);
        hand.say(bind.sequence_number, BindTransceiverResp::default()).await;
        hand
    }

    async fn next(&mut self) -> Command {
        self.0.next().await.unwrap().unwrap()
    }

    async fn say(&mut self, sequence: u32, pdu: impl Into<Pdu>) {
        self.0.send(Command::new(CommandStatus::EsmeRok, sequence, pdu)).await.unwrap();
    }

    /// Acknowledgements, by number.
    async fn acknowledged(&mut self, count: usize) -> Vec<u32> {
        let mut found = Vec::new();
        for _ in 0..count {
            let answer = self.next().await;
            assert_eq!((answer.id(), answer.status), (CommandId::DeliverSmResp, CommandStatus::EsmeRok));
            found.push(answer.sequence_number);
        }
        found.sort_unstable();
        found
    }
}

fn text(esm_class: u8, octets: &[u8]) -> DeliverSm {
    let mut pdu = DeliverSm::builder()
        .source_addr_ton(Ton::International)
        .source_addr_npi(Npi::Isdn)
        .source_addr("4915550199001".parse().unwrap())
        .dest_addr_ton(Ton::International)
        .dest_addr_npi(Npi::Isdn)
        .destination_addr(SENDER.trim_start_matches('+').parse().unwrap())
        .build();
    pdu.esm_class = EsmClass::from(esm_class);
    pdu.set_short_message(OctetString::from_slice(octets).unwrap());
    pdu
}

fn part(number: u8, text_: &[u8]) -> DeliverSm {
    text(0x40, &[&[5, 0, 3, 9, 2, number], text_].concat())
}

#[tokio::test]
async fn parts_are_acknowledged_when_the_whole_is_committed_and_come_again_until_then() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // another SMSC, to which the account moves
    let config = config_for(listener.local_addr().unwrap(), &json!({}));
    put(&world.engine, world.organization, &config, "sandbox").await;
    let mut hand = Hand::accept(&listener).await;
    hand.say(1, part(2, b" Ann")).await;
    // the connection breaks with half a text: it was not acknowledged
    drop(hand);
    let mut hand = Hand::accept(&listener).await;
    hand.say(1, part(2, b" Ann")).await;
    hand.say(2, part(1, b"I am")).await;
    assert_eq!(hand.acknowledged(2).await, [1, 2]);
    assert_eq!(world.received().await, ["I am Ann"], "committed before it was acknowledged");
    // half a text that the carrier gives up on stands alone
    hand.say(3, part(1, b"half")).await;
    assert_eq!(hand.acknowledged(1).await, [3]);
    assert_eq!(world.received().await, ["I am Ann", "half"]);
    // acknowledged in vain: the same message comes again on the next connection, and is known
    hand.say(4, text(0x00, b"once")).await;
    hand.acknowledged(1).await;
    drop(hand);
    let mut hand = Hand::accept(&listener).await;
    hand.say(1, text(0x00, b"once")).await;
    hand.say(2, text(0x00, b"again")).await;
    assert_eq!(hand.acknowledged(2).await, [1, 2]);
    hand.say(3, text(0x00, b"again")).await;
    hand.acknowledged(1).await;
    assert_eq!(world.received().await[2..], ["once", "again", "again"]);
    // for somebody whom we do not have, and in no known shape: acknowledged all the same
    let mut stranger = text(0x00, b"hi");
    stranger.destination_addr = "999".parse().unwrap();
    hand.say(4, stranger).await;
    hand.say(5, text(0x04, b"no receipt that anybody could read")).await;
    assert_eq!(hand.acknowledged(2).await, [4, 5]);
    assert_eq!(world.received().await.len(), 5);
    world.stop.cancel();
    let goodbye = hand.next().await;
    assert_eq!(goodbye.id(), CommandId::Unbind);
    hand.say(goodbye.sequence_number, Pdu::UnbindResp).await;
    world.finish().await;
}
