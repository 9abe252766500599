"""Codes that are spoken, and numbers of the pre-verified pool, as somebody sees it who has Late's API, the sandbox and the command line."""

import pytest
import requests
from programs import Platform, command, postgres, until

HELLO = {"name": "hello_world", "language": "en_US"}
PHONE = "+15557850001"


class Shop:
    def __init__(self, platform, database):
        self.platform, self.late, self.outside, self.database = platform, platform.late, platform.outside, database

    def buy(self):
        answer = self.late.post("/whatsapp/phone-numbers/purchase", profileId=self.late.profile, allowMultiple=True)
        return answer["phoneNumber"]["id"]

    def shown(self, order):
        return self.late.get(f"/whatsapp/phone-numbers/{order}")["phoneNumber"]

    def becomes(self, order, look, what):
        return until(lambda: found if look(found := self.shown(order)) else None, 60, what=what)

    def later(self, span):
        assert requests.post(self.platform.url + "/sandbox/clock", json={"advance": span}, timeout=30).ok

    def run(self, *words):
        told = command(*words, "--data-dir", self.platform.data, *self.database)
        assert told.returncode == 0, told.stderr
        return told.stdout

    def carried(self, kind, number):
        return [one for one in self.outside.call("GET", f"/{kind}")["data"] if one["to"] == number]

    def goes_astray(self, cause):
        """The next code, which is asked for because of `cause`."""
        self.outside.call("POST", "/faults", {"target": "numbers", "kind": "drop"})
        caused = cause()
        until(lambda: not self.outside.call("GET", "/faults")["data"], 60, what="a code that went astray")
        until(lambda: "awaiting_code" in self.run("number", "list"), 60, what="that it was asked for")
        return caused

    def verified(self):
        """The pool's numbers by order, and until when each is verified."""
        found = self.late.get("/whatsapp/phone-numbers/preverified", profileId=self.late.profile)["numbers"]
        return {it["id"]: it["metaVerificationExpiresAt"] for it in found}


def opened(tmp_path_factory, kind, **settings):
    data = tmp_path_factory.mktemp("number-codes") / "data"
    with postgres(kind == "postgres") as where, Platform(data, "--sandbox", *where, **settings) as platform:
        yield Shop(platform, where)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shop(request, tmp_path_factory):
    yield from opened(tmp_path_factory, request.param)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def pool(request, tmp_path_factory):
    yield from opened(tmp_path_factory, request.param, HERMOD_LATE_PREVERIFIED="true")


def test_a_code_that_is_not_written_is_spoken(shop):
    order = shop.goes_astray(shop.buy)
    shop.goes_astray(lambda: shop.later("6m"))
    assert shop.shown(order)["metaVerificationStatus"] == "NOT_VERIFIED"
    shop.later("6m")
    number = shop.becomes(order, lambda it: it.get("accountId"), "a sender")["phoneNumber"]
    [call] = shop.carried("voice", number)
    assert "WhatsApp code is" in call["text"] and shop.carried("sms", number) == []
    ended = until(lambda: [it for it in shop.carried("voice", number) if it["status"] == "completed"], what="the end of the call")
    # Until the code was right.
    assert ended[0]["listened"] >= 1
    words = call["text"].removesuffix(".").rsplit(" is ")[-1].replace(", ", "")
    assert len(words) == 6 and words not in shop.run("explain", order)
    assert shop.shown(order)["status"] == "active"


def test_a_person_may_ask_for_a_call(shop):
    order = shop.goes_astray(shop.buy)
    answer = shop.late.post(f"/whatsapp/phone-numbers/{order}/request-code", method="VOICE")
    assert answer["method"] == "VOICE"
    shop.becomes(order, lambda it: it["metaVerificationStatus"] == "VERIFIED", "verified")


def test_the_pool_stays_verified_and_is_handed_over(pool):
    order = pool.buy()
    number = pool.becomes(order, lambda it: it["metaVerificationStatus"] == "VERIFIED", "verified")["phoneNumber"]
    first = until(lambda: pool.verified().get(order), what="a number in the pool")
    assert "accountId" not in pool.shown(order)
    # Somebody who is never there loses his proof; it is told, and comes back.
    pool.later("84d")
    second = until(lambda: (until := pool.verified().get(order)) and until > first and until, 60, what="verified again")
    assert len(pool.carried("sms", number)) == 2
    for span in ("91d", "6m", "6m"):
        pool.goes_astray(lambda: pool.later(span))
    pool.later("6m")
    pool.becomes(order, lambda it: it["status"] == "suspended", "suspended")
    assert pool.shown(order)["metaVerificationStatus"] == "EXPIRED" and order not in pool.verified()
    assert "no code came" in pool.run("number", "list")
    refused = command("number", "adopt", order, "--data-dir", pool.platform.data, *pool.database)
    assert refused.returncode != 0 and "lapsed" in refused.stderr
    pool.later("1d")
    third = until(lambda: pool.verified().get(order), 60, what="verified once more")
    assert third > second

    pool.run("number", "adopt", order, "--name", "Branch")
    account = pool.becomes(order, lambda it: it.get("accountId"), "a sender")["accountId"]
    assert pool.verified() == {} and pool.shown(order)["status"] == "active"
    sent = pool.late.post("/whatsapp/bulk", accountId=account, recipients=[{"phone": PHONE}], template=HELLO)
    assert sent["summary"]["sent"] == 1
    until(lambda: pool.outside.screen(PHONE), what="a message from it")
    pool.late.call("DELETE", f"/whatsapp/phone-numbers/{order}")
    pool.becomes(order, lambda it: it["status"] == "released", "released")
