"""Clients of WhatsApp Web that we did not write come to the sandbox: two generations of Baileys, as the registry has them.

They are pointed at it by their own option `waWebSocketUrl` and trust its TLS certificate by Node's own `NODE_EXTRA_CA_CERTS`.
Version 6 needs nothing else. Version 7 also checks who signed the server's Noise certificates; the key it checks them with,
WhatsApp's, is an exported object of it, in which the sandbox's own (`noise_root`) is put. No source of theirs is touched.
"""

import base64
import hashlib
import itertools
import json
import os
import signal
import subprocess
import threading
import time

import pytest
import requests
from programs import ROOT, World, until

STRANGERS = ROOT / ".cache" / "strangers"
CLIENT = ROOT / "tests" / "blackbox" / "strangers" / "client.mjs"
PACKAGES = ["baileys-6", "baileys-7"]
FRIEND = "+15557770002"
FRIEND_JID = "15557770002@s.whatsapp.net"
numbers = (f"+1555124{n:04}" for n in itertools.count(1))


class Stranger:
    """A client in a process of its own, with credentials in a directory."""

    def __init__(self, package, directory, web):
        directory.mkdir(parents=True, exist_ok=True)
        certificate = directory / "server.pem"
        certificate.write_text(web["certificate"])
        self.errors = directory / "errors"
        self.lines, self.heard, self.calls = [], threading.Condition(), itertools.count(1)
        settings = {"NODE_EXTRA_CA_CERTS": str(certificate), "STRANGERS": str(STRANGERS)}
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                ["node", CLIENT, package, directory / "credentials", web["server_url"], web["noise_root"]],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **settings})
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.heard:
                self.lines.append(json.loads(line))
                self.heard.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.reader.join(10)
        self.process.stdout.close()

    def wait(self, wanted, what, seconds=40):
        """What `wanted` makes of the first line of which it makes something."""
        end, seen = time.monotonic() + seconds, 0
        with self.heard:
            while True:
                for line in self.lines[seen:]:
                    if found := wanted(line):
                        return found
                seen, left = len(self.lines), end - time.monotonic()
                if left <= 0 or not self.heard.wait(left) and time.monotonic() >= end:
                    told = "\n".join(json.dumps(line)[:600] for line in self.lines[-12:])
                    raise AssertionError(f"{what} did not come within {seconds} s:\n{told}\n{self.errors.read_text()[-3000:]}")

    def event(self, name, wanted, what):
        return self.wait(lambda line: line.get("event") == name and wanted(line["about"]), what)

    def ask(self, call, *given):
        """The answer of one of its functions, or its error."""
        turn = next(self.calls)
        self.process.stdin.write(json.dumps({"call": call, "with": given, "to": turn}) + "\n")
        self.process.stdin.flush()
        return self.wait(lambda line: line.get("to") == turn and line, f"an answer of {call}")

    def call(self, call, *given):
        answer = self.ask(call, *given)
        assert "answer" in answer, f"{call}: {answer}"
        return answer["answer"]

    def qr(self):
        return self.event("connection.update", lambda about: about.get("qr"), "a QR code")

    def opened(self):
        self.event("connection.update", lambda about: about.get("connection") == "open", "an open connection")
        return self

    def closed(self, code):
        def fits(about):
            return about.get("connection") == "close" and about["lastDisconnect"]["error"]["output"]["statusCode"] == code
        self.event("connection.update", fits, f"the end of the connection with {code}")

    def hears(self, words):
        """The message that says so; what could not be read at first may come a second time."""
        def fits(about):
            return [one for one in about["messages"] if (one.get("message") or {}).get("conversation") == words]
        return self.event("messages.upsert", fits, f"the message {words!r}")[0]


def introduced(world):
    """What the sandbox tells a platform about its WhatsApp Web server."""
    home = {"id": "strangers", "base_url": "http://127.0.0.1:9", "webhook_url": "http://127.0.0.1:9/webhooks/meta"}
    told = world.outside.call("POST", "/platforms", home)
    if not told.get("web"):
        pytest.skip("this build has no WhatsApp Web sandbox")
    return told["web"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("strangers") / "data") as world:
        world.web = introduced(world)
        yield world


def linked(world, package, directory, owner):
    stranger = Stranger(package, directory, world.web)
    answer = world.outside.call("POST", f"/phones/{owner}/link", {"qr": stranger.qr()})
    assert answer["linked"] is True
    return stranger.opened()


