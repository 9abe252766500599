"""What several stories share."""

import judge
import pytest
import requests
from pictures import png
from receiver import Receiver


@pytest.fixture(scope="session", autouse=True)
def judged():
    """No story gets an answer that its contract does not describe."""
    send = requests.Session.send

    def judging(self, request, **more):
        answer = send(self, request, **more)
        if not more.get("stream"):
            judge.hold(answer)
        return answer

    requests.Session.send = judging
    yield
    requests.Session.send = send


@pytest.fixture(scope="module")
def receiver():
    with Receiver(files={"/picture.png": (png(), "image/png")}) as receiver:
        yield receiver
