"""What several stories share."""

import pytest
from pictures import png
from receiver import Receiver


@pytest.fixture(scope="module")
def receiver():
    with Receiver(files={"/picture.png": (png(), "image/png")}) as receiver:
        yield receiver