def shown(world, phone, id):
    found = lambda: [one for one in world.outside.screen(phone) if one["id"] == id]
    return until(found, what=f"{id} on the screen of {phone}")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_stranger_links_talks_comes_back_and_leaves(world, package, tmp_path):
    owner = next(numbers)
    with linked(world, package, tmp_path, owner) as stranger:
        sent = stranger.call("sendMessage", FRIEND_JID, {"text": "hello from a stranger"})["key"]["id"]
        came = shown(world, FRIEND, sent)
        assert (came["from"], came["text"]["body"]) == (owner, "hello from a stranger")
        world.outside.say(FRIEND, owner, "hello yourself")
        stranger.hears("hello yourself")
        until(lambda: world.outside.screen(FRIEND)[-1]["status"] == "delivered", what="grey ticks")
        world.outside.call("POST", f"/phones/{FRIEND}/read", {"ids": [sent]})
        stranger.event("messages.update", lambda all: [one for one in all if one["key"]["id"] == sent and one["update"].get("status") == 4], "blue ticks")

    waiting = world.outside.say(FRIEND, owner, "while you were away")
    with Stranger(package, tmp_path, world.web) as stranger:
        stranger.opened()
        # Version 6 tells of what waited for it once something else comes.
        world.outside.say(FRIEND, owner, "welcome back")
        stranger.hears("while you were away")
        stranger.hears("welcome back")
        updates = [line["about"] for line in stranger.lines if line.get("event") == "connection.update"]
        assert not any(about.get("qr") for about in updates), "it is known by its credentials"
        until(lambda: shown(world, FRIEND, waiting)["status"] == "delivered", what="delivered in the end")
        stranger.call("logout")
        stranger.closed(401)
    until(lambda: owner not in world.outside.call("GET", "/stats")["web"]["sockets"], what="the end of the connection")
    with Stranger(package, tmp_path, world.web) as stranger:
        stranger.closed(401)


def test_a_stranger_types_a_code_instead(world, tmp_path):
    owner = next(numbers)
    with Stranger("baileys-7", tmp_path, world.web) as stranger:
        stranger.qr()
        code = stranger.call("requestPairingCode", owner[1:])
        refused = requests.post(f"{world.outside.url}/phones/{owner}/link", json={"code": "22222222"}, timeout=30)
        assert refused.status_code == 400, refused.text
    with Stranger("baileys-7", tmp_path / "again", world.web) as stranger:
        stranger.qr()
        code = stranger.call("requestPairingCode", owner[1:])
        assert world.outside.call("POST", f"/phones/{owner}/link", {"code": f"{code[:4]}-{code[4:]}"})["linked"] is True
        stranger.opened()
        world.outside.say(FRIEND, owner, "typed")
        stranger.hears("typed")


def test_a_stranger_does_what_plain_clients_do(world, tmp_path):
    owner = next(numbers)
    world.outside.call("PATCH", f"/phones/{FRIEND}", {"name": "Friend", "business": {"name": "Friends Ltd"}})
    with linked(world, "baileys-7", tmp_path, owner) as stranger:
        changes(world, stranger)
        files(world, stranger)
        groups(world, stranger, owner)
        calls(world, stranger, owner)
        questions(stranger)


def changes(world, stranger):
    sent = stranger.call("sendMessage", FRIEND_JID, {"text": "frist"})["key"]
    shown(world, FRIEND, sent["id"])
    stranger.call("sendMessage", FRIEND_JID, {"text": "first", "edit": sent})
    until(lambda: shown(world, FRIEND, sent["id"])["text"]["body"] == "first", what="the edit")
    stranger.call("sendMessage", FRIEND_JID, {"react": {"text": "\U0001f389", "key": sent}})
    until(lambda: shown(world, FRIEND, sent["id"]).get("reactions"), what="the reaction")
    stranger.call("sendMessage", FRIEND_JID, {"delete": sent})
    until(lambda: shown(world, FRIEND, sent["id"]).get("deleted"), what="the deletion")
    stranger.call("sendPresenceUpdate", "composing", FRIEND_JID)
    until(lambda: world.outside.call("GET", f"/phones/{FRIEND}")["typing"], what="typing")


