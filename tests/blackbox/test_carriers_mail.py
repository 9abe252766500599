"""Mail among strangers: our provider against aiosmtpd, and Python's smtplib against the sandbox's mail server."""

import email.policy
import json
import smtplib
import ssl
import subprocess
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from programs import BIN, environment, free_port, until

EXAMPLES = Path(BIN).parent / "examples"
RETURN_PATH = "bounces+{}@mail.example"


class Example:
    """A small program of ours that answers each line with one."""

    def __init__(self, name):
        path = EXAMPLES / name
        assert path.exists(), f"{path} is not there: cargo build --examples -p hermod-provider-email -p hermod-sandbox-carriers"
        self.process = subprocess.Popen(
            [path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment({})
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)

    def hear(self):
        line = self.process.stdout.readline()
        assert line, f"it ended with {self.process.poll()}"
        return json.loads(line)

    def ask(self, wish):
        self.process.stdin.write(json.dumps(wish) + "\n")
        self.process.stdin.flush()
        return self.hear()


class Mailbox:
    """What aiosmtpd does with a mail: keeps it, or says what it was told to."""

    def __init__(self):
        self.mails, self.replies, self.options = [], {}, []

    async def handle_MAIL(self, server, session, envelope, address, options):
        if "MAIL" in self.replies:
            return self.replies.pop("MAIL")
        self.options.append(options)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if "RCPT" in self.replies:
            return self.replies.pop("RCPT")
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        if "DATA" in self.replies:
            return self.replies.pop("DATA")
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content, session.peer))
        return "250 2.0.0 ok"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"user", b"p4ss"), handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that signs itself, and a context that shows it."""
    with Example("mailserver") as server:
        made = server.hear()
    folder = tmp_path_factory.mktemp("certificate")
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_text(made["certificate_pem"])
    key.write_text(made["key_pem"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return chain.read_text(), context


@pytest.fixture
def relay():
    """Starts aiosmtpd servers and stops them."""
    started = []

    def start(**settings):
        box = Mailbox()
        controller = Controller(box, hostname="127.0.0.1", port=free_port(), server_hostname="relay.example", **settings)
        controller.start()
        started.append(controller)
        return box, controller.port

    yield start
    for controller in started:
        controller.stop()


@pytest.fixture(scope="module")
def provider():
    with Example("mail") as provider:
        yield provider


def wish(port, number=1, to="ada@example.org", secrets=None, subject="Grüße: your code", text="Your code is 123456\n.\n..\nBye", **config):
    html = "<p>Your code is <b>123456</b> — " + "x" * 3000 + "</p>"
    return {
        "config": {"host": "127.0.0.1", "port": port, "security": "none", "return_path": RETURN_PATH, "timeout_s": 10, **config},
        "secrets": secrets or {},
        "from": "hello@shop.example",
        "to": to,
        "number": number,
        "email": {
            "from_name": "Shop, the \"best\" 🛒",
            "to": [{"address": to, "name": "Ada Ærø"}],
            "cc": [{"address": "bob@example.org"}],
            "reply_to": [{"address": "help@shop.example", "name": "Help"}],
            "subject": subject, "text": text, "html": html,
        },
    }


def read(content):
    mail = BytesParser(policy=email.policy.default).parsebytes(content)
    assert not mail.defects, mail.defects
    return mail


def test_a_stranger_reads_what_we_wrote(provider, relay):
    box, port = relay()
    long_subject = " ".join(["Rechnung für März"] * 20)
    answers = [
        provider.ask(wish(port, 1)),
        provider.ask(wish(port, 2, subject=long_subject, text="\r\n".join(["." * n for n in range(80)]))),
        provider.ask(wish(port, 3, subject="=?utf-8?q?not_encoded?= " + "w" * 300, text="日本語の本文\n" * 200)),
    ]
    assert all("sent" in answer for answer in answers), answers
    assert len({peer for *_, peer in box.mails}) == 1, "one connection carried all"
    subjects = ["Grüße: your code", long_subject, "=?utf-8?q?not_encoded?= " + "w" * 300]
    for answer, subject, (sender, recipients, content, _) in zip(answers, subjects, box.mails, strict=True):
        assert sender == RETURN_PATH.replace("{}", answer["sent"])
        assert recipients == ["ada@example.org"]
        assert content.isascii() and max(map(len, content.split(b"\r\n"))) <= 998
        assert b"\n" not in content.replace(b"\r\n", b"") and b"\r" not in content.replace(b"\r\n", b"")
        mail = read(content)
        assert mail["Subject"] == subject
        assert mail["From"].addresses[0].display_name == "Shop, the \"best\" 🛒"
        assert mail["From"].addresses[0].addr_spec == "hello@shop.example"
        assert mail["To"].addresses[0].display_name == "Ada Ærø"
        assert [a.addr_spec for a in mail["Cc"].addresses] == ["bob@example.org"]
        assert [a.addr_spec for a in mail["Reply-To"].addresses] == ["help@shop.example"]
        assert mail["Message-ID"] == f"<{answer['sent']}@mail.example>"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["Date"].datetime.timestamp() == 1_795_000_000
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
        assert "x" * 3000 in mail.get_body(("html",)).get_content()
    texts = [read(content).get_body(("plain",)).get_content() for *_, content, _ in box.mails]
    assert texts[0].splitlines() == "Your code is 123456\n.\n..\nBye".splitlines()
    assert texts[2].splitlines() == ["日本語の本文"] * 200


@pytest.mark.parametrize(
    ("step", "reply", "code", "retry"),
    [
        ("MAIL", "452 4.3.1 full", "provider_unavailable", "BackOff"),
        ("MAIL", "553 5.1.8 not yours", "account_problem", "Never"),
        ("RCPT", "550 5.1.1 nobody", "recipient_unreachable", "Never"),
        ("RCPT", "450 4.2.1 busy", "recipient_unreachable", "BackOff"),
        ("RCPT", "451 4.7.1 greylisted", "rate_limited", "BackOff"),
        ("DATA", "451 4.3.0 broken", "provider_unavailable", "BackOff"),
        ("DATA", "554 5.6.0 spam", "rejected", "Never"),
        ("DATA", "552 5.2.2 quota", "recipient_unreachable", "Never"),
    ],
)
def test_what_a_stranger_refuses_is_understood(provider, relay, step, reply, code, retry):
    box, port = relay()
    box.replies[step] = reply
    answer = provider.ask(wish(port))
    number, _, words = reply.partition(" ")
    assert answer["failure"]["code"] == code and answer["retry"] == retry, answer
    assert answer["failure"]["provider_code"] == int(number) and answer["failure"]["details"] == words
    assert "sent" in provider.ask(wish(port, 2)) and len(box.mails) == 1


def test_a_stranger_wants_tls_and_a_log_in(provider, relay, certificate):
    chain, context = certificate
    box, port = relay(tls_context=context, require_starttls=True, authenticator=authenticate, auth_required=True)
    good = {"host": "localhost", "security": "starttls", "roots_pem": chain, "username": "user"}
    assert "sent" in provider.ask(wish(port, 1, secrets={"password": "p4ss"}, **good))
    wrong = provider.ask(wish(port, 2, secrets={"password": "wrong"}, **good))
    assert (wrong["failure"]["provider_code"], wrong["retry"]) == (535, "Stop"), wrong
    nobody = provider.ask(wish(port, 3, host="localhost", security="starttls", roots_pem=chain))
    assert (nobody["failure"]["provider_code"], nobody["retry"]) == (530, "Stop"), nobody
    untrusted = provider.ask(wish(port, 4, secrets={"password": "p4ss"}, **good | {"roots_pem": None}))
    assert (untrusted["failure"]["code"], untrusted["retry"]) == ("provider_unavailable", "BackOff"), untrusted
    _, plain = relay()
    stripped = provider.ask(wish(plain, 5, secrets={"password": "p4ss"}, **good))
    assert "STARTTLS" in stripped["failure"]["message"], stripped
    assert len(box.mails) == 1

    wrapped, port = relay(ssl_context=context)
    assert "sent" in provider.ask(wish(port, 6, host="localhost", security="tls", roots_pem=chain))
    assert len(wrapped.mails) == 1


def test_addresses_beyond_ascii_go_where_they_are_known(provider, relay):
    known, port = relay(enable_SMTPUTF8=True)
    assert "sent" in provider.ask(wish(port, 1, to="dörte@bücher.example"))
    assert known.mails[0][1] == ["dörte@xn--bcher-kva.example"] and "SMTPUTF8" in known.options[0]
    strange, port = relay(enable_SMTPUTF8=False)
    assert provider.ask(wish(port, 2, to="dörte@bücher.example"))["failure"]["code"] == "rejected"
    assert "sent" in provider.ask(wish(port, 3, to="doerte@bücher.example"))
    assert strange.mails[0][1] == ["doerte@xn--bcher-kva.example"]


@pytest.fixture
def server():
    with Example("mailserver") as server:
        server.place = server.hear()
        yield server


def written(subject="Grüße"):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = "Shop <hello@shop.example>", "Ada <ada@example.org>", subject, "<1@shop.example>"
    mail.set_content("Hallo\n.\n..Ende\n")
    mail.add_alternative("<b>Hallo</b>\n", subtype="html")
    return mail


def test_a_strangers_client_is_served(server):
    place = server.place
    context = ssl.create_default_context(cadata=place["certificate_pem"])
    server.ask({"user": ["user", "p4ss"]})
    with smtplib.SMTP("localhost", place["port"]) as client:
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            client.send_message(written())
        assert refused.value.smtp_code == 530
        client.starttls(context=context)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("user", "wrong")
        client.login("user", "p4ss")
        assert client.has_extn("pipelining") and client.has_extn("smtputf8")
        client.send_message(written(), "b@shop.example", ["ada@example.org", "bob@example.org"])
    with smtplib.SMTP_SSL("localhost", place["tls_port"], context=context) as client:
        client.user, client.password = "user", "p4ss"
        client.ehlo()
        client.auth("LOGIN", client.auth_login)
        client.send_message(written("second"), mail_options=["SMTPUTF8"], to_addrs=["dörte@example.org"])
        with pytest.raises(smtplib.SMTPSenderRefused) as large:
            client.sendmail("b@shop.example", "ada@example.org", "x" * 11_000_000)
        assert large.value.smtp_code == 552
    told = server.ask({})
    first, other, second = told["data"]
    assert [m["to"] for m in told["data"]] == ["ada@example.org", "bob@example.org", "dörte@example.org"]
    assert (first["from"], first["subject"], first["text"], first["html"].strip()) == ("hello@shop.example", "Grüße", "Hallo\n.\n..Ende\n", "<b>Hallo</b>")
    assert first["envelope"] == {"from": "b@shop.example", "to": ["ada@example.org", "bob@example.org"]}
    assert first["secured"] and first["user"] == "user" and other["message_id"] == second["message_id"] == "1@shop.example"


def test_a_stranger_reads_the_servers_faults_and_reports(server):
    server.ask({"user": ["user", "p4ss"]})

    def send(to="ada@example.org"):
        with smtplib.SMTP("localhost", server.place["port"]) as client:
            client.login("user", "p4ss")
            client.send_message(written(), "b+1@shop.example", [to])

    for status in (451, 550):
        server.ask({"status": status})
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            send()
        assert refused.value.recipients["ada@example.org"][0] == status
    server.ask({"kind": "drop"})
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send()
    assert len(server.ask({})["data"]) == 1
    server.ask({"code": "5.2.2"})
    send()
    send("nobody@nowhere.invalid")
    reports = until(lambda: len(found := server.ask({})["reports"]) == 2 and found, what="two reports")
    expected = {"5.1.1": "nobody@nowhere.invalid", "5.2.2": "ada@example.org"}
    for report in reports:
        mail = read(report.encode())
        assert mail.get_content_type() == "multipart/report" and mail["To"].addresses[0].addr_spec == "b+1@shop.example"
        _, delivery, quoted = mail.iter_parts()
        _, recipient = delivery.get_payload()
        assert recipient["Action"] == "failed"
        assert recipient["Final-Recipient"] == f"rfc822; {expected.pop(recipient['Status'])}"
        assert quoted.get_content_type() == "text/rfc822-headers" and "Message-ID: <1@shop.example>" in str(quoted.get_payload())
    assert not expected
