"""How PyGithub's requests leave: within the limits, safely from several threads, redirected with care.

PyGithub keeps the request being made on a connection that all threads share, sleeps on 202 for as long as
it takes, and drops the query when it follows a redirect, so that a file of a renamed repository would be read
at the wrong commit. Hence a requester per call over one shared session, and connections that do better.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from github import Auth
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    Requester,
    RequestsResponse,
)

USER_AGENT = "OpenSAFELY Jobs"
_MOST_REDIRECTS = 3
# PyGithub takes it for granted that these hold numbers.
_NUMBERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")

Value = TypeVar("Value")


class Latest(Generic[Value]):
    """Remembers the most recently used values, at most ``size`` of them. Threads may share it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """The value, or None."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: Value) -> None:
        """Remember it, and forget the one that was not used for longest."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self._size:
                self._values.popitem(last=False)


def _answer(session: requests.Session, origin: str, request: Any) -> RequestsResponse:
    """The answer to a request that PyGithub prepared, at the end of its redirects within GitHub."""
    url = origin + request.url
    for _ in range(_MOST_REDIRECTS + 1):
        response = session.request(
            request.verb, url, headers=request.headers, data=request.input, allow_redirects=False
        )
        if response.status_code == 202:
            raise requests.RequestException("GitHub is still preparing the answer")
        if not 300 <= response.status_code < 400:
            for name in _NUMBERS:
                if not response.headers.get(name, "0").isdecimal():
                    del response.headers[name]
            return RequestsResponse(response)
        target = urljoin(url, response.headers.get("Location", ""))
        if request.verb != "GET" or _origin(target) != _origin(url):
            raise requests.TooManyRedirects("GitHub redirects to another place")
        url = target
    raise requests.TooManyRedirects("GitHub redirects without end")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def requester_class(session: requests.Session) -> type[Requester]:
    """A kind of requester whose requests go through the session, which all its instances share."""

    class Plain(HTTPRequestsConnectionClass):
        def __init__(self, host: str, port: int | None = None, **_: Any) -> None:
            self.host = host
            self.port = port or 80

        def getresponse(self) -> RequestsResponse:
            return _answer(session, f"http://{self.host}:{self.port}", self)

        def close(self) -> None:
            """The session stays open for the others."""

    class Secure(HTTPSRequestsConnectionClass):
        def __init__(self, host: str, port: int | None = None, **_: Any) -> None:
            self.host = host
            self.port = port or 443

        def getresponse(self) -> RequestsResponse:
            return _answer(session, f"https://{self.host}:{self.port}", self)

        def close(self) -> None:
            """The session stays open for the others."""

    class Shared(Requester):
        """A class of its own: the connection classes are set per class, not for all of PyGithub."""

    Shared.injectConnectionClasses(Plain, Secure)
    return Shared


def new_requester(kind: type[Requester], api_url: str, token: str) -> Requester:
    """A requester for one call; without a token the call is anonymous."""
    return kind(
        auth=Auth.Token(token) if token else None,
        base_url=api_url,
        timeout=0,  # the session has the limits
        user_agent=USER_AGENT,
        per_page=100,
        verify=True,
        retry=None,
        pool_size=None,
        lazy=True,
    )
