//! The SMSC over its socket: what it refuses, what it puts together, and what it brings until it is taken.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::process::{Command as Process, Stdio};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{SinkExt, StreamExt};
use http::HeaderMap;
use rusmpp::pdus::{BindTransceiver, DeliverSm, DeliverSmResp, SubmitSm};
use rusmpp::tlvs::MessageSubmissionRequestTlvValue as Parameter;
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::types::OctetString;
use rusmpp::values::{DataCoding, EsmClass, RegisteredDelivery, Ton};
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use sandbox_carriers::smsc::System;
use sandbox_carriers::{Fault, Handle, Options, Outside, Phone, ReplyError, Target};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_util::codec::Framed;

const ANN: &str = "+4915550199001";

/// Outside there is only weather.
#[derive(Default)]
struct Weather(Mutex<VecDeque<Fault>>);

impl Outside for Weather {
    fn now(&self) -> i64 {
        1_795_000_000_000
    }

    fn fault(&self, _: Target) -> Option<Fault> {
        self.0.lock().unwrap().pop_front()
    }

    fn phone(&self, number: &str) -> Phone {
        Phone { registered: number != "+4915550199002", online: true }
    }

    fn push(&self, _: String, _: HeaderMap, _: Bytes) -> BoxFuture<'static, Result<u16, String>> {
        panic!("an SMSC pushes nothing over HTTP")
    }
}

async fn carriers(weather: impl IntoIterator<Item = Fault>) -> Handle {
    let weather = Weather(Mutex::new(weather.into_iter().collect()));
    sandbox_carriers::start(Options::default(), Arc::new(weather)).await.unwrap()
}

struct Client {
    line: Framed<TcpStream, CommandCodec>,
    last: u32,
}

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self { line: Framed::new(stream, CommandCodec::new()), last: 0 }
    }

    async fn bound(carriers: &Handle) -> Self {
        let mut client = Self::connect(carriers.smsc().address()).await;
        assert_eq!(client.ask(bind("sandbox", "sandbox")).await.status, CommandStatus::EsmeRok);
        client
    }

    async fn say(&mut self, pdu: impl Into<Pdu>) {
        self.last += 1;
        self.line.send(Command::new(CommandStatus::EsmeRok, self.last, pdu)).await.unwrap();
    }

    async fn next(&mut self) -> Command {
        self.line.next().await.unwrap().unwrap()
    }

    /// Says something and waits for the answer; nothing else is on its way.
    async fn ask(&mut self, pdu: impl Into<Pdu>) -> Command {
        self.say(pdu).await;
        let answer = self.next().await;
        assert_eq!(answer.sequence_number, self.last);
        answer
    }

    /// The next delivery.
    async fn delivery(&mut self) -> (u32, DeliverSm) {
        let command = self.next().await;
        match command.pdu() {
            Some(Pdu::DeliverSm(pdu)) => (command.sequence_number, pdu.clone()),
            other => panic!("{other:?}"),
        }
    }

    async fn acknowledge(&mut self, sequence: u32, status: CommandStatus) {
        self.line.send(Command::new(status, sequence, DeliverSmResp::default())).await.unwrap();
    }
}

fn bind(system_id: &str, password: &str) -> BindTransceiver {
    let bind = BindTransceiver::builder().system_id(system_id.parse().unwrap());
    bind.password(password.parse().unwrap()).build()
}

fn sms(to: &str, esm_class: u8, coding: u8, octets: &[u8]) -> SubmitSm {
    let mut pdu = SubmitSm::builder()
        .source_addr_ton(Ton::Alphanumeric)
        .source_addr("HERMOD".parse().unwrap())
        .dest_addr_ton(Ton::International)
        .destination_addr(to.trim_start_matches('+').parse().unwrap())
        .registered_delivery(RegisteredDelivery::from(1))
        .build();
    pdu.esm_class = EsmClass::from(esm_class);
    pdu.data_coding = DataCoding::from(coding);
    pdu.set_short_message(OctetString::from_slice(octets).unwrap());
    pdu
}

