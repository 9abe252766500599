"""A web server of the test: it records what is pushed to it and serves files."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Push:
    """One request as it came: header names in lower case, the body's very bytes."""

    def __init__(self, path, headers, body):
        self.path, self.headers, self.body, self.at = path, headers, body, time.time()


class Receiver:
    def __init__(self, files=None, verify_token=None):
        self.files, self.verify_token = files or {}, verify_token
        self.pushes, self._changed = [], threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def take(self, push):
        with self._changed:
            self.pushes.append(push)
            self._changed.notify_all()

    def wait(self, wanted, seconds=30, what="the push"):
        """The first push for which `wanted` answers something, and that something's worth."""
        end = time.monotonic() + seconds
        with self._changed:
            seen = 0
            while True:
                for push in self.pushes[seen:]:
                    if wanted(push):
                        return push
                seen = len(self.pushes)
                left = end - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    if time.monotonic() >= end:
                        raise AssertionError(f"{what} did not come within {seconds} s; came: {[p.body[:300] for p in self.pushes[-8:]]}")

    def _handler(receiver):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.take(Push(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.answer(200, b"ok", "text/plain")

            def do_GET(self):
                asked = parse_qs(urlsplit(self.path).query)
                if asked.get("hub.mode") == ["subscribe"]:
                    fits = asked.get("hub.verify_token") == [receiver.verify_token]
                    return self.answer(200 if fits else 403, asked["hub.challenge"][0].encode() if fits else b"", "text/plain")
                content, kind = receiver.files.get(self.path, (None, None))
                self.answer(200 if content else 404, content or b"", kind or "text/plain")

            def answer(self, status, body, kind):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler
