"""Twilio, Telnyx and Vonage as their own libraries know them: they sign what our platform must believe, verify what our
stand-ins sign, and talk to the stand-ins as to the real ones."""

import base64
import hashlib
import json
import os
import subprocess
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
import requests
import telnyx
from nacl.signing import SigningKey
from programs import ROOT, until
from telnyx.lib.webhook_verification import WebhookVerificationError, verify_webhook_signature
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.voice_response import VoiceResponse
from vonage_jwt import JwtClient, verify_signature

BIN = os.environ.get("HERMOD_CARRIERS_BIN", ROOT / "target/debug/examples/carriers")
ANN = "+15550199001"


class Carriers:
    """A platform that has nothing but carriers, beside their stand-ins."""

    def __init__(self):
        self.process = subprocess.Popen([str(BIN)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        told = json.loads(self.process.stdout.readline())
        self.platform, self.url, self.accounts, self.numbers = (told[key] for key in ("platform", "carriers", "accounts", "numbers"))

    def door(self, carrier):
        return f"{self.platform}/webhooks/{carrier}/{self.accounts[carrier]['external_id']}"

    def config(self, carrier, name):
        return self.accounts[carrier]["config"][name]

    def secret(self, carrier, name):
        return self.accounts[carrier]["secrets"][name]

    def heard(self, provider_id):
        """What the platform keeps of a message."""
        known = requests.get(f"{self.platform}/messages", timeout=30).json()
        return [message for message in known if message["provider_id"] == provider_id]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


@pytest.fixture(scope="module")
def carriers():
    carriers = Carriers()
    yield carriers
    carriers.close()


# Twilio


class Redirected(TwilioHttpClient):
    """The library has no setting for another address."""

    def __init__(self, url):
        super().__init__()
        self.url = url

    def request(self, method, url, *arguments, **named):
        return super().request(method, url.replace("https://api.twilio.com", self.url), *arguments, **named)


def twilio(carriers, token=None):
    sid = carriers.config("twilio", "account_sid")
    return Client(sid, token or carriers.secret("twilio", "auth_token"), http_client=Redirected(carriers.url))


def form_of(push):
    return dict(parse_qsl(push.body.decode(), keep_blank_values=True))


def test_twilio_library_sends_and_verifies_our_callbacks(carriers, receiver):
    client, number = twilio(carriers), carriers.numbers["twilio"]
    hook = f"{receiver.url}/twilio?m=1"
    sent = client.messages.create(to=ANN, from_=number, body="Grüße €", status_callback=f"{hook}#rc=2")
    assert (sent.status, sent.num_segments, sent.direction, sent.error_code) == ("queued", "1", "outbound-api", None)
    validator = RequestValidator(carriers.secret("twilio", "auth_token"))
    for word in ("sent", "delivered"):
        push = receiver.wait(lambda push: push.path == "/twilio?m=1" and f"MessageStatus={word}" in push.body.decode())
        form, signature = form_of(push), push.headers["x-twilio-signature"]
        assert form["MessageSid"] == sent.sid
        assert validator.validate(hook, form, signature)
        assert not validator.validate(hook, form | {"MessageStatus": "failed"}, signature)
        assert not RequestValidator("guess").validate(hook, form, signature)
    assert until(lambda: client.messages(sent.sid).fetch().status == "delivered")

    voice = VoiceResponse()
    voice.say("1, 2, 3 & <4>", language="de-DE", loop=2)
    hook = f"{receiver.url}/twilio-call"
    call = client.calls.create(to=ANN, from_=number, twiml=str(voice), status_callback=hook, status_callback_event=["initiated", "completed"])
    assert call.status == "queued"
    for word in ("initiated", "completed"):
        push = receiver.wait(lambda push: push.path == "/twilio-call" and f"CallStatus={word}" in push.body.decode())
        assert validator.validate(hook, form_of(push), push.headers["x-twilio-signature"])
    assert until(lambda: client.calls(call.sid).fetch().status == "completed")


def test_twilio_library_understands_refusals(carriers):
    for client, wanted, status, code in [
        (twilio(carriers, "guess"), {}, 401, 20003),
        (twilio(carriers), {"to": "nobody"}, 400, 21211),
        (twilio(carriers), {"from_": "+15550177777"}, 400, 21659),
        (twilio(carriers), {"body": "x" * 1601}, 400, 21617),
    ]:
        with pytest.raises(TwilioRestException) as refused:
            client.messages.create(**{"to": ANN, "from_": carriers.numbers["twilio"], "body": "hi"} | wanted)
        assert (refused.value.status, refused.value.code) == (status, code)


def test_platform_believes_what_twilio_library_signs(carriers):
    validator, door = RequestValidator(carriers.secret("twilio", "auth_token")), carriers.door("twilio")

    def post(url, body, signature, kind="application/x-www-form-urlencoded"):
        headers = {"X-Twilio-Signature": signature, "Content-Type": kind}
        return requests.post(url, data=body, headers=headers, timeout=30).status_code

    form = {
        "MessageSid": "SM" + "1" * 32, "SmsStatus": "received", "From": ANN, "To": carriers.numbers["twilio"],
        "Body": "Olá + 1=2 & ümläut 👍", "NumMedia": "0", "Zeta": "", "aeta": "x",
    }  # fmt: skip
    for url in (door, f"{door}?x=1&y=%20"):
        right = validator.compute_signature(url, form)
        assert post(url, urlencode(form), right) == 200
        assert post(url, urlencode(form | {"Body": "other"}), right) == 403
        assert post(url, urlencode(form), RequestValidator("guess").compute_signature(url, form)) == 403
    [message] = carriers.heard(form["MessageSid"])
    assert message["content"]["body"] == form["Body"]

    body = '{"kind": "new", "n": 1}'
    url = f"{door}?bodySHA256={validator.compute_hash(body)}"
    right = validator.compute_signature(url, {})
    assert validator.validate(url, body, right)
    assert post(url, body, right, "application/json") == 200
    assert post(url, body.replace("1", "2"), right, "application/json") == 403
    bare = validator.compute_signature(door, {})
    assert post(door, body, bare, "application/json") == 403


# Telnyx


def telnyx_client(carriers, **more):
    told = {"api_key": carriers.secret("telnyx", "api_key"), "public_key": carriers.config("telnyx", "public_key")}
    return telnyx.Telnyx(base_url=carriers.config("telnyx", "base_url"), max_retries=0, **told | more)


def test_telnyx_library_sends_and_verifies_our_callbacks(carriers, receiver):
    client, number, hook = telnyx_client(carriers), carriers.numbers["telnyx"], f"{receiver.url}/telnyx"
    wanted = {"to": ANN, "from_": number, "text": "Grüße 👍", "webhook_url": hook, "idempotency_key": "key-1"}
    sent = client.messages.send(**wanted).data
    assert (sent.direction, sent.encoding, sent.parts, sent.to[0].status) == ("outbound", "UCS-2", 1, "queued")
    assert client.messages.send(**wanted).data.id == sent.id
    with pytest.raises(telnyx.UnprocessableEntityError):
        client.messages.send(**wanted | {"text": "other"})
    for kind, status in (("message.sent", "sent"), ("message.finalized", "delivered")):
        push = receiver.wait(lambda push: push.path == "/telnyx" and kind in push.body.decode())
        event = client.webhooks.unwrap(push.body.decode(), headers=push.headers)
        assert (event.data.event_type, event.data.payload.id, event.data.payload.to[0].status) == (kind, sent.id, status)
        verify_webhook_signature(push.body, push.headers, client.public_key)
        with pytest.raises(WebhookVerificationError):
            verify_webhook_signature(push.body + b" ", push.headers, client.public_key)


def test_telnyx_library_makes_a_call(carriers, receiver):
    client, hook = telnyx_client(carriers), f"{receiver.url}/telnyx-call"
    connection = carriers.config("telnyx", "connection_id")
    call = client.calls.dial(connection_id=connection, to=ANN, from_=carriers.numbers["telnyx"], webhook_url=hook, client_state="b25l").data
    assert call.record_type == "call" and not call.is_alive

    def event(kind):
        push = receiver.wait(lambda push: push.path == "/telnyx-call" and f'"{kind}"' in push.body.decode(), what=kind)
        return client.webhooks.unwrap(push.body.decode(), headers=push.headers).data.payload

    answered = event("call.answered")
    assert (answered.call_control_id, answered.client_state, answered.to) == (call.call_control_id, "b25l", ANN)
    said = {"payload": "1, 2, 3", "voice": "female", "language": "en-US", "command_id": "say", "client_state": "dHdv"}
    for _ in range(2):
        assert client.calls.actions.speak(call.call_control_id, **said).data.result == "ok"
    ended = event("call.speak.ended")
    assert (ended.status, ended.client_state) == ("completed", "dHdv")
    client.calls.actions.hangup(call.call_control_id)
    assert event("call.hangup").hangup_cause == "normal_clearing"
    kinds = [json.loads(push.body)["data"]["event_type"] for push in receiver.pushes if push.path == "/telnyx-call"]
    assert kinds == ["call.initiated", "call.answered", "call.speak.started", "call.speak.ended", "call.hangup"]


def test_telnyx_library_understands_refusals(carriers):
    for wanted, more, refusal, code in [
        ({}, {"api_key": "guess"}, telnyx.AuthenticationError, "10009"),
        ({"to": "nobody"}, {}, telnyx.BadRequestError, "40310"),
        ({"from_": "+15550177777"}, {}, telnyx.BadRequestError, "40305"),
    ]:
        with pytest.raises(refusal) as refused:
            telnyx_client(carriers, **more).messages.send(**{"to": ANN, "from_": carriers.numbers["telnyx"], "text": "hi"} | wanted)
        assert refused.value.body["errors"][0]["code"] == code


def test_platform_believes_what_telnyx_library_verifies(carriers):
    """The library verifies only: what it accepts under the same key, signed by PyNaCl, is what the platform must accept."""
    key = SigningKey(hashlib.sha256(b"telnyx-seed/example").digest())
    public = carriers.config("telnyx", "public_key")
    assert base64.b64encode(key.verify_key.encode()).decode() == public
    payload = {
        "record_type": "message", "id": "in-1", "direction": "inbound", "from": {"phone_number": ANN},
        "to": [{"phone_number": carriers.numbers["telnyx"]}], "text": "Olá 👍", "type": "SMS",
    }  # fmt: skip
    body = json.dumps({"data": {"event_type": "message.received", "occurred_at": "2026-01-01T00:00:00Z", "payload": payload}})

    def post(timestamp, text, signed=None):
        signature = base64.b64encode(key.sign((signed or f"{timestamp}|{text}").encode()).signature).decode()
        headers = {"telnyx-signature-ed25519": signature, "telnyx-timestamp": str(timestamp), "Content-Type": "application/json"}
        try:
            verify_webhook_signature(text, headers, public)
            theirs = 200
        except WebhookVerificationError:
            theirs = 403
        ours = requests.post(carriers.door("telnyx"), data=text.encode(), headers=headers, timeout=30).status_code
        assert ours == theirs
        return ours

    now = int(time.time())
    assert post(now, body) == 200
    assert post(now - 290, body) == 200
    assert post(now - 310, body) == 403
    assert post(now + 310, body) == 403
    assert post(now, body, f"{now}|{body} ") == 403
    [message] = carriers.heard("in-1")
    assert message["content"]["body"] == "Olá 👍"


# Vonage


def vonage(carriers, path, body, key=None):
    """The library insists on https, so that its tokens are all that can be used of it."""
    client = JwtClient(carriers.config("vonage", "application_id"), key or carriers.secret("vonage", "private_key"))
    headers = {"Authorization": f"Bearer {client.generate_application_jwt().decode()}"}
    return requests.post(f"{carriers.url}{path}", json=body, headers=headers, timeout=30)


def verified(carriers, push):
    token = push.headers["authorization"].removeprefix("Bearer ")
    secret = carriers.secret("vonage", "signature_secret")
    assert verify_signature(token, secret) and not verify_signature(token, "guess" * 8)
    assert jwt.decode(token, secret, algorithms=["HS256"])["payload_hash"] == hashlib.sha256(push.body).hexdigest()
    return json.loads(push.body)


def test_vonage_tokens_open_and_verify(carriers, receiver):
    from vonage_messages import Sms

    number = carriers.numbers["vonage"].removeprefix("+")
    sms = Sms(to=ANN[1:], from_=number, text="Grüße", client_ref="one", webhook_url=f"{receiver.url}/vonage")
    sent = vonage(carriers, "/v1/messages", json.loads(sms.model_dump_json(by_alias=True, exclude_none=True)))
    assert sent.status_code == 202
    for word in ("submitted", "delivered"):
        push = receiver.wait(lambda push: push.path == "/vonage" and f'"{word}"' in push.body.decode())
        told = verified(carriers, push)
        assert (told["message_uuid"], told["client_ref"], told["status"]) == (sent.json()["message_uuid"], "one", word)

    from vonage_voice import CreateCallRequest, Talk, ToPhone

    call = CreateCallRequest(to=[ToPhone(number=ANN[1:])], from_={"number": number}, ncco=[Talk(text="1, 2", loop=2)], event_url=[f"{receiver.url}/vonage-call"])
    made = vonage(carriers, "/v1/calls", json.loads(call.model_dump_json(by_alias=True, exclude_none=True)))
    assert (made.status_code, made.json()["direction"]) == (201, "outbound")
    for word in ("started", "ringing", "answered", "completed"):
        push = receiver.wait(lambda push: push.path == "/vonage-call" and f'"status":"{word}"' in push.body.decode())
        assert verified(carriers, push)["uuid"] == made.json()["uuid"]


def test_vonage_refuses_other_keys(carriers):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    other = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    body = {"message_type": "text", "channel": "sms", "to": ANN[1:], "from": carriers.numbers["vonage"][1:], "text": "hi"}
    assert vonage(carriers, "/v1/messages", body, other.decode()).status_code == 401
    wrong = vonage(carriers, "/v1/messages", body | {"to": "+" + body["to"]})
    assert (wrong.status_code, wrong.json()["type"].rsplit("#")[1]) == (422, "1150")


def test_platform_believes_what_is_signed_as_vonage_library_verifies(carriers):
    secret, door = carriers.secret("vonage", "signature_secret"), carriers.door("vonage")
    body = json.dumps({
        "channel": "sms", "message_uuid": "in-2", "from": ANN[1:], "to": carriers.numbers["vonage"][1:],
        "timestamp": "2026-01-01T00:00:00.000Z", "text": "Olá 👍", "message_type": "text",
    }).encode()  # fmt: skip

    def post(text, key=secret, algorithm="HS256", **claims):
        right = {"iat": int(time.time()), "jti": "1", "iss": "Vonage", "payload_hash": hashlib.sha256(body).hexdigest()}
        token = jwt.encode(right | claims, key, algorithm=algorithm)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return requests.post(door, data=text, headers=headers, timeout=30).status_code

    assert post(body) == 200
    assert post(body + b" ") == 403
    assert post(body, key="guess" * 8) == 403
    assert post(body, algorithm="HS512") == 403
    assert post(body, key=None, algorithm="none") == 403
    assert post(body, exp=int(time.time()) - 3600) == 403
    [message] = carriers.heard("in-2")
    assert message["content"]["body"] == "Olá 👍"


def test_pushes_need_their_account(carriers):
    for carrier in ("twilio", "telnyx", "vonage"):
        address = urlsplit(carriers.door(carrier))
        assert requests.post(f"{carriers.platform}/webhooks/{carrier}/nobody", data=b"{}", timeout=30).status_code == 404
        assert requests.post(f"{carriers.platform}{address.path}", data=b"{}", timeout=30).status_code == 403
