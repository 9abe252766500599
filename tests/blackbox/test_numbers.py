"""Numbers are bought, paid, proven, used and given back, as somebody sees it who has Late's API, the sandbox and the command line.

The sandbox runs as a process of its own, so that the till and the carriers go on while the platform is killed.
"""

import contextlib
import itertools
import threading

import pytest
import requests
from programs import Platform, World, command, free_port, postgres, until

people = (f"+1555784{n:04}" for n in itertools.count(1))
HELLO = {"name": "hello_world", "language": "en_US"}
SETTINGS = {"HERMOD_NUMBERS_PAYMENT": "checkout"}


class Shop:
    """A platform whose numbers are paid for, in a world of its own."""

    def __init__(self, directory, *database):
        self.directory, self.database, self.port = directory, database, free_port()
        self.world = World(directory / "world")
        self.outside = self.world.outside
        self.start()

    def start(self):
        self.platform = Platform(self.directory / "data", "--sandbox-url", self.outside.url, *self.database,
                                 listen=f"127.0.0.1:{self.port}", **SETTINGS)
        self.late = self.platform.late

    def end(self):
        self.platform.__exit__()
        self.world.__exit__()

    def kill(self):
        self.platform.kill()

    def buy(self):
        """The order's id and where it is paid."""
        answer = self.late.post("/whatsapp/phone-numbers/purchase", profileId=self.late.profile, allowMultiple=True)
        assert answer["checkoutUrl"], answer
        session = next(it for it in self.sessions() if it["url"] == answer["checkoutUrl"])
        return session["client_reference_id"], session["id"]

    def buy_in_vain(self):
        """A purchase that may never be answered."""
        with contextlib.suppress(requests.RequestException):
            self.late.ask("POST", "/whatsapp/phone-numbers/purchase", {"profileId": self.late.profile, "allowMultiple": True})

    def sessions(self, order=None):
        return [it for it in self.outside.call("GET", "/payments")["data"] if order in (None, it["client_reference_id"])]

    def pay(self, session):
        return self.outside.call("POST", f"/payments/{session}/pay")

    def goes_wrong(self, target, kind, **more):
        self.outside.call("POST", "/faults", {"target": target, "kind": kind, **more})

    def has_gone_wrong(self):
        """Whoever was to meet it has met it."""
        until(lambda: not self.outside.call("GET", "/faults")["data"], what="the fault")

    def later(self, span):
        assert requests.post(self.platform.url + "/sandbox/clock", json={"advance": span}, timeout=30).ok

    def shown(self, order):
        return self.late.get(f"/whatsapp/phone-numbers/{order}")["phoneNumber"]

    def becomes(self, order, status, seconds=30):
        return until(lambda: found if (found := self.shown(order))["status"] == status else None, seconds, what=f"{order} {status}")

    def story(self, order):
        told = command("explain", order, "--data-dir", self.platform.data, *self.database)
        assert told.returncode == 0, told.stderr
        return told.stdout

    def tells(self, order, *words):
        """Its story, once that has all of these."""
        return until(lambda: story if all(word in (story := self.story(order)) for word in words) else None, what=f"{words} in the story")

    def for_sale(self):
        return {it["phoneNumber"] for it in self.late.get("/whatsapp/phone-numbers/available", limit=100)["numbers"]}

    def money(self, order):
        """Of each session of the order: how it stands, and how often it was given back."""
        return [(it["status"], it["payment_status"], len(it["refunds"])) for it in self.sessions(order)]


@contextlib.contextmanager
def opened(directory, *database):
    shop = Shop(directory, *database)
    try:
        yield shop
    finally:
        shop.end()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("numbers")) as shop:
        yield shop


