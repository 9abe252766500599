"""A person opens the sandbox's page in a browser and plays the customer.

Screenshots of what a person sees, light and dark, large and small, are left in the test's directory.
"""

import json
import os

import pytest
import requests
from digigo import create, data, told
from pictures import png
from playwright.sync_api import expect, sync_playwright
from programs import Platform, until

CHROMIUM = os.environ.get("HERMOD_CHROMIUM", "/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
PHONE = "+15550199001"
OWNER, FRIEND = "+15551239001", "+15551239002"
SIZES = {"large": {"width": 1280, "height": 800}, "small": {"width": 390, "height": 760}}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def platform(tmp_path_factory, receiver):
    with Platform(tmp_path_factory.mktemp("page") / "data", "--sandbox") as platform:
        platform.kirim.subscribe(receiver.url, "message.received")
        yield platform


class Person:
    """A browser at the page, and whatever it complained of."""

    def __init__(self, browser, platform, size="large", colours="light", phone=PHONE):
        self.context = browser.new_context(viewport=SIZES[size], color_scheme=colours, has_touch=size == "small")
        self.context.add_init_script(f"localStorage.phone ??= {json.dumps(phone)}")
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", lambda line: self.complaints.append(line.text) if line.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: None if request.url.endswith("/events") else self.complaints.append(request.url))
        self.page.goto(platform.outside.url + "/")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.context.close()
        assert kind or not self.complaints, self.complaints

    def bubble(self, text):
        return self.page.locator("#chat .bubble", has_text=text)

    def says(self, text):
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.get_by_label("Message", exact=True).press("Enter")

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def enters(self, name):
        self.page.locator("#talks .talk", has_text=name).click()
        expect(self.page.locator("#title")).to_have_text(name)

    def answers(self, word, **fields):
        """Fills the sheet that is open and sends it off."""
        sheet = self.page.get_by_role("dialog")
        for label, value in fields.items():
            sheet.get_by_label(label.replace("_", " "), exact=False).first.fill(value)
        sheet.get_by_role("button", name=word, exact=True).click()
        expect(sheet).to_be_hidden()

    def changes(self, text):
        """Opens the sheet on which a message of one's own is changed."""
        self.bubble(text).hover()
        self.bubble(text).get_by_role("button", name="Change this message").click()

    def sideways(self):
        """What scrolls sideways, and should not."""
        return self.page.evaluate("['html', '#chat', 'main header'].filter(one => (one = document.querySelector(one)).scrollWidth > one.clientWidth)")

    def shoot(self, directory, name):
        self.page.screenshot(path=directory / f"{name}.png")


def heard(receiver, what):
    """The customer's message of which the platform told, as Meta words it."""
    push = receiver.wait(lambda push: what.encode() in push.body, what=f"the webhook about {what}")
    return json.loads(push.body)["entry"][0]["changes"][0]["value"]["messages"][0]


def template_with_replies(platform, *words):
    """A template with quick replies, made and approved at Meta's, and known to the platform."""
    meta, name = platform.told["meta"], "appointment"
    components = [{"type": "BODY", "text": "When shall we come?"},
                  {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": word} for word in words]}]
    made = requests.post(f"{meta['graph_url']}/v26.0/{meta['waba_id']}/message_templates",
                         json={"name": name, "language": "en", "category": "UTILITY", "components": components},
                         headers={"Authorization": f"Bearer {meta['access_token']}"}).json()
    platform.outside.call("POST", f"/templates/{made['id']}/review", {"status": "APPROVED"})
    known = lambda: platform.kirim.ask("GET", f"/{platform.kirim.number}/templates/{name}").status_code == 200
    until(known, 5, what="an approval at Meta's to be known to the platform")
    return {"name": name, "language": "en"}


def test_a_person_plays_the_customer(browser, platform, receiver, tmp_path):
    kirim = platform.kirim
    with Person(browser, platform) as person:
        sent = kirim.send(PHONE, "template", {"name": "hello_world", "language": "en_US"})
        greeting = person.bubble("Welcome!")
        expect(greeting).to_be_visible()
        until(lambda: kirim.message(sent["id"])["status"] == "read", what="blue ticks: the page is open")

        person.says("Hi there \U0001f44b")
        assert heard(receiver, "Hi there")["text"]["body"] == "Hi there \U0001f44b"
        expect(person.bubble("Hi there").locator(".ticks")).to_have_text("✓✓")

        kirim.send(PHONE, "template", template_with_replies(platform, "Morning", "Evening"))
        person.bubble("When shall we come?").get_by_role("button", name="Evening").click()
        assert heard(receiver, "Evening")["button"] == {"payload": "Evening", "text": "Evening"}
        expect(person.page.locator("#chat .bubble.out", has_text="Evening")).to_be_visible()

        rows = [{"id": "row-1", "title": "Pick-up", "description": "today"}, {"id": "row-2", "title": "Courier"}]
        sections = [{"title": "Ways", "rows": rows}]
        kirim.send(PHONE, "interactive", {"type": "list", "body": {"text": "How?"}, "action": {"button": "Choose", "sections": sections}})
        person.bubble("How?").get_by_role("button", name="Choose").click()
        person.shoot(tmp_path, "sheet")
        person.page.get_by_role("dialog").get_by_role("button", name="Courier").click()
        assert heard(receiver, "row-2")["interactive"]["list_reply"]["title"] == "Courier"
        expect(person.page.get_by_role("dialog")).to_be_hidden()

        kirim.send(PHONE, "image", {"link": receiver.url + "/picture.png", "caption": "A picture"})
        picture = person.bubble("A picture").locator("img")
        expect(picture).to_be_visible()
        until(lambda: picture.evaluate("one => one.complete && one.naturalWidth") == 240, what="the picture's pixels")
        person.page.locator("#file").set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": png(64, 64)})
        assert heard(receiver, "image/png")["image"]["mime_type"] == "image/png"

        asked = heard(receiver, "Hi there")["id"]
        kirim.call("POST", f"/{kirim.number}/messages", {"messaging_product": "whatsapp", "status": "read", "message_id": asked})
        expect(person.bubble("Hi there").locator(".ticks.read")).to_be_visible()

        person.page.get_by_label("online").uncheck()
        later = kirim.say(PHONE, "while you were away")
        until(lambda: kirim.message(later["id"])["status"] == "sent", what="sent")
        person.page.get_by_label("online").check()
        expect(person.bubble("while you were away")).to_be_visible()
        until(lambda: kirim.message(later["id"])["status"] == "read", what="read")


def test_it_looks_right_everywhere(browser, platform, receiver, tmp_path):
    kirim, business = platform.kirim, platform.told["meta"]["phone_numbers"][0]["display_phone_number"]
    platform.outside.say(PHONE, business, "A rather long question, which has to be wrapped over more than one line on a small screen: " * 3)
    kirim.say(PHONE, "https://shop.example/" + "averylongpath" * 12)
    last = kirim.say(PHONE, "the last one")
    until(lambda: kirim.message(last["id"])["status"] in ("delivered", "read"), what="delivered")
    for size in SIZES:
        for colours in ("light", "dark"):
            with Person(browser, platform, size, colours) as person:
                expect(person.bubble("the last one")).to_be_visible()
                until(lambda: person.page.evaluate("[...document.querySelectorAll('#chat img')].every(one => one.complete)"), what="the pictures")
                expect(person.bubble("the last one")).to_be_in_viewport(ratio=1)
                expect(person.page.get_by_label("Message", exact=True)).to_be_in_viewport(ratio=1)
                assert not person.sideways(), f"{size}: {person.sideways()} scroll sideways"
                person.shoot(tmp_path, f"{size}-{colours}")


def shown(platform, phone, id):
    return next((one for one in platform.outside.screen(phone) if one["id"] == id), {})


def session(platform, receiver):
    """A user of DIGIGO who waits for a phone, and the QR code's text."""
    if "web" not in platform.told:
        pytest.skip("this build has no WhatsApp Web sandbox")
    user, _ = create(platform, "page", webhook=f"{receiver.url}/page", events="All")
    user.post("/session/connect", {"Subscribe": ["All"], "Immediate": False})
    return user, data(receiver.wait(lambda push: push.path == "/page" and told("QR")(push)))["code"]


def test_a_person_plays_the_owner_of_a_linked_account(browser, platform, receiver, tmp_path):
    user, code = session(platform, receiver)
    outside = platform.outside
    with Person(browser, platform, phone=OWNER) as person:
        person.button("Linked devices").click()
        person.shoot(tmp_path, "link")
        person.answers("Link", QR_code=code)
        until(user.is_logged_in, what="the link")

        sent = user.send("text", Phone=FRIEND[1:], Body="written on the device")["Id"]
        person.enters(FRIEND)
        expect(person.bubble("written on the device").locator(".ticks")).to_have_text("\u2713\u2713")
        came = outside.say(FRIEND, OWNER, "hello to your phone")
        person.bubble("hello to your phone").hover()
        person.bubble("hello to your phone").get_by_role("button", name="React with a heart").click()
        until(lambda: shown(platform, FRIEND, came).get("reactions"), what="the heart")
        until(lambda: shown(platform, FRIEND, came)["status"] == "read", what="blue ticks: the conversation is open")

        person.page.get_by_label("Message", exact=True).press_sequentially("frist")
        typing = lambda: outside.call("GET", f"/phones/{FRIEND}")["typing"]
        until(lambda: typing() == [{"from": OWNER, "state": "composing"}], what="typing")
        person.says("frist")
        until(lambda: typing() == [], what="no more typing")
        own = until(lambda: next((one["id"] for one in outside.screen(FRIEND) if one.get("text", {}).get("body") == "frist"), None), what="the text")
        person.changes("frist")
        person.shoot(tmp_path, "change")
        person.answers("Save", New_words="first")
        until(lambda: shown(platform, FRIEND, own).get("edited"), what="the edit")
        expect(person.bubble("first")).to_contain_text("edited")
        person.changes("first")
        person.page.get_by_role("dialog").get_by_role("button", name="Delete for everyone").click()
        until(lambda: shown(platform, FRIEND, own).get("deleted"), what="the deletion")

        poll = outside.write(FRIEND, OWNER, type="poll", poll={"name": "Where?", "options": ["here", "there"], "selectable_count": 1})
        person.bubble("Where?").get_by_role("button", name="there").click()
        expect(person.bubble("Where?").get_by_role("button", name="there \u00b7 1", exact=True)).to_have_attribute("aria-pressed", "true")
        voted = lambda: [one["poll_vote"] for one in outside.screen(FRIEND) if one["type"] == "poll_vote"]
        until(lambda: voted() == [{"poll_id": poll, "options": ["there"]}], what="the vote")

        person.button("Call").click()
        expect(person.page.locator("#under")).to_have_text("call ringing")
        [call] = outside.call("GET", f"/phones/{OWNER}/calls")["data"]
        assert (call["to"], call["video"]) == (FRIEND, False)
        person.button("Hang up").click()
        expect(person.page.locator("#under")).to_have_text("call ended")

        person.button("New group").click()
        person.answers("Make", Name_of_the_group="Friends", Members=FRIEND)
        expect(person.page.locator("#title")).to_have_text("Friends")
        person.says("welcome")
        group = until(lambda: next((one["to"] for one in outside.screen(FRIEND) if one.get("text", {}).get("body") == "welcome"), None), what="the text")
        outside.say(FRIEND, group, "thank you")
        expect(person.bubble("thank you").locator(".writer")).to_have_text(FRIEND)
        person.button("Ask for votes").click()
        person.answers("Send", Question="When?", Options="now\nlater")
        expect(person.bubble("When?").get_by_role("button", name="later", exact=True)).to_be_visible()
        user.send("text", Phone=FRIEND[1:], Body="still linked")

    for size in SIZES:
        for colours in ("light", "dark"):
            with Person(browser, platform, size, colours, phone=OWNER) as person:
                person.enters(FRIEND)
                expect(person.bubble("still linked")).to_be_in_viewport(ratio=1)
                expect(person.page.get_by_label("Message", exact=True)).to_be_in_viewport(ratio=1)
                assert not person.sideways(), f"{size}: {person.sideways()} scroll sideways"
                person.shoot(tmp_path, f"linked-{size}-{colours}")

    with Person(browser, platform, phone=OWNER) as person:
        person.button("Linked devices").click()
        person.page.get_by_role("dialog").get_by_role("button", name="Unlink").click()
        until(lambda: not user.is_logged_in(), what="the end of the link")
        expect(person.page.get_by_role("dialog").get_by_role("button", name="Unlink")).to_be_hidden()
