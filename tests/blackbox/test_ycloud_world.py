"""One world behind two APIs: what is made through YCloud is there through Kirim, and the other way round."""

import json

import pytest
from programs import Platform, postgres, until
from receiver import Receiver
from ycloud import heard, is_signed, kind_of, signature, told

PHONE = "+15557770091"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def house(request, tmp_path_factory):
    data = tmp_path_factory.mktemp("ycloud-world") / "data"
    with Receiver() as receiver, postgres(request.param == "postgres") as where, Platform(data, "--sandbox", *where) as platform:
        endpoint = platform.ycloud.endpoint(
            f"{receiver.url}/ycloud", "whatsapp.inbound_message.received", "whatsapp.message.updated", "whatsapp.template.reviewed",
            "contact.created", "contact.unsubscribe.created")
        platform.kirim.subscribe(f"{receiver.url}/kirim", "message.received", "message.sent", "message.status", "contact.created")
        yield platform, receiver, endpoint


def kirims(receiver, event, words):
    """What Kirim's subscriber was told."""
    def fits(push):
        return push.headers.get("x-kirim-event") == event and words.encode() in push.body
    return receiver.wait(fits, seconds=90, what=f"{event} with {words}")


def test_the_published_vector():
    """The verifier of these tests, which is not the platform's code, makes the published signature."""
    body = b'{"id":"evt_01","type":"whatsapp.inbound_message.received","apiVersion":"v2"}'
    made = signature("whsec_test_6c2f0f6c3a6d4b16", 1_700_000_000, body)
    assert made == "4ee5dc4c43b9d27aa16b9e46a59ea8700d0b3b90d9da6139a302aa7a55cbdaa1"


def test_contacts_are_the_same(house):
    platform, receiver, endpoint = house
    ycloud, kirim = platform.ycloud, platform.kirim
    made = ycloud.post("/contact/contacts", phoneNumber="+15557770092", nickname="Ann", tags=["regular"])
    [known] = kirim.all(f"/{kirim.number}/contacts", phone="+15557770092")
    assert known["name"] == "Ann"
    kirim.call("PATCH", f"/{kirim.number}/contacts/{known['id']}", {"name": "Ann Smith"})
    assert ycloud.get(f"/contact/contacts/{made['id']}")["nickname"] == "Ann Smith"
    heard_of = heard(receiver, endpoint, "contact.created", phone="+15557770092")
    assert heard_of["id"] == made["id"]
    kirim.call("POST", f"/{kirim.number}/contacts", {"phone_number": "+15557770093", "name": "Ben"})
    [ben] = ycloud.get("/contact/contacts", **{"filter.phoneNumber": "+15557770093"})["items"]
    assert ben["nickname"] == "Ben"
    kirims(receiver, "contact.created", "15557770092")
    ycloud.call("DELETE", f"/contact/contacts/{ben['id']}")
    assert not kirim.all(f"/{kirim.number}/contacts", phone="+15557770093")


def test_messages_are_the_same_and_both_are_told(house):
    platform, receiver, endpoint = house
    ycloud, kirim = platform.ycloud, platform.kirim
    wamid = platform.outside.say(PHONE, ycloud.number, "one fact for two")
    told_of = heard(receiver, endpoint, "whatsapp.inbound_message.received", wamid=wamid)
    assert (told_of["from"], told_of["to"], told_of["text"]) == (PHONE, ycloud.number, {"body": "one fact for two"})
    assert wamid.encode() in kirims(receiver, "message.received", "one fact for two").body
    [inbound] = kirim.all(f"/{kirim.number}/messages", direction="inbound")
    assert inbound["content"] == "one fact for two"
    ycloud.post(f"/whatsapp/inboundMessages/{wamid}/markAsRead")
    until(lambda: any(one["id"] == wamid and one["status"] == "read" for one in platform.outside.screen(PHONE)), 60, what="read")

    sent = ycloud.say(PHONE, "through YCloud", externalId="order 7")
    listed = lambda: [one for one in kirim.all(f"/{kirim.number}/messages", direction="outbound") if one["content"] == "through YCloud"]
    until(lambda: listed() and listed()[0]["status"] == "delivered", 60, what="delivered")
    kirims(receiver, "message.sent", "through YCloud")
    updated = heard(receiver, endpoint, "whatsapp.message.updated", id=sent["id"], status='"delivered"')
    assert updated["externalId"] == "order 7" and updated["wamid"] == ycloud.message(sent["id"])["wamid"]

    other = kirim.say(PHONE, "through Kirim")["id"]
    until(lambda: kirim.message(other)["status"] == "delivered", 60, what="delivered")
    updated = heard(receiver, endpoint, "whatsapp.message.updated", text="through Kirim", status='"delivered"')
    assert ycloud.message(updated["id"])["text"] == {"body": "through Kirim"}
    assert [one["text"]["body"] for one in platform.outside.screen(PHONE)] == ["one fact for two", "through YCloud", "through Kirim"]
    facts = {push.path for push in receiver.pushes if b"one fact for two" in push.body}
    assert facts == {"/ycloud", "/kirim"}


