"""The Kirim API against its published contract, with data that fits it and data that does not, by schemathesis.

Valid ids are mostly replaced by ids that exist, so that answers come from behind the first check.
"""

import json
import re

import pytest
import requests
from fuzz import Fuzz, mostly
from programs import Platform, until
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

KIRIM = Fuzz("kirim", examples=25, coverage={"unexpected-methods": []})
PHONE = "+15557770071"
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]

# Answers that the contract does not list for an operation, by status and the error's code: why they are given all the same.
# Each must be the contract's error envelope.
UNLISTED = {
    (405, "method_not_allowed"): "the contract does not say what other methods get",
    (413, "request_too_large"): "every limit has an answer; the contract lists none for size",
    (415, "unsupported_media_type"): "bodies are JSON; the contract does not say what others get",
}


class Existing:
    """Things of the organization, for ids in paths and bodies. What a call takes apart is made anew for it."""

    def __init__(self, platform, receiver):
        self.platform, self.kirim, self.receiver = platform, platform.kirim, receiver
        kirim, business = self.kirim, platform.told["meta"]["phone_numbers"][0]["display_phone_number"]
        self.subscription = kirim.subscribe(receiver.url, "message.received")["id"]
        wamid = platform.outside.write(PHONE, business, type="image", image={"link": receiver.url + "/picture.png"})
        receiver.wait(lambda push: wamid.encode() in push.body)
        until(lambda: kirim.ask("GET", f"/{kirim.number}/messages/{wamid}/media").status_code == 302, what="the file")
        [self.message] = [one["id"] for one in kirim.all(f"/{kirim.number}/messages")]
        [self.conversation] = [one["id"] for one in kirim.all(f"/{kirim.number}/conversations")]
        [self.contact] = [one["id"] for one in kirim.all(f"/{kirim.number}/contacts")]
        self.made = 0
        self.label = self.make("lbl")
        self.delivery = until(lambda: kirim.all("/webhook_deliveries"), what="a delivery")[0]["id"]

    def count(self):
        self.made += 1
        return self.made

    def make(self, prefix):
        kirim, number = self.kirim, self.count()
        match prefix:
            case "lbl":
                return kirim.call("POST", "/labels", {"name": f"label {number}"})["id"]
            case "ctc":
                return kirim.call("POST", f"/{kirim.number}/contacts", {"phone_number": f"+1555778{number:04}"})["id"]
            case "wbs":
                return kirim.subscribe(self.receiver.url, "contact.updated")["id"]
            case "sec":
                return kirim.call("POST", f"/webhook_subscriptions/{self.subscription}/secrets", {})["id"]

    def id(self, prefix, used_up):
        kept = {"lbl": self.label, "ctc": self.contact, "wbs": self.subscription, "msg": self.message,
                "cnv": self.conversation, "wbd": self.delivery, "sec": None}
        return self.make(prefix) if used_up or kept[prefix] is None else kept[prefix]


ID = re.compile(r"^(lbl|ctc|wbs|msg|cnv|wbd|sec)_[0-9A-HJKMNP-TV-Z]{26}$")


def aim(case, existing):
    """Three of four valid ids become ids that exist; everything that is fetched or called leads to this machine."""
    deletes = case.method.upper() == "DELETE"
    last = (re.findall(r"{(\w+)}", case.path) or [None])[-1]

    def aimed(value, used_up=False):
        if isinstance(value, dict):
            return {name: aimed(one) for name, one in value.items()}
        if isinstance(value, list):
            return [aimed(one) for one in value]
        if not isinstance(value, str):
            return value
        if match := ID.match(value):
            return existing.id(match[1], used_up) if mostly(value) else value
        return re.sub(r"^(https?)://[^/?#]*", f"\\1://{existing.receiver.url.removeprefix('http://')}", value)

    if case.path_parameters:
        ids = {name: aimed(value, deletes and name == last) for name, value in case.path_parameters.items()}
        number = str(ids.get("phone_number_id", ""))
        if re.fullmatch(r"\d{6,20}", number, re.ASCII) and mostly(number):
            ids["phone_number_id"] = existing.kirim.number
        if "name" in ids and mostly(ids["name"]):
            ids["name"] = "hello_world"
        if "secret_id" in ids and ID.match(str(ids["secret_id"])):
            ids["id"] = existing.subscription
        case.path_parameters = ids
    if isinstance(case.body, (dict, list)):
        body = aimed(case.body)
        for field, phone in (("to", PHONE), ("phone_number", f"+1555779{existing.count():04}")):
            if isinstance(body, dict) and isinstance(body.get(field), str) and mostly(json.dumps(body)):
                body[field] = phone
        case.body = body


@pytest.fixture(scope="module")
def platform(tmp_path_factory, receiver):
    with Platform(tmp_path_factory.mktemp("contract") / "data", "--sandbox") as platform:
        yield platform


@pytest.fixture(scope="module")
def existing(platform, receiver):
    return Existing(platform, receiver)


@KIRIM.cases
def test_contract(case, platform, existing):
    aim(case, existing)
    answer = KIRIM.call(case, platform.kirim.url, session=platform.kirim.session)
    unlisted = UNLISTED.get((answer.status_code, code(answer)))
    case.validate_response(answer, checks=CHECKS[:-2] if unlisted else CHECKS)
    if unlisted:
        error = answer.json()["error"]
        assert set(error) - {"param"} == {"type", "code", "message", "request_id"}, error
    assert platform.alive()


def code(answer):
    try:
        return answer.json()["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return None


def test_every_operation_was_really_reached(platform):
    KIRIM.reached(platform, good=(200, 302))


def test_what_the_contract_lists_is_the_least(platform):
    """Deviations that are listed above do happen, in the envelope."""
    kirim = platform.kirim
    for method, path, more, status, code_ in (
        ("PUT", "/labels", {"json": {}}, 405, "method_not_allowed"),
        ("POST", "/labels", {"data": b"name=x", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported_media_type"),
        ("POST", "/labels", {"data": b'{"name":"' + b"x" * 8_000_000 + b'"}', "headers": {"Content-Type": "application/json"}}, 413, "request_too_large"),
        ("GET", "/nowhere/at/all", {}, 404, "resource_not_found"),
    ):
        answer = requests.request(method, kirim.url + path, timeout=30, **{**more, "headers": {"Authorization": f"Bearer {kirim.key}", **more.get("headers", {})}})
        assert (answer.status_code, code(answer)) == (status, code_), f"{method} {path}: {answer.status_code} {answer.text}"
