"""Texts are cut into SMS as Twilio's calculator cuts them."""

import os
import subprocess

import pytest
from programs import ROOT
from sms_texts import texts

PARTS = os.environ.get("HERMOD_PARTS_BIN", ROOT / "target/debug/examples/parts")
MODULES = os.environ.get("HERMOD_NODE_MODULES", ROOT / ".cache/strangers/node_modules")
SEGMENTS = ROOT / "tests" / "blackbox" / "segments.js"


def lines(command, given, **environment):
    done = subprocess.run(command, input=given, capture_output=True, check=True, env={**os.environ, **environment})
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize("seed", [1, 2])
def test_parts_are_counted_as_the_calculator_counts_them(seed):
    """Encoding and size of every part. Emoji are older than 2018: the calculator knows the characters of Unicode 10."""
    cases = texts(seed, 5000)
    given = "".join(text + "\0" for text in cases).encode()
    ours, theirs = lines([PARTS], given), lines(["node", SEGMENTS], given, NODE_PATH=str(MODULES))
    assert len(ours) == len(theirs) == len(cases)
    wrong = [(text, us, them) for text, us, them in zip(cases, ours, theirs) if us != them]
    assert not wrong, wrong[0]
    assert len({line.split()[0] for line in ours}) == 2 and max(len(line.split()) for line in ours) > 6
