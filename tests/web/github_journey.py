"""A browser's way to GitHub and back, and a GitHub that answers whatever a test wants."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import requests
from webtest import TestResponse

from jobserver.http.cookies import RotatingSerializer
from tests.web.conftest import Browser

KEY = "a key for tests, long enough"


def depart(web: Browser, next_page: str = "/") -> str:
    """Press the button; returns the address at GitHub that the browser is sent to."""
    location: str = web.post("/login/github/", {"next": next_page}, status=303).location
    return location


def query(url: str) -> dict[str, str]:
    """The address's query, each name once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def approve(url: str, login: str) -> str:
    """Agree at the simulated GitHub; returns the path that the browser is sent back to."""
    answer = requests.get(f"{url}&login={login}", allow_redirects=False, timeout=5)
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def with_query(path: str, **changes: str | None) -> str:
    """The path with parameters changed; None leaves one out."""
    parts = urlsplit(path)
    values = {**dict(parse_qsl(parts.query)), **changes}
    return f"{parts.path}?{urlencode({name: value for name, value in values.items() if value is not None})}"


def sign_in(web: Browser, login: str, next_page: str = "/", **options: Any) -> TestResponse:
    """The whole journey of somebody at the simulated GitHub."""
    return web.get(approve(depart(web, next_page), login), **options)


def is_signed_in(web: Browser) -> bool:
    """Whether the site knows the browser."""
    return "Sign out" in web.get("/404", status=404)


def carried(web: Browser) -> dict[str, Any]:
    """What the signed cookie holds."""
    value = web.cookies.get("carry", "").strip('"')
    contents: dict[str, Any] = RotatingSerializer((KEY,)).loads(value.encode())[2] if value else {}
    return contents


def carry(web: Browser, **contents: Any) -> None:
    """Give the browser a signed cookie with these contents."""
    now = int(time.time())
    replace_cookie(web, "carry", RotatingSerializer((KEY,)).dumps((now, now, contents)).decode())


def replace_cookie(web: Browser, name: str, value: str) -> None:
    """Give the browser this cookie instead of any that the site has set."""
    for cookie in list(web.cookiejar):
        if cookie.name == name:
            web.cookiejar.clear(cookie.domain, cookie.path, name)
    web.set_cookie(name, value)


class ScriptedGithub:
    """Answers by path: a value is sent as JSON, bytes as they are, a pair has its status first."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.be_well()

    def be_well(self) -> None:
        """Somebody with everything that an account needs."""
        self.asked.clear()
        self.answers = {
            "/login/oauth/access_token": {"access_token": "gho_secret", "token_type": "bearer"},
            "/user": {"id": 42, "login": "ada", "name": "Ada L"},
            "/user/emails": [{"email": "Ada@Example.org", "primary": True, "verified": True}],
        }


@contextmanager
def scripted_github() -> Iterator[ScriptedGithub]:
    """A GitHub on loopback that says what the test tells it to."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            path = urlsplit(self.path).path
            github.asked.append((path, dict(self.headers), body))
            answer = github.answers[path]
            status, content = answer if isinstance(answer, tuple) else (200, answer)
            sent = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            if status in {301, 302, 307}:
                self.send_header("Location", f"{github.url}/elsewhere")
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = answer  # noqa: N815 (the library calls these)

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    github = ScriptedGithub(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
