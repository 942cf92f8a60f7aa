"""Everything that has happened to a job request, step by step (spec: pages 30.6)."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.http.downloads import csv_download
from jobserver.models import utcnow
from jobserver.queries import happenings as history
from jobserver.queries import job_requests as queries
from jobserver.queries.cancellations import cancellations
from jobserver.resources import JobRequestResource
from jobserver.resources.links import view_url
from jobserver.security.permissions import Permission
from jobserver.views import happenings
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.pages import pager_of

PAGE = 100
MOST_IN_A_FILE = 50_000


@view_config(
    context=JobRequestResource,
    name="events",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/job_request/events.jinja2",
)
def events(context: JobRequestResource, request: Request) -> dict[str, Any]:
    """The whole history, newest first, page by page."""
    row = context.job_request
    total = history.number_of_request(request.db, row)
    pager = pager_of(request, total, PAGE, kept=[])
    return {
        "context": context,
        "job_request": row,
        "now": utcnow(),
        "state": queries.shown_state(row),
        "total": total,
        "pager": pager,
        "happenings": _told(context, request, limit=PAGE, offset=pager.offset, complete=pager.pages == 1),
        "request_url": view_url(request, context),
        "csv_url": view_url(request, context, "events", query={"format": "csv"}),
        "breadcrumbs": breadcrumbs(
            context, request, (f"Request {row.id}", view_url(request, context)), ("What has happened", None)
        ),
    }


@view_config(
    context=JobRequestResource,
    name="events",
    permission=Permission.VIEW,
    request_method="GET",
    request_param="format=csv",
)
def events_file(context: JobRequestResource, request: Request) -> Response:
    """The same as a file."""
    found = _told(context, request, limit=MOST_IN_A_FILE, offset=0, complete=True)
    rows = [(each.at, each.sentence.striptags(), each.more) for each in found]
    return csv_download(f"request-{context.job_request.id}-events.csv", ("at", "what", "more"), rows)


def _told(
    context: JobRequestResource, request: Request, *, limit: int, offset: int, complete: bool
) -> list[happenings.Happening]:
    db, row = request.db, context.job_request
    rows = history.of_request(db, row, limit=limit, offset=offset)
    kinds = {each.kind for each in rows}
    untold = complete and "job" not in kinds
    failures = queries.failures(queries.every_job(db, row.id), limit=limit) if untold else None
    return happenings.of_request(
        row,
        rows,
        cancellations(db, row.id),
        failed=failures.jobs if failures else (),
        complete=complete,
    )
