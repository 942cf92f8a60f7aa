"""The page of a job request: how far it is, its jobs, what has happened (spec: pages 11, rap 9)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyramid.httpexceptions import HTTPBadRequest, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.models import JobState, utcnow
from jobserver.queries import cancellations as cancelling
from jobserver.queries import job_requests as queries
from jobserver.queries.earlier_runs import earlier_requests, usual_seconds
from jobserver.queries.needs import definition, needs_in, waits
from jobserver.resources import JobRequestResource
from jobserver.resources.links import page_url, view_url
from jobserver.security.permissions import Permission
from jobserver.templating.graph import Action, Graph, graph
from jobserver.templating.pager import Pager, page_number
from jobserver.templating.sentences import job_sentence
from jobserver.templating.timeline import scale
from jobserver.views import happenings, spoken
from jobserver.views.conditional import interval, not_modified
from jobserver.views.on_github import OnGithub

# A longer project.yaml is linked to, not shown (spec: pages 11).
LONGEST_SHOWN = 10_000
# An address can only carry so many.
MOST_TICKED = 50


@dataclass(frozen=True)
class Selection:
    """Which of the jobs are shown: all or those in one state, and which page of them."""

    state: str | None
    page: int
    total: int
    by_urgency: bool
    pager: Pager

    @classmethod
    def read(cls, context: JobRequestResource, request: Request, *, lenient: bool = False) -> "Selection":
        """From the address. A live region does not fail because its page is gone: it shows the last one."""
        state = request.GET.get("state") or None
        tally = queries.counts(context.job_request)
        if state is not None and state not in tally:
            raise HTTPBadRequest(f"There is no state of this name. Choose one of: {', '.join(tally)}.")
        total = tally[state] if state else context.job_request.jobs_total
        large = context.job_request.jobs_total > queries.ALL_ON_ONE_PAGE
        size = queries.PAGE if large else queries.ALL_ON_ONE_PAGE
        page = page_number(request.GET.get("page"), total, size)
        if page is None and lenient:
            page = page_number("last", total, size)
        if page is None:
            raise HTTPNotFound
        kept = [("state", state)] if state else []
        return cls(state, page, total, large, Pager(page, total, size, kept))

    def query(self, **more: str) -> dict[str, str]:
        """The address's parameters that choose this selection."""
        chosen = {"state": self.state or "", "page": str(self.page) if self.page > 1 else ""}
        return {name: value for name, value in {**chosen, **more}.items() if value}


