"""The page of a job request: how far it is, its jobs, what has happened (spec: pages 11, rap 9)."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.models import utcnow
from jobserver.pipeline.forecast import Forecast
from jobserver.queries import cancellations as cancelling
from jobserver.queries import happenings as history
from jobserver.queries import job_requests as queries
from jobserver.queries.earlier_runs import others
from jobserver.queries.needs import definition, needs_in
from jobserver.resources import JobRequestResource
from jobserver.resources.links import page_url, view_url
from jobserver.security.permissions import Permission
from jobserver.templating.times import clock, day
from jobserver.views import happenings, job_table, spoken
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.conditional import interval, job_request_unchanged
from jobserver.views.on_github import OnGithub

# A longer project.yaml is linked to, not shown (spec: pages 11).
LONGEST_SHOWN = 10_000
# An address can only carry so many.
MOST_TICKED = 50
# So much of what has happened is told on the page; the rest has a page of its own.
MOST_HAPPENINGS = 30


@view_config(
    context=JobRequestResource,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/job_request/page.jinja2",
)
def job_request(context: JobRequestResource, request: Request) -> dict[str, Any]:
    """The whole page."""
    now, row = utcnow(), context.job_request
    selection = job_table.Selection.read(row, request)
    text = definition(request.db, row.id)
    return {
        **_live(context, request, selection, spoken.Heard.of(row), now, text),
        "fragment": False,
        "spoken": "",
        "definition": text if len(text) <= LONGEST_SHOWN else "",
        "definition_lines": len(text.splitlines()),
        "file_url": _file_url(context, request),
        "breadcrumbs": breadcrumbs(context, request, (f"Request {row.id}", None)),
    }


# Not "live": a job's identifier may begin so, and a beginning is enough to name a job.
@view_config(
    context=JobRequestResource,
    name="now",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/job_request/live.jinja2",
)
def job_request_now(context: JobRequestResource, request: Request) -> dict[str, Any] | Response:
    """The part of the page that changes; a 304 if the browser has it as it is."""
    now, row = utcnow(), context.job_request
    unchanged = job_request_unchanged(
        request, row, now if queries.is_followed(row) else None, _may(context, request, Permission.JOB_CANCEL)
    )
    if unchanged is not None:
        return unchanged
    selection = job_table.Selection.read(row, request, lenient=True)
    sentence, heard = spoken.news(row, spoken.Heard.read(request.GET.get("heard")), now)
    return {
        **_live(context, request, selection, heard, now, definition(request.db, row.id)),
        "fragment": True,
        "spoken": sentence,
    }


def _file_url(context: JobRequestResource, request: Request) -> Callable[[str], str] | None:
    """Where a file of the study was at the request's commit; None if the commit is not known."""
    sha = context.job_request.sha
    return partial(OnGithub(request.registry["settings"], context.workspace.repo).file, sha) if sha else None


def _may(context: JobRequestResource, request: Request, permission: Permission) -> bool:
    return bool(request.has_permission(permission, context))


def _live(
    context: JobRequestResource,
    request: Request,
    selection: job_table.Selection,
    heard: spoken.Heard,
    now: datetime,
    text: str,
) -> dict[str, Any]:
    """Everything that may change while the request runs."""
    db, row = request.db, context.job_request
    followed = queries.is_followed(row)
    cancelled = cancelling.cancellations(db, row.id)
    needs = needs_in(text)
    table = job_table.table(context, request, selection, needs, cancelling.cancelled_by(cancelled), now)
    failures = queries.failures(table.every)
    may_cancel = _may(context, request, Permission.JOB_CANCEL)
    return {
        "context": context,
        "job_request": row,
        "now": now,
        "title": _title(context, followed),
        "followed": followed,
        "seconds": interval(row.created_at if followed else None, now),
        **_addresses(context, request, selection, heard, followed),
        "others": others(db, row),
        "github": OnGithub(request.registry["settings"], context.workspace.repo),
        "phase": queries.phase(row),
        "state": queries.shown_state(row),
        "counts": queries.counts(row),
        "silence": queries.silence(row, now),
        "table": table,
        "ends": likely_end(table.forecast, now) if followed else None,
        "selection": selection,
        "toggles": job_table.toggles(context, request, selection),
        "creation_error": next((job for job in table.every if job.action == queries.CREATION_ERROR), None),
        "failures": failures,
        "cancellations": cancelled,
        "may_cancel": may_cancel,
        "cancellable": cancelling.cancellable(row, table.every) if may_cancel and followed else None,
        "graph": job_table.drawn_graph(context, request, table.every, needs),
        "happenings": _happenings(context, request, table.every, failures, cancelled),
    }


