"""When a page cannot be shown: what happened, and what to do (spec: pages 24, access 8.45)."""

from collections import defaultdict
from typing import Any

import structlog
from pyramid.exceptions import BadCSRFOrigin, BadCSRFToken
from pyramid.httpexceptions import (
    HTTPBadRequest,
    HTTPException,
    HTTPForbidden,
    HTTPRequestEntityTooLarge,
    HTTPSeeOther,
)
from pyramid.registry import Registry
from pyramid.renderers import render_to_response
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import exception_view_config, forbidden_view_config, notfound_view_config, view_config

from jobserver.queries.asking import needs
from jobserver.resources import (
    JobRequestResource,
    OrgResource,
    ProjectResource,
    Root,
    WorkspaceResource,
)
from jobserver.resources.links import page_url
from jobserver.resources.old_addresses import new_address
from jobserver.security.permissions import Permission, permission_named
from jobserver.templating import environment

log = structlog.get_logger("jobserver.errors")
SAFE = frozenset({"GET", "HEAD"})
# Pages that are not there for those who lack one of these (spec: pages 20.2).
HIDING = frozenset({Permission.REPO_SIGN_OFF})
# Where something is missing below one of these, the page says which is the last that is there.
PUBLIC_PLACES = {
    OrgResource: "organisation",
    ProjectResource: "project",
    WorkspaceResource: "workspace",
    JobRequestResource: "job request",
}
MOST_SHOWN, LONGEST_SHOWN = 20, 20_000
TEMPLATE = "jobserver:templates/errors/error.jinja2"
BARE = "errors/bare.jinja2"


def fresh_transaction(request: Request) -> None:
    """What the failed request did is undone; the page frame reads the database anew."""
    request.tm.abort()
    request.tm.begin()


def error_page(request: Request, code: int | str, **values: Any) -> Response:
    """The page that says what went wrong; in a bare frame if not even the database answers."""
    status = 400 if code == "csrf" else int(code)
    values.setdefault("support", request.registry["settings"].support_email)
    if getattr(request, "context", None) is None:
        request.context = Root(request)
    try:
        fresh_transaction(request)
        response = render_to_response(TEMPLATE, {"code": code, **values}, request)
    except Exception:
        log.warning("error_page_without_frame", code=code, exc_info=True)
        frame = {"code": code, "frame": BARE, "identity": None, **values}
        template = environment(request.registry).get_template("errors/error.jinja2")
        response = Response(template.render(request=request, **frame))
    response.status_code = status
    response.cache_control.no_store = True
    return response


def login_url(request: Request) -> str:
    """The sign-in page that leads back here."""
    target = request.path_qs if request.method in SAFE else "/"
    return page_url(request, "login", query={"next": target})


def allowed_methods(request: Request) -> list[str]:
    """The methods for which the page that was asked for has a view."""
    context, name = getattr(request, "context", None), getattr(request, "view_name", "")
    views = _views_by_name(request.registry).get(name, ())
    return sorted({method for wanted, methods in views if isinstance(context, wanted) for method in methods})


def _views_by_name(registry: Registry) -> dict[str, list[tuple[type, tuple[str, ...]]]]:
    """The places and methods of all views, found once: every 404 asks."""
    known: dict[str, list[tuple[type, tuple[str, ...]]]] | None = registry.get("views_by_name")
    if known is None:
        known = defaultdict(list)
        for entry in registry.introspector.get_category("views") or ():
            view = entry["introspectable"]
            methods = view["request_methods"] or ()
            if isinstance(view["context"], type):
                given = (methods,) if isinstance(methods, str) else tuple(methods)
                known[view["name"]].append((view["context"], given))
        registry["views_by_name"] = known
    return known


