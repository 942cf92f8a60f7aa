"""Faults on demand: makes a service slow, silent, wrong or garbled for some requests.

A tween around all views applies them; the mail server asks for its own (``simulator.mail``).
"""

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pyramid.request import Request
from pyramid.response import Response

from simulator.journal import service_of
from simulator.rap import views as controller

MOST_IN_MEMORY = 32 * 1024 * 1024

Service = Literal["rap", "github", "oauth", "opencodelists", "slack", "smtp"]
Kind = Literal["slow", "refuse", "status", "html", "truncated", "drop", "rate_limit"]


class Fault(BaseModel):
    """What goes wrong, where and how often.

    ``slow`` waits ``seconds`` before the answer; ``refuse`` closes without one; ``status`` answers with that
    status, in the service's own style; ``html`` answers 200 with a page instead of JSON; ``truncated`` cuts
    the answer in half; ``drop`` breaks the connection off in the middle of it; ``rate_limit`` is GitHub's
    403. With ``processed`` the request takes effect before it fails. ``path`` is a prefix; ``count`` limits
    how many requests are hit.
    """

    model_config = ConfigDict(extra="forbid")

    service: Service
    kind: Kind
    seconds: float = Field(3, ge=0, le=600)
    status: int = Field(500, ge=400, le=599)
    path: str = ""
    count: int | None = Field(None, ge=1)
    processed: bool = False


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._list: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Puts a fault in force."""
        with self._lock:
            self._list.append(fault)

    def clear(self) -> None:
        """Everything works again."""
        with self._lock:
            self._list.clear()

    def all(self) -> list[dict[str, Any]]:
        """The faults in force, with the number of requests they are still going to hit."""
        with self._lock:
            return [fault.model_dump() for fault in self._list]

    def for_request(self, service: str, path: str) -> list[Fault]:
        """The faults that this request meets: every matching ``slow`` one and the first other one."""
        with self._lock:
            matching = [
                fault for fault in self._list if fault.service == service and path.startswith(fault.path)
            ]
            slow = [fault for fault in matching if fault.kind == "slow"]
            chosen = slow + [fault for fault in matching if fault.kind != "slow"][:1]
            for fault in chosen:
                if fault.count is not None:
                    fault.count -= 1
            self._list = [fault for fault in self._list if fault.count != 0]
            return chosen


def tween_factory(handler: Callable[[Request], Response], _registry: object) -> Callable[[Request], Response]:
    """Writes every request into the journal and lets the faults in force happen to it."""

    def tween(request: Request) -> Response:
        service = service_of(request.path_info)
        if service is None:
            return handler(request)
        # Keeps bodies in memory; WebOb would leave their files to the garbage collector.
        request.request_body_tempfile_limit = MOST_IN_MEMORY
        response = _answer(handler, request, service)
        request.world.journal.add_request(service, request, response)
        return response

    return tween


def _answer(handler: Callable[[Request], Response], request: Request, service: str) -> Response:
    chosen = request.world.faults.for_request(service, request.path_info)
    for fault in chosen:
        if fault.kind == "slow":
            request.world.clock.stopping.wait(fault.seconds)
    fault = next((fault for fault in chosen if fault.kind != "slow"), None)
    if fault is None:
        return handler(request)
    if fault.kind in {"truncated", "drop"}:
        return _cut(handler(request), keep_length=fault.kind == "drop")
    if fault.processed:
        handler(request)
    if fault.kind == "refuse":
        return _hang_up(request)
    if fault.kind == "html":
        return controller.html(200, "<!doctype html><title>Welcome</title><h1>Log in to the network</h1>")
    return rate_limited() if fault.kind == "rate_limit" else refusal(service, fault.status)


def _hang_up(request: Request) -> Response:
    """Closes the connection under the server's feet, so that nothing at all is sent."""
    disconnected = request.environ.get("waitress.client_disconnected")
    if disconnected is not None:
        disconnected.__self__.socket.shutdown(socket.SHUT_RDWR)
    return Response(status=503)


def _cut(response: Response, *, keep_length: bool) -> Response:
    whole = response.body
    response.body = whole[: len(whole) // 2]
    if keep_length:
        # The server notices the missing bytes and closes the connection after the half it has.
        response.content_length = len(whole)
    return response


def refusal(service: str, status: int) -> Response:
    """An error answer of that status, as the service itself would word it."""
    if service == "rap":
        if status == 401:
            return controller.answer(401, {"error": "Unauthorized", "details": "Invalid token"})
        return controller.server_error() if status == 500 else controller.page(status, f"Error ({status})")
    if service == "slack" and status == 429:
        limited = controller.answer(429, {"ok": False, "error": "ratelimited"})
        limited.headers["Retry-After"] = "30"
        return limited
    if service == "slack":
        return controller.answer(
            status, {"ok": False, "error": "invalid_auth" if status == 401 else "fatal_error"}
        )
    if service in {"github", "oauth"}:
        words = {
            401: "Bad credentials",
            403: "Resource not accessible by integration",
            404: "Not Found",
            422: "Validation Failed",
        }
        return controller.answer(
            status, {"message": words.get(status, "Server Error"), "status": str(status)}
        )
    return controller.page(status, f"Error ({status})")


def rate_limited() -> Response:
    """GitHub's answer to a caller who has used up the hour's requests."""
    body = {
        "message": "API rate limit exceeded for user ID 1001.",
        "documentation_url": "https://docs.github.com/",
    }
    response = Response(json.dumps(body).encode(), status=403, content_type="application/json")
    reset = str(int(time.time()) + 600)
    response.headers.update(
        {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    )
    return response
