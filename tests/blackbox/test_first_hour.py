"""What the documentation promises for the first hour, from an empty directory to a verified webhook."""

import hashlib
import hmac
import json
import stat
import time

import requests
from programs import ROOT, Platform, command, until
from receiver import Receiver

PHONE = "+15557770001"
EVENTS = ("message.received", "message.status", "message.sent", "contact.created")


def is_signed(push, secret, now):
    """The published scheme, written from its description: `t`, a dot, the body's bytes; the secret whole, with its prefix."""
    parts = [part.split("=", 1) for part in push.headers["x-kirim-signature"].split(",")]
    at = next(value for name, value in parts if name == "t")
    wanted = hmac.new(secret.encode(), at.encode() + b"." + push.body, hashlib.sha256).hexdigest()
    assert abs(now - int(at)) <= 300, f"signed at {at}, now it is {now}"
    return any(hmac.compare_digest(value, wanted) for name, value in parts if name == "v1")


def event(name, **wanted):
    """Pushes of this event that hold all these texts."""
    return lambda push: push.headers["x-kirim-event"] == name and all(text.encode() in push.body for text in wanted.values())


def test_first_hour(tmp_path):
    data = tmp_path / "data"
    with Receiver() as receiver:
        with Platform(data, "--sandbox") as platform:
            told = platform.told
            sent = first_message(platform, data)
            secret = webhooks(platform, receiver)
            wamid = conversation(platform, receiver, secret)
            beside_the_server(data, sent, wamid)
        assert platform.process.returncode == 0, platform.output()
        with Platform(data, "--sandbox") as platform:
            same_again(platform, told, sent)
            a_day_passes(platform, receiver, secret)


def first_message(platform, data):
    assert stat.S_IMODE((data / "sandbox.json").stat().st_mode) == 0o600
    assert requests.get(platform.url + "/readyz").status_code == 200
    published = json.loads((ROOT / "contracts/kirim.json").read_bytes())
    assert requests.get(platform.url + "/v1/openapi.json").json() == published
    assert "curl" in platform.output(), "the start shows how to send a first message"

    template = {"name": "order_update", "language": "en", "components": [
        {"type": "body", "parameters": [{"type": "text", "text": "Mo"}, {"type": "text", "text": "A-17"}]}]}
    accepted = platform.kirim.send(PHONE, "template", template)
    assert accepted["status"] == "pending" and accepted["id"].startswith("msg_")
    [shown] = until(lambda: platform.outside.screen(PHONE), what="the message on the phone")
    assert (shown["direction"], shown["type"], shown["to"]) == ("in", "template", PHONE)
    assert "A-17" in shown["text"]["body"]
    until(lambda: platform.kirim.message(accepted["id"])["status"] == "delivered", what="delivered")
    assert platform.outside.call("POST", f"/phones/{PHONE}/read", {})["read"] == 1
    until(lambda: platform.kirim.message(accepted["id"])["status"] == "read", what="read")
    return accepted["id"]


def webhooks(platform, receiver):
    made = platform.kirim.subscribe(receiver.url + "/hook", *EVENTS)
    assert made["initial_secret"].startswith("whsec_")
    return made["initial_secret"]


def conversation(platform, receiver, secret):
    outside, kirim = platform.outside, platform.kirim
    outside.call("PUT", f"/phones/{PHONE}", {"name": "Zoë \u201cQuote\u201d"})
    business = platform.told["meta"]["phone_numbers"][0]["display_phone_number"]
    wamid = outside.say(PHONE, business, "where is it? \U0001f680")
    received = receiver.wait(event("message.received", id=wamid))
    assert is_signed(received, secret, time.time()) and not is_signed(received, secret + "x", time.time())
    head = received.headers
    assert (head["x-kirim-source"], head["x-kirim-event-id"], head["x-kirim-attempt"]) == ("meta", wamid, "1")
    assert head["user-agent"] == "Kirim-Webhook/1.0" and head["content-type"].startswith("application/json")
    value = json.loads(received.body)["entry"][0]["changes"][0]["value"]
    assert value["messages"][0]["text"]["body"] == "where is it? \U0001f680"
    assert value["contacts"][0]["profile"]["name"] == "Zoë \u201cQuote\u201d"

    answer = kirim.say(PHONE, "on its way")
    until(lambda: [one for one in outside.screen(PHONE) if one.get("text") == {"body": "on its way"}], what="the answer on the phone")
    outside.call("POST", f"/phones/{PHONE}/read", {})
    accepted = receiver.wait(event("message.sent", id=answer["id"]))
    provider_id = json.loads(accepted.body)["data"]["message"]["provider_id"]
    for status in ("sent", "delivered", "read"):
        push = receiver.wait(event("message.status", id=provider_id, status=f'"{status}"'), what=status)
        assert is_signed(push, secret, time.time())
    assert [one["status"] for one in outside.screen(PHONE) if one["id"] == provider_id] == ["read"]
    return wamid


def beside_the_server(data, sent, wamid):
    """Commands work while the server runs."""
    for id, words in ((sent, (PHONE, "submitted", "delivered", "read", "wamid.")), (wamid, ("message.received", "attempt 1", "200"))):
        story = command("explain", id, "--data-dir", data)
        assert story.returncode == 0, story.stderr
        missing = [word for word in words if word not in story.stdout]
        assert not missing, f"{missing} in:\n{story.stdout}"
    assert command("explain", "msg_" + "0" * 26, "--data-dir", data).returncode != 0
    health = command("doctor", "--data-dir", data)
    assert health.returncode == 0, health.stdout + health.stderr


def same_again(platform, told, sent):
    """A second start on the same directory changes nothing but ports and process."""
    def stable(told):
        kept = {**told, "meta": {**told["meta"]}, "stripe": {**told["stripe"]}}
        for moving in ("base_url", "sandbox_url", "pid", "web"):
            kept.pop(moving, None)
        for moving in ("graph_url", "webhook_url"):
            kept["meta"].pop(moving)
        for moving in ("base_url", "webhook_url"):
            kept["stripe"].pop(moving)
        return kept

    assert stable(platform.told) == stable(told)
    assert platform.kirim.message(sent)["status"] == "read"
    assert [one["type"] for one in platform.outside.screen(PHONE)] == ["template", "text", "text"]


def a_day_passes(platform, receiver, secret):
    before = requests.get(platform.url + "/sandbox/clock").json()
    moved = requests.post(platform.url + "/sandbox/clock", json={"advance": "25h"})
    assert moved.status_code == 200 and moved.json()["offset_ms"] == before["offset_ms"] + 25 * 3_600_000
    assert platform.outside.call("GET", "/clock")["offset_ms"] == moved.json()["offset_ms"]
    late = platform.kirim.say(PHONE, "still there?")
    assert late["status"] == "pending"
    failed = until(lambda: (found := platform.kirim.message(late["id"]))["status"] == "failed" and found, what="the failure")
    assert (failed["error"]["code"], str(failed["error"]["provider_code"])) == ("outside_24h_window", "131047")
    push = receiver.wait(event("message.status", code="131047"))
    assert is_signed(push, secret, time.time() + 25 * 3600)
    assert not [one for one in platform.outside.screen(PHONE) if "still there?" in json.dumps(one)]
