"""A team of wuzapi's family points its integration at hermod: from an empty directory to a conversation, and out again."""

import base64
import hashlib
import json
import time

import pytest
import requests
from digigo import Digigo, create, data, told
from pictures import png
from programs import Platform, postgres, until
from receiver import Receiver

CUSTOMER = "+15557770002"
OWNER = "+15551230001"
NUMBER = CUSTOMER[1:]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def house(request, tmp_path_factory):
    data = tmp_path_factory.mktemp("digigo") / "data"
    files = {"/picture.png": (png(), "image/png")}
    with Receiver(files) as receiver, postgres(request.param == "postgres") as where, Platform(data, "--sandbox", *where) as platform:
        if "web" not in platform.told:
            pytest.skip("this build has no WhatsApp Web sandbox")
        yield platform, receiver


def screen(platform, phone):
    return platform.outside.call("GET", f"/phones/{phone}/messages")["data"]


def linked(platform, receiver, name, owner):
    """A user whose account is linked by scanning the code of its QR event."""
    user, _ = create(platform, name, webhook=f"{receiver.url}/{name}", events="All")
    assert user.get("/session/status")["data"]["connected"] is False
    user.post("/session/connect", {"Subscribe": ["All"], "Immediate": False})
    seen = receiver.wait(lambda push: push.path == f"/{name}" and told("QR")(push))
    assert data(seen)["event"] == "code" and data(seen)["qrCodeBase64"].startswith("data:image/png;base64,")
    assert user.get("/session/qr")["data"]["QRCode"].startswith("data:image/png;base64,")
    platform.outside.call("POST", f"/phones/{owner}/link", {"qr": data(seen)["code"]})
    receiver.wait(lambda push: push.path == f"/{name}" and told("PairSuccess")(push))
    receiver.wait(lambda push: push.path == f"/{name}" and told("Connected")(push))
    status = until(lambda: (found := user.get("/session/status")["data"])["loggedIn"] and found, what="logged in")
    assert status["connectionHealth"] == "connected" and status["jid"].startswith(owner[1:])
    return user


def test_whole_story(house):
    platform, receiver = house
    user = linked(platform, receiver, "shop", OWNER)
    texts(platform, receiver, user)
    media(platform, receiver, user)
    receipts(platform, receiver, user)
    leaves(platform, receiver, user)


def texts(platform, receiver, user):
    sent = user.send("text", Phone=NUMBER, Body="hello from the shop")
    assert sent["Details"] == "Sent" and sent["Id"] and sent["Timestamp"]
    [shown] = until(lambda: screen(platform, CUSTOMER), what="the message on the phone")
    assert (shown["direction"], shown["type"], shown["id"]) == ("in", "text", sent["Id"])
    wrote = platform.outside.call("POST", f"/phones/{CUSTOMER}/messages", {
        "to": OWNER, "type": "text", "text": {"body": "hello to the shop"}})
    got = receiver.wait(told("Message", text="hello to the shop"))
    info = data(got)["event"]["Info"]
    assert info["ID"] == wrote["id"] and info["IsFromMe"] is False and info["PushName"] is not None
    assert got.headers["x-event-id"] and json.loads(got.body)["token"] == user.token
    user.send("edit", Phone=NUMBER, Id=sent["Id"], Body="hello again")
    until(lambda: any(m.get("edited") and "again" in json.dumps(m) for m in screen(platform, CUSTOMER)), what="the edit")
    user.post("/chat/react", {"Phone": NUMBER, "Body": "\U0001f44d", "Id": wrote["id"]})
    until(lambda: any(m.get("reactions") for m in screen(platform, CUSTOMER)), what="the reaction")
    user.post("/chat/delete", {"Phone": NUMBER, "Id": sent["Id"]})
    until(lambda: any(m.get("deleted") for m in screen(platform, CUSTOMER)), what="the deletion")


