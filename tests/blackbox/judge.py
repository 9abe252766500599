"""Holds every answer of a platform to the published contract of the API that gave it, whatever story asked for it.

`conftest.py` calls `hold` after each request that `requests` makes. A platform is judged from the moment it is known
(`watch`): other servers of a story, the sandbox's among them, are nobody's contract.
"""

import json
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema_rs

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
METHODS = ("get", "put", "post", "delete", "patch")
# How DIGIGO's errors look: with a code, alone, or told in `data`.
ENVELOPES = ({"code", "error", "success"}, {"error"}, {"code", "data", "success"})
# What single operations have beside.
BESIDE = {"refreshSuccess", "wasConnected", "wasLoggedIn", "newConnected", "newLoggedIn"}

platforms = set()


def watch(url):
    platforms.add(urlsplit(url).netloc)


class Contract:
    def __init__(self, name, base):
        document = json.loads((CONTRACTS / f"{name}.json").read_bytes())
        self.base, self.document = base, modern(document) if document["openapi"].startswith("3.0") else document
        self.paths = [(path.strip("/").split("/"), path) for path in self.document["paths"]]
        self.validators = {}

    def operation(self, method, path):
        """What stands under the path that fits best; fixed parts count more than parameters."""
        parts = path.strip("/").split("/")
        fits = [known for split, known in self.paths if len(split) == len(parts)
                and all(one == other or (one.startswith("{") and other) for one, other in zip(split, parts))]
        found = min(fits, key=lambda known: known.count("{"), default=None)
        return (found, self.document["paths"][found].get(method.lower())) if found else (None, None)

    def described(self, operation, status):
        described = operation["responses"].get(str(status), operation["responses"].get("default"))
        return self.resolved(described) if described else None

    def resolved(self, value):
        while "$ref" in value:
            target = self.document
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            value = target
        return value

    def complaints(self, place, schema, body):
        if place not in self.validators:
            self.validators[place] = jsonschema_rs.validator_for({**schema, "components": self.document["components"]})
        return [f"{error.instance_path}: {error.message}" for error in self.validators[place].iter_errors(body)]


def modern(value):
    """OpenAPI 3.0 says `nullable` where JSON Schema has a type of its own."""
    if isinstance(value, dict):
        value = {name: modern(one) for name, one in value.items()}
        if value.get("nullable") is True and isinstance(value.get("type"), str):
            value["type"] = [value["type"], "null"]
        return value
    return [modern(one) for one in value] if isinstance(value, list) else value


KIRIM, YCLOUD, DIGIGO = Contract("kirim", "/v1"), Contract("ycloud", "/v2"), Contract("digigo", "")
LATE = Contract("late", "")
# Neither of its branches demands anything, so every answer is both: it is read as either.
bought = LATE.document["paths"]["/v1/whatsapp/phone-numbers/purchase"]["post"]["responses"]["200"]["content"]["application/json"]
bought["schema"] = {"anyOf": bought["schema"]["oneOf"]}
# Published as objects although their own examples are texts and numbers.
for name, member in (("ContactCustomAttribute", "value"), ("WhatsappApiError", "error_data")):
    YCLOUD.document["components"]["schemas"][name]["properties"][member] = {}


def contract_of(path):
    if is_late(path):
        return LATE
    return next((contract for contract in (KIRIM, YCLOUD) if path.startswith(contract.base + "/")), DIGIGO)


def is_late(path):
    parts = path.removeprefix("/api").split("/")
    return parts[1:2] == ["v1"] and parts[2:3] in (["whatsapp"], ["webhooks"])


def hold(answer):
    """Complains of an answer that its contract does not describe. One that came over the network broken is not here."""
    url = urlsplit(answer.url)
    if url.netloc not in platforms:
        return
    contract = contract_of(url.path)
    path, operation = contract.operation(answer.request.method, url.path.removeprefix("/api" if contract is LATE else contract.base))
    if operation is None:
        return
    place = f"{answer.request.method} {path} {answer.status_code}"
    described = contract.described(operation, answer.status_code)
    if described is None:
        unlisted(contract, place, answer)
        return
    schema = described.get("content", {}).get("application/json", {}).get("schema")
    if schema is not None:
        wrong = contract.complaints(place, schema, answer.json())
        assert not wrong, f"{place}: {wrong} in {answer.text[:2000]}"


def is_ycloud_error(place, status, body):
    wrong = YCLOUD.complaints("error", {"$ref": "#/components/schemas/ErrorResponse"}, body)
    assert not wrong and body["error"]["status"] == status and body["error"]["requestId"], f"{place}: {wrong} in {body}"


def unlisted(contract, place, answer):
    """Good answers are all described; errors look alike everywhere."""
    assert answer.status_code >= 400, f"{place} is not described: {answer.text[:2000]}"
    body = answer.json()
    if contract is YCLOUD:
        is_ycloud_error(place, answer.status_code, body)
    elif contract is LATE:
        assert isinstance(body["error"], str) and body["error"] and {"type", "code"} <= set(body), f"{place}: {body}"
    elif contract is DIGIGO:
        assert set(body) - BESIDE in ENVELOPES, f"{place}: {body}"
    else:
        assert set(body["error"]) - {"param"} == {"type", "code", "message", "request_id"}, f"{place}: {body}"