#[tokio::test]
async fn what_a_carrier_refuses() {
    let carriers = carriers([Fault::Status(0x58)]).await;
    let mut client = Client::connect(carriers.smsc().address()).await;
    let refused = |answer: Command| u32::from(answer.status);
    assert_eq!(refused(client.ask(sms(ANN, 0, 0, b"hi")).await), 0x04, "not bound");
    assert_eq!(refused(client.ask(bind("sandbox", "wrong")).await), 0x0E);
    assert_eq!(refused(client.ask(bind("somebody", "sandbox")).await), 0x0F);
    assert_eq!(refused(client.ask(bind("sandbox", "sandbox")).await), 0);
    assert_eq!(refused(client.ask(bind("sandbox", "sandbox")).await), 0x05, "once is enough");
    assert_eq!(refused(client.ask(sms(ANN, 0, 0, b"hi")).await), 0x58, "as it was told");
    assert_eq!(refused(client.ask(sms("123", 0, 0, b"hi")).await), 0x0B);
    assert_eq!(refused(client.ask(sms(ANN, 0, 0, &[b'x'; 161])).await), 0x01, "161 septets");
    assert_eq!(refused(client.ask(sms(ANN, 0, 8, &[0; 142])).await), 0x01, "71 units");
    let headed = [&[5, 0, 3, 1, 2, 1][..], &[b'x'; 154]].concat();
    assert_eq!(refused(client.ask(sms(ANN, 0x40, 0, &headed)).await), 0x01, "154 septets and a header");
    let mut both = sms(ANN, 0x40, 0, b"\x05\x00\x03\x01\x02\x01x");
    both.push_tlv(Parameter::SarMsgRefNum(1));
    both.push_tlv(Parameter::SarTotalSegments(2));
    both.push_tlv(Parameter::SarSegmentSeqnum(1));
    assert_eq!(refused(client.ask(both).await), 0x43, "two ways at once");
    assert_eq!((carriers.sms(), carriers.stats().sms.received), (vec![], 0));
    let answer = client.ask(Pdu::EnquireLink).await;
    assert_eq!((answer.id(), answer.status), (CommandId::EnquireLinkResp, CommandStatus::EsmeRok));
}

#[tokio::test]
async fn parts_become_one_text_and_each_has_its_receipt() {
    let carriers = carriers([]).await;
    let mut client = Client::bound(&carriers).await;
    let mut ids = Vec::new();
    for (number, text) in [(2, "you?"), (1, "How are ")] {
        client.say(sms(ANN, 0x40, 0, &[&[5, 0, 3, 7, 2, number], text.as_bytes()].concat())).await;
        let mut seen = [client.next().await, client.next().await];
        seen.sort_by_key(|command| command.id() == CommandId::DeliverSm);
        let [answer, receipt] = seen;
        let Some(Pdu::SubmitSmResp(taken)) = answer.pdu() else { panic!("{answer:?}") };
        ids.push(taken.message_id().as_str().to_owned());
        let Some(Pdu::DeliverSm(pdu)) = receipt.pdu() else { panic!("{receipt:?}") };
        let words = pdu.short_message().to_str().unwrap();
        assert!(words.starts_with(&format!("id:{} sub:001 dlvrd:001", ids[ids.len() - 1])), "{words}");
        assert_eq!((u8::from(pdu.esm_class), pdu.source_addr.as_str()), (0x04, &ANN[1..]));
        client.acknowledge(receipt.sequence_number, CommandStatus::EsmeRok).await;
    }
    let [sms] = &carriers.sms()[..] else { panic!("{:?}", carriers.sms()) };
    ids.reverse();
    let shown = serde_json::to_value(sms).unwrap();
    assert_eq!(shown["part_ids"], json!(ids));
    assert_eq!((&shown["text"], &shown["from"], &shown["to"]), (&json!("How are you?"), &json!("HERMOD"), &json!(ANN)));
    assert_eq!((&shown["parts"], &shown["encoding"], &shown["status"]), (&json!(2), &json!("gsm7"), &json!("DELIVRD")));
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let carriers = carriers([]).await;
    assert_eq!(carriers.reply(ANN, "a name that is much too long", "hi").await, Err(ReplyError::UnknownSender));
    carriers.reply(ANN, "HERMOD", "Yes, 5 €").await.unwrap();
    let mut client = Client::bound(&carriers).await;
    let (sequence, text) = client.delivery().await;
    client.acknowledge(sequence, CommandStatus::EsmeRxTAppn).await;
    let (_, again) = client.delivery().await;
    assert_eq!(text, again, "refused: again on the same connection");
    drop(client);
    let mut client = Client::bound(&carriers).await;
    let (sequence, again) = client.delivery().await;
    assert_eq!(text, again, "gone: again on the next one");
    assert_eq!(sms_text::gsm7::decode(again.short_message()), "Yes, 5 €");
    client.acknowledge(sequence, CommandStatus::EsmeRok).await;
    carriers.reply(ANN, "HERMOD", "and that is all").await.unwrap();
    let (_, next) = client.delivery().await;
    assert_eq!(sms_text::gsm7::decode(next.short_message()), "and that is all");
}

