"""The YCloud API as one organization uses it, and how its webhooks are verified: written from their description."""

import hashlib
import hmac
import json
import re

import judge
import requests

# As the description has it: seconds, and lower-case hexadecimal digits.
SIGNATURE = re.compile(r"t=(\d{1,12}),s=([0-9a-f]{64})")


class Ycloud:
    def __init__(self, url, told):
        self.url, self.number, self.waba = f"{url}/v2", told["from"], told["waba_id"]
        self.sms_from, self.email_from = told["sms_from"], told["email_from"]
        self.session = requests.Session()
        self.session.headers["X-API-Key"] = told["api_key"]

    def ask(self, method, path, body=None, **more):
        return self.session.request(method, self.url + path, json=body, timeout=60, allow_redirects=False, **more)

    def call(self, method, path, body=None, **more):
        answer = self.ask(method, path, body, **more)
        assert answer.status_code == 200, f"{method} {path} {body}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def get(self, path, **params):
        return self.call("GET", path, params=params)

    def post(self, path, **body):
        return self.call("POST", path, body)

    def say(self, to, words, **more):
        return self.post("/whatsapp/messages", **{"from": self.number, "to": to, "type": "text", "text": {"body": words}, **more})

    def send_template(self, to, name, language, *words):
        components = [{"type": "body", "parameters": [{"type": "text", "text": word} for word in words]}] if words else []
        template = {"name": name, "language": {"code": language}, "components": components}
        return self.post("/whatsapp/messages", **{"from": self.number, "to": to, "type": "template", "template": template})

    def message(self, id):
        return self.get(f"/whatsapp/messages/{id}")

    def endpoint(self, url, *events):
        return self.post("/webhookEndpoints", url=url, enabledEvents=list(events))


def signature(secret, at, body):
    """Of a time in seconds and a body's bytes; the whole secret is the key."""
    return hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()


def is_signed(push, secret):
    """Whether it is, and by this secret."""
    told = SIGNATURE.fullmatch(push.headers["ycloud-signature"])
    return told is not None and hmac.compare_digest(told[2], signature(secret, int(told[1]), push.body))


def told(kind, **wanted):
    """Pushes of this event that hold all these texts."""
    def fits(push):
        return kind_of(push) == kind and all(text.encode() in push.body for text in wanted.values())
    return fits


def kind_of(push):
    return json.loads(push.body).get("type") if "ycloud-signature" in push.headers else None


def heard(receiver, endpoint, kind, **wanted):
    """The payload of an event once an endpoint hears it: signed for this endpoint, and as the contract describes events."""
    mine = lambda push: push.headers.get("x-webhook-endpoint-id") == endpoint["id"] and told(kind, **wanted)(push)
    push = receiver.wait(mine, seconds=90, what=f"{kind} with {wanted}")
    assert is_signed(push, endpoint["secret"]), push.headers
    event = json.loads(push.body)
    wrong = judge.YCLOUD.complaints("event", EVENT, event)
    assert not wrong, f"{wrong} in {event}"
    [payload] = event.keys() - {"id", "type", "apiVersion", "createTime"}
    return event[payload]


# As the contract has it; the names are more than it lists, as its description says.
EVENT = {**judge.YCLOUD.document["components"]["schemas"]["Event"]}
EVENT["properties"] = {**EVENT["properties"], "type": {"type": "string"}}
