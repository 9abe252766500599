use super::super::account::tests::account;
use super::*;

fn config(more: &str) -> Config {
    let json = format!(r#"{{"host":"smsc.example","port":2775,"system_id":"hermod"{more}}}"#);
    Config::of(&account(&json, "")).unwrap()
}

fn id() -> Id {
    Id::from_slice(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xAB, 0xCD]).unwrap()
}

fn sent(more: &str, from: &str, text: &str) -> Vec<SubmitSm> {
    parts(&config(more), &id(), from, "+15550100009", text).unwrap()
}

/// `esm_class`, `data_coding` and the text's octets.
fn octets(pdu: &SubmitSm) -> (u8, u8, Vec<u8>) {
    (pdu.esm_class.into(), pdu.data_coding.into(), pdu.short_message().to_vec())
}

#[test]
fn senders_are_told_apart_by_their_looks() {
    let source = |more: &str, from: &str| {
        let pdu = sent(more, from, "hi").remove(0);
        (u8::from(pdu.source_addr_ton), u8::from(pdu.source_addr_npi), pdu.source_addr.as_str().to_owned())
    };
    assert_eq!(source("", "HERMOD"), (5, 0, "HERMOD".to_owned()));
    assert_eq!(source("", "+15550100001"), (1, 1, "15550100001".to_owned()));
    assert_eq!(source("", "12345"), (3, 0, "12345".to_owned()));
    assert_eq!(source(r#","source":{"ton":0,"npi":9}"#, "HERMOD"), (0, 9, "HERMOD".to_owned()));
    let refused = |from: &str, to: &str, text: &str| parts(&config(""), &id(), from, to, text).is_err();
    assert!(refused("A name that is too long", "+15550100009", "hi") && refused("Zürich", "+15550100009", "hi"));
    assert!(refused("HERMOD", "somebody", "hi") && refused("HERMOD", "", "hi"));
    assert!(refused("HERMOD", "+15550100009", &"a".repeat(30 * 153 + 1)));
}

#[test]
fn a_short_text_is_one_plain_message() {
    let [pdu] = &sent("", "HERMOD", "5 € @ home")[..] else { panic!("one part") };
    assert_eq!(octets(pdu), (0x00, 0, b"5 \x1B\x65 \x00 home".to_vec()));
    assert_eq!(
        (u8::from(pdu.registered_delivery), u8::from(pdu.dest_addr_ton), u8::from(pdu.dest_addr_npi)),
        (1, 1, 1)
    );
    assert_eq!((pdu.destination_addr.as_str(), pdu.validity_period.to_string().as_str()), ("15550100009", ""));
    assert_eq!(octets(&sent("", "HERMOD", "ç").remove(0)), (0x00, 8, vec![0x00, 0xE7]));
    // what the carrier's own alphabet cannot say goes as UCS-2
    let latin1 = r#","default_alphabet":"latin1""#;
    assert_eq!(octets(&sent(latin1, "HERMOD", "£ @ ü").remove(0)), (0x00, 0, b"\xA3 @ \xFC".to_vec()));
    assert_eq!(octets(&sent(latin1, "HERMOD", "€").remove(0)), (0x00, 8, vec![0x20, 0xAC]));
    assert_eq!(octets(&sent(r#","default_alphabet":"ia5""#, "HERMOD", "ü").remove(0)), (0x00, 8, vec![0, 0xFC]));
}

#[test]
fn parts_say_where_they_belong_in_three_ways() {
    let text = "a".repeat(161);
    let ways: &[(&str, u8, &[u8], usize)] = &[
        ("udh8", 0x40, &[0x05, 0x00, 0x03, 0xCD, 2, 1], 153),
        ("udh16", 0x40, &[0x06, 0x08, 0x04, 0xAB, 0xCD, 2, 1], 152),
        ("sar", 0x00, &[], 153),
    ];
    for (way, esm_class, header, letters) in ways {
        let pdus = sent(&format!(r#","concatenation":"{way}""#), "HERMOD", &text);
        assert_eq!(pdus.len(), 2, "{way}");
        let first = [header.to_vec(), b"a".repeat(*letters)].concat();
        assert_eq!(octets(&pdus[0]), (*esm_class, 0, first), "{way}");
        let mut header = header.to_vec();
        header.last_mut().into_iter().for_each(|number| *number = 2);
        assert_eq!(octets(&pdus[1]).2, [header, b"a".repeat(161 - letters)].concat(), "{way}");
        let parameters: Vec<Parameter> =
            [Parameter::SarMsgRefNum(0xABCD), Parameter::SarTotalSegments(2), Parameter::SarSegmentSeqnum(2)].into();
        let parameters: Vec<_> = parameters.into_iter().map(rusmpp::tlvs::Tlv::from).collect();
        assert_eq!(pdus[1].tlvs(), if *way == "sar" { &parameters[..] } else { &[] }, "{way}");
    }
}

#[test]
fn validity_is_told_relatively() {
    let told = |seconds| validity(Some(seconds)).unwrap().to_string();
    assert_eq!(told(59), "000000000059000R");
    assert_eq!(told(86_400 + 3_661), "000001010101000R");
    assert_eq!(told(5_184_000), "000200000000000R");
}
