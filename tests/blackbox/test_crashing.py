"""kill -9 under load: nothing that was acknowledged is lost, nothing is shown twice.

The sandbox runs as a process of its own and goes on while the platform is killed, five times, at random moments.
"""

import collections
import json
import random
import re
import threading
import time

import requests
from programs import Platform, World, free_port, until
from receiver import Receiver

CRASHES = 5
PHONES = [f"+155577704{n:02}" for n in range(6)]
TEMPLATE = "order_update"
MARK = re.compile(r"mark-\w+-\d+-end")


class Load:
    """Threads that send and write as fast as they are answered, and note what was acknowledged."""

    def __init__(self, address, kirim, outside, business):
        self.address, self.key, self.number, self.outside, self.business = address, kirim.key, kirim.number, outside, business
        self.stop, self.tried, self.acknowledged, self.written = threading.Event(), [], {}, {}
        self.failures = []
        self.threads = [threading.Thread(target=self.guarded, args=(self.send, n)) for n in range(3)]
        self.threads.append(threading.Thread(target=self.guarded, args=(self.write, 0)))
        [thread.start() for thread in self.threads]

    def guarded(self, work, n):
        try:
            work(n)
        except Exception as failure:
            self.failures.append(failure)

    def send(self, n):
        session, count = requests.Session(), 0
        while not self.stop.is_set():
            mark, phone = f"mark-{n}-{count}-end", PHONES[(n + count) % len(PHONES)]
            count += 1
            parameters = [{"type": "text", "text": "Mo"}, {"type": "text", "text": mark}]
            body = {"messaging_product": "whatsapp", "to": phone, "type": "template", "template": {
                "name": TEMPLATE, "language": "en", "components": [{"type": "body", "parameters": parameters}]}}
            self.tried.append(mark)
            try:
                answer = session.post(f"{self.address}/v1/{self.number}/messages", json=body, timeout=20,
                                      headers={"Authorization": f"Bearer {self.key}"})
            except requests.RequestException:
                session = requests.Session()
                time.sleep(0.05)
                continue
            if answer.status_code == 200:
                self.acknowledged[mark] = answer.json()["data"]["id"]
            else:
                assert answer.status_code == 503, f"{answer.status_code} {answer.text}"

    def write(self, _):
        while not self.stop.is_set():
            words = f"mark-in-{len(self.written)}-end"
            self.written[self.outside.say(random.choice(PHONES), self.business, words)] = words
            time.sleep(0.01)

    def end(self):
        self.stop.set()
        [thread.join() for thread in self.threads]
        assert not self.failures, self.failures


def test_crashing(tmp_path):
    seed = random.randrange(10**6)
    moments, port = random.Random(seed), free_port()
    print(f"seed {seed}")
    with World(tmp_path / "world") as world, Receiver() as receiver:
        def platform():
            return Platform(tmp_path / "data", "--sandbox-url", world.outside.url, listen=f"127.0.0.1:{port}",
                            HERMOD_SENDERS_OUTCOME_WAIT="2s")

        running = platform()
        running.kirim.subscribe(receiver.url, "message.received")
        business = running.told["meta"]["phone_numbers"][0]["display_phone_number"]
        load = Load(running.url, running.kirim, world.outside, business)
        try:
            for _ in range(CRASHES):
                enough = len(load.acknowledged) + 20
                until(lambda: len(load.acknowledged) > enough, what="load")
                time.sleep(moments.uniform(0, 0.7))
                running.kill()
                running = platform()
            until(lambda: len(load.acknowledged) > enough, what="load")
        except BaseException:
            running.kill()
            raise
        finally:
            load.stop.set()
        load.end()
        with running:
            all_is_there(running, load, receiver)


def all_is_there(platform, load, receiver):
    print(f"{len(load.tried)} tried, {len(load.acknowledged)} acknowledged, {len(load.written)} written")
    # Calls that nobody saw the end of: their claims expire, then receipts are waited for, then they are made once more.
    assert requests.post(platform.url + "/sandbox/clock", json={"advance": "2m"}).ok
    until(lambda: not unsettled(platform, load), 60, every=0.5, what="an outcome for every message")
    shown = collections.Counter(mark(one) for phone in PHONES for one in platform.outside.screen(phone) if one["direction"] == "in")
    lost = {name: id for name, id in load.acknowledged.items() if shown[name] == 0}
    twice = {name: count for name, count in shown.items() if count > 1}
    assert not lost and not twice, f"lost {lost}, twice {twice}, {platform.outside.call('GET', '/stats')}"
    assert set(shown) <= set(load.tried)

    missing = lambda: set(load.written) - {id for push in receiver.pushes for id in wamids(push)}
    until(lambda: not missing(), 60, every=0.5, what="every webhook")
    listed = platform.kirim.all(f"/{platform.kirim.number}/messages", direction="inbound")
    read = collections.Counter(MARK.search(json.dumps(one["content"]))[0] for one in listed)
    assert set(read) == set(load.written.values()) and set(read.values()) == {1}


def unsettled(platform, load):
    """Acknowledged messages without an outcome."""
    status = {one["id"]: one["status"] for one in platform.kirim.all(f"/{platform.kirim.number}/messages", direction="outbound")}
    return {id: status.get(id) for id in load.acknowledged.values() if status.get(id) not in ("delivered", "read")}


def mark(shown):
    return MARK.search(shown["text"]["body"])[0]


def wamids(push):
    return [message["id"] for message in json.loads(push.body)["entry"][0]["changes"][0]["value"].get("messages", [])]
