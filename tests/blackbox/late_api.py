"""The Late API as one organization uses it, and how its webhooks are verified: written from their description."""

import hashlib
import hmac

import requests


class LateApi:
    def __init__(self, url, told):
        self.url, self.account, self.profile, self.number = url, told["account_id"], told["profile_id"], told["phone_number"]
        self.key = told["api_key"]
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.key}"

    def ask(self, method, path, body=None, **more):
        return self.session.request(method, f"{self.url}/v1{path}", json=body, timeout=60, allow_redirects=False, **more)

    def call(self, method, path, body=None, **more):
        answer = self.ask(method, path, body, **more)
        assert answer.status_code == 200, f"{method} {path} {body}: {answer.status_code} {answer.text}"
        return answer.json()

    def get(self, path, **params):
        return self.call("GET", path, params=params)

    def post(self, path, **body):
        return self.call("POST", path, body)

    def contact(self, phone, name="Somebody", **more):
        return self.post("/whatsapp/contacts", accountId=self.account, phone=phone, name=name, **more)["contact"]["id"]

    def draft(self, *phones, template="hello_world", language="en_US", **more):
        recipients = [{"phone": phone} for phone in phones]
        made = self.post("/whatsapp/broadcasts", accountId=self.account, name="Draft", recipients=recipients,
                         template={"name": template, "language": language}, **more)
        return made["broadcast"]["id"]


def signature(secret, body):
    """Of a body's bytes; the whole secret is the key."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
