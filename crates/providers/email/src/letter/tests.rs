use engine::contacts::Address as Contact;
use engine::content::Content;
use engine::content::Mailbox;
use mailparse::{MailHeaderMap, ParsedMail};
use proptest::prelude::*;

use super::*;

const LINES: [&str; 11] = [
    "Date",
    "From",
    "To",
    "Cc",
    "Reply-To",
    "Subject",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

fn email(subject: &str) -> Email {
    Email {
        from_name: Some("The Shop".to_owned()),
        to: vec![Mailbox { address: "ada@example.org".to_owned(), name: Some("Ada".to_owned()) }],
        cc: Vec::new(),
        reply_to: Vec::new(),
        subject: subject.to_owned(),
        text: Some("Your code is 123456.\n.\nBye".to_owned()),
        html: Some("<p>Your code is <b>123456</b>.</p>".to_owned()),
    }
}

fn written(path: Option<&str>, from: &str, to: &str, email: &Email) -> Result<Letter, Unfit> {
    let id = Id::from_parts(1_795_000_000_000, 7);
    let sender = Sender {
        id,
        organization_id: id,
        account_id: id,
        channel: "email".to_owned(),
        provider: "smtp".to_owned(),
        external_id: from.to_owned(),
        address: from.to_owned(),
        name: None,
        status: String::new(),
        status_reason: None,
        config: "{}".to_owned(),
        settings: "{}".to_owned(),
        created_at: 0,
        updated_at: 0,
    };
    let to = Contact { kind: "email".to_owned(), value: to.to_owned() };
    let content = Content::Email(Box::new(email.clone()));
    let outgoing = Outgoing { id, to, content, reply_to: None, provider_id: None };
    let path = path.map(|path| ReturnPath::parse(path).unwrap());
    Letter::write(path.as_ref(), &sender, &outgoing, email)
}

fn line(mail: &ParsedMail<'_>, name: &str) -> String {
    mail.headers.get_first_value(name).unwrap_or_default()
}

#[test]
fn a_mail_has_two_bodies_and_carries_our_id() {
    let letter = written(Some("b+{}@bounces.example"), "hello@shop.example", "ada@example.org", &email("Hi")).unwrap();
    let id = Id::from_parts(1_795_000_000_000, 7).hex24();
    assert_eq!(letter.from.to_string(), format!("b+{id}@bounces.example"));
    assert!(!letter.international());
    let mail = mailparse::parse_mail(&letter.bytes).unwrap();
    assert_eq!(line(&mail, "Message-ID"), format!("<{id}@bounces.example>"));
    assert_eq!(line(&mail, "Auto-Submitted"), "auto-generated");
    assert_eq!(line(&mail, "From"), "\"The Shop\" <hello@shop.example>");
    assert_eq!(line(&mail, "To"), "Ada <ada@example.org>");
    assert_eq!(mailparse::dateparse(&line(&mail, "Date")).unwrap(), 1_795_000_000);
    assert_eq!(mail.ctype.mimetype, "multipart/alternative");
    let [text, html] = mail.subparts.as_slice() else { panic!("{} parts", mail.subparts.len()) };
    assert_eq!((text.ctype.mimetype.as_str(), html.ctype.mimetype.as_str()), ("text/plain", "text/html"));
    assert_eq!(text.get_body().unwrap(), "Your code is 123456.\r\n.\r\nBye");
    assert_eq!(html.get_body().unwrap(), "<p>Your code is <b>123456</b>.</p>");

    let without = written(None, "hello@shop.example", "ada@example.org", &email("Hi")).unwrap();
    assert_eq!(without.from.to_string(), "hello@shop.example");
    assert!(String::from_utf8(without.bytes).unwrap().contains(&format!("Message-ID: <{id}@shop.example>\r\n")));
}

#[test]
fn what_cannot_be_sent_is_refused_with_a_reason() {
    let whole = email("Hi");
    let refused = |change: &dyn Fn(&mut Email)| {
        let mut email = whole.clone();
        change(&mut email);
        written(None, "hello@shop.example", "ada@example.org", &email).unwrap_err()
    };
    let eve = || Mailbox { address: "eve@example.org>\r\nBcc: x@example.org".to_owned(), name: None };
    let named =
        || Mailbox { address: "eve@example.org".to_owned(), name: Some("Eve\r\nBcc: x@example.org".to_owned()) };
    assert_eq!(refused(&|email| email.subject = "a\r\nBcc: eve@example.org".to_owned()), Unfit::Control("subject"));
    assert_eq!(refused(&|email| email.subject = "a".repeat(2001)), Unfit::TooLong("subject"));
    assert_eq!(refused(&|email| email.from_name = Some("a\nb".to_owned())), Unfit::Control("from_name"));
    assert_eq!(refused(&|email| email.from_name = Some("a".repeat(501))), Unfit::TooLong("from_name"));
    assert_eq!(refused(&|email| email.to = vec![eve()]), Unfit::Address("to"));
    assert_eq!(refused(&|email| email.cc = vec![named()]), Unfit::Control("cc"));
    assert_eq!(refused(&|email| email.reply_to = vec![eve(); 101]), Unfit::TooLong("reply_to"));
    assert_eq!(refused(&|email| email.html = Some("a".repeat(LARGEST_BODY + 1))), Unfit::TooLong("html"));
    assert_eq!(refused(&|email| (email.text, email.html) = (None, None)), Unfit::Empty);
    assert_eq!(written(None, "shop", "ada@example.org", &whole).unwrap_err(), Unfit::Sender);
    assert_eq!(written(None, "hello@shop.example", "ada", &whole).unwrap_err(), Unfit::Recipient);
}

#[test]
fn addresses_beyond_ascii_need_a_relay_that_knows_them() {
    let domain = written(None, "hello@shop.example", "ada@bücher.example", &email("Grüße")).unwrap();
    assert!(!domain.international());
    let local = written(None, "hello@shop.example", "dörte@example.org", &email("Grüße")).unwrap();
    assert!(local.international());
    let mut shown = email("Hi");
    shown.cc = vec![Mailbox { address: "dörte@example.org".to_owned(), name: None }];
    assert!(written(None, "hello@shop.example", "ada@example.org", &shown).unwrap().international());
}

/// Words that are meant to break out.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,200}",
        "[a-z\\PC]{0,20}( {1,3}[\\PC]{0,30}){0,20}",
        "[\\x20-\\x7e]{0,1200}",
        "a{900,1100}",
        "([ \\PC]=\\?utf-8\\?[qb]\\?[\\PC]{0,9}\\?= ?){1,3}",
        "[\\PC\\r\\n\\t\\x00\\x0b\\x85\\u{2028}]{0,50}",
        Just("x\r\nBcc: eve@example.org\r\n\r\nbody".to_owned()),
        Just("\"), <eve@example.org>, (\"".to_owned()),
    ]
}

