"""One organization with the ids of another: nothing is found, nothing is shown, nothing is changed.

Every operation of the published contract is called with the second organization's key and ids of the first, in the path
and in the body. Afterwards the first one's key does the same calls, to prove that they would have worked.
"""

import json
import re

import requests
from pictures import png
from programs import Kirim, Platform, until
from receiver import Receiver

PHONE = "+15557770061"
# Operations that name nobody's things: what they answer must hold nothing of the first organization.
LISTS = {"/health", "/me", "/accounts", "/webhook_subscriptions", "/webhook_deliveries", "/labels"}
TEMPLATE = {"name": "hello_world", "language": "en_US"}


class Things:
    """What the first organization has, by the names of the contract's path parameters."""

    def __init__(self, platform, receiver):
        kirim, outside = platform.kirim, platform.outside
        business = platform.told["meta"]["phone_numbers"][0]["display_phone_number"]
        self.number = kirim.number
        made = kirim.subscribe(receiver.url, "message.received")
        self.subscription, self.secret = made["id"], kirim.call("POST", f"/webhook_subscriptions/{made['id']}/secrets", {})["id"]
        self.wamid = outside.write(PHONE, business, type="image", image={"link": receiver.url + "/picture.png", "caption": "private words"})
        receiver.wait(lambda push: self.wamid.encode() in push.body)
        [self.inbound] = until(lambda: kirim.all(f"/{self.number}/messages", direction="inbound"), what="the picture")
        until(lambda: kirim.ask("GET", f"/{self.number}/messages/{self.wamid}/media").status_code == 302, what="the file")
        self.sent = kirim.say(PHONE, "private answer")["id"]
        until(lambda: kirim.message(self.sent)["status"] == "delivered", what="delivered")
        [conversation] = kirim.all(f"/{self.number}/conversations")
        [contact] = kirim.all(f"/{self.number}/contacts")
        self.conversation, self.contact = conversation["id"], contact["id"]
        self.label = kirim.call("POST", "/labels", {"name": "private label"})["id"]
        kirim.call("POST", f"/{self.number}/contacts/{self.contact}/labels", {"label_id": self.label})
        kirim.call("POST", f"/{self.number}/conversations/{self.conversation}/labels", {"label_id": self.label})
        until(lambda: kirim.all("/webhook_deliveries", subscription_id=made["id"], status="succeeded"), what="a delivery")
        self.delivery = kirim.all("/webhook_deliveries", subscription_id=made["id"])[0]["id"]
        self.all_ids = [value for value in vars(self).values() if isinstance(value, str)] + [self.inbound["id"]]

    def in_path(self, path):
        """The ids that a path of the contract wants."""
        ids = {"phone_number_id": self.number, "secret_id": self.secret, "label_id": self.label, "name": "hello_world"}
        kinds = {"webhook_subscriptions": self.subscription, "webhook_deliveries": self.delivery, "labels": self.label,
                 "messages": self.inbound["id"] if path.endswith("/media") else self.sent, "conversations": self.conversation,
                 "contacts": self.contact}
        if match := re.search(r"/(\w+)/\{id\}", path):
            ids["id"] = kinds[match[1]]
        return ids

    def in_body(self, method, path):
        """Bodies that name things of the first organization; each would be served for their owner."""
        message = {"messaging_product": "whatsapp", "to": PHONE}
        return {
            ("post", "/{phone_number_id}/messages"): [
                {**message, "type": "template", "template": TEMPLATE},
                {"messaging_product": "whatsapp", "status": "read", "message_id": self.wamid},
            ],
            ("patch", "/webhook_subscriptions/{id}"): [{"description": "taken over"}],
            ("post", "/webhook_subscriptions/{id}/secrets"): [{"expires_in_hours": 1}],
            ("post", "/webhook_deliveries/bulk_replay"): [{"subscription_id": self.subscription}],
            ("patch", "/{phone_number_id}/conversations/{id}"): [{"status": "pending"}],
            ("post", "/{phone_number_id}/contacts"): [{"phone_number": "+15557770062", "name": "new"}],
            ("patch", "/{phone_number_id}/contacts/{id}"): [{"name": "taken over"}],
            ("post", "/{phone_number_id}/contacts/{id}/labels"): [{"label_id": self.label}],
            ("post", "/{phone_number_id}/conversations/{id}/labels"): [{"label_id": self.label}],
            ("post", "/{phone_number_id}/contacts/bulk_label"): [
                {"contact_ids": [self.contact], "label_id": self.label, "operation": "attach"}],
            ("patch", "/labels/{id}"): [{"name": "taken over"}],
        }.get((method, path), [None])

    def snapshot(self, platform):
        """All that the first organization's key can see, and its customer's screen."""
        kirim, number = platform.kirim, self.number
        lists = ["/webhook_subscriptions", "/webhook_deliveries", "/labels",
                 *(f"/{number}/{kind}" for kind in ("messages", "templates", "conversations", "contacts"))]
        ones = [f"/{number}/conversations/{self.conversation}", f"/{number}/contacts/{self.contact}", f"/webhook_subscriptions/{self.subscription}"]
        return {
            **{path: [unsigned(one) for one in kirim.all(path)] for path in lists},
            **{path: kirim.call("GET", path) for path in ones},
            "screen": platform.outside.screen(PHONE),
        }


def unsigned(one):
    """Without the signature of a link, which is a new one each time."""
    return {name: value.split("?")[0] if name == "media_url" and value else value for name, value in one.items()}


