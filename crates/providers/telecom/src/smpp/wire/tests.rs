use proptest::prelude::*;
use rusmpp::CommandStatus;
use rusmpp::pdus::{DeliverSm, SubmitSmResp};
use rusmpp::{Command, Pdu};

use super::*;

fn bytes(status: CommandStatus, sequence: u32, pdu: impl Into<Pdu>) -> BytesMut {
    let mut out = BytesMut::new();
    encode(&Command::new(status, sequence, pdu), &mut out).unwrap();
    out
}

fn all(stream: &[u8]) -> Vec<Incoming> {
    let mut src = BytesMut::from(stream);
    std::iter::from_fn(|| Wire.decode(&mut src).unwrap()).collect()
}

#[test]
fn pdus_are_read_however_they_are_chopped() {
    let answer = SubmitSmResp::new("7F".parse().unwrap(), Vec::new());
    let stream = [
        bytes(CommandStatus::EsmeRok, 1, answer),
        bytes(CommandStatus::EsmeRthrottled, 2, Pdu::GenericNack),
        bytes(CommandStatus::EsmeRok, 3, Pdu::EnquireLink),
        bytes(CommandStatus::EsmeRok, 4, DeliverSm::default()),
        bytes(CommandStatus::EsmeRok, 5, Pdu::Unbind),
    ]
    .concat();
    let expected = all(&stream);
    let answer = |status, id: &str, nack| Answer { status, message_id: id.to_owned(), nack };
    assert_eq!(expected[0], Incoming::Answer { sequence: 1, answer: answer(0, "7F", false) });
    assert_eq!(expected[1], Incoming::Answer { sequence: 2, answer: answer(0x58, "", true) });
    assert_eq!(expected[2], Incoming::EnquireLink { sequence: 3 });
    assert!(matches!(expected[3], Incoming::Deliver { sequence: 4, delivery: Some(_) }));
    assert_eq!(expected[4], Incoming::Unbind { sequence: 5 });
    let (mut src, mut found) = (BytesMut::new(), Vec::new());
    for octet in stream {
        src.extend([octet]);
        found.extend(Wire.decode(&mut src).unwrap());
    }
    assert_eq!(found, expected);
}

#[test]
fn sloppy_answers_are_understood_and_wrong_lengths_are_not() {
    let frame = |id: u32, status: u32, body: &[u8]| {
        let length = u32::try_from(HEADER + body.len()).unwrap();
        let head = [length, id, status, 9].map(u32::to_be_bytes).concat();
        all(&[head, body.to_vec()].concat()).remove(0)
    };
    let taken = |id: &str, status| Incoming::Answer {
        sequence: 9,
        answer: Answer { status, message_id: id.to_owned(), nack: false },
    };
    assert_eq!(frame(SUBMIT_SM_RESP, 0, b"a1-\xE9"), taken("a1-é", 0), "no NUL, not ASCII");
    assert_eq!(frame(SUBMIT_SM_RESP, 8, b""), taken("", 8), "no body");
    assert_eq!(frame(0x103, 0, b"x"), Incoming::Unknown { sequence: 9 });
    assert_eq!(frame(DELIVER_SM, 0, b"CMT\0\x01"), Incoming::Deliver { sequence: 9, delivery: None });
    for length in [0_u32, 15, 0xFFFF_FFFF] {
        let mut src = BytesMut::from(&length.to_be_bytes()[..]);
        assert!(matches!(Wire.decode(&mut src), Err(WireError::Length(found)) if found == length as usize));
    }
}

proptest! {
    #[test]
    fn any_octets_can_be_read(body in prop::collection::vec(any::<u8>(), 0..200), id in prop::sample::select(vec![
        DELIVER_SM, SUBMIT_SM_RESP, NACK, ENQUIRE_LINK, 0x103,
    ])) {
        let head = [u32::try_from(HEADER + body.len()).unwrap(), id, 0, 1].map(u32::to_be_bytes).concat();
        prop_assert_eq!(all(&[head, body].concat()).len(), 1);
    }
}
