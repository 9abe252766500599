use engine::failure::Code;
use proptest::prelude::*;

use super::*;

const PATH: &str = "bounces+{}@mail.example";

fn id() -> Id {
    Id::from_parts(1_795_000_000_000, 7)
}

fn path() -> ReturnPath {
    ReturnPath::parse(PATH).unwrap()
}

/// A report with these lines about the recipient; `to` is whom it came to, `quoted` the Message-ID of the mail.
fn report(to: &str, lines: &str, quoted: &str) -> String {
    format!(
        "From: Mail Delivery System <mailer-daemon@mx.example>\r\nTo: {to}\r\nSubject: Returned\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"=_b\"\r\n\r\n\
         --=_b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\
         --=_b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n{lines}\r\n\
         --=_b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: Hi\r\nMessage-ID: {quoted}\r\n\r\n--=_b--\r\n"
    )
}

fn read(text: &str) -> Option<Report> {
    Report::read(text.as_bytes(), Some(&path()))
}

#[test]
fn a_report_is_about_the_mail_whose_return_path_it_came_to() {
    let to = format!("<{}>", path().of(&id()));
    let lines = "Final-Recipient: rfc822; ada@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\
                 Remote-MTA: dns; mx.example.org\r\nDiagnostic-Code: smtp; 550 5.1.1 <ada@example.org>: no such\r\n    user here\r\n";
    let failed = read(&report(&to, lines, "<nothing@mail.example>")).unwrap();
    assert_eq!(failed.message, id());
    let Outcome::Failed(failure) = failed.outcome else { panic!("{:?}", failed.outcome) };
    assert_eq!((failure.code, failure.provider_code), (Code::RecipientUnreachable, Some(550)));
    assert_eq!(failure.details.as_deref(), Some("550 5.1.1 <ada@example.org>: no such user here"));

    // Before it was rewritten, and with another mail server's manners.
    let text = report("list@example.org", "Action: Failed (bad)\r\nStatus: 4.4.7 (expired)\r\n", "<x>");
    let text = format!("X-Original-To: {}\r\n{text}", path().of(&id()).to_string().to_uppercase());
    let Outcome::Failed(failure) = read(&text).unwrap().outcome else { panic!() };
    assert_eq!((failure.code, failure.provider_code), (Code::RecipientUnreachable, None));
    assert_eq!(failure.details.as_deref(), Some("4.4.7 (expired)"));
}

#[test]
fn the_quoted_head_says_which_mail_it_is_about_otherwise() {
    let quoted = format!("<{}@shop.example>", id().hex24());
    let text = report("hello@shop.example", "Action: failed\r\nStatus: 5.7.1\r\n", &quoted);
    for path in [None, Some(path())] {
        let found = Report::read(text.as_bytes(), path.as_ref()).unwrap();
        assert_eq!(found.message, id());
        assert!(matches!(found.outcome, Outcome::Failed(Failure { code: Code::Rejected, .. })));
    }
    let whole = text.replace("text/rfc822-headers", "message/rfc822");
    assert_eq!(Report::read(whole.as_bytes(), None).map(|found| found.message), Some(id()));
    for stranger in ["<other@shop.example>", "", &id().hex24()] {
        assert_eq!(read(&text.replace(&quoted, stranger)), None);
    }
}

#[test]
fn only_an_end_is_an_outcome() {
    let to = path().of(&id()).to_string();
    let outcome = |lines: &str| read(&report(&to, lines, "<x>")).map(|found| found.outcome);
    assert_eq!(outcome("Action: delivered\r\nStatus: 2.0.0\r\n"), Some(Outcome::Delivered));
    for open in ["delayed", "relayed", "expanded", "lost"] {
        assert_eq!(outcome(&format!("Action: {open}\r\nStatus: 4.0.0\r\n")), Some(Outcome::Open));
    }
    let two = "Action: delayed\r\nStatus: 4.0.0\r\n\r\nAction: failed\r\nStatus: 5.0.0\r\n";
    assert!(matches!(outcome(two), Some(Outcome::Failed(_))));
    assert_eq!(outcome("Status: 5.0.0\r\n"), None);
    let absence = format!("To: {to}\r\nSubject: Away\r\nContent-Type: text/plain\r\n\r\nAction: failed\r\n");
    assert_eq!(read(&absence), None);
}

proptest! {
    #[test]
    fn nothing_that_comes_does_harm(noise in proptest::collection::vec(any::<u8>(), 0..400), cut in 0usize..900, depth in 0usize..300) {
        let whole = report(path().of(&id()).as_ref(), "Action: failed\r\nStatus: 5.1.1\r\n", "<x>");
        let mut bytes = whole.into_bytes();
        let place = cut.min(bytes.len());
        bytes.splice(place..place, noise.iter().copied());
        let _ = Report::read(&bytes, Some(&path()));
        let _ = Report::read(&bytes[..place], Some(&path()));
        let _ = Report::read(&noise, None);
        let nested: String = (0..depth).map(|level| {
            format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n")
        }).collect();
        let _ = Report::read(nested.as_bytes(), None);
    }
}
