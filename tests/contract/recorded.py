"""A loopback server that gives the answers it was told to give, sound or faulty, and notes what it was asked."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

HTML_PAGE = "<!doctype html><title>Bad gateway</title><h1>502 Bad Gateway</h1>"


@dataclass(frozen=True)
class Asked:
    """A request as the server got it."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer, or a fault.

    ``wait``: seconds of silence before it. ``drip``: seconds between two bytes of the body, or of the
    headers with ``drip_headers``. ``cut``: bytes after which the connection ends although more was promised.
    ``hang_up``: no answer at all.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0
    drip: float = 0
    drip_headers: bool = False
    cut: int | None = None
    hang_up: bool = False


def json_reply(body: object, status: int = 200, **more: Any) -> Reply:
    headers = {"Content-Type": "application/json", **more.pop("headers", {})}
    return Reply(status, json.dumps(body).encode(), headers, **more)


def html_reply(status: int = 502, body: str = HTML_PAGE, **more: Any) -> Reply:
    return Reply(status, body.encode(), {"Content-Type": "text/html; charset=utf-8"}, **more)


Answerer = Callable[[Asked], Reply]


@dataclass
class Server:
    """A running server: its address without final slash, and every request so far."""

    url: str
    asked: list[Asked]


@contextmanager
def serving(answer: Answerer | Reply) -> Iterator[Server]:
    """Run a server that gives one reply to everything, or what a function says."""
    asked: list[Asked] = []
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            # A client that has had enough hangs up, which is no fault of the server's.
            with suppress(ConnectionError):
                super().handle_one_request()
                return
            self.close_connection = True

        def finish(self) -> None:
            with suppress(ConnectionError):
                super().finish()

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            request = Asked(
                self.command, parts.path, parse_qs(parts.query), dict(self.headers), self.rfile.read(length)
            )
            asked.append(request)
            self._reply(answer if isinstance(answer, Reply) else answer(request))

        do_POST = do_GET  # noqa: N815

        def _reply(self, reply: Reply) -> None:
            closing.wait(reply.wait) if reply.wait else None
            if reply.hang_up:
                self.close_connection = True
                return
            head = f"HTTP/1.1 {reply.status} Said\r\n"
            headers = {"Content-Length": str(len(reply.body)), **reply.headers}
            head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
            body = reply.body if reply.cut is None else reply.body[: reply.cut]
            self._write(head.encode(), reply.drip if reply.drip_headers else 0)
            self._write(body, reply.drip if not reply.drip_headers else 0)
            if reply.cut is not None:
                self.close_connection = True

        def _write(self, data: bytes, drip: float) -> None:
            if not drip:
                self.wfile.write(data)
                return
            for number in range(len(data)):
                self.wfile.write(data[number : number + 1])
                if closing.wait(drip):
                    self.close_connection = True
                    return

        def log_message(self, *args: object) -> None:
            """Tests are quiet."""

    class Loopback(ThreadingHTTPServer):
        daemon_threads = True

    server = Loopback(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_address[1]}", asked)
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def refusing_url() -> str:
    """An address at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


class Timed:
    """How long a block took, in seconds."""

    def __enter__(self) -> "Timed":
        self._start = time.monotonic()
        self.seconds = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._start


def rap_exchanges() -> list[dict[str, Any]]:
    """Every exchange that was recorded with a real RAP controller."""
    path = Path(__file__).with_name("rap-examples.json")
    exchanges: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return exchanges


def recorded_reply(exchange: dict[str, Any]) -> Reply:
    """The recorded answer, as it went over the wire."""
    response = exchange["response"]
    body = response["body"]
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = {"Content-Type": response["content_type"]}
    for name in ("allow", "location"):
        if name in response:
            headers[name.capitalize()] = response[name]
    return Reply(response["status"], data, headers)
