"""The YCloud API against its published contract, with data that fits it and data that does not, by schemathesis.
`judge.py` holds each answer to the contract; here only what went wrong inside counts.

Most names lead to things that exist, so that answers come from behind the first check.
"""

import re

import pytest
from fuzz import Fuzz, amended, lead, mostly, unbroken
from programs import Platform, until

YCLOUD = Fuzz("ycloud")
PERSON = "+15557770081"
# Carriers are asked for numbers that can exist only.
PHONE = "+12025550123"


class World:
    """What an organization has. What a call takes apart is made anew for it."""

    def __init__(self, platform, receiver):
        self.platform, self.ycloud, self.hook, self.made = platform, platform.ycloud, f"{receiver.url}/hook", 0
        self.file = f"{receiver.url}/picture.png"
        self.number_id = platform.told["meta"]["phone_numbers"][0]["id"]
        self.endpoint = self.ycloud.endpoint(self.hook, "whatsapp.inbound_message.received")["id"]
        self.inbound = platform.outside.say(PERSON, self.ycloud.number, "hello")
        receiver.wait(lambda push: self.inbound.encode() in push.body, what="the webhook")
        self.message = self.ycloud.say(PERSON, "hello to you")["id"]
        self.verification = self.ycloud.post("/verify/verifications", channel="sms", to=PHONE, code="4711")["id"]
        self.contact, self.definition, self.property = self.a_contact(), self.a_definition(), "colour"
        self.customer = self.an_unsubscriber()

    def count(self):
        self.made += 1
        return self.made

    def person(self):
        return f"+1555881{self.count():04}"

    def an_endpoint(self):
        # There may be twenty.
        for known in self.ycloud.get("/webhookEndpoints", limit=100)["items"]:
            if known["id"] != self.endpoint:
                self.ycloud.call("DELETE", f"/webhookEndpoints/{known['id']}")
        return self.ycloud.endpoint(self.hook, "contact.created")["id"]

    def a_contact(self):
        return self.ycloud.post("/contact/contacts", phoneNumber=self.person())["id"]

    def a_definition(self):
        properties = [{"name": "colour", "label": "Colour", "type": "STRING"}]
        name = f"event_{self.count()}"
        self.ycloud.post("/event/definitions", name=name, label="Event", objectType="CONTACT", properties=properties)
        return name

    def an_unsubscriber(self):
        return self.ycloud.post("/unsubscribers", type="PHONE_NUMBER", customer=self.person(), channel="whatsapp")["customer"]

    def a_template(self):
        template = self.template()
        self.ycloud.post("/whatsapp/templates", **template)
        return template["name"]

    def an_approved_template(self):
        name = self.a_template()
        path = f"/whatsapp/templates/{self.ycloud.waba}/{name}/en"
        until(lambda: self.ycloud.get(path)["status"] == "APPROVED", 60, what=f"approval of {name}")
        return name

    def template(self):
        body = {"type": "BODY", "text": "Your parcel has arrived at the shop."}
        return {"wabaId": self.ycloud.waba, "name": f"template_{self.count()}", "language": "en", "category": "UTILITY",
                "components": [body]}


def existing(world, label):
    """What the names in a path may lead to."""
    deletes = label.startswith("DELETE")
    names = {"wabaId": world.ycloud.waba, "language": "en", "channel": "whatsapp", "propertyName": world.property}
    if "/register" in label:
        return names | {"phoneNumber": world.number_id}
    if "/phoneNumbers/" in label:
        return names | {"phoneNumber": world.ycloud.number}
    if "/templates/" in label:
        made = {"DELETE": world.a_template, "PATCH": world.an_approved_template}.get(label.split()[0], lambda: "order_update")
        return names | {"name": made()}
    if "/event/" in label:
        return names | {"name": world.a_definition() if deletes else world.definition}
    if "/unsubscribers/" in label:
        return names | {"customer": world.an_unsubscriber() if deletes else world.customer}
    if "/webhookEndpoints/" in label:
        return names | {"id": world.an_endpoint() if deletes else world.endpoint}
    if "/contact/" in label:
        return names | {"id": world.a_contact() if deletes else world.contact}
    if "/businessAccounts/" in label:
        return names | {"id": world.ycloud.waba}
    return names | {"id": world.inbound if "/inboundMessages/" in label else world.message}


def whole(world, label):
    """What random data hardly ever says: a body that can be carried out."""
    text = {"from": world.ycloud.number, "to": PERSON, "type": "text", "text": {"body": "hello"}, "context": None}
    person = world.person()
    return {
        "POST /contact/contacts": {"phoneNumber": person, "email": f"person{world.made}@example.com"},
        "PATCH /contact/contacts/{id}": {"phoneNumber": person, "email": None},
        "POST /emails": {"from": f"Shop<{world.ycloud.email_from}>", "to": "ann@example.com", "contentType": "text/plain",
                         "cc": None, "bcc": None, "replyTo": None, "variables": None, "content": "Hello.", "subject": "Hello"},
        "POST /event/definitions": {"name": f"event_{world.made}", "properties": None},
        "POST /event/definitions/{name}/properties": {"name": f"property_{world.made}"},
        "POST /event/events": {"eventName": world.definition, "objectId": world.contact, "contactPhoneNumber": None,
                               "properties": {"colour": "red"}, "occurTime": None},
        "POST /sms": {"to": PHONE, "senderId": world.ycloud.sms_from},
        "POST /unsubscribers": {"customer": person, "regionCode": "US"},
        "POST /verify/verificationChecks": {"verificationId": world.verification},
        "POST /verify/verifications": {"to": f"+1202456{world.made:04}", "channel": "sms", "code": None, "senderId": None, "language": "en"},
        "POST /voices": {"to": PHONE, "verificationCode": "0815", "language": "en"},
        "POST /webhookEndpoints": {"url": world.hook},
        "PATCH /webhookEndpoints/{id}": {"url": world.hook, "status": "active"},
        "POST /whatsapp/messages": text,
        "POST /whatsapp/messages/sendDirectly": text,
        "POST /whatsapp/templates": world.template(),
        "PATCH /whatsapp/templates/{wabaId}/{name}/{language}": {"components": world.template()["components"]},
    }.get(label, {})


def aim(case, world):
    label = case.operation.label
    case.path_parameters = lead(case.path_parameters, lambda: existing(world, label))
    if isinstance(case.body, dict):
        case.body = local(case.body, world)
        if mostly(case.body):
            if label == "POST /webhookEndpoints":
                world.an_endpoint()
            case.body = amended(case.body, whole(world, label))


def local(value, world):
    """Whatever is fetched or called leads to this machine."""
    if isinstance(value, dict):
        return {name: local(one, world) for name, one in value.items()}
    if isinstance(value, list):
        return [local(one, world) for one in value]
    return re.sub(r"^https?://[^/?#]*", world.file, value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def world(tmp_path_factory, receiver):
    limits = {"HERMOD_YCLOUD_SEND_PER_SECOND": "100000", "HERMOD_YCLOUD_OTHER_PER_SECOND": "100000"}
    with Platform(tmp_path_factory.mktemp("ycloud-contract") / "data", "--sandbox", **limits) as platform:
        yield World(platform, receiver)


@YCLOUD.cases
def test_contract(case, world):
    aim(case, world)
    unbroken(YCLOUD.call(case, world.ycloud.url, session=world.ycloud.session), case)
    assert world.platform.alive()


def test_every_operation_was_really_reached(world):
    YCLOUD.reached(world.platform)