def test_a_number_is_paid_used_and_given_back(shop):
    told, stock = shop.platform.told["stripe"], shop.for_sale()
    assert told["webhook_url"] == f"{shop.platform.url}/webhooks/stripe" and told["secret_key"].startswith("sk_test_")
    order, session = shop.buy()
    assert shop.shown(order)["status"] == "pending_payment"
    assert shop.for_sale() == stock, "nothing is bought before it is paid"
    # On the page, as a person does it.
    page = shop.sessions(order)[0]["url"]
    assert "2" in requests.get(page, timeout=30).text
    answer = requests.post(page, timeout=30, allow_redirects=False)
    assert answer.status_code == 303 and answer.headers["location"].startswith(shop.platform.url)
    shown = shop.becomes(order, "active")
    assert shown["metaVerificationStatus"] == "VERIFIED"
    assert stock - shop.for_sale() == {shown["phoneNumber"]}
    assert shop.money(order) == [("complete", "paid", 0)]
    ann = next(people)
    sent = shop.late.post("/whatsapp/bulk", accountId=shown["accountId"], recipients=[{"phone": ann}], template=HELLO)
    assert sent["summary"]["sent"] == 1, sent
    seen = until(lambda: shop.outside.screen(ann), what="the message on the phone")[0]
    assert "+" + seen["from"].lstrip("+") == shown["phoneNumber"] and seen["text"]
    shop.late.call("DELETE", f"/whatsapp/phone-numbers/{order}")
    shop.becomes(order, "released")
    until(lambda: shop.for_sale() == stock, what="the number at the carrier")
    assert shop.money(order) == [("complete", "paid", 0)], "who used it has paid for it"
    assert "2 USD was paid" in shop.story(order)


@pytest.mark.parametrize("way", ["time", "till", "bank", "typing"])
def test_who_does_not_pay_gets_nothing(shop, way):
    stock, (order, session) = shop.for_sale(), shop.buy()
    stands = ("expired", "unpaid", 0)
    if way == "time":
        shop.later("61m")
    elif way == "till":
        shop.outside.call("POST", f"/payments/{session}/expire")
    elif way == "bank":
        shop.goes_wrong("payments", "code", code="failed")
        assert shop.pay(session)["payment_status"] == "unpaid"
        stands = ("complete", "unpaid", 0)
    else:
        shop.goes_wrong("payments", "code", code="expired")
        assert requests.post(f"{shop.outside.url}/payments/{session}/pay", timeout=30).status_code == 409
    shop.becomes(order, "released")
    shop.tells(order, ": failed", "because nobody paid in time", "2 USD is not paid")
    assert shop.money(order) == [stands] and shop.for_sale() == stock
    # The till may be told again; it changes nothing.
    assert requests.post(f"{shop.outside.url}/payments/{session}/pay", timeout=30).status_code == 409


def test_money_for_a_number_that_the_carrier_refuses_comes_back(shop):
    stock, (order, session) = shop.for_sale(), shop.buy()
    shop.goes_wrong("numbers", "status", status=400)
    # The till does not answer the first wish for it.
    shop.goes_wrong("payments", "status", status=503)
    shop.pay(session)
    shop.tells(order, ": failed", "because The request was refused on demand", "2 USD was paid and given back at")
    assert shop.money(order) == [("complete", "paid", 1)] and shop.for_sale() == stock
    assert shop.shown(order)["status"] == "released"


def test_news_of_a_payment_may_come_twice(shop):
    order, session = shop.buy()
    shop.goes_wrong("payments", "duplicate")
    shop.pay(session)
    shop.becomes(order, "active")
    assert shop.money(order) == [("complete", "paid", 0)]


def test_a_code_that_does_not_come_is_asked_for_and_given_by_hand(shop):
    order, session = shop.buy()
    shop.goes_wrong("numbers", "drop")
    shop.pay(session)
    shop.has_gone_wrong()
    shop.tells(order, ": awaiting_code", "a code is awaited until then (attempts so far: 0)")
    shown = shop.shown(order)
    assert (shown["status"], shown["metaVerificationStatus"]) == ("provisioning", "NOT_VERIFIED")
    wrong = shop.late.ask("POST", f"/whatsapp/phone-numbers/{order}/verify", {"code": "000000"})
    assert wrong.status_code == 400, wrong.text
    # By hand: asked for as a call, and read by who picks it up.
    asked = shop.late.post(f"/whatsapp/phone-numbers/{order}/request-code", method="VOICE")
    assert asked == {"message": "Verification code sent via VOICE", "method": "VOICE"}
    spoken = [it["text"] for it in shop.outside.call("GET", "/voice")["data"] if it["to"] == shown["phoneNumber"]][-1]
    code = "".join(letter for letter in spoken if letter.isdigit())
    given = shop.late.post(f"/whatsapp/phone-numbers/{order}/verify", code=code)
    assert given["message"] == "Phone number verified successfully" and given["metaVerificationExpiresAt"] > given["metaVerifiedAt"]
    assert shop.becomes(order, "active")["metaVerificationStatus"] == "VERIFIED"
    # Who is late with the same code hears that it is done.
    assert shop.late.post(f"/whatsapp/phone-numbers/{order}/verify", code=code)["metaVerifiedAt"] == given["metaVerifiedAt"]
    assert shop.late.ask("POST", f"/whatsapp/phone-numbers/{order}/request-code", {}).status_code == 400


