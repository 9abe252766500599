"""Texts, calls and mails through the YCloud API of the wired platform, with carriers of the sandbox that speak their own
protocols: an SMSC, three with HTTP APIs, and a mail server."""

import itertools

import pytest
from programs import Platform, postgres, until
from receiver import Receiver
from ycloud import heard

PHONE = "+12025550123"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def house(request, tmp_path_factory):
    data = tmp_path_factory.mktemp("ycloud-carriers") / "data"
    with Receiver() as receiver, postgres(request.param == "postgres") as where, Platform(data, "--sandbox", *where) as platform:
        endpoint = platform.ycloud.endpoint(
            f"{receiver.url}/hook", "sms.message.updated", "sms.inbound.received", "voice.message.updated", "email.delivery.updated")
        yield platform, receiver, endpoint


def carried(platform, kind, words):
    """What carriers were given with these words in it."""
    return [one for one in platform.outside.call("GET", f"/{kind}")["data"] if words in str(one)]


def given(platform, kind, words):
    [one] = until(lambda: carried(platform, kind, words), 90, what=f"{words} at a carrier")
    return one


def text(platform, words, **more):
    return platform.ycloud.post("/sms", to=PHONE, text=words, **more)


def listed(platform, kind, id):
    [one] = platform.ycloud.get(f"/{kind}", **{"filter.id": id})["items"]
    return one


def test_a_text_goes_over_smpp(house):
    platform, receiver, endpoint = house
    long = "Your parcel is at the shop \u2013 " + "come and get it. " * 10
    sent = text(platform, long, externalId="parcel 1", callbackUrl=f"{receiver.url}/callback")
    assert (sent["status"], sent["totalSegments"], sent["senderId"], sent["regionCode"]) == ("accepted", 3, platform.ycloud.sms_from, "US")
    seen = given(platform, "sms", "parcel is at the shop")
    assert (seen["carrier"], seen["from"], seen["to"], seen["text"], seen["parts"], seen["encoding"]) == (
        "smpp", platform.ycloud.sms_from, PHONE, long, 3, "ucs2")
    told = heard(receiver, endpoint, "sms.message.updated", id=sent["id"])
    assert (told["status"], told["externalId"], told["to"]) == ("delivered", "parcel 1", PHONE)
    receiver.wait(lambda push: push.path == "/callback" and sent["id"].encode() in push.body, seconds=90, what="the callback")
    assert listed(platform, "sms", sent["id"])["status"] == "delivered"


def test_a_call_speaks_a_code(house):
    platform, receiver, endpoint = house
    sent = platform.ycloud.post("/voices", to=PHONE, verificationCode="4711", language="en", externalId="call 1")
    seen = given(platform, "voice", "4, 7, 1, 1")
    assert (seen["carrier"], seen["to"], seen["language"]) == ("twilio", PHONE, "en-US")
    told = heard(receiver, endpoint, "voice.message.updated", id=sent["id"])
    assert (told["status"], told["externalId"]) == ("delivered", "call 1")
    assert listed(platform, "voices", sent["id"])["status"] == "delivered"


def test_a_mail_goes_to_each_of_its_recipients(house):
    """A relay says that it took a mail, not that it arrived: what is told is what bounced."""
    platform, receiver, endpoint = house
    sent = platform.ycloud.post(
        "/emails", **{"from": f"Shop<{platform.ycloud.email_from}>", "to": "Ann<ann@example.com>,ben@example.invalid",
                      "subject": "Grüße", "content": "Hello #who#, your order is ready.", "contentType": "text/plain",
                      "externalId": "mail 1", "variables": [{"who": "Ann"}, {"who": "Ben"}]})
    for who, address in (("Ann", "ann@example.com"), ("Ben", "ben@example.invalid")):
        seen = given(platform, "emails", f"Hello {who}, your order")
        assert (seen["to"], seen["subject"], platform.ycloud.email_from in seen["from"]) == (address, "Grüße", True), seen
    told = heard(receiver, endpoint, "email.delivery.updated", address="ben@example.invalid")
    assert (told["emailId"], told["status"], told["externalId"]) == (sent["id"], "failed", "mail 1")


def test_a_phone_answers_and_opts_out(house):
    platform, receiver, endpoint = house
    asked = text(platform, "Shall we keep writing to you?")
    given(platform, "sms", "keep writing")
    heard(receiver, endpoint, "sms.message.updated", id=asked["id"])
    platform.outside.say(PHONE, platform.ycloud.sms_from, "No, thank you")
    told = heard(receiver, endpoint, "sms.inbound.received", words="No, thank you")
    assert (told["from"], told["to"], told["text"]) == (PHONE, platform.ycloud.sms_from, "No, thank you")
    platform.outside.say(PHONE, platform.ycloud.sms_from, "STOP")
    heard(receiver, endpoint, "sms.inbound.received", words='"STOP"')
    refused = platform.ycloud.ask("POST", "/sms", {"to": PHONE, "text": "an offer"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "RECIPIENT_UNSUBSCRIBED"), refused.text
    # Unsubscribers are those of WhatsApp.
    assert platform.ycloud.get(f"/unsubscribers/{PHONE}") == []
    platform.outside.say(PHONE, platform.ycloud.sms_from, "START")
    heard(receiver, endpoint, "sms.inbound.received", words='"START"')
    text(platform, "we write again")
    given(platform, "sms", "we write again")


def test_what_fails_is_told_as_it_failed(house):
    platform, receiver, endpoint = house
    platform.outside.call("POST", "/faults", {"target": "sms", "kind": "code", "code": "UNDELIV"})
    sent = text(platform, "nobody is there")
    told = heard(receiver, endpoint, "sms.message.updated", id=sent["id"])
    assert told["status"] == "undelivered" and told["errorCode"], told
    platform.outside.call("POST", "/faults", {"target": "smtp", "kind": "status", "status": 550})
    mail = platform.ycloud.post("/emails", **{"from": platform.ycloud.email_from, "to": "nobody@example.com", "subject": "x",
                                              "content": "to nobody", "contentType": "text/plain"})
    told = heard(receiver, endpoint, "email.delivery.updated", id=mail["id"])
    assert (told["recipientAddress"], told["status"]) == ("nobody@example.com", "failed")


def test_the_next_carrier_stands_in(house):
    """An SMSC that is over capacity: the text goes to the next carrier at once, and later ones too while it rests; then
    it has its turn again by itself."""
    platform, receiver, endpoint = house
    platform.outside.call("POST", "/faults", {"target": "sms", "kind": "status", "status": 8})
    sent = text(platform, "over another road")
    seen = given(platform, "sms", "over another road")
    assert seen["carrier"] == "twilio", seen
    assert heard(receiver, endpoint, "sms.message.updated", id=sent["id"])["status"] == "delivered"
    words = (f"the first road again {number}" for number in itertools.count())
    back = until(lambda: over_smpp(platform, next(words)), 120, every=2, what="the first carrier's turn")
    assert heard(receiver, endpoint, "sms.message.updated", id=back)["status"] == "delivered"
    assert len(carried(platform, "sms", "over another road")) == 1


def over_smpp(platform, words):
    """The id of a text that went over the SMSC; of another none."""
    sent = text(platform, words)
    return sent["id"] if given(platform, "sms", words)["carrier"] == "smpp" else None