fn bodies() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        words(),
        "([\\.\\r\\n=\\-_a ]|--=_\\PC){0,300}",
        "[ä𝄞 ]{0,2000}",
        Just("\r\n.\r\nMAIL FROM:<eve@example.org>\r\n".to_owned()),
        Just("\n.\nRSET\n".to_owned()),
        "\\n{0,3000}",
        Just("x".repeat(5000)),
    ]
}

fn mailboxes() -> impl Strategy<Value = Vec<Mailbox>> {
    let address = prop_oneof!["[a-z\"ö+. <>@\\r\\n]{1,30}@[a-zß.-]{1,30}", Just("ada@example.org".to_owned())];
    let mailbox = (address, proptest::option::of(words())).prop_map(|(address, name)| Mailbox { address, name });
    proptest::collection::vec(mailbox, 0..4)
}

/// Every line end is CR LF.
fn arrived(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

proptest! {
    #[test]
    fn no_word_of_a_caller_leaves_its_place(
        (from_name, subject) in (proptest::option::of(words()), words()),
        (to, cc, reply_to) in (mailboxes(), mailboxes(), mailboxes()),
        (text, html) in (proptest::option::of(bodies()), proptest::option::of(bodies())),
    ) {
        let email = Email { from_name, to, cc, reply_to, subject, text, html };
        let Ok(letter) = written(None, "hello@shop.example", "ada@example.org", &email) else { return Ok(()) };
        let again = written(None, "hello@shop.example", "ada@example.org", &email).unwrap();
        prop_assert_eq!(&letter.bytes, &again.bytes);

        for line in letter.bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r\n").unwrap_or(line);
            prop_assert!(line.len() <= 998, "a line of {} octets", line.len());
            prop_assert!(!line.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
        }
        let mail = mailparse::parse_mail(&letter.bytes).unwrap();
        let mut names: Vec<String> = mail.headers.iter().map(|header| header.get_key()).collect();
        prop_assert!(names.iter().all(|name| LINES.contains(&name.as_str())), "{:?}", names);
        let count = names.len();
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), count);

        prop_assert_eq!(line(&mail, "Subject"), &*email.subject);
        for (name, expected) in [("To", &email.to), ("Cc", &email.cc), ("Reply-To", &email.reply_to)] {
            let found = mail.headers.get_first_header(name).map(|header| mailparse::addrparse_header(header).unwrap());
            let count = found.map_or(0, |found| found.count_addrs());
            prop_assert_eq!(count, if name == "To" { expected.len().max(1) } else { expected.len() });
        }
        let sent: Vec<String> = [&email.text, &email.html].into_iter().flatten().map(|body| arrived(body)).collect();
        let parts: Vec<&ParsedMail<'_>> = mail.parts().filter(|part| part.subparts.is_empty()).collect();
        prop_assert_eq!(parts.len(), sent.len());
        for (part, sent) in parts.iter().zip(sent) {
            prop_assert_eq!(part.get_body().unwrap(), sent);
        }
    }
}