def operations(platform):
    """Of the contract, in an order in which the owner can do them all: reading first, taking apart from the leaves last."""
    contract = requests.get(platform.url + "/v1/openapi.json").json()
    found = [(method, path) for path, item in contract["paths"].items() for method in item if method in ("get", "post", "put", "patch", "delete")]
    return sorted(found, key=lambda one: (("get", "post", "put", "patch", "delete").index(one[0]), -one[1].count("/"), "secrets" not in one[1], one[1]))


def calls(platform, things, number):
    """Every operation with the first organization's ids, and `number` for the phone number's."""
    for method, path in operations(platform):
        ids = things.in_path(path)
        if "phone_number_id" in ids:
            ids["phone_number_id"] = number
        for body in things.in_body(method, path):
            yield method, path, path.format(**ids), body


def test_tenants(tmp_path):
    with Receiver(files={"/picture.png": (png(), "image/png")}) as receiver, Platform(tmp_path / "data", "--sandbox") as platform:
        things = Things(platform, receiver)
        other = Kirim(platform.url, platform.told["second_organization"]["kirim"])
        label = other.call("POST", "/labels", {"name": "own label"})["id"]
        contact = other.call("POST", f"/{other.number}/contacts", {"phone_number": "+15557770063"})["id"]
        before = things.snapshot(platform)

        walked = nothing_is_found(platform, things, other)
        mixed_bodies(things, other, label, contact)
        nothing_is_listed(things, other)
        after = things.snapshot(platform)
        changed = {place: (before[place], after[place]) for place in before if before[place] != after[place]}
        assert not changed, json.dumps(changed, indent=1)
        assert not other.all(f"/{other.number}/messages")
        it_would_have_worked(platform, things, walked)


def nothing_is_found(platform, things, other):
    """Answers the calls that were refused."""
    walked = []
    for number in (things.number, other.number):
        for method, path, filled, body in calls(platform, things, number):
            own = path in LISTS or (number == other.number and path in OWN)
            if own:
                continue
            answer = other.ask(method.upper(), filled, body)
            told = f"{method} {filled} {body}: {answer.status_code} {answer.text}"
            assert answer.status_code == 404, told
            assert answer.json()["error"]["code"] == "resource_not_found", told
            walked.append((method, path))
    left = set(operations(platform)) - set(walked) - {(method, path) for method, path in operations(platform) if path in LISTS}
    assert not left, f"never walked: {left}"
    return walked


# With its own number these name nothing else in the path, and what they name in the body is looked at by mixed_bodies.
OWN = {f"/{{phone_number_id}}/{rest}" for rest in
       ("messages", "templates", "templates/{name}", "conversations", "contacts", "contacts/bulk_label")}


def mixed_bodies(things, other, label, contact):
    """Own things in the path, foreign ones in the body or the filter."""
    number = other.number
    for method, path, body in (
        ("POST", f"/{number}/contacts/{contact}/labels", {"label_id": things.label}),
        ("DELETE", f"/{number}/contacts/{contact}/labels/{things.label}", None),
        ("POST", f"/{number}/contacts/{things.contact}/labels", {"label_id": label}),
        ("POST", f"/{number}/conversations/{things.conversation}/labels", {"label_id": label}),
        ("POST", f"/{number}/contacts/bulk_label", {"contact_ids": [contact], "label_id": things.label, "operation": "attach"}),
        ("POST", f"/{number}/messages", {"messaging_product": "whatsapp", "status": "read", "message_id": things.wamid}),
        ("GET", f"/{number}/messages/{things.wamid}/media", None),
        ("POST", "/webhook_deliveries/bulk_replay", {"subscription_id": things.subscription}),
    ):
        answer = other.ask(method, path, body)
        assert answer.status_code == 404, f"{method} {path} {body}: {answer.status_code} {answer.text}"
    bulk = other.ask("POST", f"/{number}/contacts/bulk_label", {"contact_ids": [contact, things.contact], "label_id": label, "operation": "attach"})
    assert bulk.status_code == 200 and things.contact not in bulk.text, bulk.text
    assert bulk.json()["data"] == {"applied": 1, "skipped_cross_org": 1, "skipped_team_mismatch": 0}, bulk.text


def nothing_is_listed(things, other):
    for path in ("/accounts", "/webhook_subscriptions", "/webhook_deliveries", "/labels", "/me",
                 *(f"/{other.number}/{kind}" for kind in ("messages", "templates", "conversations", "contacts"))):
        shown = other.ask("GET", path)
        assert shown.status_code == 200
        foreign = [id for id in (*things.all_ids, "private", PHONE) if id in shown.text and id != "hello_world"]
        assert not foreign, f"{path} shows {foreign}: {shown.text}"
    for path, filters in (
        (f"/{other.number}/messages", {"conversation_id": things.conversation}),
        (f"/{other.number}/conversations", {"contact_id": things.contact}),
        (f"/{other.number}/contacts", {"phone": PHONE}),
        (f"/{other.number}/contacts", {"search": "1555777"}),
        ("/webhook_deliveries", {"subscription_id": things.subscription}),
    ):
        answer = other.ask("GET", path, params=filters)
        assert answer.status_code == 200, f"{path} {filters}: {answer.status_code} {answer.text}"
        assert not [one for one in answer.json()["data"] if one["id"] in things.all_ids], answer.text


def it_would_have_worked(platform, things, walked):
    for method, path, filled, body in calls(platform, things, things.number):
        if (method, path) not in walked:
            continue
        answer = platform.kirim.ask(method.upper(), filled, body)
        assert answer.status_code in (200, 302), f"its owner: {method} {filled} {json.dumps(body)}: {answer.status_code} {answer.text}"
