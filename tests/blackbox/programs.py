"""The programs under test: started on free ports in a directory of their own, ended by their id."""

import contextlib
import glob
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import judge
import requests
from late_api import LateApi
from ycloud import Ycloud

BIN = os.environ["HERMOD_BIN"]
ROOT = Path(__file__).resolve().parents[2]


def until(look, seconds=30, every=0.05, what="it"):
    """What `look` answers once that is true; an error when it stays untrue for so long."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {seconds} s: {found!r}")
        time.sleep(every)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(*arguments, **settings):
    """Runs a short command of hermod to its end."""
    return subprocess.run([BIN, *map(str, arguments)], capture_output=True, text=True, timeout=60, env=environment(settings))


def environment(settings):
    """Ours without anybody's settings of hermod, and these."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HERMOD_")}
    return clean | {"NO_COLOR": "1"} | settings


@contextlib.contextmanager
def postgres(wanted=True):
    """Arguments that put a platform on an empty PostgreSQL database of its own, where that is wanted."""
    if not wanted:
        yield ()
        return
    server = os.environ.get("HERMOD_TEST_POSTGRES")
    if not server:
        pytest.skip("no PostgreSQL: run under scripts/postgres")
    name = f"blackbox_{secrets.token_hex(6)}"
    ask = lambda words: subprocess.run([psql(), server, "-qc", words], check=True, timeout=60, stdin=subprocess.DEVNULL)
    ask(f"CREATE DATABASE {name}")
    try:
        yield "--database", server.rsplit("/", 1)[0] + f"/{name}"
    finally:
        ask(f"DROP DATABASE {name} WITH (FORCE)")


def psql():
    return shutil.which("psql") or sorted(glob.glob("/usr/lib/postgresql/*/bin/psql"))[-1]


class Program:
    """A running hermod. Its output goes to `log`."""

    def __init__(self, log, *arguments, **settings):
        self.log = Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # An earlier process may have written to it.
        self.begin = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [BIN, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment(settings)
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(35)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        """As power loss ends it, for the process."""
        self.process.kill()
        self.process.wait(10)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def output(self):
        return self.log.read_bytes()[self.begin:].decode(errors="replace")

    def alive(self):
        code = self.process.poll()
        assert code is None, f"it ended with {code}:\n{self.output()[-4000:]}"
        return True


class Platform(Program):
    """`hermod serve` with a sandbox, ready to be used. `told` is its sandbox.json."""

    def __init__(self, data, *arguments, listen="127.0.0.1:0", **settings):
        self.data = Path(data)
        super().__init__(f"{data}.log", "serve", "--listen", listen, "--data-dir", data, *arguments, **settings)
        try:
            self.told = until(self._introduced, what="sandbox.json")
        except BaseException:
            self.kill()
            raise
        self.url = self.told["base_url"]
        judge.watch(self.url)
        self.outside = Outside(self.told["sandbox_url"])
        self.kirim = Kirim(self.url, self.told["kirim"])
        self.ycloud = Ycloud(self.url, self.told["ycloud"])
        self.late = LateApi(self.url, self.told["late"])

    def _introduced(self):
        self.alive()
        try:
            told = json.loads((self.data / "sandbox.json").read_bytes())
        except FileNotFoundError:
            return None
        # One of an earlier start lies there until it is replaced.
        return told if told["pid"] == self.process.pid else None


class World(Program):
    """`hermod sandbox`: the outside world as a process of its own."""

    def __init__(self, data, *arguments, listen="127.0.0.1:0"):
        super().__init__(f"{data}.log", "sandbox", "--listen", listen, "--data-dir", data, *arguments)
        line = until(self._line, what="the sandbox's first line")
        _, control, _, graph = line.split()
        self.outside, self.graph_url = Outside(control), graph

    def _line(self):
        self.alive()
        lines = [line for line in self.output().splitlines() if line.startswith("sandbox ")]
        return lines[0] if lines else None


class Outside:
    """The sandbox's control API."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()

    def call(self, method, path, body=None):
        answer = self.session.request(method, self.url + path, json=body, timeout=30)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def screen(self, phone):
        return self.call("GET", f"/phones/{phone}/messages")["data"]

    def write(self, phone, to, **message):
        return self.call("POST", f"/phones/{phone}/messages", {"to": to, **message})["id"]

    def say(self, phone, to, words):
        return self.write(phone, to, type="text", text={"body": words})


class Kirim:
    """The Kirim API as one organization uses it."""

    def __init__(self, url, told):
        self.url, self.key, self.number = f"{url}/v1", told["api_key"], told["phone_number_id"]
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.key}"

    def ask(self, method, path, body=None, **more):
        return self.session.request(method, self.url + path, json=body, timeout=30, allow_redirects=False, **more)

    def call(self, method, path, body=None, **more):
        """What stands under `data`."""
        answer = self.ask(method, path, body, **more)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()["data"]

    def all(self, path, **filters):
        """All pages of a list."""
        found, cursor = [], None
        while True:
            page = self.ask("GET", path, params={"limit": 100, "cursor": cursor, **filters})
            assert page.status_code == 200, page.text
            found += page.json()["data"]
            cursor = page.json()["next_cursor"]
            if not cursor:
                return found

    def send(self, to, kind, content, **more):
        body = {"messaging_product": "whatsapp", "to": to, "type": kind, kind: content, **more}
        return self.call("POST", f"/{self.number}/messages", body)

    def say(self, to, words):
        return self.send(to, "text", {"body": words})

    def message(self, id):
        return self.call("GET", f"/{self.number}/messages/{id}")

    def subscribe(self, url, *events):
        return self.call("POST", "/webhook_subscriptions", {"url": url, "events": list(events)})
