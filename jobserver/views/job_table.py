"""The table of a request's jobs, with its timeline, and the graph beside it (design: timeline and graph)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pyramid.httpexceptions import HTTPBadRequest, HTTPNotFound
from pyramid.request import Request

from jobserver.models import JobRequest, JobState
from jobserver.pipeline.forecast import Expected, Forecast, Task, forecast
from jobserver.queries import job_requests as queries
from jobserver.queries.earlier_runs import usual_seconds
from jobserver.queries.job_requests import JobRow
from jobserver.queries.needs import Needs, waits
from jobserver.resources import JobRequestResource
from jobserver.resources.links import view_url
from jobserver.templating.graph import Action, Graph, graph
from jobserver.templating.pager import Pager, page_number
from jobserver.templating.sentences import job_sentence
from jobserver.templating.timeline import Scale, scale
from jobserver.views.happenings import being_cancelled


@dataclass(frozen=True)
class Selection:
    """Which of the jobs are shown: all or those in one state, and which page of them."""

    state: str | None
    page: int
    total: int
    by_urgency: bool
    pager: Pager

    @classmethod
    def read(cls, job_request: JobRequest, request: Request, *, lenient: bool = False) -> "Selection":
        """From the address. A live region does not fail because its page is gone: it shows the last one."""
        state = request.GET.get("state") or None
        tally = queries.counts(job_request)
        if state is not None and state not in tally:
            raise HTTPBadRequest(f"There is no state of this name. Choose one of: {', '.join(tally)}.")
        total = tally[state] if state else job_request.jobs_total
        large = job_request.jobs_total > queries.ALL_ON_ONE_PAGE
        size = queries.PAGE if large else queries.ALL_ON_ONE_PAGE
        page = page_number(request.GET.get("page"), total, size)
        if page is None and lenient:
            page = page_number("last", total, size)
        if page is None:
            raise HTTPNotFound
        kept = [("state", state)] if state else []
        return cls(state, page, total, large, Pager(page, total, size, kept))

    @property
    def is_everything(self) -> bool:
        """Whether all jobs are shown, in the order in which they started."""
        return not self.by_urgency and self.state is None

    def query(self, **more: str) -> dict[str, str]:
        """The address's parameters that choose this selection."""
        chosen = {"state": self.state or "", "page": str(self.page) if self.page > 1 else ""}
        return {name: value for name, value in {**chosen, **more}.items() if value}


def toggles(context: JobRequestResource, request: Request, selection: Selection) -> list[dict[str, Any]]:
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
    """A job in the table, with what is said of it; ``expected``: when it is likely to begin and to end."""

    job: JobRow
    url: str
    sentence: Any
    usual: float | None
    expected: Expected | None


@dataclass(frozen=True)
class Table:
    """The jobs that are shown, the time that their timeline spans, and what can be said of the whole."""

    lines: Sequence[Line]
    scale: Scale
    every: Sequence[JobRow]
    forecast: Forecast


def table(
    context: JobRequestResource,
    request: Request,
    selection: Selection,
    needs: Needs,
    cancelled_by: Mapping[str, str],
    now: datetime,
) -> Table:
    """The selected jobs, each with why it waits or how it ended, and when it is likely to end."""
    db, row = request.db, context.job_request
    pages = selection.pager
    rows = queries.jobs(
        db,
        row.id,
        state=selection.state,
        by_urgency=selection.by_urgency,
        limit=pages.size,
        offset=pages.offset,
    )
    every = rows if selection.is_everything else queries.every_job(db, row.id)
    active = [job.action for job in every if job.is_active]
    usual = usual_seconds(db, row, list(dict.fromkeys([*(job.action for job in rows), *active])))
    expected = (
        forecast([_task(job, row, usual, needs) for job in every], needs, now) if active else Forecast()
    )
    held = waits(rows, every, needs)
    ahead = queries.ahead_in_queue(db, row.backend_id, rows)
    lines = []
    for job in rows:
        sentence = job_sentence(
            job.status.lower(),
            job.status_code,
            job.status_message,
            backend=row.backend.name,
            waiting_for=held[job.action].names if job.action in held else (),
            needs=held[job.action].needs if job.action in held else 0,
            ahead=ahead.get(job.id),
            cancelled_by=cancelled_by.get(job.action),
        )
        if job.is_active and job.action in cancelled_by:
            sentence = being_cancelled(cancelled_by[job.action])
        url = view_url(request, context, job.identifier)
        lines.append(Line(job, url, sentence, usual.get(job.action), expected.jobs.get(job.action)))
    return Table(lines, _scale(row, lines, now), every, expected)


def _task(job: JobRow, job_request: JobRequest, usual: Mapping[str, float], needs: Needs) -> Task:
    """The job as the forecast sees it. Of what a paused backend will do, nothing is foreseen."""
    if not job.is_active:
        return Task(job.action, "ended")
    if job.state == "running":
        return Task(job.action, "running", job.started_at, usual.get(job.action))
    unclear = job.status_code == "waiting_on_dependencies" and not needs.get(job.action)
    held = job.state == "unknown" or job.shown.kind == "warning" or job_request.backend.is_paused or unclear
    state: Literal["held", "queued", "waiting"] = "queued" if job.status_code in queries.SLOTS else "waiting"
    return Task(job.action, "held" if held else state, None, usual.get(job.action))


def _scale(job_request: JobRequest, lines: Sequence[Line], now: datetime) -> Scale:
    times = [moment for line in lines for moment in (line.job.started_at, line.job.ended_at)]
    times += [line.expected.end for line in lines if line.expected]
    return scale(job_request.created_at, times, now if queries.is_followed(job_request) else None)


def drawn_graph(
    context: JobRequestResource, request: Request, every: Sequence[JobRow], needs: Needs
) -> Graph | None:
    """What depends on what among all jobs; None if nothing does, or the file cannot be read."""
    there = {job.action for job in every}
    wanted = {action: [name for name in needs.get(action, ()) if name in there] for action in there}
    if not any(wanted.values()):
        return None
    base = view_url(request, context)
    return graph(
        [Action(job.action, job.shown, wanted[job.action], f"{base}{job.identifier}/") for job in every]
    )
