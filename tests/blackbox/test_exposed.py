"""`--sandbox-expose`: from elsewhere with the token, without it not at all; unexposed, the sandbox is for its own machine."""

import re
import subprocess

import requests
from programs import Platform, World, command, until


def elsewhere(url):
    """An address at which only those are met who listen on more than 127.0.0.1."""
    return url.replace("127.0.0.1", "127.0.0.2")


def statuses(url, token):
    """What nobody, somebody who guesses and two who show the token are answered."""
    bearer = lambda shown: {"Authorization": f"Bearer {shown}"}
    asked = [(url, None), (url, bearer("guessed")), (url, bearer(token)), (f"{url}?token={token}", None)]
    return [requests.get(address, headers=headers, timeout=30).status_code for address, headers in asked]


def test_an_exposed_sandbox_is_for_whoever_shows_its_token(tmp_path):
    with Platform(tmp_path / "data", "--sandbox", "--sandbox-expose", listen="0.0.0.0:0") as platform:
        url, token = platform.told["sandbox_url"], platform.told["sandbox_token"]
        base = platform.url.replace("0.0.0.0", "127.0.0.1")
        for open_to in (url + "/", url + "/clock", url + "/stats", base + "/sandbox/clock"):
            assert statuses(elsewhere(open_to), token) == [401, 401, 200, 200], open_to
        until(lambda: f"token {token}\n" in platform.output(), what="the printed token")
        lines = re.findall(r"^  (curl (?:.|\\\n)*?[^\\])$", platform.output(), re.MULTILINE)
        first, phone = [subprocess.run(["sh", "-c", f"{line} -sf"], capture_output=True, timeout=30) for line in lines]
        assert (first.returncode, phone.returncode) == (0, 0), (lines, first, phone)

        shown = {"Authorization": f"Bearer {token}"}
        clock = base + "/sandbox/clock"
        for door in (clock, url + "/clock"):
            assert requests.post(door, json={"advance": "1h"}, headers=shown, timeout=30).ok, door
        offset = lambda: requests.get(clock, headers=shown, timeout=30).json()["offset_ms"]
        until(lambda: offset() == 7_200_000, what="the platform following what was moved at the sandbox alone")


def test_a_sandbox_of_its_own_is_exposed_with_a_token_or_not_at_all(tmp_path):
    for door in ("--listen", "--graph-listen", "--smtp-listen"):
        refused = command("sandbox", door, "0.0.0.0:0")
        assert refused.returncode != 0 and "--sandbox-expose" in refused.stderr, refused
    with World(tmp_path / "outside", "--sandbox-expose", listen="0.0.0.0:0") as outside:
        token = until(lambda: re.search(r"^token (\S+)$", outside.output(), re.MULTILINE), what="the printed token")
        url, token = outside.outside.url, token[1]
        assert statuses(elsewhere(url) + "/clock", token) == [401, 401, 200, 200]
        with Platform(tmp_path / "data", "--sandbox-url", elsewhere(url), HERMOD_SANDBOX_TOKEN=token) as platform:
            assert platform.told["sandbox_token"] == token
            assert statuses(platform.url + "/sandbox/clock", token) == [401, 401, 200, 200]


def test_unexposed_the_clock_is_for_this_machine(tmp_path):
    with Platform(tmp_path / "data", "--sandbox") as platform:
        assert "sandbox_token" not in platform.told
        assert requests.get(platform.url + "/sandbox/clock", timeout=30).status_code == 200
