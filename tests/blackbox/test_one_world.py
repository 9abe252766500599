"""One organization seen through three doors: what is made or happens at one of Late, YCloud and Kirim is there at the others,
under the same ids."""

import json
import zlib

import pytest
from late_api import signature
from programs import Platform, postgres, until
from receiver import Receiver
from ycloud import heard

ANN, BEN, CEM, DORA, EVE = (f"+1555777010{n}" for n in range(1, 6))
OFFER = {"name": "seasonal_offer", "language": "en"}
SECRET = "one world"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def house(request, tmp_path_factory):
    data = tmp_path_factory.mktemp("one-world") / "data"
    with Receiver() as receiver, postgres(request.param == "postgres") as where, Platform(data, "--sandbox", *where) as platform:
        platform.late.post("/webhooks/settings", name="Late", url=f"{receiver.url}/late", secret=SECRET,
                           events=["message.received", "message.sent", "message.delivered", "message.read"])
        platform.kirim.subscribe(f"{receiver.url}/kirim", "message.received", "message.sent", "message.status")
        endpoint = platform.ycloud.endpoint(f"{receiver.url}/ycloud", "whatsapp.inbound_message.received", "whatsapp.message.updated")
        yield platform, receiver, endpoint


def kirims(prefix, id):
    """Kirim's spelling of an id: its 96 bits and their CRC-32, in Crockford's digits."""
    bits = bytes.fromhex(id)
    number = int.from_bytes(bits + zlib.crc32(bits).to_bytes(4, "big"), "big")
    return f"{prefix}_" + "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number >> 5 * place & 31] for place in reversed(range(26)))


class Doors:
    """How one contact, message or template looks at each of them."""

    def __init__(self, platform):
        self.late, self.ycloud, self.kirim = platform.late, platform.ycloud, platform.kirim

    def contacts(self, phone):
        """The same person three times, or nobody."""
        [late, ycloud, kirim] = [
            self.late.get("/whatsapp/contacts", accountId=self.late.account, search=phone)["contacts"],
            self.ycloud.get("/contact/contacts", **{"filter.phoneNumber": phone})["items"],
            self.kirim.all(f"/{self.kirim.number}/contacts", phone=phone),
        ]
        assert len(late) == len(ycloud) == len(kirim) <= 1, (late, ycloud, kirim)
        if not late:
            return None
        assert ycloud[0]["id"] == late[0]["id"] and kirim[0]["id"] == kirims("ctc", late[0]["id"]), (late, ycloud, kirim)
        return late[0], ycloud[0], kirim[0]

    def names(self, phone):
        late, ycloud, kirim = self.contacts(phone)
        return late["name"], ycloud["nickname"], kirim["name"]

    def is_out(self, phone):
        """Whether somebody does not want to hear from us: the same answer everywhere."""
        message = {"messaging_product": "whatsapp", "to": phone, "type": "template", "template": {**OFFER, "components": WORDS}}
        at_kirim = self.kirim.ask("POST", f"/{self.kirim.number}/messages", message)
        refused = at_kirim.status_code == 422 and at_kirim.json()["error"]["code"] == "marketing_opted_out"
        assert refused or at_kirim.status_code == 200, at_kirim.text
        at_ycloud = self.ycloud.ask("GET", f"/unsubscribers/{phone}/whatsapp").status_code == 200
        at_late = not self.contacts(phone)[0]["isOptedIn"]
        assert at_late == at_ycloud == refused, (phone, at_late, at_ycloud, at_kirim.text)
        return at_late

    def message(self, id):
        """How far it is, and WhatsApp's id for it, at the doors where messages can be read."""
        at_ycloud, at_kirim = self.ycloud.message(id), self.kirim.message(kirims("msg", id))
        assert at_ycloud.get("wamid") == at_kirim["message_id"], (at_ycloud, at_kirim)
        return at_ycloud["status"], at_kirim["status"], at_kirim["message_id"]

    def reached(self, id, status):
        """WhatsApp's id for a message once it is so far at both."""
        until(lambda: self.message(id)[:2] == (status, status), 60, what=f"{id} {status}")
        return self.message(id)[2]

    def templates(self, name):
        """Its state at each."""
        [at_late] = [it for it in self.late.get("/whatsapp/templates", accountId=self.late.account)["templates"] if it["name"] == name]
        at_ycloud = self.ycloud.get(f"/whatsapp/templates/{self.ycloud.waba}/{name}/en")
        [at_kirim] = [it for it in self.kirim.all(f"/{self.kirim.number}/templates", status="all") if it["name"] == name]
        return at_late["status"], at_ycloud["status"], at_kirim["status"]