@notfound_view_config()
def not_found(exc: HTTPException, request: Request) -> Response:
    """404; or the new address of an old one; or 405 where only the method was wrong."""
    methods = allowed_methods(request)
    if methods and request.method not in {*methods, "HEAD"} and not getattr(request, "subpath", ()):
        response = error_page(request, 405)
        response.allow = methods
        return response
    if request.method in SAFE:
        fresh_transaction(request)
        moved = new_address(request)
        if moved is not None:
            return moved
    return error_page(request, 404, nearest=_nearest(request))


def _nearest(request: Request) -> tuple[str, str, str] | None:
    """What the address names as far as it names anything: kind, name and address. Only what is public."""
    kind = PUBLIC_PLACES.get(type(getattr(request, "context", None)))
    if kind is None:
        return None
    return kind, request.traversed[-1], page_url(request, *request.traversed)


@forbidden_view_config()
def forbidden(exc: HTTPForbidden, request: Request) -> Response:
    """Anonymous: sign in first. Without sight of the thing: 404. Otherwise 403, with the roles that may."""
    fresh_transaction(request)
    if request.identity is None:
        return HTTPSeeOther(login_url(request))
    visible = bool(request.has_permission(Permission.VIEW, request.context))
    wanted = permission_named(getattr(exc.result, "permission", None))
    if not visible or wanted is None or wanted in HIDING:
        return error_page(request, 404)
    return error_page(
        request,
        403,
        detail=f"Your roles do not let you {wanted.sentence} here.",
        needs=needs(wanted, request.registry["settings"].support_email),
    )


@exception_view_config(BadCSRFToken)
@exception_view_config(BadCSRFOrigin)
def forged(exc: HTTPException, request: Request) -> Response:
    """The form's token is missing or wrong. What was typed is shown, so that it can be copied."""
    return error_page(request, "csrf", typed=_typed(request))


def _typed(request: Request) -> list[tuple[str, str]]:
    """The texts of the form, if the reader's browser says that it came from a page of ours."""
    if request.headers.get("Sec-Fetch-Site") != "same-origin":
        return []
    try:
        fields = list(request.POST.items())
    except ValueError:
        return []
    texts = [
        (name.replace("_", " "), value[:LONGEST_SHOWN])
        for name, value in fields
        if isinstance(value, str) and " " in value.strip() and "token" not in name.lower()
    ]
    return texts[:MOST_SHOWN]


@exception_view_config(HTTPBadRequest)
@exception_view_config(HTTPRequestEntityTooLarge)
def refused(exc: HTTPException, request: Request) -> Response:
    """The request makes no sense, or is too large."""
    return error_page(request, exc.code, detail=exc.detail)


@exception_view_config(UnicodeDecodeError)
def undecodable(exc: UnicodeDecodeError, request: Request) -> Response:
    """The address or the form is not valid UTF-8."""
    return error_page(request, 400, detail="What was sent is not valid UTF-8.")


@exception_view_config(Exception)
def failed(exc: Exception, request: Request) -> Response:
    """Anything that nobody foresaw, and the database being away."""
    code = 503 if is_database_away(exc) else 500
    log.error("request_failed", code=code, exc_info=exc)
    return error_page(request, code, reference=structlog.contextvars.get_contextvars().get("request_id"))


def is_database_away(exc: BaseException | None) -> bool:
    """Whether the error, or one that caused it, says that PostgreSQL could not be reached."""
    names = {"OperationalError", "InterfaceError", "TimeoutError"}
    while exc is not None:
        if type(exc).__name__ in names and type(exc).__module__.startswith(("sqlalchemy", "psycopg")):
            return True
        exc = exc.__cause__
    return False


@view_config(context=Root, name="400", public=True, no_slash=True)
@view_config(context=Root, name="403", public=True, no_slash=True)
@view_config(context=Root, name="404", public=True, no_slash=True)
@view_config(context=Root, name="500", public=True, no_slash=True)
def example(context: Root, request: Request) -> Response:
    """The error pages, for looking at them."""
    return error_page(request, int(request.view_name))
