"""SIGTERM lets what was accepted finish; a second one does not wait."""

import http.client
import json
import signal
import threading
import time
from urllib.parse import urlsplit

from programs import Platform, until

BODY = {"messaging_product": "whatsapp", "type": "template", "template": {"name": "hello_world", "language": "en_US"}}


class Held:
    """A request that the server has begun to read: it asked for the rest of the body with `100 Continue`."""

    def __init__(self, platform, phone):
        self.phone, self.body = phone, json.dumps({**BODY, "to": phone}).encode()
        self.connection = http.client.HTTPConnection(urlsplit(platform.url).netloc, timeout=20)
        self.connection.connect()
        head = (
            f"POST /v1/{platform.kirim.number}/messages HTTP/1.1\r\nHost: hermod\r\nAuthorization: Bearer {platform.kirim.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\nExpect: 100-continue\r\n\r\n"
        )
        self.connection.sock.sendall(head.encode())
        told = self.connection.sock.recv(4096)
        assert told.startswith(b"HTTP/1.1 100"), told

    def finish(self):
        self.connection.sock.sendall(self.body)
        answer = http.client.HTTPResponse(self.connection.sock)
        answer.begin()
        return answer.status, json.loads(answer.read()), answer.getheader("connection")

    def close(self):
        self.connection.close()


def keep_sending(platform, phone, accepted, stop):
    """Sends until nobody listens any more; a fresh connection each time, so that no idle one is in the way."""
    while not stop.is_set():
        connection = http.client.HTTPConnection(urlsplit(platform.url).netloc, timeout=20)
        try:
            connection.request("POST", f"/v1/{platform.kirim.number}/messages", json.dumps({**BODY, "to": phone}),
                               {"Authorization": f"Bearer {platform.kirim.key}", "Content-Type": "application/json"})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            accepted.append(json.loads(answer.read())["data"]["id"])
        except (ConnectionError, http.client.RemoteDisconnected):
            pass  # never reached the server: it had stopped listening
        finally:
            connection.close()


def nobody_listens(platform):
    connection = http.client.HTTPConnection(urlsplit(platform.url).netloc, timeout=5)
    try:
        connection.connect()
    except ConnectionRefusedError:
        return True
    except ConnectionError:
        pass  # it is just closing
    finally:
        connection.close()
    return False


def test_what_was_accepted_is_finished(tmp_path):
    data, accepted, stop = tmp_path / "data", [], threading.Event()
    with Platform(data, "--sandbox") as platform:
        held = [Held(platform, f"+1555777002{n}") for n in range(8)]
        senders = [threading.Thread(target=keep_sending, args=(platform, f"+1555777003{n}", accepted, stop)) for n in range(3)]
        [sender.start() for sender in senders]
        until(lambda: len(accepted) > 30, what="load")
        platform.terminate()
        until(lambda: nobody_listens(platform), 10, what="the end of listening")
        assert platform.alive(), "requests are under way"
        answers = [request.finish() for request in held]
        stop.set()
        [sender.join() for sender in senders]
        assert platform.process.wait(30) == 0, platform.output()
        [request.close() for request in held]
    assert [status for status, _, _ in answers] == [200] * len(held), answers
    assert all((connection or "").lower() == "close" for _, _, connection in answers), "the last answer says that it is the last"

    with Platform(data, "--sandbox") as platform:
        ids = accepted + [answer["data"]["id"] for _, answer, _ in answers]
        until(lambda: all(platform.kirim.message(id)["status"] == "delivered" for id in ids), 30, what="every accepted message")
        shown = [one for n in range(8) for one in platform.outside.screen(f"+1555777002{n}")]
        assert len(shown) == len(held)
        assert sum(len(platform.outside.screen(f"+1555777003{n}")) for n in range(3)) == len(accepted)


def test_a_second_signal_ends_at_once(tmp_path):
    with Platform(tmp_path / "data", "--sandbox") as platform:
        held = Held(platform, "+15557770029")
        platform.terminate()
        until(lambda: nobody_listens(platform), 10, what="the end of listening")
        began = time.monotonic()
        platform.process.send_signal(signal.SIGTERM)
        assert platform.process.wait(5) != 0 and time.monotonic() - began < 5
        held.close()
