"""All runs of one action in a workspace: ``…/<job>/history/``, and the piece of it on the page of a job."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.http.downloads import csv_download
from jobserver.models import utcnow
from jobserver.queries import run_history as queries
from jobserver.queries.run_history import PastRun
from jobserver.resources import JobResource
from jobserver.resources.links import page_url, view_url
from jobserver.security.permissions import Permission
from jobserver.templating.charts import Chart, MemoryChart, Run, memory, memory_chart, run_chart
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.pages import pager_of

SIZE = 50
MOST_EXPORTED = 50_000


@dataclass(frozen=True)
class Shown:
    """A run with what is said of it."""

    run: PastRun
    url: str
    memory: str
    current: bool


@dataclass(frozen=True)
class History:
    """Runs, newest first, and their charts; ``has_memory``: the reader may know what they used."""

    rows: Sequence[Shown]
    chart: Chart
    memory: MemoryChart | None
    has_memory: bool
    backends: Sequence[str]


def history(context: JobResource, request: Request, runs: Sequence[PastRun]) -> History:
    """The runs as pages show them; memory only to those who may know."""
    may = bool(request.has_permission(Permission.JOB_METRICS_VIEW, context))
    rows = [_shown(context, request, run, may) for run in runs]
    drawn = [_drawn(context, row, may) for row in reversed(rows)]
    return History(
        rows,
        run_chart(drawn),
        memory_chart(drawn) if may else None,
        may,
        sorted({run.backend for run in runs}),
    )


def _shown(context: JobResource, request: Request, run: PastRun, may: bool) -> Shown:
    url = page_url(request, *context.workspace.path, run.job_request_id, run.identifier)
    used = memory(run.memory) if may and run.memory is not None else ""
    return Shown(run, url, used, run.id == context.job.id)


def _drawn(context: JobResource, row: Shown, may: bool) -> Run:
    run = row.run
    elsewhere = run.backend_id != context.job_request.backend_id
    more = [f"on {run.backend}" if elsewhere else "", f"peak memory {row.memory}" if row.memory else ""]
    return Run(
        str(run.job_request_id),
        run.shown,
        run.took.total_seconds() if run.took is not None else None,
        row.url,
        ", ".join(filter(None, more)),
        memory=run.memory if may else None,
        elsewhere=elsewhere,
        current=row.current,
    )


@view_config(
    context=JobResource,
    name="history",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/job/history.jinja2",
)
def job_history(context: JobResource, request: Request) -> dict[str, Any]:
    """The runs, a page at a time."""
    total = queries.number(request.db, context.workspace.id, context.job.action)
    pager = pager_of(request, total, SIZE, kept=[])
    runs = queries.newest(
        request.db, context.workspace.id, context.job.action, limit=SIZE, offset=pager.offset
    )
    here = view_url(request, context)
    ends = (
        (f"Request {context.job_request.id}", view_url(request, context.__parent__)),
        (context.job.action, here, "mono"),
        ("All runs", ""),
    )
    return {
        "job": context.job,
        "workspace": context.workspace,
        "backend": context.job_request.backend,
        "history": history(context, request, runs),
        "pager": pager,
        "job_url": here,
        "csv_url": view_url(request, context, "history", query={"format": "csv"}),
        "now": utcnow(),
        "breadcrumbs": breadcrumbs(context, request, *ends),
    }


@view_config(
    context=JobResource,
    name="history",
    permission=Permission.VIEW,
    request_method="GET",
    request_param="format=csv",
)
def job_history_csv(context: JobResource, request: Request) -> Response:
    """All runs as a file, newest first; times in UTC, amounts in seconds and megabytes."""
    may = bool(request.has_permission(Permission.JOB_METRICS_VIEW, context))
    runs = queries.newest(request.db, context.workspace.id, context.job.action, limit=MOST_EXPORTED)
    header = ["request", "job", "backend", "commit", "state", "status_code"]
    header += ["created_at", "started_at", "ended_at", "seconds", *(["peak_memory_mb"] if may else [])]
    return csv_download("runs.csv", header, (_cells(run, may) for run in runs))


def _cells(run: PastRun, may: bool) -> Sequence[Any]:
    ended = run.completed_at if run.took is not None else None
    seconds = int(run.took.total_seconds()) if run.took is not None else None
    cells: Iterable[Any] = (
        run.job_request_id,
        run.identifier,
        run.backend,
        run.sha,
        run.state,
        run.status_code,
        run.created_at,
        run.started_at,
        ended,
        seconds,
    )
    return [*cells, *([run.memory] if may else [])]