WORDS = [{"type": "header", "parameters": [{"type": "text", "text": "autumn"}]}, {"type": "body", "parameters": [{"type": "text", "text": "you"}]}]


def lates(receiver, name, text):
    """The message of an event that Late's webhook was told, signed as it should be."""
    def fits(push):
        return push.headers.get("x-zernio-event") == name and text.encode() in push.body
    push = receiver.wait(fits, seconds=90, what=f"{name} with {text}")
    assert push.headers["x-late-signature"] == push.headers["x-zernio-signature"] == signature(SECRET, push.body)
    return json.loads(push.body)["message"]


def test_a_person_is_the_same(house):
    doors, (late, ycloud, kirim) = Doors(house[0]), (house[0].late, house[0].ycloud, house[0].kirim)
    made = late.contact(ANN, "Ann", tags=["regular"], groups=["VIP"], email="ann@example.com")
    _, at_ycloud, _ = doors.contacts(ANN)
    assert (at_ycloud["tags"], at_ycloud["email"]) == (["regular"], "ann@example.com")
    [label] = kirim.all("/labels")
    assert label["name"] == "VIP"
    ycloud.post("/contact/contacts", phoneNumber=BEN, nickname="Ben", tags=["new"])
    kirim.call("POST", f"/{kirim.number}/contacts", {"phone_number": CEM, "name": "Cem"})
    assert [doors.names(phone) for phone in (ANN, BEN, CEM)] == [("Ann",) * 3, ("Ben",) * 3, ("Cem",) * 3]
    kirim.call("POST", f"/{kirim.number}/contacts/{doors.contacts(BEN)[2]['id']}/labels", {"label_id": label["id"]})
    assert (doors.contacts(BEN)[0]["tags"], doors.contacts(BEN)[0]["groups"]) == (["new"], ["VIP"])

    # Known through whichever door, known to the import.
    rows = [{"phone": phone, "name": "Imported"} for phone in (ANN, BEN, CEM, DORA, EVE)]
    told = late.post("/whatsapp/contacts/import", accountId=late.account, contacts=rows)
    assert told["summary"] == {"total": 5, "created": 2, "skipped": 3, "failed": 0}
    assert [doors.names(phone) for phone in (CEM, DORA, EVE)] == [("Cem",) * 3, ("Imported",) * 3, ("Imported",) * 3]

    # Whoever changes somebody changes him for all.
    late.call("PUT", f"/whatsapp/contacts/{made}", {"name": "Ann at Late"})
    assert doors.names(ANN) == ("Ann at Late",) * 3
    ycloud.call("PATCH", f"/contact/contacts/{made}", {"nickname": "Ann at YCloud"})
    assert doors.names(ANN) == ("Ann at YCloud",) * 3
    kirim.call("PATCH", f"/{kirim.number}/contacts/{kirims('ctc', made)}", {"name": "Ann at Kirim"})
    assert doors.names(ANN) == ("Ann at Kirim",) * 3
    for gone, forget in (("+15557770106", lambda id: late.call("DELETE", f"/whatsapp/contacts/{id}")),
                         ("+15557770107", lambda id: ycloud.call("DELETE", f"/contact/contacts/{id}")),
                         ("+15557770108", lambda id: kirim.call("DELETE", f"/{kirim.number}/contacts/{kirims('ctc', id)}"))):
        id = late.contact(gone)
        assert doors.contacts(gone)
        forget(id)
        assert doors.contacts(gone) is None


def test_who_said_no_is_not_written_to(house):
    platform, receiver, _ = house
    doors, late, ycloud = Doors(platform), platform.late, platform.ycloud
    at_late, at_ycloud, by_himself, willing = people = [f"+1555777020{n}" for n in range(4)]
    ids = {phone: late.contact(phone) for phone in people}
    assert not any(doors.is_out(phone) for phone in people)
    late.call("PUT", f"/whatsapp/contacts/{ids[at_late]}", {"isOptedIn": False})
    ycloud.post("/unsubscribers", type="PHONE_NUMBER", customer=at_ycloud, channel="whatsapp")
    platform.outside.say(by_himself, ycloud.number, "STOP")
    until(lambda: ycloud.ask("GET", f"/unsubscribers/{by_himself}/whatsapp").status_code == 200, 60, what="the opt-out")
    assert [doors.is_out(phone) for phone in people] == [True, True, True, False]

    draft = late.draft(*people)
    done = late.post(f"/whatsapp/broadcasts/{draft}/send")
    assert (done["sent"], done["failed"]) == (1, 3)
    told = {it["phone"]: it.get("error") for it in late.get(f"/whatsapp/broadcasts/{draft}/recipients")["recipients"]}
    assert told == {at_late: "Contact opted out", at_ycloud: "Contact opted out", by_himself: "Contact opted out", willing: None}

    ycloud.call("DELETE", f"/unsubscribers/{at_late}/whatsapp")
    late.post("/whatsapp/contacts/bulk", action="optIn", contactIds=[ids[at_ycloud], ids[by_himself]])
    assert not any(doors.is_out(phone) for phone in people)