#[tokio::test]
async fn each_system_gets_what_is_its_own() {
    let carriers = carriers([]).await;
    let mut clients = Vec::new();
    for (system_id, address) in [("acme", "ACME"), ("other", "OTHER")] {
        let addresses = vec![address.to_owned()];
        carriers.smsc().admit(System { system_id: system_id.to_owned(), password: "secret".to_owned(), addresses });
        let mut client = Client::connect(carriers.smsc().address()).await;
        assert_eq!(client.ask(bind(system_id, "secret")).await.status, CommandStatus::EsmeRok);
        clients.push(client);
    }
    assert_eq!(carriers.smsc().bound(), 2);
    for (to, text) in [("OTHER", "for the other"), ("ACME", "for Acme"), ("HERMOD", "for whoever takes all")] {
        carriers.reply(ANN, to, text).await.unwrap();
    }
    clients.push(Client::bound(&carriers).await);
    for (client, text) in clients.iter_mut().zip(["for Acme", "for the other", "for whoever takes all"]) {
        let (sequence, delivery) = client.delivery().await;
        assert_eq!(sms_text::gsm7::decode(delivery.short_message()), text);
        client.acknowledge(sequence, CommandStatus::EsmeRok).await;
    }
    // a receipt goes to whoever sent the message
    clients[1].say(sms(ANN, 0, 0, b"hi")).await;
    let ids = [clients[1].next().await.id(), clients[1].next().await.id()];
    assert!(ids.contains(&CommandId::SubmitSmResp) && ids.contains(&CommandId::DeliverSm));
}

#[tokio::test]
async fn a_strangers_client_is_served() {
    let Some(modules) = std::env::var_os("HERMOD_NODE_MODULES") else { return };
    let carriers = carriers([]).await;
    carriers.reply(ANN, "STRANGER", "Yes, 5 €").await.unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/blackbox/esme.js");
    let mut node = Process::new("node");
    node.arg(script).arg(carriers.smsc().address().port().to_string()).env("NODE_PATH", modules).stdout(Stdio::piped());
    let output = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
    let told: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| told.iter().filter(|told| told["kind"] == kind).collect::<Vec<_>>();
    let statuses = |kind: &str| of(kind).iter().map(|told| told["status"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!((statuses("bound"), statuses("answer")), (vec![0x0E, 0], vec![0, 0, 0, 1]), "{told:?}");
    let names = |kind: &str| {
        let mut ids: Vec<String> = of(kind).iter().filter_map(|told| told["id"].as_str().map(str::to_owned)).collect();
        ids.retain(|id| !id.is_empty());
        ids.sort();
        ids
    };
    assert_eq!((names("answer"), of("receipt").len()), (names("receipt"), 3));
    assert!(of("receipt").iter().all(|receipt| receipt["state"] == 2));
    assert_eq!(of("text")[0]["text"], "Yes, 5 €");
    let texts: Vec<String> = carriers.sms().into_iter().map(|sms| sms.text).collect();
    assert_eq!(texts, ["Hello, 5 € [ok]", "Привет и пока 😀"]);
}
