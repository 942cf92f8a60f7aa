"""Job requests in the staff area: listed, looked at, cancelled (spec: staff 6)."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.models import JobRequest, utcnow
from jobserver.queries import cancellations as queries
from jobserver.queries.job_requests import counts, every_job, is_followed, shown_state
from jobserver.queries.staff.job_requests import JOB_REQUESTS
from jobserver.resources.links import page_url
from jobserver.resources.staff import StaffJobRequest, StaffJobRequests
from jobserver.security.permissions import Permission
from jobserver.views.cancelling import ask
from jobserver.views.on_github import OnGithub
from jobserver.views.staff.listing import TEMPLATE, listed


@view_config(
    context=StaffJobRequests, permission=Permission.STAFF_AREA_VIEW, request_method="GET", renderer=TEMPLATE
)
def job_requests(context: StaffJobRequests, request: Request) -> dict[str, Any] | Response:
    """Every job request."""
    return listed(request, JOB_REQUESTS, part="job_requests", heading="Job requests")


@view_config(
    context=StaffJobRequest,
    permission=Permission.STAFF_AREA_VIEW,
    request_method="GET",
    renderer="jobserver:templates/staff/job_requests/detail.jinja2",
)
def detail(context: StaffJobRequest, request: Request) -> dict[str, Any]:
    """Who asked for what, where, and what was cancelled by whom."""
    job_request = context.thing
    workspace = job_request.workspace
    return {
        **_frame(request, job_request),
        "workspace": workspace,
        "project": workspace.project,
        "org": workspace.project.org,
        "state": shown_state(job_request),
        "counts": counts(job_request),
        "cancellations": queries.cancellations(request.db, job_request.id),
        "github": OnGithub(request.registry["settings"], workspace.repo),
        "cannot_cancel": _why_not(job_request),
    }


def _why_not(job_request: JobRequest) -> str:
    """Why there is surely nothing to cancel, "" if there may be something."""
    return "" if is_followed(job_request) else "The request has ended."


@view_config(
    context=StaffJobRequest,
    name="cancel",
    permission=Permission.STAFF_AREA_ACCESS,
    request_method="GET",
    renderer="jobserver:templates/staff/job_requests/cancel.jinja2",
)
def ask_to_cancel(context: StaffJobRequest, request: Request) -> dict[str, Any]:
    """What would be cancelled."""
    job_request = context.thing
    found = queries.cancellable(job_request, every_job(request.db, job_request.id))
    return {**_frame(request, job_request, "Cancel"), "cancellable": found}


@view_config(
    context=StaffJobRequest, name="cancel", permission=Permission.STAFF_AREA_ACCESS, request_method="POST"
)
def cancel(context: StaffJobRequest, request: Request) -> HTTPSeeOther:
    """Cancel whatever goes on; the next page says what came of it."""
    ask(request, context.thing)
    return HTTPSeeOther(page_url(request, "staff", "job-requests", context.thing.id))


def _frame(request: Request, job_request: JobRequest, title: str = "") -> dict[str, Any]:
    crumbs: list[tuple[str, str | None]] = [
        ("Staff area", page_url(request, "staff")),
        ("Job requests", page_url(request, "staff", "job-requests")),
        (
            str(job_request.id),
            page_url(request, "staff", "job-requests", job_request.id) if title else None,
        ),
    ]
    return {
        "job_request": job_request,
        "breadcrumbs": [*crumbs, (title, None)] if title else crumbs,
        "url": lambda *names: page_url(request, *names),
        "now": utcnow(),
    }
