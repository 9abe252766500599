"""The DIGIGO API as its administrators and its users use it, and accounts that are linked in the sandbox."""

import json

import requests
from programs import until


class Digigo:
    """A user of the API."""

    def __init__(self, url, token):
        self.url, self.token = url, token

    def call(self, method, path, body=None, status=200, **params):
        answer = requests.request(method, self.url + path, json=body, params=params, headers={"token": self.token}, timeout=60)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path, body=None, status=200):
        return self.call("POST", path, body or {}, status)

    def get(self, path, status=200, **params):
        return self.call("GET", path, None, status, **params)

    def send(self, kind, **body):
        return self.post(f"/chat/send/{kind}", body)["data"]

    def is_logged_in(self):
        return self.get("/session/status")["data"]["loggedIn"]


def admin(platform, method, path, body=None, status=200):
    token = platform.told["digigo"]["admin_token"]
    answer = requests.request(method, platform.url + path, json=body, headers={"Authorization": token}, timeout=60)
    assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json()


def create(platform, name, **more):
    """A user, and his id."""
    made = admin(platform, "POST", "/admin/users", {"name": name, "token": f"token-of-{name}", **more}, 201)["data"]
    assert made["token"] == f"token-of-{name}" and len(made["id"]) == 32
    return Digigo(platform.url, made["token"]), made["id"]


def link(platform, user, id, owner):
    """The owner's phone scans the code that is to be scanned now."""
    user.post("/session/connect", {"Immediate": False})
    listed = admin(platform, "GET", f"/admin/instances/status?ids={id}")["data"]
    platform.outside.call("POST", f"/phones/{owner}/link", {"qr": listed[0]["qrcode_text"]})
    until(user.is_logged_in, what=f"{owner} is logged in")


def told(kind, **wanted):
    """Webhook posts of this event that hold all these texts."""
    def fits(push):
        body = json.loads(push.body)
        return body.get("eventType") == kind and all(text in push.body.decode() for text in wanted.values())
    return fits


def data(push):
    return json.loads(push.body)["data"]
