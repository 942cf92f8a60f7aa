"""The page of a job: what it is doing, or what happened to it and what to do (spec: pages 13, rap 9)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.models import utcnow
from jobserver.queries import cancellations as cancelling
from jobserver.queries import happenings as noted
from jobserver.queries import job_requests as requests
from jobserver.queries import jobs as queries
from jobserver.queries import run_history
from jobserver.queries.job_metrics import Metrics, metrics_of
from jobserver.resources import JobResource
from jobserver.resources.links import page_url, view_url
from jobserver.security.permissions import Permission
from jobserver.templating import failures
from jobserver.templating.charts import memory
from jobserver.templating.sentences import job_sentence
from jobserver.templating.times import duration
from jobserver.views import happenings
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.conditional import interval, job_request_unchanged
from jobserver.views.job_history import SIZE, history
from jobserver.views.on_github import OnGithub


@view_config(
    context=JobResource,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/job/page.jinja2",
)
def job(context: JobResource, request: Request) -> dict[str, Any]:
    """The whole page."""
    row = context.job_request
    request_end = (f"Request {row.id}", view_url(request, context.__parent__))
    ends = (request_end, (context.job.action, None, "mono"))
    values = _live(context, request, utcnow())
    return {**values, "fragment": False, "breadcrumbs": breadcrumbs(context, request, *ends)}


@view_config(
    context=JobResource,
    name="now",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/job/live.jinja2",
)
def job_now(context: JobResource, request: Request) -> dict[str, Any] | Response:
    """The part of the page that changes; a 304 if the browser has it as it is."""
    now = utcnow()
    unchanged = job_request_unchanged(
        request,
        context.job_request,
        now if context.job.is_active else None,
        _may(context, request, Permission.JOB_CANCEL),
        _may(context, request, Permission.JOB_METRICS_VIEW),
        _run_again_url(context, request),
    )
    if unchanged is not None:
        return unchanged
    return {**_live(context, request, now), "fragment": True}


def _may(context: JobResource, request: Request, permission: Permission) -> bool:
    return bool(request.has_permission(permission, context))


def _live(context: JobResource, request: Request, now: datetime) -> dict[str, Any]:
    """Everything on the page of a job; all of it may change while the job runs."""
    row, job_request = queries.row_of(context.job), context.job_request
    backend = job_request.backend
    cancelled = [
        wish for wish in cancelling.cancellations(request.db, job_request.id) if row.action in wish.actions
    ]
    relatives = queries.relatives(request.db, context.job)
    by = cancelling.cancelled_by(cancelled).get(row.action)
    sentence = job_sentence(
        row.status.lower(),
        row.status_code,
        row.status_message,
        backend=backend.name,
        waiting_for=[relatives.cause.action] if relatives.cause else relatives.waiting_for,
        needs=len(relatives.needs),
        cancelled_by=by,
    )
    if row.is_active and by:
        sentence = happenings.being_cancelled(by)
    is_error = row.action == requests.CREATION_ERROR
    took = row.took(now)
    metrics = _metrics(context, request)
    worked = run_history.successes_before(request.db, context.job)
    runs = run_history.newest(request.db, context.workspace.id, row.action, limit=SIZE)
    name = "Jobs could not be made" if is_error else row.action
    return {
        "context": context,
        "job": row,
        "run_command": context.job.run_command,
        "name": name,
        "is_creation_error": is_error,
        "job_request": job_request,
        "backend": backend,
        "now": now,
        "title": f"{row.shown.word}: {name} – Request {job_request.id} – {context.workspace.name}",
        "state": row.shown,
        "sentence": sentence,
        "took": took,
        "failure": _failure(row, backend.name, took),
        "seconds": interval((row.started_at or row.created_at) if row.is_active else None, now),
        "live_url": view_url(request, context, "now"),
        "reload_url": view_url(request, context),
        "asker_url": page_url(request, "users", context.job_request.created_by.username),
        "request_url": view_url(request, context.__parent__),
        "failed_url": view_url(request, context.__parent__, query={"state": "failed"}),
        "job_url": lambda other: view_url(request, context.__parent__, other.identifier),
        "cancel_url": view_url(request, context, "cancel"),
        "run_again_url": _run_again_url(context, request),
        "history_url": view_url(request, context, "history"),
        "csv_url": view_url(request, context, "history", query={"format": "csv"}),
        "github": OnGithub(request.registry["settings"], context.workspace.repo),
        "support_email": request.registry["settings"].support_email,
        "silence": queries.silence(row, now),
        "missing_since": context.job.missing_since if row.is_active else None,
        "relatives": relatives,
        "cancellations": cancelled,
        "may_cancel": _may(context, request, Permission.JOB_CANCEL),
        "asked_to_cancel": by is not None or row.action in job_request.cancelled_actions,
        "metrics": metrics,
        "meter": _meter(metrics, worked),
        "worked": worked.last,
        "worked_elsewhere": worked.elsewhere if not worked.here else None,
        "history": history(context, request, runs),
        "cause_url": _cause_url(context, request, relatives),
        "earlier_url": lambda found: page_url(
            request, *context.workspace.path, found.job_request_id, found.identifier
        ),
        "happenings": happenings.of_job(
            row, cancelled, backend.name, sentence, now, noted.of_job(request.db, row.id)
        ),
    }


def _failure(row: requests.JobRow, backend: str, took: timedelta | None) -> failures.Explanation:
    if row.action == requests.CREATION_ERROR:
        return failures.of_creation(row.status_message, backend=backend)
    words = duration(took) if took else ""
    return failures.explain(row.status_code, row.status_message, backend=backend, took=words)


def _metrics(context: JobResource, request: Request) -> Metrics | None:
    """What the job used, for those who may know."""
    if not _may(context, request, Permission.JOB_METRICS_VIEW):
        return None
    return metrics_of(context.job.metrics)


@dataclass(frozen=True)
class Meter:
    """The peak of memory beside what is usual here, in megabytes and in words."""

    here: float
    low: float
    high: float
    text: str
    usual: str
    is_more: bool


def _meter(metrics: Metrics | None, worked: run_history.Successes) -> Meter | None:
    usual = worked.usual_memory
    if metrics is None or metrics.mem_mb_peak is None or usual is None:
        return None
    low, high = usual
    between = f"between {memory(low)} and {memory(high)}" if memory(low) != memory(high) else memory(high)
    here = metrics.mem_mb_peak
    # A tenth more than ever before is what a reader should know of.
    return Meter(here, low, high, memory(here), between, here > high * 1.1)


def _cause_url(context: JobResource, request: Request, relatives: queries.Relatives) -> str | None:
    """The page of the job because of which this one never started."""
    if relatives.cause is None:
        return None
    return page_url(request, *context.workspace.path, relatives.cause_in, relatives.cause.identifier)


def _run_again_url(context: JobResource, request: Request) -> str | None:
    """Where what failed is run again, for those who may; in an archived workspace nobody may."""
    if context.workspace.is_archived or not _may(context, request, Permission.JOB_RUN):
        return None
    return view_url(request, context.__parent__, "run-again", query={"way": "failed"})