def media(platform, receiver, user):
    picture = png()
    user.send("image", Phone=NUMBER, Image="data:image/png;base64," + base64.b64encode(picture).decode(), Caption="look")
    until(lambda: any(m["type"] == "image" for m in screen(platform, CUSTOMER)), what="the picture on the phone")
    document = b"%PDF-1.4 " + bytes(range(256)) * 40
    user.send("document", Phone=NUMBER, FileName="a.pdf",
              Document="data:application/octet-stream;base64," + base64.b64encode(document).decode())
    shown = until(lambda: [m for m in screen(platform, CUSTOMER) if m["type"] == "document"], what="the document")
    assert shown[0]["document"]["sha256"] == hashlib.sha256(document).hexdigest()
    platform.outside.call("POST", f"/phones/{CUSTOMER}/messages", {
        "to": OWNER, "type": "image", "image": {"data": base64.b64encode(picture).decode(), "mime_type": "image/png"}})
    got = receiver.wait(told("Message", mark='"imageMessage"'))
    assert base64.b64decode(data(got)["base64"]) == picture and data(got)["mimeType"] == "image/png"
    described = data(got)["event"]["Message"]["imageMessage"]
    fetched = user.post("/chat/downloadimage", {
        "Url": described.get("URL", ""), "DirectPath": described["directPath"], "MediaKey": described["mediaKey"],
        "Mimetype": "image/png", "FileSHA256": described["fileSHA256"], "FileEncSHA256": described["fileEncSHA256"],
        "FileLength": described["fileLength"]})["data"]
    assert base64.b64decode(fetched["Data"].split(",", 1)[1]) == picture


def receipts(platform, receiver, user):
    sent = user.send("text", Phone=NUMBER, Body="did you read this?")
    receiver.wait(told("ReadReceipt", id=sent["Id"], state='"state":"Delivered"'))
    platform.outside.call("POST", f"/phones/{CUSTOMER}/read", {"ids": [sent["Id"]]})
    receiver.wait(told("ReadReceipt", id=sent["Id"], state='"state":"Read"'))
    wrote = platform.outside.call("POST", f"/phones/{CUSTOMER}/messages", {
        "to": OWNER, "type": "text", "text": {"body": "yes, and you?"}})
    receiver.wait(told("Message", id=wrote["id"]))
    user.post("/chat/markread", {"Id": [wrote["id"]], "Chat": NUMBER, "Sender": NUMBER})
    until(lambda: any(m["id"] == wrote["id"] and m["status"] == "read" for m in screen(platform, CUSTOMER)), what="blue ticks")


def leaves(platform, receiver, user):
    user.post("/session/disconnect")
    assert user.post("/chat/send/text", {"Phone": NUMBER, "Body": "x"}, 500)["error"] == "no session"
    user.post("/session/connect", {"Immediate": False})
    until(user.is_logged_in, what="back without a code")
    user.post("/session/logout")
    receiver.wait(told("LoggedOut"))
    status = user.get("/session/status")["data"]
    assert status["connected"] is False and status["loggedIn"] is False


def test_two_accounts_talk(house):
    platform, receiver = house
    ann, ben = (linked(platform, receiver, name, number) for name, number in [("ann", "+15551230011"), ("ben", "+15551230012")])
    ann.send("text", Phone="15551230012", Body="from ann to ben")
    receiver.wait(lambda push: push.path == "/ben" and told("Message", text="from ann to ben")(push))
    ben.send("text", Phone="15551230011", Body="from ben to ann")
    receiver.wait(lambda push: push.path == "/ann" and told("Message", text="from ben to ann")(push))


def test_a_code_is_typed_instead(house):
    platform, receiver = house
    user, _ = create(platform, "code")
    user.post("/session/connect", {"Immediate": False})
    code = user.post("/session/pairphone", {"Phone": "15551230021"})["data"]["LinkingCode"]
    assert len(code) == 9 and code[4] == "-"
    platform.outside.call("POST", "/phones/+15551230021/link", {"code": code})
    until(user.is_logged_in, what="linked by code")


def test_restart_keeps_the_link(tmp_path):
    data = tmp_path / "data"
    with Receiver() as receiver:
        with Platform(data, "--sandbox") as platform:
            if "web" not in platform.told:
                pytest.skip("this build has no WhatsApp Web sandbox")
            user = linked(platform, receiver, "shop", OWNER)
        with Platform(data, "--sandbox") as platform:
            user = Digigo(platform.url, user.token)
            until(user.is_logged_in, what="logged in again")
            sent = user.send("text", Phone=NUMBER, Body="after the restart")
            until(lambda: any(m["id"] == sent["Id"] for m in screen(platform, CUSTOMER)), what="the message on the phone")


def test_strangers_are_turned_away(house):
    platform, _ = house
    for token in ["", "wrong", platform.told["digigo"]["admin_token"]]:
        answer = requests.get(platform.url + "/session/status", headers={"token": token} if token else {})
        assert answer.status_code == 401 and answer.json()["error"] == "unauthorized"
    answer = requests.get(platform.url + "/admin/users", headers={"Authorization": "wrong"})
    assert answer.status_code == 401 and answer.json() == {"error": "unauthorized - admin token required"}
    health = requests.get(platform.url + "/health").json()
    assert health["status"] == "healthy" and time.time() - 1e9 > health["uptime"] >= 0
