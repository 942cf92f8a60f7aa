"""Plain answers for programs: health, robots, icons (spec: pages 4 and 8.2)."""

from pyramid.httpexceptions import HTTPFound, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.models import utcnow
from jobserver.queries import readiness
from jobserver.resources import BackendStatus, Health, Root, ShortAddress
from jobserver.resources.links import page_url
from jobserver.security.permissions import Permission


def _text(body: str, status: int = 200) -> Response:
    response = Response(body, status=status, content_type="text/html", charset="utf-8")
    response.cache_control.no_store = True
    return response


@view_config(context=Root, name="health-check", public=True, request_method="GET")
def health_check(context: Root, request: Request) -> Response:
    """Alive. It asks nothing of the database, so that a broken database does not stop every process."""
    return _text("")


@view_config(context=Health, name="ready", public=True, request_method="GET", no_slash=True)
def ready(context: Health, request: Request) -> Response:
    """Whether all that the site needs is there; 503 with a line for each thing that is not."""
    if request.subpath:
        raise HTTPNotFound
    faults = readiness.faults(request.db, utcnow())
    body = "".join(f"{line}\n" for line in faults or ["ready"])
    response = Response(body, status=503 if faults else 200, content_type="text/plain", charset="utf-8")
    response.cache_control.no_store = True
    return response


@view_config(context=BackendStatus, permission=Permission.VIEW, request_method="GET")
def backend_last_seen(context: BackendStatus, request: Request) -> Response:
    """When the backend was last seen; 503 once it has been silent for its alert timeout."""
    now = utcnow()
    seen = context.backend.last_seen_at
    return _text(seen.isoformat() if seen else "never", 503 if context.backend.is_missing(now) else 200)


@view_config(context=BackendStatus, name="db-availability", permission=Permission.VIEW, request_method="GET")
def backend_database(context: BackendStatus, request: Request) -> Response:
    """Whether the backend's database is under maintenance, and since when."""
    state = "on" if context.backend.is_in_maintenance_mode else "off"
    since = context.backend.last_seen_maintenance_mode
    return _text(f"DB maintenance mode {state}" + (f" (since {since.isoformat()}) " if since else ""))


@view_config(context=Root, name="favicon.ico", public=True, no_slash=True)
@view_config(context=Root, name="robots.txt", public=True, no_slash=True)
def static_file(context: Root, request: Request) -> HTTPFound:
    """Where browsers and robots look without being told."""
    return HTTPFound(request.static_path(f"jobserver:static/{request.view_name}"))


@view_config(context=ShortAddress, permission=Permission.VIEW, request_method="GET")
def short_address(context: ShortAddress, request: Request) -> HTTPFound:
    """From a short address to the page."""
    return HTTPFound(page_url(request, *context.names, keep_query=True))


@view_config(name="", context="jobserver.resources.root.JobAddresses", permission=Permission.VIEW)
def jobs(context: Root, request: Request) -> HTTPFound:
    """The event log's first address; the query is kept."""
    return HTTPFound(page_url(request, "event-log", keep_query=True))


@view_config(context=Root, name="event-list", permission=Permission.VIEW)
def event_list(context: Root, request: Request) -> HTTPFound:
    """The event log's second address; the query is dropped."""
    return HTTPFound(page_url(request, "event-log"))