def test_a_broadcast_is_messages(house):
    platform, receiver, endpoint = house
    doors, late, kirim = Doors(platform), platform.late, platform.kirim
    people = [f"+1555777030{n}" for n in range(3)]
    draft = late.draft(*people)
    assert late.post(f"/whatsapp/broadcasts/{draft}/send")["status"] == "completed"
    recipients = lambda: late.get(f"/whatsapp/broadcasts/{draft}/recipients")["recipients"]
    messages = {it["phone"]: it["messageId"] for it in recipients()}
    for phone, id in messages.items():
        wamid = doors.reached(id, "delivered")
        [shown] = platform.outside.screen(phone)
        assert shown["id"] == wamid
        sent, delivered = lates(receiver, "message.sent", wamid), lates(receiver, "message.delivered", wamid)
        assert (sent["id"], delivered["id"], sent["platformMessageId"]) == (id, id, wamid)
        assert heard(receiver, endpoint, "whatsapp.message.updated", wamid=wamid, status='"delivered"')["id"] == id
    listed = {one["id"] for one in kirim.all(f"/{kirim.number}/messages", direction="outbound")}
    assert {kirims("msg", id) for id in messages.values()} <= listed

    platform.outside.call("POST", f"/phones/{people[0]}/read", {})
    doors.reached(messages[people[0]], "read")
    until(lambda: [it["status"] for it in recipients()] == ["read", "delivered", "delivered"], 60, what="the count")
    assert lates(receiver, "message.read", messages[people[0]])["isRead"] is True


def test_a_message_that_comes_in_is_told_at_every_door(house):
    platform, receiver, endpoint = house
    person, words = "+15557770401", "one fact, three tellings"
    wamid = platform.outside.say(person, platform.ycloud.number, words)
    at_late = lates(receiver, "message.received", wamid)
    at_ycloud = heard(receiver, endpoint, "whatsapp.inbound_message.received", wamid=wamid)
    push = receiver.wait(lambda push: push.headers.get("x-kirim-event") == "message.received" and wamid.encode() in push.body)
    at_kirim = json.loads(push.body)
    assert (at_late["platformMessageId"], at_late["text"], at_late["sender"]["phoneNumber"]) == (wamid, words, person)
    assert (at_ycloud["id"], at_ycloud["wamid"], at_ycloud["text"]["body"]) == (at_late["id"], wamid, words)
    [shown] = at_kirim["entry"][0]["changes"][0]["value"]["messages"]
    assert (at_kirim["kirim"]["message_id"], shown["id"], shown["text"]["body"]) == (kirims("msg", at_late["id"]), wamid, words)
    assert at_kirim["kirim"]["contact_id"] == kirims("ctc", at_late["sender"]["contactId"])
    assert sorted(push.path for push in receiver.pushes if wamid.encode() in push.body) == ["/kirim", "/late", "/ycloud"]


def test_a_template_is_the_accounts(house):
    platform, _, _ = house
    doors, late, ycloud = Doors(platform), platform.late, platform.ycloud
    components = [{"type": "BODY", "text": "Your parcel has arrived at the shop."}]
    late.post("/whatsapp/templates", accountId=late.account, name="made_at_late", category="UTILITY", language="en", components=components)
    ycloud.post("/whatsapp/templates", wabaId=ycloud.waba, name="made_at_ycloud", category="UTILITY", language="en", components=components)
    for name in ("made_at_late", "made_at_ycloud"):
        until(lambda: doors.templates(name) == ("APPROVED", "APPROVED", "approved"), 60, what=f"the review of {name}")
    person = "+15557770501"
    late.post(f"/whatsapp/broadcasts/{late.draft(person, template='made_at_ycloud', language='en')}/send")
    ycloud.send_template(person, "made_at_late", "en")
    until(lambda: len(platform.outside.screen(person)) == 2, 60, what="both messages")
    late.call("DELETE", "/whatsapp/templates/made_at_late", params={"accountId": late.account})
    assert ycloud.ask("GET", f"/whatsapp/templates/{ycloud.waba}/made_at_late/en").status_code == 404
