"""The last requests that each simulated service received, for tests to look at."""

import re
import threading
import time
from collections import deque
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

KEPT = 200
MOST_TEXT = 20_000
_SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization"}
_SECRET_FIELDS = re.compile(r"((?:client_secret|access_token|code_verifier|code)\"?\s*[=:]\s*\"?)[^&\"\s]+")
_SERVICES = (
    ("rap", "/controller/"),
    ("github", "/api/github"),
    ("oauth", "/github/login/"),
    ("github", "/github/"),
    ("opencodelists", "/opencodelists/"),
    ("slack", "/slack/api/"),
)
SERVICES = ("rap", "github", "oauth", "opencodelists", "slack", "smtp")


def service_of(path: str) -> str | None:
    """The simulated service that a path belongs to, or None for the simulator's own pages."""
    return next((name for name, prefix in _SERVICES if path.startswith(prefix)), None)


class Journal:
    """A short memory of requests; secrets are left out of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, deque[dict[str, Any]]] = {}
        self.clear()

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._kept = {name: deque(maxlen=KEPT) for name in SERVICES}

    def add(self, service: str, entry: dict[str, Any]) -> None:
        """Remembers one request."""
        with self._lock:
            self._kept[service].append({"at": time.time(), **entry})

    def add_request(self, service: str, request: Request, response: Response) -> None:
        """Remembers an HTTP request and the status it was answered with."""
        headers = {
            name: "***" if name.lower() in _SECRET_HEADERS else value
            for name, value in request.headers.items()
        }
        body = request.body[:MOST_TEXT].decode(errors="replace")
        query = request.query_string
        if service == "oauth":
            body, query = _SECRET_FIELDS.sub(r"\1***", body), _SECRET_FIELDS.sub(r"\1***", query)
        self.add(
            service,
            {
                "method": request.method,
                "path": request.path_info,
                "query": query,
                "headers": headers,
                "body": body,
                "status": response.status_int,
            },
        )

    def all(self) -> dict[str, list[dict[str, Any]]]:
        """What is remembered of each service, oldest first."""
        with self._lock:
            return {name: list(entries) for name, entries in self._kept.items()}
