"""HTTP with limits: the one way in which the clients reach other systems.

Every exchange has a time limit for the connection, one for each silence, one for the whole
(so that an answer trickling in byte by byte ends too) and a limit on the size of the answer.
Redirects are never followed, cookies never kept, ``~/.netrc`` never read.
"""

import io
import json
import math
import socket
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import requests
import structlog
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Seconds to connect, seconds of silence, and bytes of an answer. The whole may take connect + read."""

    connect: float = 5
    read: float = 20
    size: int = MEGABYTE

    @property
    def total(self) -> float:
        """Seconds that the whole exchange may take."""
        return self.connect + self.read


class NoAnswer(Exception):
    """No complete answer came; ``reason`` says why, in a few words for operators, without secrets."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class NotJson(ValueError):
    """The body of an answer is not JSON."""


class AnswerTooLarge(requests.RequestException):
    """The answer has more bytes than the limit."""


@dataclass(frozen=True)
class Answer:
    """What the other system answered, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON that PostgreSQL can store: see :func:`storable`. :class:`NotJson` otherwise."""
        try:
            return storable(json.loads(self.body))
        except (ValueError, RecursionError) as error:
            raise NotJson(str(error)) from error

    def fields(self) -> dict[str, Any]:
        """The body as a JSON object; empty if it is JSON of another kind. :class:`NotJson` otherwise."""
        value = self.json()
        return value if isinstance(value, dict) else {}


def storable(value: Any) -> Any:
    """The JSON value without what PostgreSQL refuses: NUL, half surrogates, numbers that are none."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value


def fits_header(secret: str) -> bool:
    """Whether a header can carry the value; a library's complaint about it would show the secret."""
    return secret.isascii() and secret.isprintable() and " " not in secret


class Deadline:
    """Ends the exchange on a socket when ``seconds`` are over, whatever trickles in on it."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        # The socket may go back to a pool now: it must not be shut under its next user.
        with self._lock:
            self._socket = None

    def attach(self, sock: object) -> None:
        """Watch this socket from now on."""
        with self._lock:
            self._socket = sock if isinstance(sock, socket.socket) else None
            if self.expired:
                self._shut()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            # The plain socket's method: SSLSocket.shutdown would pull the TLS state from under its reader.
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_deadline: ContextVar[Deadline | None] = ContextVar("_deadline", default=None)


def _watch(connection: HTTPConnection) -> None:
    deadline = _deadline.get()
    if deadline is not None:
        deadline.attach(connection.sock)


class _Connection(HTTPConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        _watch(self)
        return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        _watch(self)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _LimitedAdapter(HTTPAdapter):
    pools: ClassVar[dict[str, Any]] = {"http": _Pool, "https": _SecurePool}

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self.pools
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """The whole answer within the limits, or a ``requests.RequestException``."""
        del args
        kwargs |= {"stream": True, "timeout": (self._limits.connect, self._limits.read)}
        deadline = Deadline(self._limits.total)
        token = _deadline.set(deadline)
        try:
            with deadline:
                response = super().send(request, **kwargs)
                body = self._read(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if deadline.expired:
                raise requests.ReadTimeout("overall time limit", request=request) from error
            if isinstance(error, requests.RequestException):
                raise
            if isinstance(error, urllib3.exceptions.TimeoutError):
                raise requests.ReadTimeout(error, request=request) from error
            raise requests.ConnectionError(error, request=request) from error
        finally:
            _deadline.reset(token)
        if deadline.expired:
            # A body without a stated length seems complete when its connection is shut.
            raise requests.ReadTimeout("overall time limit", request=request)
        response.raw = urllib3.HTTPResponse(
            io.BytesIO(body), status=response.status_code, preload_content=False
        )
        return response

    def _read(self, response: requests.Response) -> bytes:
        body = bytearray()
        complete = False
        try:
            for chunk in response.raw.stream(65536, decode_content=True):
                body += chunk
                if len(body) > self._limits.size:
                    raise AnswerTooLarge(f"more than {self._limits.size} bytes")
            complete = True
        finally:
            if complete:
                response.raw.release_conn()
            else:
                response.raw.close()
        return bytes(body)


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def limited_session(limits: Limits) -> requests.Session:
    """A session whose every exchange keeps the limits; threads may share it."""
    session = requests.Session()
    session.auth = _no_netrc
    session.mount("http://", _LimitedAdapter(limits))
    session.mount("https://", _LimitedAdapter(limits))
    return session


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    json: object = None,
    data: Mapping[str, str] | None = None,
    files: Iterable[tuple[str, tuple[None, str]]] | None = None,
    auth: tuple[str, str] | None = None,
) -> Answer:
    """Send one request and return the answer, or raise :class:`NoAnswer`.

    Log lines written meanwhile carry ``request_method`` and ``endpoint_path``.
    """
    path = urlsplit(url).path
    with structlog.contextvars.bound_contextvars(request_method=method, endpoint_path=path):
        try:
            response = session.request(
                method,
                url,
                headers=headers,
                json=json,
                data=data,
                files=list(files) if files else None,
                auth=auth,
                allow_redirects=False,
            )
            return Answer(response.status_code, response.headers, response.content)
        except (requests.RequestException, ValueError, OSError) as error:
            raise NoAnswer(short_reason(error)) from error


def short_reason(error: BaseException) -> str:
    """Why there is no answer, in a few words that hold no secret."""
    match error:
        case AnswerTooLarge():
            return f"the answer has {error}"
        case requests.exceptions.SSLError():
            return "no secure connection (TLS)"
        case requests.ConnectTimeout():
            return "no connection within the time limit"
        case requests.Timeout():
            return "no complete answer within the time limit"
        case requests.ConnectionError() if error.args and isinstance(
            error.args[0], urllib3.exceptions.MaxRetryError
        ):
            return f"no connection ({type(error.args[0].reason).__name__})"
        case requests.ConnectionError():
            return "the connection broke"
    return f"the request could not be made ({type(error).__name__})"