def test_a_template_made_here_is_sent_there(house):
    platform, receiver, endpoint = house
    ycloud, kirim = platform.ycloud, platform.kirim
    body = {"type": "BODY", "text": "Dear {{1}}, your order is ready.", "example": {"body_text": [["Ann"]]}}
    ycloud.post("/whatsapp/templates", wabaId=ycloud.waba, name="order_ready", language="en", category="UTILITY", components=[body])
    path = f"/whatsapp/templates/{ycloud.waba}/order_ready/en"
    until(lambda: ycloud.get(path)["status"] == "APPROVED", 60, what="the review")
    assert heard(receiver, endpoint, "whatsapp.template.reviewed", name="order_ready")["status"] == "APPROVED"
    components = [{"type": "body", "parameters": [{"type": "text", "text": "Ann"}]}]
    sent = kirim.send(PHONE, "template", {"name": "order_ready", "language": "en", "components": components})["id"]
    until(lambda: kirim.message(sent)["status"] == "delivered", 60, what="delivered")
    again = ycloud.send_template(PHONE, "order_ready", "en", "Ben")
    until(lambda: ycloud.message(again["id"])["status"] == "delivered", 60, what="delivered")
    shown = json.dumps(platform.outside.screen(PHONE))
    assert "Dear Ann, your order is ready." in shown and "Dear Ben, your order is ready." in shown


def test_an_opt_out_counts_in_both(house):
    platform, receiver, endpoint = house
    ycloud, kirim, gone = platform.ycloud, platform.kirim, "+15557770094"
    offer = {"name": "seasonal_offer", "language": "en", "components": [
        {"type": "header", "parameters": [{"type": "text", "text": "autumn"}]},
        {"type": "body", "parameters": [{"type": "text", "text": "Cem"}]}]}
    ycloud.post("/unsubscribers", type="PHONE_NUMBER", customer=gone, channel="whatsapp")
    message = {"messaging_product": "whatsapp", "to": gone, "type": "template", "template": offer}
    refused = kirim.ask("POST", f"/{kirim.number}/messages", message)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "marketing_opted_out"), refused.text
    # A word of the customer's own, told on WhatsApp, is in the ledger of both.
    platform.outside.say(PHONE, ycloud.number, "STOP")
    heard(receiver, endpoint, "contact.unsubscribe.created", phone=PHONE)
    assert ycloud.get(f"/unsubscribers/{PHONE}/whatsapp")["customer"] == PHONE
    assert kirim.ask("POST", f"/{kirim.number}/messages", {**message, "to": PHONE}).status_code == 422
    taken = ycloud.say(PHONE, "you asked us not to", filterUnsubscribed=True)
    failed = until(lambda: (found := ycloud.message(taken["id"]))["status"] == "failed" and found, 60, what="the failure")
    assert failed["errorCode"] == "RECIPIENT_UNSUBSCRIBED"
    assert heard(receiver, endpoint, "whatsapp.message.updated", id=taken["id"])["status"] == "failed"
    ycloud.call("DELETE", f"/unsubscribers/{gone}/whatsapp")
    allowed = kirim.call("POST", f"/{kirim.number}/messages", {**message, "template": {**offer, "components": offer["components"][1:]}})
    assert allowed["status"] == "pending"


def test_signatures_are_of_the_body_and_of_the_secret_of_now(house):
    platform, receiver, _ = house
    ycloud = platform.ycloud
    mine = ycloud.endpoint(f"{receiver.url}/rotated", "contact.created")
    ycloud.post("/contact/contacts", phoneNumber="+15557770095")
    first = receiver.wait(lambda push: push.path == "/rotated" and b"15557770095" in push.body, seconds=90)
    rotated = ycloud.post(f"/webhookEndpoints/{mine['id']}/rotateSecret")["secret"]
    assert rotated != mine["secret"]
    ycloud.post("/contact/contacts", phoneNumber="+15557770096")
    second = receiver.wait(lambda push: push.path == "/rotated" and b"15557770096" in push.body, seconds=90)
    assert [is_signed(first, mine["secret"]), is_signed(second, rotated)] == [True, True]
    assert [is_signed(first, rotated), is_signed(second, mine["secret"])] == [False, False]
    assert kind_of(second) == "contact.created" and told("contact.created", phone="15557770096")(second)
