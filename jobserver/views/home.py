"""The front page: what this is, or what concerns you (spec: pages 5)."""

from datetime import datetime
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.forms.run_jobs import usable
from jobserver.models import utcnow
from jobserver.queries import home as queries
from jobserver.queries.attention import attention, facts
from jobserver.queries.backends import active_backends
from jobserver.queries.event_logs import RequestRow
from jobserver.queries.newcomers import steps
from jobserver.resources import Root
from jobserver.resources.links import page_url
from jobserver.security.permissions import Permission
from jobserver.templating.times import clock
from jobserver.views.conditional import interval, not_modified

PROMISE = (
    "Researchers run their code against patient data that they can never see, "
    "and every run is on the public record."
)


@view_config(
    context=Root,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/home/public.jinja2",
)
def front_page(context: Root, request: Request) -> dict[str, Any]:
    """Anonymous: what this is, and what runs."""
    return {**_latest(request, utcnow()), "promise": PROMISE, "login_url": page_url(request, "login")}


@view_config(
    context=Root,
    is_authenticated=True,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/home/mine.jinja2",
)
def home(context: Root, request: Request) -> dict[str, Any]:
    """Signed in: my own work first."""
    now = utcnow()
    return {**_latest(request, now), **_mine(request, now)}


# Besides "live": otherwise being signed in would win over the parameter.
@view_config(
    context=Root,
    request_param="live",
    is_authenticated=True,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/home/running.jinja2",
)
@view_config(
    context=Root,
    request_param="live",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/home/running.jinja2",
)
def home_running(context: Root, request: Request) -> dict[str, Any] | Response:
    """What of mine runs now; a 304 if the browser has it as it is."""
    if request.identity is None:
        # The session has ended: the page stays as it is.
        return Response(status=204)
    now = utcnow()
    rows = queries.running(request.db, request.identity)
    made_of = [(row.id, row.version) for row in rows]
    return not_modified(request, made_of, clock(now)) or _running(request, rows, now)


def _latest(request: Request, now: datetime) -> dict[str, Any]:
    return {
        "latest": queries.latest_of_all(request.db),
        "now": now,
        "url": lambda *names: page_url(request, *names),
        "breadcrumbs": [],
    }


def _mine(request: Request, now: datetime) -> dict[str, Any]:
    db, identity = request.db, request.identity
    running = queries.running(db, identity)
    workspaces = queries.my_workspaces(db, identity)
    projects = queries.my_projects(db, identity)
    backends = active_backends(db)
    known = facts(db, identity)
    mine = {access.id for access in identity.backends}
    offered = [row for row in backends if row.backend.id in mine]
    can_run = bool(usable(offered, creation_disabled=request.registry["settings"].disable_creating_jobs))
    needing = attention(
        db, identity, known, running=running, workspaces=workspaces, backends=backends, now=now
    )
    way = steps(
        identity,
        projects=projects,
        workspaces=workspaces,
        has_backend=bool(offered),
        can_run=can_run,
        has_requested=known.requests > 0,
        has_output=known.has_output,
    )
    return {
        **_running(request, running, now),
        "attention": needing,
        "facts": known,
        "mine": queries.latest_of_mine(db, identity),
        "workspaces": workspaces,
        "projects": projects,
        "backends": backends,
        "can_run": can_run,
        "steps": way if known.is_newcomer and not identity.roles else [],
    }


def _running(request: Request, rows: list[RequestRow], now: datetime) -> dict[str, Any]:
    youngest = max((row.created_at for row in rows), default=None)
    return {
        "running": rows,
        "now": now,
        "seconds": interval(youngest, now),
        "live_url": page_url(request, query={"live": "1"}),
        "reload_url": page_url(request),
        "url": lambda *names: page_url(request, *names),
    }