@view_config(
    context=JobRequestResource,
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/job_request/page.jinja2",
)
def job_request(context: JobRequestResource, request: Request) -> dict[str, Any]:
    """The whole page."""
    now = utcnow()
    selection = Selection.read(context, request)
    text = definition(request.db, context.job_request.id)
    last, success = earlier_requests(request.db, context.job_request)
    return {
        **_live(context, request, selection, spoken.Heard.of(context.job_request), now, text),
        "fragment": False,
        "spoken": "",
        "definition": text if len(text) <= LONGEST_SHOWN else "",
        "definition_lines": len(text.splitlines()),
        "last": last,
        "last_success": success,
        "breadcrumbs": breadcrumbs(context, request, (f"Request {context.job_request.id}", None)),
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
    now = utcnow()
    row = context.job_request
    unchanged = not_modified(
        request,
        row.version,
        row.backend.is_in_maintenance_mode,
        row.backend.is_paused,
        _may_cancel(context, request),
        # Durations and "9 min ago" are said in minutes.
        int(now.timestamp() // 60) if queries.is_followed(row) else None,
    )
    if unchanged is not None:
        return unchanged
    selection = Selection.read(context, request, lenient=True)
    sentence, heard = spoken.news(row, spoken.Heard.read(request.GET.get("heard")), now)
    return {
        **_live(context, request, selection, heard, now, definition(request.db, row.id)),
        "fragment": True,
        "spoken": sentence,
    }


def breadcrumbs(context: Any, request: Request, *ends: Any) -> list[Any]:
    """The way to a request or a job; ``ends`` are what comes after the workspace."""
    names = (context.org.slug, context.project.slug, context.workspace.name)
    return [
        (context.org.name, page_url(request, *names[:1])),
        (context.project.name, page_url(request, *names[:2])),
        (context.workspace.name, page_url(request, *names), "mono"),
        *ends,
    ]


def _may_cancel(context: JobRequestResource, request: Request) -> bool:
    return bool(request.has_permission(Permission.JOB_CANCEL, context))


def _live(
    context: JobRequestResource,
    request: Request,
    selection: Selection,
    heard: spoken.Heard,
    now: datetime,
    text: str,
) -> dict[str, Any]:
    """Everything that may change while the request runs."""
    db, row = request.db, context.job_request
    followed = queries.is_followed(row)
    rows = queries.jobs(
        db,
        row.id,
        state=selection.state,
        by_urgency=selection.by_urgency,
        limit=selection.pager.size,
        offset=selection.pager.offset,
    )
    failures = queries.failures(db, row.id)
    cancelled = cancelling.cancellations(db, row.id)
    may_cancel = _may_cancel(context, request)
    in_order = not selection.by_urgency and selection.state is None
    return {
        "context": context,
        "job_request": row,
        "now": now,
        "title": _title(context, followed),
        "followed": followed,
        "seconds": interval(row.created_at if followed else None, now),
        "live_url": view_url(request, context, "now", query=selection.query(heard=str(heard))),
        "page_url": view_url(request, context),
        "cancel_url": view_url(request, context, "cancel"),
        "job_url": lambda job: view_url(request, context, job.identifier),
        "reload_url": view_url(request, context, query=selection.query()),
        "workspace_url": view_url(request, context.__parent__),
        "run_again_url": _run_again_url(context, request),
        "github": OnGithub(request.registry["settings"], context.workspace.repo),
        "phase": queries.phase(row),
        "state": queries.shown_state(row),
        "counts": queries.counts(row),
        "silence": queries.silence(row, now),
        "lines": _lines(context, request, rows, cancelled, text),
        "scale": scale(row.created_at, _times(rows), now if followed else None),
        "selection": selection,
        "toggles": _toggles(context, request, selection),
        "creation_error": next((job for job in rows if job.action == queries.CREATION_ERROR), None),
        "failures": failures,
        "cancellations": cancelled,
        "may_cancel": may_cancel,
        "cancellable": cancelling.cancellable(db, row) if may_cancel and followed else None,
        "graph": _graph(context, request, rows, text) if in_order else None,
        "happenings": happenings.of_request(
            row, failures.jobs, cancelled, now, rows[0].action if in_order and rows else None
        ),
    }


def _run_again_url(context: JobRequestResource, request: Request) -> str | None:
    """The form with what this request asked for ticked, for those who may run jobs here."""
    row = context.job_request
    if context.workspace.is_archived or not request.has_permission(Permission.JOB_RUN, context):
        return None
    ticked = [("backend", row.backend.slug)]
    ticked += [("requested_actions", action) for action in row.requested_actions[:MOST_TICKED]]
    if row.force_run_dependencies:
        ticked.append(("force_run_dependencies", "y"))
    return view_url(request, context.__parent__, "run-jobs", query=ticked)


def _title(context: JobRequestResource, followed: bool) -> str:
    row = context.job_request
    progress = f"{row.jobs_finished:,} of {row.jobs_total:,}"
    lead = progress if followed and row.jobs_total else queries.shown_state(row).word
    return f"{lead} – Job request {row.id} – {context.workspace.name}"


def _times(rows: list[queries.JobRow]) -> list[datetime | None]:
    return [moment for row in rows for moment in (row.started_at, row.ended_at)]


def _toggles(context: JobRequestResource, request: Request, selection: Selection) -> list[dict[str, Any]]:
    """Links to the jobs in one state, for the states that there are."""
    every = view_url(request, context)
    found: list[dict[str, Any]] = [{"label": "All", "href": every, "current": selection.state is None}]
    for state in (
        JobState.FAILED,
        JobState.RUNNING,
        JobState.PENDING,
        JobState.SUCCEEDED,
        JobState.CANCELLED,
        JobState.UNKNOWN,
    ):
        number = queries.counts(context.job_request)[state]
        if number or state == selection.state:
            label = state.value.capitalize()
            current = state == selection.state
            href = view_url(request, context, query={"state": state.value})
            found.append({"label": label, "href": href, "count": number, "current": current})
    return found


@dataclass(frozen=True)
class Line:
    """A job in the table, with what is said of it."""

    job: queries.JobRow
    url: str
    sentence: Any
    usual: float | None


def _lines(
    context: JobRequestResource,
    request: Request,
    rows: list[queries.JobRow],
    cancelled: list[cancelling.CancellationRow],
    text: str,
) -> list[Line]:
    row = context.job_request
    waiting = waits(request.db, row.id, rows, needs_in(text))
    usual = usual_seconds(request.db, row, [job.action for job in rows])
    by = cancelling.cancelled_by(cancelled)
    found = []
    for job in rows:
        held = waiting.get(job.action)
        sentence = job_sentence(
            job.status.lower(),
            job.status_code,
            job.status_message,
            backend=row.backend.name,
            waiting_for=held.names if held else (),
            needs=held.needs if held else 0,
            cancelled_by=by.get(job.action),
        )
        if job.is_active and job.action in by:
            sentence = happenings.being_cancelled(by[job.action])
        found.append(Line(job, view_url(request, context, job.identifier), sentence, usual.get(job.action)))
    return found


def _graph(
    context: JobRequestResource, request: Request, rows: list[queries.JobRow], text: str
) -> Graph | None:
    """What depends on what among the jobs; None if nothing does, or the file cannot be read."""
    needs, there = needs_in(text), {job.action for job in rows}
    actions = [
        Action(
            job.action,
            job.shown,
            [name for name in needs.get(job.action, ()) if name in there],
            view_url(request, context, job.identifier),
        )
        for job in rows
    ]
    return graph(actions) if any(action.needs for action in actions) else None
