"""Whether the backends work (spec: pages 8.1, rap 6)."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.models import utcnow
from jobserver.queries.backends import active_backends, controller_contact
from jobserver.resources import Status
from jobserver.resources.links import view_url
from jobserver.security.permissions import Permission
from jobserver.templating.times import clock
from jobserver.views.conditional import not_modified

SECONDS = 30


@view_config(
    context=Status,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/status/page.jinja2",
)
def status(context: Status, request: Request) -> dict[str, Any]:
    """The whole page."""
    return {**_backends(context, request), "breadcrumbs": []}


@view_config(
    context=Status,
    request_param="live",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/status/backends.jinja2",
)
def status_live(context: Status, request: Request) -> dict[str, Any] | Response:
    """The part of the page that changes; a 304 if the browser has it as it is."""
    values = _backends(context, request)
    now, contact = values["now"], values["contact"]
    seen = [
        (
            row.backend.name,
            row.shown(now).word,
            row.running,
            row.pending,
            row.backend.last_seen_at,
            row.takes_no_requests and row.backend.creation_pause_reason,
        )
        for row in values["backends"]
    ]
    reached = (contact.reached_at, contact.failed_at) if contact else None
    return not_modified(request, seen, reached, clock(now)) or values


def _backends(context: Status, request: Request) -> dict[str, Any]:
    return {
        "backends": active_backends(request.db),
        "contact": controller_contact(request.db),
        "now": utcnow(),
        "seconds": SECONDS,
        "live_url": view_url(request, context, query={"live": "1"}),
        "reload_url": view_url(request, context),
    }
