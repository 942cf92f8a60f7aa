"""The first page of the staff area: its search, and what should be looked at (spec: staff 2.1, 17.44)."""

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from jobserver.models import utcnow
from jobserver.queries import readiness
from jobserver.queries.staff import attention
from jobserver.queries.staff import search as queries
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffArea
from jobserver.security.permissions import Permission

LONGEST = 200


@view_config(
    context=StaffArea,
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer="jobserver:templates/staff/index.jinja2",
)
def index(context: StaffArea, request: Request) -> dict[str, Any]:
    """What was found for ``q``; without it, what should be looked at."""
    q = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    db, now = request.db, utcnow()
    heard = None if q else readiness.worker_heard(db)
    return {
        "q": q,
        "found": queries.search(db, q) if q else [],
        "matters": [] if q else attention.matters(db),
        "backends": [] if q else attention.backends(db),
        "worker_heard": heard,
        "worker_silent": readiness.is_silent(heard, now),
        "now": now,
        "url": lambda *names: page_url(request, *names),
        "list_url": lambda part, query: page_url(request, "staff", part, query=query),
        "breadcrumbs": [("Staff area", None)],
    }