def _addresses(
    context: JobRequestResource,
    request: Request,
    selection: job_table.Selection,
    heard: spoken.Heard,
    followed: bool,
) -> dict[str, Any]:
    return {
        "live_url": view_url(request, context, "now", query=selection.query(heard=str(heard))),
        "page_url": view_url(request, context),
        "cancel_url": view_url(request, context, "cancel"),
        "events_url": view_url(request, context, "events"),
        "compare_url": lambda other: view_url(request, context, "compare", query={"with": str(other.id)}),
        "other_url": lambda id_: view_url(request, context.__parent__, str(id_)),
        "job_url": lambda job: view_url(request, context, job.identifier),
        "reload_url": view_url(request, context, query=selection.query()),
        "workspace_url": view_url(request, context.__parent__),
        "asker_url": page_url(request, "users", context.job_request.created_by.username),
        **_running_again(context, request, followed),
    }


def _running_again(context: JobRequestResource, request: Request, followed: bool) -> dict[str, str | None]:
    """Where those who may run jobs here run this again: its own page once it has ended, before that the form
    with what was asked for ticked."""
    row = context.job_request
    if context.workspace.is_archived or not _may(context, request, Permission.JOB_RUN):
        return {"rerun_url": None, "run_again_url": None}
    if not followed:
        return {"rerun_url": view_url(request, context, "run-again"), "run_again_url": None}
    ticked = [("backend", row.backend.slug)]
    ticked += [("requested_actions", action) for action in row.requested_actions[:MOST_TICKED]]
    if row.force_run_dependencies:
        ticked.append(("force_run_dependencies", "y"))
    return {
        "rerun_url": None,
        "run_again_url": view_url(request, context.__parent__, "run-jobs", query=ticked),
    }


def _title(context: JobRequestResource, followed: bool) -> str:
    row = context.job_request
    progress = f"{row.jobs_finished:,} of {row.jobs_total:,}"
    lead = progress if followed and row.jobs_total else queries.shown_state(row).word
    return f"{lead} – Job request {row.id} – {context.workspace.name}"


def likely_end(forecast: Forecast, now: datetime) -> str | None:
    """Such as "about 15:15", the rounder the further off it is; None if nothing can be promised."""
    if forecast.end is None:
        return None
    left = forecast.end - now
    if left < timedelta(minutes=1):
        return "any time now"
    step = 3600 if left > timedelta(hours=6) else 300 if left > timedelta(minutes=20) else 60
    end = now + timedelta(seconds=left.total_seconds() + step - 1)
    end -= timedelta(seconds=end.timestamp() % step)
    return f"about {clock(end)}" + ("" if day(end) == day(now) else f" on {day(end)}")


def _happenings(
    context: JobRequestResource,
    request: Request,
    every: Sequence[queries.JobRow],
    failures: queries.Failures,
    cancelled: Sequence[cancelling.CancellationRow],
) -> list[happenings.Happening]:
    """The newest of what has happened, without the small steps."""
    row = context.job_request
    rows = history.of_request(request.db, row, limit=MOST_HAPPENINGS, milestones=True)
    # They are in the order in which they started, but not where failures come first.
    starts = [(job.started_at, job.action) for job in every if job.started_at]
    return happenings.of_request(
        row,
        rows,
        cancelled,
        failed=failures.jobs,
        first=min(starts)[1] if starts else None,
        complete=len(rows) < MOST_HAPPENINGS,
    )
