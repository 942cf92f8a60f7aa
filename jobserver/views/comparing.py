"""Two job requests of a workspace side by side (spec: pages 11, "Code comparison", and 30.6 no. 59)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from jobserver.forms.comparing import CompareForm
from jobserver.http.downloads import csv_download
from jobserver.models import JobRequest
from jobserver.queries import comparison as queries
from jobserver.queries.earlier_runs import others
from jobserver.queries.job_requests import shown_state
from jobserver.resources import JobRequestResource
from jobserver.resources.links import view_url
from jobserver.security.permissions import Permission
from jobserver.templating.numbers import count
from jobserver.templating.times import duration
from jobserver.views.breadcrumbs import breadcrumbs
from jobserver.views.happenings import names
from jobserver.views.on_github import OnGithub
from jobserver.views.pages import pager_of

PAGE = 100


@view_config(
    context=JobRequestResource,
    name="compare",
    permission=Permission.VIEW,
    request_method="GET",
    renderer="jobserver:templates/comparison/page.jinja2",
)
def compare(context: JobRequestResource, request: Request) -> dict[str, Any]:
    """This request and another, the earlier one left: ``with``, or the one before on the same backend."""
    form, other = _chosen(context, request)
    values = _pair(context, request, other) if other else {"lines": None}
    row = context.job_request
    ends = (f"Request {row.id}", view_url(request, context)), ("Compare", None)
    return {
        "context": context,
        "job_request": row,
        "form": form,
        "other": other,
        "request_url": view_url(request, context),
        "compare_url": view_url(request, context, "compare"),
        "breadcrumbs": breadcrumbs(context, request, *ends),
        **values,
    }


@view_config(
    context=JobRequestResource,
    name="compare",
    permission=Permission.VIEW,
    request_method="GET",
    request_param="format=csv",
)
def compare_file(context: JobRequestResource, request: Request) -> Response:
    """All actions of the two requests as a file."""
    _, other = _chosen(context, request)
    if other is None:
        raise HTTPNotFound
    before, after = sorted([context.job_request, other], key=lambda each: each.id)
    memory = _may_see_metrics(context, request)
    found = queries.compared(request.db, before.id, after.id, memory=memory)
    sides = [f"{name} {each.id}" for each in (before, after) for name in _columns(memory)]
    rows = [
        (
            line.action,
            *_cells(line.before, memory),
            *_cells(line.after, memory),
            "yes" if line.differs else "no",
        )
        for line in found.lines
    ]
    return csv_download(f"requests-{before.id}-{after.id}.csv", ("action", *sides, "differs"), rows)


def _columns(memory: bool) -> list[str]:
    return ["job", "outcome", "seconds", *(["peak memory (MB)"] if memory else [])]


def _cells(side: queries.Side | None, memory: bool) -> list[Any]:
    if side is None:
        return [None] * len(_columns(memory))
    cells = [side.identifier, side.status_code or side.status, side.seconds]
    return [*cells, side.mem_mb_peak] if memory else cells


def _may_see_metrics(context: JobRequestResource, request: Request) -> bool:
    return bool(request.has_permission(Permission.JOB_METRICS_VIEW, context))


def _chosen(context: JobRequestResource, request: Request) -> tuple[CompareForm, JobRequest | None]:
    """The form, and the request to compare with; None if the form says what is wrong, or there is none."""
    db, row = request.db, context.job_request
    if "with" not in request.GET:
        last = others(db, row).last
        form = CompareForm(data={"other": str(last.id) if last else ""})
        return form, queries.request_of(db, last.id) if last else None
    form = CompareForm(request.GET)
    if not form.validate():
        return form, None
    if form.number == row.id:
        form.refuse("This is the same request. Enter the number of another one.")
        return form, None
    other = queries.request_of(db, form.number)
    if other is None or other.workspace_id != row.workspace_id:
        form.refuse(f"The workspace {context.workspace.name} has no request {form.number}.")
        return form, None
    return form, other


def _pair(context: JobRequestResource, request: Request, other: JobRequest) -> dict[str, Any]:
    before, after = sorted([context.job_request, other], key=lambda each: each.id)
    memory = _may_see_metrics(context, request)
    # An action that both have is one line, so there may be fewer pages than this.
    pager = pager_of(request, before.jobs_total + after.jobs_total, PAGE, [("with", str(other.id))])
    found = queries.compared(request.db, before.id, after.id, memory=memory, limit=PAGE, offset=pager.offset)
    if pager.page > 1 and not found.lines:
        raise HTTPNotFound
    github = OnGithub(request.registry["settings"], context.workspace.repo)
    return {
        "before": before,
        "after": after,
        "settings_rows": _settings(before, after),
        "changes": github.compare(before.sha, after.sha),
        "github": github,
        "lines": found,
        "differences": lambda line: _differences(line, before.id, after.id),
        "memory": memory,
        "pager": replace(pager, total=found.total),
        "url_of": lambda each: view_url(request, context.__parent__, str(each.id)),
        "csv_url": view_url(request, context, "compare", query={"with": str(other.id), "format": "csv"}),
    }


def _differences(line: queries.Line, before_id: int, after_id: int) -> list[str]:
    """What differs notably between the two jobs of an action, in words."""
    before, after = line.before, line.after
    if before is None or after is None:
        return [f"Only in {after_id if before is None else before_id}"]
    found = ["Different outcome"] if line.outcome else []
    if line.time and before.seconds is not None and after.seconds is not None:
        more = after.seconds - before.seconds
        found.append(f"{duration(abs(more))} {'longer' if more > 0 else 'shorter'}")
    if line.memory and before.mem_mb_peak is not None and after.mem_mb_peak is not None:
        more = after.mem_mb_peak - before.mem_mb_peak
        found.append(f"{round(abs(more)):,} MB {'more' if more > 0 else 'less'}")
    return found


@dataclass(frozen=True)
class Setting:
    """One thing that two requests have in common or not."""

    label: str
    before: Any
    after: Any
    differs: bool


def _settings(before: JobRequest, after: JobRequest) -> Sequence[Setting]:
    """How the requests were asked for, and how they ended; who and when is told but no difference."""
    rows: list[tuple[str, Any, Any]] = [
        ("Backend", before.backend.name, after.backend.name),
        ("Branch", before.branch or "not known", after.branch or "not known"),
        ("Actions", sorted(before.requested_actions), sorted(after.requested_actions)),
        ("Dependencies", _force(before), _force(after)),
        ("Codelists", _codelists(before), _codelists(after)),
        ("Outcome", shown_state(before).word, shown_state(after).word),
        ("Jobs", _jobs(before), _jobs(after)),
    ]
    found = [Setting(label, one, two, one != two) for label, one, two in rows]
    return [
        Setting(each.label, names(each.before, 10), names(each.after, 10), each.differs)
        if each.label == "Actions"
        else each
        for each in found
    ] + [Setting("Took", _took(before), _took(after), False)]


def _force(row: JobRequest) -> str:
    return "Run again, all of them" if row.force_run_dependencies else "Run only if needed"


def _codelists(row: JobRequest) -> str:
    return "Up to date" if row.codelists_ok else "Out of date"


def _jobs(row: JobRequest) -> str:
    parts = [f"{row.jobs_finished:,} of {count(row.jobs_total, 'job')} finished"]
    parts += [f"{row.jobs_failed:,} failed"] if row.jobs_failed else []
    parts += [f"{row.jobs_cancelled:,} cancelled"] if row.jobs_cancelled else []
    return ", ".join(parts)


def _took(row: JobRequest) -> str:
    if not row.started_at or not row.completed_at:
        return "–"
    return duration(row.completed_at - row.started_at)
