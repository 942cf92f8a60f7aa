"""The controller's HTTP interface below ``/controller/v1/`` (spec: rap 1)."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from simulator.rap import create, jobs, schema
from simulator.rap.schema import Schema

PREFIX = "/controller/v1/"
MOST_BYTES = 2_621_440
_HTML = "text/html; charset=utf-8"

Endpoint = Callable[[Request, list[str], Any], tuple[int, dict[str, Any]]]


class _RelativeRedirect(Response):  # type: ignore[misc]  # WebOb is untyped
    def _abs_headerlist(self, _environ: object) -> list[tuple[str, str]]:
        """Keeps ``Location`` relative, as the controller sends it."""
        return list(self.headerlist)


def page(status: int, title: str, text: str = "") -> Response:
    """One of the bare pages that the controller's framework makes."""
    body = (
        f'\n<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n</head>\n<body>\n'
        f"  <h1>{title}</h1><p>{text}</p>\n</body>\n</html>\n"
    )
    return html(status, body)


def html(status: int, body: str) -> Response:
    """An answer that is not JSON, with the content type spelt as the controller does."""
    response = Response(body.encode(), status=status)
    response.headers["Content-Type"] = _HTML
    return response


def not_found() -> Response:
    """An address the controller does not have."""
    return page(404, "Not Found", "The requested resource was not found on this server.")


def server_error() -> Response:
    """A fault inside the controller."""
    return page(500, "Server Error (500)")


def answer(status: int, body: dict[str, Any]) -> Response:
    """An answer in JSON."""
    response = Response(json.dumps(body).encode(), status=status)
    response.headers["Content-Type"] = "application/json"
    return response


def backend_status(request: Request, allowed: list[str], _body: Any) -> tuple[int, dict[str, Any]]:
    """Every backend that the token may use."""
    states = request.world.scheduler.backends()
    return 200, {"backends": [state.shown() for state in states if state.slug in allowed]}


def rap_create(request: Request, allowed: list[str], body: Any) -> tuple[int, dict[str, Any]]:
    """Makes jobs."""
    world = request.world
    made = create.create(world.store, world.repositories, body, allowed, world.clock.now())
    return made.status, made.body


def rap_cancel(request: Request, allowed: list[str], body: Any) -> tuple[int, dict[str, Any]]:
    """Cancels the jobs of all named actions, or of none if one of them has no job."""
    world, rap_id, names = request.world, body["rap_id"], body["actions"]
    with world.store.transaction():
        visible = [job for job in jobs.select(world.store, "rap_id = ?", rap_id) if job.backend in allowed]
        refusal = {"error": "jobs not found", "rap_id": rap_id}
        if not visible:
            return 404, {**refusal, "details": f"No jobs found for rap_id {rap_id}"}
        missing = sorted(set(names) - {job.action for job in visible})
        if missing:
            text = f"Jobs matching requested cancelled actions could not be found: {','.join(missing)}"
            return 404, {**refusal, "details": text, "not_found": missing}
        world.scheduler.cancel([job for job in visible if job.action in names], world.clock.now())
    return 200, {"result": "Success", "details": f"{len(names)} actions cancelled", "count": len(names)}


def rap_status(request: Request, allowed: list[str], body: Any) -> tuple[int, dict[str, Any]]:
    """Every job of the job requests asked for."""
    wanted = list(dict.fromkeys(body["rap_ids"]))
    store = request.world.store
    found: list[jobs.Job] = []
    with store.transaction():
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            found += jobs.select(store, f"rap_id IN ({', '.join('?' * len(part))})", *part)
    visible = [job for job in found if job.backend in allowed]
    known = {job.rap_id for job in visible}
    return 200, {
        "jobs": [job.shown() for job in visible],
        "unrecognised_rap_ids": [rap_id for rap_id in wanted if rap_id not in known],
    }


ENDPOINTS: dict[str, tuple[str, Schema | None, Endpoint]] = {
    "backend/status/": ("GET", None, backend_status),
    "rap/create/": ("POST", schema.CREATE, rap_create),
    "rap/cancel/": ("POST", schema.CANCEL, rap_cancel),
    "rap/status/": ("POST", schema.STATUS, rap_status),
}


def controller(request: Request) -> Response:
    """Every request below ``/controller/``, checked in the controller's order."""
    if not _host_allowed(request):
        return page(400, "Bad Request (400)")
    path = request.path_info.removeprefix(PREFIX)
    if path in {"docs/", "spec.json"}:
        return _described(path)
    if f"{path}/" in ENDPOINTS:
        moved = _RelativeRedirect(b"", status=301)
        moved.headers["Content-Type"] = _HTML
        moved.headers["Location"] = f"{request.path_info}/"
        return moved
    if path not in ENDPOINTS:
        return not_found()
    method, body_schema, endpoint = ENDPOINTS[path]
    if request.method != method:
        refused = html(405, "")
        refused.headers["Allow"] = method
        return refused
    return _checked(request, body_schema, endpoint)


def _checked(request: Request, body_schema: Schema | None, endpoint: Endpoint) -> Response:
    token = request.headers.get("Authorization", "")
    if not token:
        return answer(401, {"error": "Unauthorized", "details": "No token provided"})
    allowed = request.world.config.simulator.rap_tokens.get(token)
    if not allowed:
        return answer(401, {"error": "Unauthorized", "details": "Invalid token"})
    body: Any = None
    if body_schema is not None:
        if len(request.body) > MOST_BYTES:
            return page(400, "Bad Request (400)")
        try:
            body = json.loads(request.body.decode())
        except ValueError:
            return answer(
                400, {"error": "Validation error", "details": "could not parse JSON from request body"}
            )
        fault = schema.first_fault(body, body_schema)
        if fault:
            return answer(400, {"error": "Validation error", "details": fault})
    return answer(*endpoint(request, allowed, body))


def _host_allowed(request: Request) -> bool:
    name = urlsplit(f"//{request.host}").hostname
    return name in {"127.0.0.1", "localhost", "::1", *request.world.allowed_hosts}


def _described(path: str) -> Response:
    paths = {
        f"/{name}": {
            method.lower(): {
                "security": [{"token": []}],
                "requestBody": {"content": {"application/json": {"schema": body}}} if body else {},
            }
        }
        for name, (method, body, _endpoint) in ENDPOINTS.items()
    }
    spec = {
        "openapi": "3.1.0",
        "info": {"title": "RAP API (simulated)", "version": "v1"},
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}}
        },
    }
    if path == "spec.json":
        return answer(200, spec)
    listed = "".join(
        f"<li><code>{method} {PREFIX}{name}</code>" for name, (method, _b, _e) in ENDPOINTS.items()
    )
    return html(200, f"<!doctype html><title>RAP API</title><h1>RAP API</h1><ul>{listed}</ul>")


def includeme(config: Configurator) -> None:
    """Adds the controller."""
    config.add_route("controller", "/controller/*rest")
    config.add_view(controller, route_name="controller")
