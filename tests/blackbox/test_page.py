"""A person opens the sandbox's page in a browser and plays the customer.

Screenshots of what a person sees, light and dark, large and small, are left in the test's directory.
"""

import json
import os

import pytest
import requests
from pictures import png
from playwright.sync_api import expect, sync_playwright
from programs import Platform, until

CHROMIUM = os.environ.get("HERMOD_CHROMIUM", "/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
PHONE = "+15550199001"
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

    def __init__(self, browser, platform, size="large", colours="light"):
        self.context = browser.new_context(viewport=SIZES[size], color_scheme=colours, has_touch=size == "small")
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
                sideways = person.page.evaluate("['html', '#chat'].filter(one => (one = document.querySelector(one)).scrollWidth > one.clientWidth)")
                assert not sideways, f"{size}: {sideways} scroll sideways"
                person.shoot(tmp_path, f"{size}-{colours}")
