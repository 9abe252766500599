"""The operator's commands beside a running server: each finds what it works on, and what it is refused changes nothing."""

import datetime
import os
import shutil
import subprocess

import pytest
from programs import BIN, Platform, World, command, environment, until
from receiver import Receiver
from test_first_hour import event, is_signed

PHONE = "+15557770001"
TEMPLATE = {"name": "hello_world", "language": "en_US"}
FIELDS = ("messages", "message_template_status_update", "message_template_quality_update", "template_category_update",
          "phone_number_quality_update", "account_update", "user_preferences")


class Operator:
    """Somebody at a shell, with an installation in `data`."""

    def __init__(self, data, **settings):
        self.data, self.settings = data, settings

    def does(self, *words):
        done = command(*words, "--data-dir", self.data, **self.settings)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def is_refused(self, *words):
        done = command(*words, "--data-dir", self.data, **self.settings)
        assert done.returncode != 0, f"{words}: {done.stdout}"
        return done.stdout + done.stderr

    def accounts(self, provider="meta-cloud"):
        """How accounts with a provider stand, and their ids."""
        rows = [line.split("  ") for line in self.does("account", "list").splitlines()]
        return {row[2]: (row[3], row[0]) for row in rows if row[1] == provider}


def delivered(platform, phone=PHONE):
    """A message that went all the way."""
    sent = platform.kirim.send(phone, "template", TEMPLATE)["id"]
    until(lambda: platform.kirim.message(sent)["status"] == "delivered", what="delivered")
    return sent


def test_only_a_first_command_makes_an_installation(tmp_path):
    operator, copy = Operator(tmp_path / "typo"), tmp_path / "copy.db"
    for words in (("doctor",), ("backup", copy), ("org", "list"), ("key", "create", "--org", "Acme", "--dialect", "kirim"),
                  ("account", "list"), ("explain", "msg_" + "0" * 26)):
        assert f"there is no hermod in {operator.data}" in operator.is_refused(*words)
    assert not operator.data.exists() and not copy.exists()
    operator.does("org", "create", "Acme")
    assert operator.does("key", "create", "--org", "Acme", "--dialect", "kirim").startswith("kdv_live_")
    assert "Nothing is wrong." in operator.does("doctor")
    migrated = Operator(tmp_path / "migrated")
    migrated.does("migrate")
    assert migrated.does("org", "list") == ""


def test_a_backup_becomes_an_installation(tmp_path):
    data, copy, restored = tmp_path / "data", tmp_path / "copy.db", tmp_path / "restored"
    operator = Operator(data)
    with World(tmp_path / "world") as world, Receiver() as receiver:
        place = ("--sandbox-url", world.outside.url)
        with Platform(data, *place) as platform:
            key = platform.kirim.key
            secret = platform.kirim.subscribe(receiver.url, "message.received")["initial_secret"]
            kept = delivered(platform)
            operator.does("backup", copy)
            assert "exists already" in operator.is_refused("backup", copy)
            lost = delivered(platform)
        restored.mkdir(0o700)
        shutil.copy(copy, restored / "hermod.db")
        assert "secret key" in Operator(restored).is_refused("doctor"), "a backup is nothing without its key"
        shutil.copy(data / "secret.key", restored)
        shutil.copytree(data / "media", restored / "media")
        with Platform(restored, *place) as platform:
            assert platform.kirim.key == key
            assert platform.kirim.message(kept)["status"] == "delivered"
            assert platform.kirim.ask("GET", f"/{platform.kirim.number}/messages/{lost}").status_code == 404
            delivered(platform)
            business = platform.told["meta"]["phone_numbers"][0]["display_phone_number"]
            wamid = platform.outside.say(PHONE, business, "still there?")
            push = receiver.wait(event("message.received", id=wamid))
            assert is_signed(push, secret, push.at)
            assert "Nothing is wrong." in Operator(restored).does("doctor")


def test_a_token_that_meta_does_not_accept_changes_nothing(tmp_path):
    operator, secrets = Operator(tmp_path / "data"), tmp_path / "secrets"
    with Platform(operator.data, "--sandbox") as platform:
        waba, token = platform.told["meta"]["waba_id"], platform.told["meta"]["access_token"]
        (status, id), before = operator.accounts()[waba], operator.accounts()
        assert status == "active"
        secrets.write_text("mistyped\n")
        refusal = operator.is_refused("account", "rotate-token", id, "--secrets", secrets)
        assert "does not accept our token" in refusal and "mistyped" not in refusal
        assert operator.accounts() == before
        delivered(platform)
        secrets.write_text(f"{token}\n")
        assert "works with the new token" in operator.does("account", "rotate-token", id, "--secrets", secrets)
        delivered(platform)
        carriers(operator, secrets)
        first_account(tmp_path, platform.told["meta"], secrets)


