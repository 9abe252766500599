"""The DIGIGO API against its published contract on a linked account, with data that fits it and data that does not, by
schemathesis. `judge.py` holds each answer to the contract; here only what went wrong inside counts.

Most addresses lead to people, files and users that exist, so that answers come from behind the first check.
"""

import base64
import json
import re

import pytest
import requests
from digigo import create, data, link
from fuzz import Fuzz, lead, mostly, unbroken
from pictures import jpeg, png
from programs import ROOT, Platform

DIGIGO = Fuzz("digigo")
PERSON = "15557770002"
OWNER = "+15551230031"
SAMPLES = ROOT / "crates/media/tests/samples"
FILES = {
    "image": (jpeg(), "image/jpeg"),
    "sticker": (png(), "image/png"),
    "audio": ((SAMPLES / "tone.opus").read_bytes(), "audio/ogg"),
    "video": ((SAMPLES / "clip.mp4").read_bytes(), "video/mp4"),
    "document": (b"%PDF-1.4\n%%EOF\n", "application/pdf"),
}

# Failures that are WhatsApp's word and not ours: the operation, and how its text begins.
FOREIGN = {
    r"POST /chat/download\w+": "failed to download",
    r"POST /user/business/profile": "failed to get business profile",
}


class World:
    """A platform with a linked account, and users that may be taken apart."""

    def __init__(self, platform, receiver):
        self.platform, self.receiver, self.made = platform, receiver, 0
        self.user, self.id = create(platform, "main", webhook=f"{receiver.url}/main", events="All")
        link(platform, self.user, self.id, OWNER)
        self.user.post("/user/photo", {"Image": inline("image")})
        self.message = self.user.send("text", Phone=PERSON, Body="hello")["Id"]
        platform.outside.call("PATCH", f"/phones/+{PERSON}", {"business": {"name": "A person's shop"}})
        self.files = {kind: self.file(kind) for kind in FILES}
        self.hidden = self.user.get("/user/lid/mappings")["mappings"][0]["lid"]

    def file(self, kind):
        """What is told of a file that lies at WhatsApp, as the operations that fetch it want it told."""
        content, mime = FILES[kind]
        file = {"data": base64.b64encode(content).decode(), "mime_type": mime}
        wrote = self.platform.outside.write(f"+{PERSON}", OWNER, type=kind, **{kind: file})
        told = data(self.receiver.wait(lambda push: wrote.encode() in push.body and b'"Message"' in push.body))
        told = told["event"]["Message"][f"{kind}Message"]
        return {"Url": told.get("URL", ""), "DirectPath": told["directPath"], "MediaKey": told["mediaKey"], "Mimetype": mime,
                "FileSHA256": told["fileSHA256"], "FileEncSHA256": told["fileEncSHA256"], "FileLength": told["fileLength"]}

    def count(self):
        self.made += 1
        return self.made

    def another(self):
        return create(self.platform, f"user-{self.count()}")

    def waiting(self):
        """Somebody whose code waits to be scanned."""
        user, id = self.another()
        user.post("/session/connect", {"Immediate": False})
        return user, id

    def linked(self):
        user, id = self.another()
        link(self.platform, user, id, f"+1555124{self.made:04}")
        return user, id


# Who calls, where it must not be the linked user.
CALLERS = {
    "POST /session/disconnect": World.waiting,
    "POST /session/logout": World.linked,
    "POST /session/pairphone": World.waiting,
    "POST /session/proxy": World.another,
    "POST /user/update": World.another,
}


def aim(case, world):
    label = case.operation.label
    case.path_parameters = lead(case.path_parameters, lambda: {"id": world.another()[1] if label.startswith("DELETE") else world.id})
    if isinstance(case.body, dict):
        case.body = aimed(case.body, world, label)
        if mostly(case.body):
            case.body |= whole(world, label)
    for name in ("phone", "lid") if case.query else ():
        if name in case.query and mostly(case.query[name]):
            case.query[name] = PERSON if name == "phone" else world.hidden


def whole(world, label):
    """What the contract does not show as it must be."""
    kind = label.rsplit("/", 1)[-1].removeprefix("download")
    match label:
        case "POST /chat/markread":
            # Typed as an object (decided: a list), and shown without a server in its addresses.
            return {"Id": [world.message], "Chat": PERSON, "Sender": PERSON}
        case "POST /chat/delete" | "POST /chat/react":
            return {"Id": world.message}
        case "POST /user/check" | "POST /user/info":
            return {"Phone": [PERSON]}
        case "POST /user/avatar":
            return {"Phone": OWNER[1:]}
        case "POST /user/lid/from-lid":
            return {"lid": world.hidden}
        case "POST /session/proxy":
            return {"proxy_url": "http://proxy.example:3128"}
    if label.startswith("POST /chat/download"):
        return world.files[kind]
    if label.startswith("POST /chat/send/") and kind != "edit":
        # An id is used once.
        return {"id" if kind == "buttons" else "Id": f"ID{world.count()}"}
    return {}


def aimed(value, world, label, name=""):
    if isinstance(value, dict):
        return {key: aimed(one, world, label, key) for key, one in value.items()}
    if isinstance(value, list):
        return [aimed(one, world, label, name) for one in value]
    known = name.lower().replace("_", "")
    if known == "presence" and isinstance(value, int):
        # Typing is waited for.
        return min(value, 5)
    if not isinstance(value, str) or not mostly(value + name):
        return value
    if known in ("phone", "chat", "chatjid", "group"):
        return PERSON
    if known in ("webhook", "webhookurl"):
        return f"{world.receiver.url}/main"
    if known in FILES:
        return inline(known)
    if known in ("url", "mediaurl", "link"):
        return f"{world.receiver.url}/picture.png"
    return re.sub(r"^https?://[^/?#]*", world.receiver.url, value) if value.startswith("http") else value


def inline(kind):
    content, mime = FILES[kind]
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


@pytest.fixture(scope="module")
def world(tmp_path_factory, receiver):
    with Platform(tmp_path_factory.mktemp("digigo-contract") / "data", "--sandbox") as platform:
        if "web" not in platform.told:
            pytest.skip("this build has no WhatsApp Web sandbox")
        yield World(platform, receiver)


@DIGIGO.cases
def test_contract(case, world):
    label = case.operation.label
    aim(case, world)
    user = CALLERS[label](world)[0] if label in CALLERS else world.user
    headers = {"token": user.token, "Authorization": world.platform.told["digigo"]["admin_token"]}
    answer = DIGIGO.call(case, world.platform.url, headers=headers)
    if not is_foreign(label, answer):
        unbroken(answer, case)
    assert world.platform.alive()


def is_foreign(label, answer):
    if answer.status_code < 500:
        return False
    body = answer.json()
    text = body.get("error") or body.get("data")
    return any(re.fullmatch(pattern, label) and text.startswith(begins) for pattern, begins in FOREIGN.items())


def test_every_operation_was_really_reached(world):
    DIGIGO.reached(world.platform, good=(200, 201))
