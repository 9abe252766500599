"""Linked accounts when the platform is killed, paused or moved to another process, and when they talk to the Cloud API.

The load, and the judgement of what was lost or doubled, are those of `hermod-bench`; here are a few of its rounds.
"""

import json
import os
import subprocess

import pytest
from programs import BIN, Platform, postgres, until
from receiver import Receiver
from test_digigo import linked, told

BENCH = os.environ["HERMOD_BENCH_BIN"]
SHOP = "+15551230031"


@pytest.fixture(scope="module", autouse=True)
def web():
    if "web-sandbox" not in subprocess.run([BIN, "--version"], capture_output=True, text=True, timeout=10).stdout:
        pytest.skip("this build has no WhatsApp Web sandbox")


def kept(tmp_path, *story):
    """Runs a story of hermod-bench; it fails when a promise was broken."""
    if not os.path.exists(BENCH):
        pytest.skip("no driver: cargo build -p hermod-bench")
    done = subprocess.run([BENCH, *map(str, story), "--hermod", BIN, "--out", tmp_path, "--keep"],
                          capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr


def test_killed_and_started_again(tmp_path):
    kept(tmp_path, "linked-crash", "--rounds", 4)


def test_another_process_takes_over(tmp_path):
    kept(tmp_path, "fail-over", "--rounds", 2)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_talks_with_a_number_of_the_cloud_api(tmp_path, database):
    with Receiver() as receiver, postgres(database == "postgres") as where:
        with Platform(tmp_path / "data", "--sandbox", *where) as platform:
            user = linked(platform, receiver, "shop", SHOP)
            business = platform.told["meta"]["phone_numbers"][0]["display_phone_number"]
            platform.kirim.subscribe(f"{receiver.url}/kirim", "message.received")
            sent = user.send("text", Phone=business[1:], Body="a question from the shop")
            receiver.wait(lambda push: push.path == "/kirim" and b"a question from the shop" in push.body)
            answer = platform.kirim.say(SHOP, "the business answers")["id"]
            receiver.wait(lambda push: push.path == "/shop" and told("Message", text="the business answers")(push))
            until(lambda: platform.kirim.message(answer)["status"] == "delivered", what="ticks for the business")
            receiver.wait(told("ReadReceipt", id=sent["Id"], state='"state":"Delivered"'))
            [question] = platform.kirim.all(f"/{platform.kirim.number}/messages", direction="inbound")
            [contact] = platform.kirim.all(f"/{platform.kirim.number}/contacts")
            assert question["content"] == "a question from the shop" and SHOP[1:] in json.dumps(contact)