def test_a_code_that_is_asked_for_as_a_text_is_read_by_itself(shop):
    order, session = shop.buy()
    shop.goes_wrong("numbers", "drop")
    shop.pay(session)
    shop.has_gone_wrong()
    shop.tells(order, ": awaiting_code")
    asked = shop.late.post(f"/whatsapp/phone-numbers/{order}/request-code")
    assert asked == {"message": "Verification code sent via SMS", "method": "SMS"}
    shop.becomes(order, "active")


def test_money_for_a_number_whose_code_never_comes_comes_back(shop):
    stock, (order, session) = shop.for_sale(), shop.buy()
    shop.goes_wrong("numbers", "drop", times=3)
    shop.pay(session)
    for asked in range(1, 4):
        left = lambda: sum(it["times"] for it in shop.outside.call("GET", "/faults")["data"])
        until(lambda: left() == 3 - asked, what=f"code {asked}")
        shop.tells(order, ": awaiting_code")
        shop.later("6m")
    shop.tells(order, ": failed", "because no code came", "was paid and given back")
    assert shop.money(order) == [("complete", "paid", 1)] and shop.for_sale() == stock


# What the platform is at when it is killed: it called, and the call came to nothing, or its answer was lost.
POINTS = {
    "opening": ("payments", "timeout", {}),
    "opened": ("payments", "lost-ack", {}),
    "ordering": ("numbers", "timeout", {}),
    "ordered": ("numbers", "lost-ack", {}),
    "adding": ("meta", "timeout", {"path": "/phone_numbers"}),
    "added": ("meta", "drop", {"path": "/phone_numbers"}),
    "asking": ("meta", "timeout", {"path": "/request_code"}),
    "verifying": ("meta", "timeout", {"path": "/verify_code"}),
    "verified": ("meta", "drop", {"path": "/verify_code"}),
    "registering": ("meta", "timeout", {"path": "/register"}),
}


@pytest.mark.parametrize("database", [False, True], ids=["sqlite", "postgres"])
def test_killed_anywhere_one_number_is_bought_for_one_payment(tmp_path, database):
    with postgres(database) as arguments, opened(tmp_path, *arguments) as shop:
        for point, (target, kind, more) in POINTS.items():
            killed_at(shop, point, target, kind, more)
        paid_while_it_was_away(shop)
        killed_while_it_gives_back(shop)


def killed_at(shop, point, target, kind, more):
    stock = shop.for_sale()
    known = {it["client_reference_id"] for it in shop.sessions()}
    if target == "payments":
        shop.goes_wrong(target, kind, **more)
        threading.Thread(target=shop.buy_in_vain).start()
    else:
        _, session = shop.buy()
        shop.goes_wrong(target, kind, **more)
        shop.pay(session)
    shop.has_gone_wrong()
    restart(shop)
    if target == "payments":
        until(lambda: {it["client_reference_id"] for it in shop.sessions()} - known, what="the session")
    [order] = {it["client_reference_id"] for it in shop.sessions()} - known
    if target == "payments":
        shop.pay(shop.sessions(order)[0]["id"])
    shown = shop.becomes(order, "active", 60)
    assert stock - shop.for_sale() == {shown["phoneNumber"]}, point
    assert shop.money(order) == [("complete", "paid", 0)], point


def restart(shop):
    shop.kill()
    shop.start()
    # What the dead process had claimed.
    shop.later("3m")


def paid_while_it_was_away(shop):
    stock, (order, session) = shop.for_sale(), shop.buy()
    shop.kill()
    shop.pay(session)
    shop.start()
    shown = shop.becomes(order, "active", 90)
    assert stock - shop.for_sale() == {shown["phoneNumber"]} and shop.money(order) == [("complete", "paid", 0)]


def killed_while_it_gives_back(shop):
    stock, (order, session) = shop.for_sale(), shop.buy()
    shop.goes_wrong("numbers", "status", status=400)
    shop.goes_wrong("payments", "lost-ack")
    shop.pay(session)
    shop.has_gone_wrong()
    restart(shop)
    shop.tells(order, ": failed", "was paid and given back")
    assert shop.money(order) == [("complete", "paid", 1)] and shop.for_sale() == stock