def carriers(operator, secrets):
    """What a carrier does not accept, and what could not be sent from."""
    before = operator.accounts("smpp")
    secrets.write_text("mistype\n")
    for _, id in before.values():
        operator.is_refused("account", "rotate-token", id, "--secrets", secrets)
    assert before and operator.accounts("smpp") == before
    relay = ("--name", "relay", "--host", "127.0.0.1", "--port", 9, "--security", "none", "--from", "nonsense")
    organization = operator.does("org", "list").split()[0]
    refusal = operator.is_refused("account", "add", "smtp", "--org", organization, *relay, "--secrets", secrets)
    assert "a mail comes from a mail address" in refusal and "relay" not in operator.accounts("smtp")


def first_account(tmp_path, meta, secrets):
    """The same for an account that is not there yet."""
    operator = Operator(tmp_path / "second", HERMOD_META_GRAPH_URL=meta["graph_url"])
    operator.does("org", "create", "Acme")
    add = ("account", "add", "meta", "--org", "Acme", "--waba", meta["waba_id"], "--app-id", meta["app_id"], "--secrets", secrets)
    secrets.write_text(f"mistyped\n{meta['app_secret']}\n")
    assert "does not accept our token" in operator.is_refused(*add)
    assert operator.accounts() == {} and operator.does("sender", "list") == ""
    secrets.write_text(f"{meta['access_token']}\n{meta['app_secret']}\n")
    told = operator.does(*add)
    assert [status for status, _ in operator.accounts().values()] == ["active"]
    assert {line.strip() for line in told.splitlines()} >= set(FIELDS), told
    assert len(operator.does("sender", "list").splitlines()) == len(meta["phone_numbers"])


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Receiver() as receiver, Platform(tmp_path_factory.mktemp("commands") / "data", "--sandbox") as platform:
        yield platform, receiver


def at(seconds):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_past_is_told_again(house):
    platform, receiver = house
    operator, business = Operator(platform.data), platform.told["meta"]["phone_numbers"][0]["display_phone_number"]
    platform.kirim.subscribe(f"{receiver.url}/first", "message.received")
    ids = [platform.outside.say(PHONE, business, words) for words in ("one", "two")]
    [receiver.wait(event("message.received", id=id)) for id in ids]
    newcomer = platform.kirim.subscribe(f"{receiver.url}/newcomer", "message.received", "contact.created")["id"]
    stretch = ("--subscription", newcomer, "--type", "message.received")
    assert operator.does("replay", *stretch, "--from", at(-7200), "--to", at(-3600)).startswith("0 ")
    assert operator.does("replay", *stretch, "--from", at(-3600), "--to", at(60)).startswith("2 ")
    for id in ids:
        push = receiver.wait(lambda push: push.path == "/newcomer" and push.headers["x-kirim-event-id"] == id)
        assert (push.headers["x-kirim-replay"], push.headers["x-kirim-event"]) == ("true", "message.received")
        [first] = [push for push in receiver.pushes if push.path == "/first" and push.headers["x-kirim-event-id"] == id]
        assert push.body == first.body and "x-kirim-replay" not in first.headers
    unknown = "whs_" + "0" * 26
    assert operator.is_refused("replay", "--subscription", unknown, "--from", at(-60), "--to", at(0))


def test_what_a_receiver_names_is_explained(house):
    platform, receiver = house
    platform.kirim.subscribe(f"{receiver.url}/status", "message.status")
    sent = delivered(platform, "+15557770002")
    push = receiver.wait(lambda push: push.path == "/status" and b'"delivered"' in push.body)
    named = push.headers["x-kirim-event-id"]
    assert named.endswith(":delivered")
    by_event, by_message = (Operator(platform.data).does("explain", id).splitlines() for id in (named, sent))
    assert by_event[0] == by_message[0] and any(f"{receiver.url}/status" in line for line in by_event)


def test_who_has_read_enough_ends_a_command(tmp_path):
    Operator(tmp_path).does("org", "create", "Acme")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        ended = subprocess.run([BIN, "doctor", "--data-dir", tmp_path], stdout=closed, stderr=subprocess.PIPE, timeout=60,
                               env=environment({}))
    assert (ended.returncode, ended.stderr) == (141, b"")
