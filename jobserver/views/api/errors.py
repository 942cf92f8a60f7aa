"""When the JSON API cannot do what it is asked: the same errors for all addresses (spec: airlock 1.4)."""

from typing import Any

import structlog
from pyramid.config import Configurator
from pyramid.events import NewResponse
from pyramid.httpexceptions import (
    HTTPBadRequest,
    HTTPException,
    HTTPForbidden,
    HTTPNotFound,
    HTTPRequestEntityTooLarge,
)
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import exception_view_config, forbidden_view_config, notfound_view_config, view_config

from jobserver.forms.api.base import BodyRefused
from jobserver.resources.api import (
    Endpoint,
    NothingMatches,
    ReleaseReviews,
    SnapshotEndpoint,
    SnapshotPublication,
    answers_machines,
)
from jobserver.resources.base import Resource
from jobserver.security import callers
from jobserver.security.callers import CallerRefused, TokenCaller
from jobserver.security.identity import Identity
from jobserver.security.permissions import Permission
from jobserver.views import errors
from jobserver.views.api.exchange import PARSES, Refused, answer, problem

API = r"^/api/"
log = structlog.get_logger("jobserver.api")


def failure(request: Request, status: int, body: Any) -> Response:
    """The answer; what the request did is undone."""
    request.tm.abort()
    request.tm.begin()
    return answer(body, status)


@exception_view_config(CallerRefused, path_info=API)
def caller_refused(exc: CallerRefused, request: Request) -> Response:
    """Nobody has been proved to call."""
    return failure(request, 403, {"detail": exc.detail})


@exception_view_config(BodyRefused, path_info=API)
def body_refused(exc: BodyRefused, request: Request) -> Response:
    """The body cannot be used."""
    return failure(request, 400, exc.errors)


@exception_view_config(Refused, path_info=API)
def refused(exc: Refused, request: Request) -> Response:
    """A view has said no."""
    return failure(request, exc.status, {"detail": exc.detail})


@forbidden_view_config(path_info=API)
def forbidden(exc: HTTPForbidden, request: Request) -> Response:
    """The caller is known, and may not."""
    caller = request.caller
    detail = callers.NOT_PROVIDED
    if isinstance(caller, TokenCaller):
        detail = callers.NOT_PERMITTED
    elif isinstance(caller, Identity) and getattr(exc.result, "permission", "") in _READS:
        name = request.context.workspace.workspace.name
        detail = f"You may not see the released files of the workspace {name}."
    return failure(request, 403, {"detail": detail})


_READS = frozenset({Permission.RELEASE_FILE_VIEW, Permission.SNAPSHOT_VIEW})


@notfound_view_config(path_info=API)
def not_found(exc: HTTPNotFound, request: Request) -> Response:
    """404 of a thing, 405 of an address that there is; any other address is no part of the API."""
    if isinstance(exc, NothingMatches):
        return failure(request, 404, {"detail": problem(exc)})
    context = getattr(request, "context", None)
    has_a_slash_too_many = request.path_info.endswith("/") and not getattr(context, "ends_in_slash", True)
    methods = [] if has_a_slash_too_many else _methods(request)
    if not methods or request.subpath or request.method in {*methods, "HEAD"}:
        return errors.not_found(exc, request)
    return failure(request, 405, {"detail": f'Method "{request.method}" not allowed.'})


# The latter two have pages of their own, which would be preferred.
@exception_view_config(HTTPException, path_info=API)
@exception_view_config(HTTPBadRequest, path_info=API)
@exception_view_config(HTTPRequestEntityTooLarge, path_info=API)
def http_error(exc: HTTPException, request: Request) -> Response:
    """Anything else that has a status of its own; redirects stay what they are."""
    if exc.status_code < 400:
        return exc
    return failure(request, exc.status_code, {"detail": problem(exc)})


@exception_view_config(UnicodeDecodeError, path_info=API)
def undecodable(exc: UnicodeDecodeError, request: Request) -> Response:
    """The body is not UTF-8."""
    return failure(request, 400, {"detail": "JSON parse error - the body is not UTF-8"})


@exception_view_config(Exception, path_info=API)
def failed(exc: Exception, request: Request) -> Response:
    """Anything that nobody foresaw, and the database being away."""
    code = 503 if errors.is_database_away(exc) else 500
    log.error("request_failed", code=code, exc_info=exc)
    reference = structlog.contextvars.get_contextvars().get("request_id")
    return failure_without_database(code, f"Something went wrong here. Reference: {reference}")


def failure_without_database(code: int, detail: str) -> Response:
    """The answer when not even the database may be there."""
    return answer({"detail": detail}, code)


_OPTIONS = {"request_method": "OPTIONS", "require_csrf": False, "no_slash": True}


# Of a draft nobody is told more than of its files.
@view_config(context=Endpoint, permission=Permission.VIEW, **_OPTIONS)
@view_config(context=ReleaseReviews, permission=Permission.VIEW, **_OPTIONS)
@view_config(context=SnapshotEndpoint, permission=Permission.SNAPSHOT_VIEW, **_OPTIONS)
@view_config(context=SnapshotPublication, permission=Permission.SNAPSHOT_VIEW, **_OPTIONS)
def options(context: Resource, request: Request) -> Response:
    """What the address is, and what it reads and writes."""
    name = (type(context).__doc__ or "").split(": ", 1)[-1]
    return answer(
        {
            "name": type(context).__name__,
            "description": name,
            "renders": ["application/json"],
            "parses": list(PARSES),
        }
    )


def _methods(request: Request) -> list[str]:
    return errors.allowed_methods(request) if answers_machines(getattr(request, "context", None)) else []


def add_headers(event: NewResponse) -> None:
    """What an address of the API allows, and what its answers depend on."""
    request: Request = event.request
    # Not as text: this may be the answer to an address that is none.
    if not request.environ["PATH_INFO"].startswith("/api/v2/") or event.response.status_code in {301, 308}:
        return
    event.response.vary = ("Accept", "Cookie")
    methods = _methods(request)
    if methods:
        event.response.allow = sorted({*methods, "OPTIONS"} | ({"HEAD"} if "GET" in methods else set()))


def includeme(config: Configurator) -> None:
    """Add the headers to every answer."""
    config.add_subscriber(add_headers, NewResponse)
