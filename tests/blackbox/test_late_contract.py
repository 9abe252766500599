"""The Late API against its published contract, with data that fits it and data that does not, by schemathesis.
`judge.py` holds each answer to the contract; here only what went wrong inside counts.
"""

import datetime
import itertools

import pytest
from fuzz import Fuzz, amended, lead, mostly, unbroken
from programs import Platform, until

LATE = Fuzz("late", seed=20_261_122)
# What is bought in the sandbox is verified and active at once: there is no moment to ask for another code.
SETTLED = "POST /v1/whatsapp/phone-numbers/{phoneNumberId}/request-code"
people = (f"+1555882{n:04}" for n in itertools.count(1))


class World:
    """What an organization has. What a call takes apart is made anew for it."""

    def __init__(self, platform):
        self.platform, self.late, self.made = platform, platform.late, 0
        self.contact = self.late.contact(next(people), groups=["VIP"])
        self.number = self.a_number()

    def count(self):
        self.made += 1
        return self.made

    def a_number(self):
        bought = self.late.post("/whatsapp/phone-numbers/purchase", profileId=self.late.profile, allowMultiple=True)
        return bought["phoneNumber"]["id"]

    def a_template(self):
        name = f"made_{self.count()}"
        self.late.post("/whatsapp/templates", accountId=self.late.account, name=name, category="UTILITY", language="en", components=COMPONENTS)
        return name

    def an_approved_template(self):
        name = self.a_template()
        shown = lambda: self.late.get(f"/whatsapp/templates/{name}", accountId=self.late.account)["template"]
        until(lambda: shown()["status"] == "APPROVED", 60, what=f"approval of {name}")
        return name


COMPONENTS = [{"type": "BODY", "text": "Your parcel has arrived at the shop."}]
HELLO = {"name": "hello_world", "language": "en_US"}


def existing(world, label):
    """What the names in a path may lead to."""
    if "/contacts/" in label:
        return {"contactId": world.late.contact(next(people)) if label.startswith("DELETE") else world.contact}
    if "/phone-numbers/" in label:
        return {"phoneNumberId": world.a_number() if label.startswith("DELETE") else world.number}
    if "/templates/" in label:
        made = {"DELETE": world.a_template, "PATCH": world.an_approved_template}.get(label.split()[0], lambda: "order_update")
        return {"templateName": made()}
    if "/broadcasts/" in label:
        draft = world.late.draft(next(people))
        if label == "DELETE /v1/whatsapp/broadcasts/{broadcastId}/schedule":
            world.late.post(f"/whatsapp/broadcasts/{draft}/schedule", scheduledAt=soon())
        return {"broadcastId": draft}
    return {}


def soon():
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(hours=1)).isoformat()


def whole(world, label):
    """What random data hardly ever says: a body that can be carried out."""
    account, person = {"accountId": world.late.account}, {"phone": next(people), "name": "Somebody", "email": None}
    return {
        "POST /v1/whatsapp/bulk": account | {"recipients": [{"phone": person["phone"]}], "template": HELLO},
        "POST /v1/whatsapp/contacts": account | person | {"tags": ["a"], "groups": ["VIP"]},
        "PUT /v1/whatsapp/contacts/{contactId}": {"email": None},
        "POST /v1/whatsapp/contacts/import": account | {"contacts": [person]},
        "POST /v1/whatsapp/contacts/bulk": {"contactIds": [world.contact], "tags": ["a"], "groups": ["VIP"]},
        "DELETE /v1/whatsapp/contacts/bulk": {"contactIds": ["0" * 24]},
        "POST /v1/whatsapp/groups": account | {"oldName": "VIP", "newName": f"group {world.count()}"},
        "DELETE /v1/whatsapp/groups": account | {"groupName": f"group {world.made}"},
        "POST /v1/whatsapp/templates": account | {"name": f"made_{world.count()}", "language": "en", "category": "UTILITY", "components": COMPONENTS},
        "PATCH /v1/whatsapp/templates/{templateName}": account | {"components": COMPONENTS},
        "POST /v1/whatsapp/business-profile": account | {"email": None, "websites": None, "vertical": None, "profilePictureHandle": None},
        "POST /v1/whatsapp/broadcasts": account | {"name": "Draft", "template": HELLO, "recipients": None},
        "PATCH /v1/whatsapp/broadcasts/{broadcastId}/recipients": {"recipients": [{"phone": person["phone"]}]},
        "DELETE /v1/whatsapp/broadcasts/{broadcastId}/recipients": {"phones": [person["phone"]]},
        "POST /v1/whatsapp/phone-numbers/purchase": {"profileId": world.late.profile, "allowMultiple": True, "purchaseIntentId": None},
        "POST /v1/whatsapp/phone-numbers/{phoneNumberId}/verify": {"code": "123456"},
        "POST /v1/whatsapp/broadcasts/{broadcastId}/schedule": {"scheduledAt": soon()},
    }.get(label, {})


def aim(case, world):
    label = case.operation.label
    case.path_parameters = lead(case.path_parameters, lambda: existing(world, label))
    case.query = lead(case.query, lambda: {"accountId": world.late.account, "profileId": world.late.profile})
    if isinstance(case.body, dict) and mostly(case.body):
        case.body = amended(case.body, whole(world, label))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Platform(tmp_path_factory.mktemp("late-contract") / "data", "--sandbox") as platform:
        yield World(platform)


@LATE.cases
def test_contract(case, world):
    aim(case, world)
    unbroken(LATE.call(case, world.late.url, session=world.late.session), case)
    assert world.platform.alive()


def test_every_operation_was_really_reached(world):
    LATE.reached(world.platform, never=[SETTLED])