def files(world, stranger):
    bytes = hashlib.sha512(b"a file").digest() * 500
    document = {"document": {"type": "Buffer", "data": base64.b64encode(bytes).decode()}, "mimetype": "text/plain", "fileName": "a.txt"}
    sent = stranger.call("sendMessage", FRIEND_JID, document)["key"]["id"]
    assert shown(world, FRIEND, sent)["document"]["sha256"] == hashlib.sha256(bytes).hexdigest()


def groups(world, stranger, owner):
    group = stranger.call("groupCreate", "Strangers", [FRIEND_JID])["id"]
    sent = stranger.call("sendMessage", group, {"text": "to all"})["key"]["id"]
    assert shown(world, FRIEND, sent)["to"] == group
    world.outside.say(FRIEND, group, "from one of all")
    stranger.hears("from one of all")
    stranger.call("groupUpdateSubject", group, "Friends")
    assert stranger.call("groupMetadata", group)["subject"] == "Friends"
    assert len(stranger.call("groupInviteCode", group)) == 22
    [left] = stranger.call("groupParticipantsUpdate", group, [FRIEND_JID], "remove")
    assert left["status"] == "200"
    stranger.call("groupLeave", group)
    assert group not in stranger.call("groupFetchAllParticipating")


def calls(world, stranger, owner):
    call = world.outside.call("POST", f"/phones/{FRIEND}/calls", {"to": owner, "video": True})["id"]
    offer = stranger.event("call", lambda all: [one for one in all if one["id"] == call and one["status"] == "offer"], "the call")[0]
    assert offer["isVideo"] is True
    stranger.call("rejectCall", call, offer["from"])
    status = lambda: [one["status"] for one in world.outside.call("GET", f"/phones/{FRIEND}/calls")["data"] if one["id"] == call]
    until(lambda: status() == ["rejected"], what="the call turned down")


def questions(stranger):
    """Nothing that a client asks is met with silence: there is an answer, or a proper error."""
    assert stranger.call("onWhatsApp", FRIEND_JID) == [{"jid": FRIEND_JID, "exists": True}]
    assert stranger.call("getBusinessProfile", FRIEND_JID)["wid"] == FRIEND_JID
    stranger.call("updateProfileStatus", "busy")
    stranger.call("updateProfileName", "A Stranger")
    stranger.call("updateLastSeenPrivacy", "none")
    assert stranger.call("fetchPrivacySettings", True)["last"] == "none"
    stranger.call("updateBlockStatus", FRIEND_JID, "block")
    assert len(stranger.call("fetchBlocklist")) == 1
    stranger.call("updateBlockStatus", FRIEND_JID, "unblock")
    assert stranger.call("getBotListV2") == [] and stranger.call("getCatalog", {"jid": FRIEND_JID})["products"] == []
    assert stranger.call("fetchAccountReachoutTimelock")["isActive"] is False
    for call, given in [("profilePictureUrl", [FRIEND_JID]), ("newsletterMetadata", ["invite", "nobodys"]), ("newsletterCreate", ["News"]),
                        ("communityCreate", ["All", "of us"]), ("getOrderDetails", ["1", "x"]), ("groupMetadata", ["120363000000000000@g.us"])]:
        assert "error" in stranger.ask(call, *given), call


def test_a_killed_sandbox_keeps_its_links(tmp_path):
    """Killed at the very moment at which a link is made, it knows the client when it comes back."""
    data, directories = tmp_path / "data", [tmp_path / str(n) for n in range(3)]
    owners = [next(numbers) for _ in directories]
    for owner, directory in zip(owners, directories):
        with World(data) as world:
            world.web = introduced(world)
            stranger = Stranger("baileys-7", directory, world.web)
            world.outside.call("POST", f"/phones/{owner}/link", {"qr": stranger.qr()})
            os.kill(world.process.pid, signal.SIGKILL)
            world.process.wait(10)
            stranger.__exit__()
    with World(data) as world:
        world.web = introduced(world)
        for owner, directory in zip(owners, directories):
            with Stranger("baileys-7", directory, world.web) as stranger:
                stranger.opened()
                sent = stranger.call("sendMessage", FRIEND_JID, {"text": f"it is {owner}"})["key"]["id"]
                assert shown(world, FRIEND, sent)["from"] == owner
                world.outside.say(FRIEND, owner, "welcome back")
                stranger.hears("welcome back")
